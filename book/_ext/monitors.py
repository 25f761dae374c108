"""Pages with a patient monitor: their banks are computed, and ``widgets.js`` draws them.

A monitor is stored in its notebook as plain HTML that names a bank. When the book is built, the banks that are
missing or out of date are computed into ``_static/banks``, and every page with a monitor loads one classic script.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

from selfheal.widgets import bank, page

log = logging.getLogger(__name__)


def write(app: Sphinx) -> None:
    """Banks and script, beside the book's other static files; git ignores both."""
    book = Path(app.srcdir) / "book"
    static = book / "_static"
    for name, count, size, seconds in bank.write(book, static / "banks"):
        log.info("bank %s: %d answers, %.1f kB, %.1f s", name, count, size / 1000, seconds)
    (static / "widgets.js").write_text(page.bundle(), encoding="utf-8")


def load(app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """The script goes on the pages that need it."""
    if "selfheal-monitor" in context.get("body", ""):
        app.add_js_file("widgets.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", write)
    app.connect("html-page-context", load)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
