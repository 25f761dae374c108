"""Pages in another language than the book's: those under ``book/zh-TW/`` say so, and their widgets speak it."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from selfheal.words import LANGUAGES


def show(_app: Sphinx, page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    for language in LANGUAGES:
        if page.startswith(f"book/{language}/"):
            context["language"] = language


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", show)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
