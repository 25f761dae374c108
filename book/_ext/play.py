"""Pages with tables that one can play: the script and its style, where they are needed."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx


def show(app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    if "selfheal-play" in context.get("body", ""):
        app.add_js_file("play.js", loading_method="defer")
        app.add_css_file("play.css")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", show)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
