"""Widgets on a page without a kernel: two classic scripts that mount them.

``monitors.js``, a few lines, is on the page; it loads ``widgets.js`` when a reader comes near a monitor. That one is
put together from files that stand beside this one: the monitor (a module in anywidget's contract), its style and words,
and ``mount.js``, the model that a page has in anywidget's place. Nothing is compiled; the only change is that an
``export`` becomes a constant, since a page opened from disk can load classic scripts only.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@cache
def source(name: str) -> str:
    """The text of a file beside this one."""
    return (HERE / name).read_text(encoding="utf-8")


@cache
def words(language: str = "en") -> dict[str, str]:
    """All that readers see, by key."""
    found: dict[str, str] = json.loads(source(f"strings/{language}.json"))
    return found


def loader(made_by: str, language: str = "en") -> str:
    """``monitors.js``: what finds the monitors on a page. ``made_by`` names the engine that filled the banks.

    Code and banks are asked for by a version, so that no page mixes old ones with new.
    """
    version = hashlib.sha256(f"{made_by} {bundle(language)}".encode()).hexdigest()[:12]
    said = {key: words(language)[key] for key in ("load.failed",)}
    return _script(f"const version = {_js(version)};", f"const words = {_js(said)};", source("load.js"))


def bundle(language: str = "en") -> str:
    """``widgets.js``: everything that a monitor needs, but for its bank."""
    module = source("monitor.js")
    head, export, tail = module.rpartition("\nexport default ")
    if not export:
        raise ValueError("monitor.js does not end in an export")
    return _script(
        f"const words = {_js(words(language))};",
        f"const css = {_js(source('monitor.css'))};",
        f"const monitor = (() => {{\n{head}\nreturn {tail.rstrip()}\n}})();",
        source("mount.js"),
    )


def _script(*parts: str) -> str:
    """A classic script that leaves no names behind."""
    return "\n".join(("(() => {", '"use strict";', *parts, "})();", ""))


def _js(value: Any) -> str:
    """JSON that may stand in a script."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")
