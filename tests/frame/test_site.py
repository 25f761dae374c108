"""The book as a site, from its readers' side: under a sub-path, on a plain host, without one, and without a network."""

from __future__ import annotations

import importlib.util
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest

from selfheal.words import words
from tests.book.notebooks import by_day
from tests.frame.test_book import NOTEBOOKS, ROOT
from tests.live.host import Host

PAGES = ["book/parity.html", *(name.replace(".ipynb", ".html") for name in NOTEBOOKS)]
WIDGETS, TEXT = 350_000, 180_000
"""Bytes that a page may cost with all that it asks for, gzipped."""
pytestmark = [pytest.mark.browser]


@pytest.fixture
def host(book_html: Path) -> Iterator[Host]:
    with Host(book_html) as host:
        yield host


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """A function to a new page in a context of its own; errors of its scripts fail the test."""
    contexts: list[Any] = []
    wrong: list[str] = []

    def new(**options: Any) -> Any:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        return page

    yield new
    for context in contexts:
        context.close()
    assert wrong == []


def settle(page: Any, url: str) -> None:
    page.goto(url)
    page.wait_for_load_state("networkidle")


def until(page: Any, expression: str) -> None:
    """Waits for it to be true. (Playwright's own way would compile it in the page, which the page's policy forbids.)"""
    for _ in range(300):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"it never came true: {expression}")


# -- weight, and whom a page asks


@pytest.mark.parametrize("name", ["book/parity.html", *by_day(3, page="book/{}.html")])
def test_a_page_is_light(open_page: Callable[..., Any], host: Host, name: str) -> None:
    page = open_page(service_workers="block")
    settle(page, host.url + name)
    assert host.bytes <= (WIDGETS if "selfheal-monitor" in page.content() else TEXT)
    assert [asked for asked in host.log if asked.status != 200] == []


def test_a_visit_of_the_whole_book_asks_nobody_else(open_page: Callable[..., Any], host: Host) -> None:
    page = open_page()
    outside: list[str] = []
    page.context.on("request", lambda r: r.url.startswith((host.url, "data:", "blob:")) or outside.append(r.url))
    settle(page, host.url)
    assert page.url == f"{host.url}book/index.html"
    for name in [*PAGES, "search.html?q=probe"]:
        settle(page, host.url + name)
        page.mouse.wheel(0, 20_000)
        page.wait_for_load_state("networkidle")
    assert outside == []
    assert page.context.cookies() == []


# -- what may run


EVIL = """<script>window.ran = "inline"</script>
<img src="data:," onerror="window.ran = 'handler'">
<a id="evil" href="javascript:window.ran = 'link'">x</a>
<img src="{other}/seen.png"><link rel="stylesheet" href="{other}/seen.css"><iframe src="{other}/seen.html"></iframe>
<script src="{other}/seen.js"></script>"""


def test_an_output_that_holds_scripts_is_a_picture_of_them(open_page: Callable[..., Any], host: Host) -> None:
    page = open_page(service_workers="block")
    with Host(host.root) as other:
        text = (host.root / "book" / "02-liveness.html").read_text("utf-8")
        bad = text.replace('<div class="output text_html">', f'<div class="output text_html">{EVIL}', 1)
        bad = bad.replace("{other}", other.origin)
        page.route("**/02-liveness.html", lambda route: route.fulfill(body=bad, content_type="text/html"))
        settle(page, f"{host.url}book/02-liveness.html")
        page.evaluate("document.getElementById('evil').click()")
        page.evaluate("url => fetch(url).catch(() => {})", f"{other.origin}/seen.json")
        page.wait_for_timeout(200)
        assert page.evaluate("window.ran") is None
        assert other.log == []
    assert page.evaluate("document.documentElement.dataset.theme") == "light", "the frame's own scripts run"


def test_from_disk_the_same_holds(open_page: Callable[..., Any], book_html: Path) -> None:
    page = open_page()
    page.goto((book_html / "book" / "index.html").as_uri())
    page.locator(".selfheal-monitor svg").first.wait_for()
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.ran = 1";
        document.body.append(script);
    }""")
    assert page.evaluate("window.ran") is None
    page.locator(".theme-switch-button").first.click()
    assert page.evaluate("document.documentElement.dataset.mode") in {"light", "dark"}


# -- the frame


def test_search_finds_a_page_and_leads_to_it(open_page: Callable[..., Any], host: Host) -> None:
    page = open_page()
    settle(page, f"{host.url}book/index.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("CrashLoopBackOff")
    page.keyboard.press("Enter")
    page.locator("#search-results a", has_text="Liveness").first.click()
    page.wait_for_url(f"{host.url}book/02-liveness.html*")
    assert "Liveness" in page.locator("article h1").inner_text()


MOVED = """
    window.moved = 0;
    new PerformanceObserver((list) => { for (const { value } of list.getEntries()) window.moved += value; })
        .observe({ type: "layout-shift", buffered: true });
"""
"""Adds up by how much what is in sight has been moved since the page began."""


@pytest.mark.parametrize("size", [(1280, 900), (360, 740)], ids=["desk", "phone"])
@pytest.mark.parametrize("name", ["index", "02-liveness"])
def test_nothing_moves_when_the_pages_scripts_come(
    open_page: Callable[..., Any], host: Host, name: str, size: tuple[int, int]
) -> None:
    page = open_page(viewport=dict(zip(("width", "height"), size, strict=True)))
    page.add_init_script(MOVED)
    settle(page, f"{host.url}book/{name}.html")
    until(page, "document.querySelector('.live-go') !== null")
    until(page, "!document.querySelector('.selfheal-monitor') || document.body.scrollHeight > 2000")
    page.wait_for_timeout(500)
    assert page.evaluate("window.moved") < 0.05


def test_a_heading_that_is_jumped_to_is_not_behind_the_bar(open_page: Callable[..., Any], host: Host) -> None:
    page = open_page(viewport={"width": 1280, "height": 900})
    settle(page, f"{host.url}book/02-liveness.html#quiz")
    bar, title = (page.locator(one).bounding_box() for one in (".live-bar", "#quiz h2"))
    assert bar["y"] + bar["height"] <= title["y"]


def test_an_answer_that_is_opened_shows_whether_it_is_right(open_page: Callable[..., Any], host: Host) -> None:
    page = open_page()
    settle(page, f"{host.url}book/02-liveness.html")
    answers = page.locator(".selfheal-questions").first.locator(":scope > details")
    for answer in answers.all():
        answer.locator("summary").focus()
        page.keyboard.press("Enter")
    until(page, "document.querySelectorAll('.selfheal-questions')[0].querySelectorAll('[data-is]').length > 3")
    assert [answer.get_attribute("data-is") for answer in answers.all()] == ["wrong", "wrong", "right", "wrong"]


def test_dark_stays_dark(open_page: Callable[..., Any], host: Host) -> None:
    page = open_page(color_scheme="light")
    settle(page, f"{host.url}book/index.html")
    button = page.locator(".theme-switch-button").first
    for _ in range(3):
        button.click()
        if page.evaluate("document.documentElement.dataset.mode") == "dark":
            break
    settle(page, f"{host.url}book/03-readiness.html")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    red, green, blue = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert red + green + blue < 150


def test_a_phone_has_both_tables_of_contents_and_the_way_on(open_page: Callable[..., Any], host: Host) -> None:
    page = open_page(viewport={"width": 360, "height": 740})
    settle(page, f"{host.url}book/02-liveness.html")
    page.locator(".primary-toggle").click()
    chapter = page.locator("#pst-primary-sidebar-modal a", has_text="Readiness")
    chapter.wait_for()
    page.keyboard.press("Escape")
    page.locator(".secondary-toggle").click()
    page.locator("#pst-secondary-sidebar-modal a", has_text="Quiz").click()
    assert page.locator("h2", has_text="Quiz").is_visible()
    page.locator(".prev-next-footer .right-next").click()
    page.wait_for_url("**/03-readiness.html")


def test_a_chinese_page_has_a_chinese_bar_and_frame(open_page: Callable[..., Any], host: Host) -> None:
    page = open_page()
    settle(page, f"{host.url}book/zh-TW/01-is-it-alive.html")
    bar, frame = words("live", "zh-TW"), words("frame", "zh-TW")
    assert page.locator(".live-go").inner_text() == bar["page"]
    assert page.locator(".live-status").inner_text() == bar["offer"].format(mb=7)
    assert page.locator(".skip-link a").inner_text() == frame["skip"]
    assert page.locator(".prev-next-subtitle").all_inner_texts() == [frame["previous"], frame["next"]]


def test_paper_shows_the_text_alone(open_page: Callable[..., Any], host: Host) -> None:
    page = open_page()
    settle(page, f"{host.url}book/02-liveness.html")
    page.emulate_media(media="print")
    for part in (".bd-sidebar-primary", ".bd-sidebar-secondary", ".bd-header-article", ".prev-next-footer"):
        assert not page.locator(part).first.is_visible(), part
    assert page.locator("article h2").first.is_visible()


def test_where_storage_is_denied_the_frame_works(browser: Any, host: Host) -> None:
    with browser.new_context(service_workers="block") as context:
        deny = "{get() { throw new DOMException('denied', 'SecurityError') }}"
        for name in ("localStorage", "sessionStorage", "caches"):
            context.add_init_script(f"Object.defineProperty(window, '{name}', {deny})")
        page = context.new_page()
        settle(page, f"{host.url}book/index.html")
        page.keyboard.press("Control+k")
        assert page.locator("#pst-search-dialog input").is_visible()
        assert page.evaluate("document.documentElement.dataset.theme") == "light"
        page.locator(".selfheal-monitor svg").first.wait_for()


@pytest.mark.parametrize("where", ["nothing.html", "x/y/z.html", "book/deep/er/"])
def test_the_page_for_nothing_leads_home_from_anywhere(open_page: Callable[..., Any], host: Host, where: str) -> None:
    page = open_page()
    answer = page.goto(host.url + where)
    assert answer.status == 404
    page.wait_for_load_state("networkidle")
    page.locator("a", has_text="Liveness").click()
    page.wait_for_url(f"{host.url}book/02-liveness.html")


def test_axe_finds_nothing_on_the_page_for_nothing(
    open_page: Callable[..., Any], host: Host, axe: Callable[[Any], list[str]]
) -> None:
    for scheme in ("light", "dark"):
        page = open_page(color_scheme=scheme, viewport={"width": 360, "height": 740})
        settle(page, f"{host.url}x/y")
        assert axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("notebook", by_day(2, page="book/{}.ipynb"))
def test_a_page_is_a_notebook_to_take_along(open_page: Callable[..., Any], host: Host, notebook: str) -> None:
    page = open_page()
    settle(page, host.url + notebook.replace(".ipynb", ".html"))
    with page.expect_download() as download:
        page.locator("a[download]").click()
    assert download.value.suggested_filename == Path(notebook).name
    taken = nbformat.reads(download.value.path().read_text("utf-8"), as_version=4)  # type: ignore[no-untyped-call]
    assert taken == nbformat.read(ROOT / notebook, as_version=4)  # type: ignore[no-untyped-call]


# -- without a network


def kept(page: Any) -> None:
    """Waits until the book lies in the browser."""
    until(page, "navigator.serviceWorker.controller?.state === 'activated'")


def test_after_one_visit_the_book_needs_no_network(open_page: Callable[..., Any], book_html: Path) -> None:
    page = open_page()
    with Host(book_html) as host:
        settle(page, host.url)
        kept(page)
    failed: list[str] = []
    # (a browser asks for a page's icon past the worker)
    page.on("requestfailed", lambda request: request.url.endswith("mark.svg") or failed.append(request.url))
    for name in ["", *PAGES]:
        settle(page, host.url + name)
        assert page.locator("article h1").is_visible()
    settle(page, f"{host.url}book/index.html")
    page.locator(".selfheal-monitor svg").first.wait_for()
    settle(page, f"{host.url}search.html?q=CrashLoopBackOff")
    page.locator("#search-results a", has_text="Liveness").first.wait_for()
    assert failed == []
    settle(page, f"{host.url}never/there.html")
    assert "no such page" in page.locator("h1").inner_text()


def extension(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "book" / "_ext" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def publish(site: Path, old: str, new: str) -> None:
    """A new version of the site, in which each page says another word."""
    for path in site.glob("book/*.html"):
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    (site / "sw.js").write_text(extension("offline").worker(site), "utf-8")


@pytest.fixture
def site(book_html: Path, tmp_path: Path) -> Path:
    """A site of ours to change, without the heavy runtime."""
    site = shutil.copytree(book_html, tmp_path / "site", ignore=shutil.ignore_patterns("pyodide"))
    publish(site, "The selfheal authors", "Edition 1")
    return site


def edition(page: Any) -> str:
    text: str = page.locator(".component-author").inner_text()
    return text.removeprefix("By ")


def test_a_new_version_takes_over_whole_and_once(open_page: Callable[..., Any], site: Path) -> None:
    page = open_page()
    with Host(site) as host:
        settle(page, f"{host.url}book/index.html")
        kept(page)
        other = page.context.new_page()
        settle(other, f"{host.url}book/parity.html")
        publish(site, "Edition 1", "Edition 2")
        settle(page, f"{host.url}book/02-liveness.html")
        assert edition(page) == "Edition 1", "the version that this browser has"
        until(page, "navigator.serviceWorker.getRegistration().then(({ waiting }) => Boolean(waiting))")
        settle(page, f"{host.url}book/03-readiness.html")
        assert edition(page) == "Edition 1", "another page is still open"
        assert edition(other) == "Edition 1"
        context = page.context
        other.close()
        page.close()

        for _ in range(30):  # until the browser has noticed that nobody reads the old one
            time.sleep(1)
            page = context.new_page()
            loads: list[str] = []
            page.on("domcontentloaded", lambda loaded, loads=loads: loads.append(loaded.url))
            settle(page, f"{host.url}book/02-liveness.html")
            if edition(page) == "Edition 2":
                break
            page.close()
        settle(page, f"{host.url}book/parity.html")
        assert edition(page) == "Edition 2"
        assert len(loads) == 2, "nothing reloads by itself"
        assert len([name for name in page.evaluate("caches.keys()") if not name.endswith("runtime")]) == 1


def test_half_a_new_version_is_none(open_page: Callable[..., Any], site: Path) -> None:
    page = open_page()
    with Host(site) as host:
        settle(page, f"{host.url}book/index.html")
        kept(page)
        publish(site, "Edition 1", "Edition 2")
        late = site / "book" / "parity.html"
        late.write_text(late.read_text("utf-8").replace("Edition 2", "Edition 1"), "utf-8")
        ended = """navigator.serviceWorker.getRegistration().then((registration) => new Promise((resolve) => {
            registration.addEventListener("updatefound", () =>
                registration.installing.addEventListener("statechange", ({ target }) => resolve(target.state)));
            registration.update().catch(() => {});
        }))"""
        assert page.evaluate(ended) == "redundant"
        settle(page, f"{host.url}book/index.html")
        assert edition(page) == "Edition 1"


def test_the_runtime_is_kept_once_it_was_needed(open_page: Callable[..., Any], host: Host) -> None:
    page = open_page()
    settle(page, f"{host.url}book/index.html")
    kept(page)
    assert not any(asked.path.endswith(".wasm") for asked in host.log), "not before anybody needs it"
    ask = "fetch('../_static/live/pyodide/pyodide.asm.wasm').then((r) => r.arrayBuffer()).then((b) => b.byteLength)"
    size = page.evaluate(ask)
    until(page, f"caches.open('book {host.url} runtime').then((cache) => cache.keys()).then((keys) => keys.length)")
    host.faults["*.wasm"] = "404"
    assert page.evaluate(ask) == size > 5_000_000
