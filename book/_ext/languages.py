"""Pages in another language than the book's, those under ``book/zh-TW/``: their widgets and their frame speak it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from selfheal.words import LANGUAGES, words

CODE = r"<(script|style|pre|code|svg)\b.*?</\1>"
PLACES = r'((?:title|aria-label|placeholder)="|>\s*)({})("|\s*</(?:a|button|h2|p|div|span)>)'
"""Where a theme's words stand: as a whole attribute, or as an element's whole text (``{}``)."""


def show(_app: Sphinx, page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    for language in LANGUAGES:
        if page.startswith(f"book/{language}/"):
            context["language"] = language


def translated(text: str, language: str) -> str:
    """A page with its theme's words in another language; what is code stays."""
    said = dict(zip(words("frame", "en").values(), words("frame", language).values(), strict=True))
    places = PLACES.format("|".join(map(re.escape, sorted(said, key=len, reverse=True))))
    either = re.compile(f"{CODE}|{places}", re.DOTALL)
    return either.sub(lambda found: found[0] if found[1] else f"{found[2]}{said[found[3]]}{found[4]}", text)


def translate(app: Sphinx, problem: Exception | None) -> None:
    """A theme speaks one language in all of a book."""
    if problem is None and app.builder.format == "html":
        for language in LANGUAGES[1:]:
            for path in (Path(app.outdir) / "book" / language).glob("*.html"):
                path.write_text(translated(path.read_text("utf-8"), language), "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", show)
    app.connect("build-finished", translate, priority=100)  # before the files are counted for readers without a network
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
