"""Widgets on a page without a kernel: two classic scripts that mount them.

``monitors.js``, a few lines, is on the page; it loads ``widgets.js`` when a reader comes near a monitor. That one is
put together from files that stand beside this one: the monitor (a module in anywidget's contract), its style, and
``mount.js``, the model that a page has in anywidget's place; and from the words of all languages. Nothing is compiled;
the only change is that an ``export`` becomes a constant, since a page opened from disk can load classic scripts only.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from selfheal import words as spoken

HERE = Path(__file__).parent


@cache
def source(name: str) -> str:
    """The text of a file beside this one."""
    return (HERE / name).read_text(encoding="utf-8")


def words(language: str | None = None) -> dict[str, str]:
    """All that readers of a monitor see, by key; in the language that is spoken, if none is named."""
    return spoken.words("monitor", language)


def loader(made_by: str) -> str:
    """``monitors.js``: what finds the monitors on a page. ``made_by`` names the engine that filled the banks.

    Code and banks are asked for by a version, so that no page mixes old ones with new.
    """
    version = hashlib.sha256(f"{made_by} {bundle()}".encode()).hexdigest()[:12]
    return _script(f"const version = {_js(version)};", _languages("load.failed"), source("load.js"))


def bundle() -> str:
    """``widgets.js``: everything that a monitor needs, but for its bank."""
    module = source("monitor.js")
    head, export, tail = module.rpartition("\nexport default ")
    if not export:
        raise ValueError("monitor.js does not end in an export")
    return _script(
        _languages(),
        f"const css = {_js(source('monitor.css'))};",
        f"const monitor = (() => {{\n{head}\nreturn {tail.rstrip()}\n}})();",
        source("mount.js"),
    )


def _languages(*keys: str) -> str:
    """The words of each language (all, or those named), and ``wordsFor(element)``: those of the language around it."""
    said = {name: {key: words(name)[key] for key in keys or words(name)} for name in spoken.LANGUAGES}
    return f"const languages = {_js(said)};\n{source('languages.js')}"


def _script(*parts: str) -> str:
    """A classic script that leaves no names behind."""
    return "\n".join(("(() => {", '"use strict";', *parts, "})();", ""))


def _js(value: Any) -> str:
    """JSON that may stand in a script."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")
