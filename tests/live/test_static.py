"""The page before any Python: light, at home, alive from disk, readable without a script."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest

from tests.book.notebooks import NOTEBOOKS, PAGES, by_day, cells, text_of
from tests.live.conftest import Open
from tests.live.host import Host
from tests.live.reader import approach, flip

NAMES = {name.replace(".ipynb", ".html") for name in NOTEBOOKS}
HEAVIEST = 350_000
"""Bytes over the line for a page that has widgets."""


@pytest.mark.parametrize("name", by_day(3, PAGES))
def test_a_page_is_light(open_tab: Open, host: Host, name: str) -> None:
    tab = open_tab()
    tab.goto(f"{host.url}book/{name}.html")
    approach(tab)
    tab.until("document.readyState == 'complete'")
    own = {url.removeprefix(host.url).partition("?")[0] for url in tab.requests}
    sizes = {asked.path: asked.size for asked in reversed(host.log) if asked.path in own}  # a worker may ask again
    assert len(sizes) > 5
    assert sum(sizes.values()) < HEAVIEST, sorted(sizes.items(), key=lambda item: -item[1])[:8]
    assert [path for path in sizes if "pyodide" in path or path.endswith("site.pack")] == []


def test_a_whole_visit_finds_everything_at_home(open_tab: Open, host: Host) -> None:
    tab = open_tab()
    tab.goto(host.url)
    tab.until("location.pathname.endsWith('/book/index.html')")
    for _ in host.root.rglob("*.html"):
        tab.until("document.readyState == 'complete'")
        tab.js("scrollTo(0, document.body.scrollHeight)")
        if not tab.js("document.querySelector('.prev-next-area a.right-next') != null"):
            break
        here = tab.js("location.href")
        tab.click(".prev-next-area a.right-next")
        tab.until(f"location.href != {here!r}")
    assert tab.js("document.querySelector('.prev-next-area a.right-next') == null"), "not the last page"
    tab.goto(f"{host.url}search.html?q=probe")
    tab.until("document.querySelectorAll('#search-results li').length > 0", 30)
    assert {name for name in NAMES if f"book/{name}" in {asked.path for asked in host.log}} == NAMES
    assert [asked.path for asked in host.log if asked.status >= 400] == []


@pytest.mark.parametrize("name", by_day(3, PAGES))
def test_from_disk_with_the_network_off_the_first_flips_are_answered(
    open_tab: Open, host: Host, book_html: Path, name: str
) -> None:
    tab = open_tab(offline=True)
    tab.goto((book_html / "book" / f"{name}.html").as_uri())
    approach(tab)
    flip(tab)
    assert host.log == []


@pytest.mark.browser
@pytest.mark.parametrize("name", by_day(3, PAGES))
def test_without_scripts_text_figures_and_stored_outputs_are_there(browser: Any, host: Host, name: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{host.url}book/{name}.html")
    article = page.locator("article")
    words = squeezed(article.text_content())
    pictures = 0
    for cell in cells(f"{name}.ipynb", "code"):
        for output in cell["outputs"]:
            data = output.get("data", {})
            markup = "".join(data.get("text/html", "")) or "".join(data.get("image/svg+xml", ""))
            pictures += "<svg" in markup
            told = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", markup, flags=re.DOTALL) or text_of(output)
            missing = [word for word in squeezed(html.unescape(told)).split() if word not in words]
            assert missing == [], cell["id"]
    assert article.locator("svg").count() >= pictures
    assert article.locator("h2").count() > 0
    for place in page.locator(".selfheal-monitor").all():
        assert len(place.inner_text()) > 100
    context.close()


def squeezed(text: str) -> str:
    return " ".join(text.split())
