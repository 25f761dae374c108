"""Widgets on a page without a kernel: one classic script that mounts them.

``widgets.js`` is put together from files that stand beside this one: the monitor (a module in anywidget's
contract), its style and words, and ``mount.js``, the model that a page has in anywidget's place. Nothing is
compiled; the only change is that an ``export`` becomes a constant, since a page opened from disk can load classic
scripts only.
"""

from __future__ import annotations

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


def bundle(language: str = "en") -> str:
    """``widgets.js``: everything that a page needs, but for the banks."""
    module = source("monitor.js")
    head, export, tail = module.rpartition("\nexport default ")
    if not export:
        raise ValueError("monitor.js does not end in an export")
    return "\n".join(
        (
            "(() => {",
            '"use strict";',
            f"const words = {_js(words(language))};",
            f"const css = {_js(source('monitor.css'))};",
            "const monitor = (() => {",
            f"{head}\nreturn {tail.rstrip()}",
            "})();",
            source("mount.js"),
            "})();",
            "",
        )
    )


def _js(value: Any) -> str:
    """JSON that may stand in a script."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")
