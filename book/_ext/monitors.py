"""Pages with a patient monitor: their banks are computed, and scripts draw them.

A monitor is stored in its notebook as plain HTML that names a bank. When the book is built, the banks that are
missing or out of date are computed into ``_static/banks``. Every page with a monitor shows a picture of its run, which
is all that readers without scripts get, and loads ``monitors.js``, a few lines that load the rest when a reader
comes near.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

from selfheal.cluster import Cluster
from selfheal.lessons import timing
from selfheal.plot import plot
from selfheal.scenario import Scenario
from selfheal.widgets import bank, page
from selfheal.widgets.questions import language_of
from selfheal.words import speaking

log = logging.getLogger(__name__)

PLACE = re.compile(
    r'(data-bank="\w+"[^>]*>\s*<script type="application/json">)(.*?)(</script>.*?)(<details><summary>.*?</summary>)',
    re.DOTALL,
)
"""A monitor as a notebook stores it: its data, and its run behind a click."""


def write(app: Sphinx) -> None:
    """Banks and scripts, beside the book's other static files; git ignores them."""
    book = Path(app.srcdir) / "book"
    static = book / "_static"
    for name, count, size, seconds in bank.write(book, static / "banks"):
        log.info("bank %s: %d answers, %.1f kB, %.1f s", name, count, size / 1000, seconds)
    (static / "timing.js").write_text(timing.script(), encoding="utf-8")
    (static / "widgets.js").write_text(page.bundle(), encoding="utf-8")
    (static / "monitors.js").write_text(page.loader(bank.engine()), encoding="utf-8")


def show(app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """The picture and the script, on the pages that need them."""
    if "selfheal-monitor" in context.get("body", ""):
        context["body"] = PLACE.sub(pictured, context["body"])
        app.add_js_file("monitors.js", loading_method="defer")
    if "selfheal-timing" in context.get("body", ""):
        app.add_js_file("timing.js", loading_method="defer")


def pictured(place: re.Match[str]) -> str:
    """A monitor's place with the picture of its run: behind the click where a question comes before it."""
    head, stored, between, told = place.groups()
    data = json.loads(stored)
    with speaking(language_of(data)):
        shown = picture(json.dumps(data["base"]), language_of(data))
    return f"{head}{stored}{between}" + (told + shown if data["ask"] else shown + told)


@cache
def picture(question: str, _language: str) -> str:
    """A run as a picture."""
    scenario = Scenario.from_canonical(json.loads(question))
    return plot(Cluster.of(scenario).play(scenario).timeline).html


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", write)
    app.connect("html-page-context", show)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
