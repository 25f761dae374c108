"""The built book: complete, contacts nobody, can be used by everybody."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.book.notebooks import by_day

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "book").glob("*.ipynb"))
LABS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "labs").glob("*.ipynb"))
LAB_PAGES = [name.replace(".ipynb", ".html") for name in LABS]


def files(toc: Any) -> Iterator[str]:
    if isinstance(toc, dict):
        yield from (str(value) for key, value in toc.items() if key in {"file", "root"})
        for value in toc.values():
            yield from files(value)
    elif isinstance(toc, list):
        for value in toc:
            yield from files(value)


LISTED = list(files(yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))))
PAGES = ["search.html", *(f"{name}.html" for name in LISTED)]
BY_DAY = [
    "search.html",
    LAB_PAGES[0],  # prose and tables
    "labs/05-handlers.html",  # the longest pictures, lines and lists
]
CHAPTERS = by_day(3, page="book/{}.html")
OTHERS = [page for page in PAGES if page not in BY_DAY and page not in {param.values[0] for param in CHAPTERS}]
LOOKED_AT = pytest.mark.parametrize(
    "page", [*BY_DAY, *CHAPTERS, *(pytest.param(page, marks=pytest.mark.nightly) for page in OTHERS)]
)


def test_every_chapter_is_in_the_table_of_contents() -> None:
    assert {name.removesuffix(".ipynb") for name in NOTEBOOKS} <= set(LISTED)


class Loads(HTMLParser):
    """What a browser fetches for a page, without being clicked."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "link" and "canonical" not in str(given.get("rel")):
            self.urls.append(given.get("href") or "")
        if tag in {"script", "img", "iframe", "source", "video", "audio", "object", "embed"}:
            self.urls.append(given.get("src") or given.get("data") or "")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_no_other_host(book_html: Path, page: str) -> None:
    text = (book_html / page).read_text("utf-8")
    loads = Loads()
    loads.feed(text)
    assert [url for url in loads.urls if urlsplit(url).netloc] == []
    assert "thebe" not in text
    assert re.findall(r"import\(.https?:|from .https?:|@import.*https?:", text) == []


@pytest.mark.slow
@pytest.mark.parametrize("page", LAB_PAGES)
def test_a_lab_is_in_the_book_but_does_not_offer_to_run_there(book_html: Path, page: str) -> None:
    text = (book_html / page).read_text("utf-8")
    assert "live-config" not in text
    assert not (book_html / "_live" / page.replace(".html", ".json")).exists()


@pytest.mark.slow
def test_the_style_sheets_name_no_other_host(book_html: Path) -> None:
    for sheet in book_html.rglob("*.css"):
        assert re.findall(r"url\([\"']?(?:https?:)?//", sheet.read_text("utf-8")) == [], sheet.name


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@LOOKED_AT
def test_a_page_stays_at_home_and_axe_finds_nothing(
    browser: Any, book_url: str, axe: Callable[[Any], list[str]], page: str, scheme: str
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    outside: list[str] = []
    wrong: list[str] = []
    tab.on("request", lambda r: r.url.startswith((book_url, "data:", "blob:")) or outside.append(r.url))
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.goto(book_url + page)
    tab.wait_for_load_state("networkidle")
    assert (outside, wrong) == ([], [])
    assert axe(tab) == []
    context.close()


@pytest.mark.browser
@LOOKED_AT
def test_a_page_fits_a_phone(browser: Any, book_url: str, page: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740})
    tab = context.new_page()
    tab.goto(book_url + page)
    tab.wait_for_load_state("networkidle")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()
