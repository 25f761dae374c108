"""Films of a run, the trainer for describe, the overlay, in a real browser: by keyboard alone, both themes, a phone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from selfheal import words
from selfheal.lessons import describes, nodemap, overlay, routes
from tests.book.test_films import ASKED, begun
from tests.recordings.simulate import simulate, takes

pytestmark = pytest.mark.browser
STATIC = Path(__file__).parents[2] / "book/_static"
KINDS = ("nodes", "routes", "describe", "overlay")


@cache
def made(kind: str) -> str:
    """What a notebook would store."""
    if kind == "nodes":
        film = nodemap(begun(), 100, do={31: lambda c: c.node("node-1").stop()}, ask={50: ASKED})
        return film._repr_html_()
    if kind == "routes":
        cluster = begun()
        pod = cluster.get("pods")[0]["metadata"]["name"]
        sick = {32.0: lambda c: c.http(pod, "/switch?readyz=503", method="POST")}
        return routes(cluster, cluster.traffic("web", rate=10), 60, do=sick, ask={32: ASKED})._repr_html_()
    if kind == "describe":
        return describes("port", "memory")._repr_html_()
    real, seeds = takes("liveness-http")[0], [simulate("liveness-http", seed) for seed in range(3)]
    return overlay("Predicted", real, seeds, "liveness-http", {"kill": [18, 36]}, until=60)._repr_html_()


@pytest.fixture
def shown(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens one widget; an error of the page fails the test."""
    opened: list[Any] = []
    wrong: list[str] = []

    def show(kind: str, *, width: int = 900, script: bool = True, theme: str = "light") -> Any:
        page = tmp_path / f"{kind}-{width}-{script}-{theme}.html"
        style, code = ((STATIC / f"play.{part}").read_text("utf-8") for part in ("css", "js"))
        ground = "#12161d" if theme == "dark" else "#fff"
        page.write_text(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>t</title><meta name="viewport" '
            f'content="width=device-width"><style>:root{{color-scheme:{theme};background:{ground}}}{style}</style>'
            f"<main><h1>Page</h1>{made(kind)}</main><script>{code}</script>",
            "utf-8",
        )
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            offline=True,
            java_script_enabled=script,
            color_scheme=theme,
            reduced_motion="reduce",
        )
        opened.append(context)
        tab = context.new_page()
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.goto(page.as_uri())
        return tab

    yield show
    for context in opened:
        context.close()
    assert wrong == []


def test_a_film_moves_by_its_slider_and_stops_at_a_question_until_it_is_answered(shown: Any) -> None:
    tab = shown("nodes")
    time, place = tab.locator("input[type=range]"), tab.locator(".keys [role=status]")
    assert tab.locator("li:visible").count() == 1
    time.focus()
    assert time.get_attribute("aria-valuetext") == "30 s"
    tab.keyboard.press("ArrowRight")
    assert place.inner_text().startswith("31 s · Step 2 of")
    assert "node-1 loses its power" in tab.locator("li:visible").inner_text()
    assert "no power" in tab.locator("li:visible section.dark").inner_text()
    tab.keyboard.press("End")
    assert "Answer first" in place.inner_text()
    assert "Ready Unknown" not in tab.locator("main").inner_text()
    assert tab.locator("li:visible").count() == 2, "the picture before stays in sight"
    tab.keyboard.press("ArrowRight")
    assert "Answer first" in place.inner_text(), "nothing goes past a question"
    tab.locator("li:visible .asked summary").nth(1).press("Enter")
    tab.locator("li:visible .told section.dark", has_text="Ready Unknown").wait_for()
    assert tab.locator("li:visible").count() == 1
    time.focus()
    tab.keyboard.press("Home")
    assert place.inner_text().startswith("30 s · Step 1 of")


def test_the_film_of_a_service_shows_who_gets_requests(shown: Any) -> None:
    tab = shown("routes")
    shares = "li:visible .routes tbody td:last-child"
    assert [cell.inner_text().strip() for cell in tab.locator(shares).all()] == ["5", "5"]
    tab.locator("button", has_text="Next").focus()
    tab.keyboard.press("Enter")
    tab.locator("li:visible .asked summary").first.press("Enter")
    tab.locator("li:visible .told").last.wait_for()
    for _ in range(9):
        tab.keyboard.press("ArrowRight")
    assert sorted(cell.inner_text().strip() for cell in tab.locator(shares).all()) == ["0", "10"]
    assert "not ready" in tab.locator("li:visible .routes").inner_text()


def test_a_describe_is_read_by_keyboard_and_the_first_try_counts(shown: Any) -> None:
    tab = shown("describe")
    focus = "document.activeElement.textContent.trim()"
    for _ in range(9):
        tab.keyboard.press("Tab")
        if tab.evaluate(focus).startswith("Name:"):
            break
    assert tab.evaluate(focus).startswith("Name:")
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate(focus).startswith("Namespace:")
    tab.keyboard.press("Enter")
    tab.locator("p:visible", has_text="Not this one. Where it lives.").wait_for()
    assert tab.locator(".keys").inner_text().count("0 of 1 right at the first try") == 1
    assert tab.locator("li:visible .pick:visible").count() == 1, "first the line, then the diagnosis"
    tab.keyboard.press("End")
    assert "Unhealthy" in tab.evaluate(focus)
    tab.keyboard.press("Enter")
    tab.locator("p:visible", has_text="This is it.").wait_for()
    assert tab.locator("p:visible", has_text="Where it lives.").count() == 0, "one answer at a time"
    tab.locator("li:visible .pick:visible").nth(1).wait_for()  # a browser tells of what was opened a moment later
    tab.keyboard.press("Tab")
    assert tab.evaluate(focus) == "It crashes"
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    tab.locator("li:visible .told").wait_for()
    assert "1 of 2 right at the first try" in tab.locator(".keys").inner_text()
    tab.locator("button", has_text="Next").press("Enter")
    assert "It works for some minutes" in tab.locator("li:visible").inner_text()


def test_the_overlay_is_shown_after_a_prediction_with_the_readers_mark_in_it(shown: Any) -> None:
    tab = shown("overlay")
    assert not tab.locator(".overlay").first.is_visible()
    tab.locator("input[type=range]").focus()
    for _ in range(36):
        tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Enter")
    assert tab.locator(".verdict").inner_text() == "✓ Right. You said at 18.0 s, it is at 18.3 s: 0.3 s off."
    assert tab.locator(".stage .said, .stage .band, .stage .was").count() == 3
    assert tab.locator(".stage em.mine").count() == 3
    tab.locator("summary", has_text="All of it").press("Enter")
    assert "+0.3 s" in tab.locator("table").last.inner_text()


@pytest.mark.parametrize("kind", KINDS)
def test_on_a_phone_nothing_is_wider_than_the_page(shown: Any, kind: str) -> None:
    tab = shown(kind, width=360, theme="dark")
    for summary in tab.locator("summary:visible").all()[:3]:
        summary.click()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_script_all_of_it_opens(shown: Any, kind: str) -> None:
    tab = shown(kind, script=False)
    tab.locator("summary").last.click()
    inside = {"nodes": ".machines", "routes": ".routes", "describe": "p", "overlay": ".lanes"}[kind]
    assert tab.locator(f"details[open] {inside}").last.is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing_before_and_after(shown: Any, axe: Any, kind: str, theme: str) -> None:
    tab = shown(kind, theme=theme)
    assert axe(tab) == []
    if kind == "overlay":
        tab.locator("input[type=range]").press("ArrowRight")
        tab.locator("button", has_text="Show").click()
        tab.locator("summary", has_text="All of it").click()
    elif kind == "describe":
        tab.locator("li:visible .lines summary").nth(3).click()
        tab.locator("li:visible .lines summary").last.click()
    else:
        tab.locator("input[type=range]").press("End")
        tab.locator("li:visible .asked summary").first.click()
        tab.locator("input[type=range]").press("End")
    assert axe(tab) == []


def test_a_film_speaks_chinese(shown: Any) -> None:
    words.use("zh-TW")
    try:
        film = nodemap(begun(), 60, do={31: lambda c: c.node("node-1").stop()})
    finally:
        text = film._repr_html_()
        words._chosen.clear()
    assert "node-1 斷電。" in text
    assert "API 怎麼說" in text
    assert ' lang="zh-TW"' in text
