"""A lighter frame: of the theme's half a megabyte of icons, each page gets those that the book shows.

The theme draws its icons twice: by a script of 540 kB (gzipped), which ``_templates`` leaves out, and from a font and
a style sheet with some two thousand of them, which keep what a page uses. What a page does not use, it does not load.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx

NEEDS = {"sphinx-design": "sd-", "design-tabs": "sd-tab", "togglebutton": "dropdown|toggle(?!-)"}
"""A file that some extension puts on every page, and the beginning of a class without which a page can spare it."""
NAME = re.compile(r"fa-[a-z0-9-]+")
RULE = re.compile(r'([^{}]*)\{content:"\\([0-9a-f]+)"\}')
UNUSED = ["**/*.map", "_static/*thebe*", "_static/scripts/fontawesome.js*", "_static/vendor/fontawesome/webfonts/*.ttf"]


def spare(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """A page does not load what serves nothing on it."""
    classes = " ".join(re.findall(r'class="([^"]*)"', context.get("body", "")))
    spared = [file for file, word in NEEDS.items() if not re.search(rf"(?:^| )(?:{word})", classes)]
    for kind in ("script_files", "css_files"):
        context[kind] = [
            file
            for file in context.get(kind, [])
            if not any(name in f"{getattr(file, 'filename', file)}" for name in spared)
        ]


def slim(app: Sphinx, problem: Exception | None) -> None:
    """The icons of the pages as they are now; nothing that only a developer of the theme would read."""
    if problem is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for pattern in UNUSED:
        for file in out.glob(pattern):
            file.unlink()
    texts = [*out.rglob("*.html"), *(out / "_static" / "scripts").glob("*.js")]
    used = {name for file in texts for name in NAME.findall(file.read_text("utf-8"))}
    drawn: set[int] = set()

    def keep(rule: re.Match[str]) -> str:
        names = set(NAME.findall(rule[1]))
        if names and not names & used:
            return ""
        drawn.add(int(rule[2], 16))
        return rule[0]

    for sheet in (out / "_static").rglob("*.css"):
        text = sheet.read_text("utf-8")
        slimmer = RULE.sub(keep, text)
        drawn |= {int(code, 16) for code in re.findall(r'"\\(f[0-9a-f]{3})"', slimmer)}
        if slimmer != text:
            sheet.write_text(slimmer, "utf-8")
    for path in (out / "_static" / "vendor" / "fontawesome" / "webfonts").glob("*.woff2"):
        font = TTFont(path, recalcTimestamp=False)
        subsetter = subset.Subsetter()
        subsetter.populate(unicodes=drawn)
        subsetter.subset(font)
        font.flavor = "woff2"
        font.save(path)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", spare, priority=910)
    app.connect("build-finished", slim, priority=800)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
