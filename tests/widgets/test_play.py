"""Tables and walks in a browser: played by keyboard alone, at any width, in any light."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from selfheal import Cluster
from selfheal.lessons import Case, Step, cases, steps
from selfheal.lessons.questions import Answer, Question

STATIC = Path(__file__).parents[2] / "book" / "_static"
FOCUS = "document.activeElement.textContent"
POD = """
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  containers:
  - name: shop
    image: selfheal/patient:1
    args: [--exit-after, "AFTER=CODE"]
"""
PAGE = """<!doctype html><html lang="en">
<head><title>Play</title><meta name="viewport" content="width=device-width">
<style>:root { color-scheme: light dark;
  background: light-dark(#fff, #14181e); color: light-dark(#222, #ddd) }</style>
</head>
<body><main><h1>Play</h1>SHOWN</main></body></html>"""
ASKED = Question("What is next?", (Answer("this", "because", True), Answer("that", "no", False)))
WALK = [
    Step("1.0 s", "Relist", "pleg/generic.go", "PLEG", "It lists."),
    Step("2.0 s", "SyncPod", "kubelet.go", "pod worker", "It syncs.", ask=ASKED),
    Step("3.0 s", "killContainer", "kuberuntime_container.go", "runtime manager", "It kills."),
]


def run(code: str, after: str) -> Case:
    cluster = Cluster(seed=1)
    cluster.apply(POD.replace("AFTER", after).replace("CODE", code))
    cluster.run(until=60)
    again = cluster.timeline.restarts("shop")
    return Case(cluster.timeline, again[1] if len(again) > 1 else None, "Because of `doBackOff`.", until=60)


@pytest.fixture(params=[(1280, "light"), (360, "dark")], ids=["light", "phone-dark"])
def open_page(request: pytest.FixtureRequest, browser: Any) -> Iterator[Callable[[Any], Any]]:
    """A function from what a cell shows to a page with it."""
    width, scheme = request.param
    with browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}) as context:
        page = context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))

        def new(shown: Any) -> Any:
            page.set_content(PAGE.replace("SHOWN", shown._repr_html_()))
            page.add_style_tag(path=STATIC / "play.css")
            page.add_script_tag(path=STATIC / "play.js")
            return page

        yield new
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert wrong == []


pytestmark = pytest.mark.browser


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_a_case_is_chosen_predicted_and_shown_by_keyboard(
    open_page: Callable[[Any], Any], axe: Callable[[Any], list[str]]
) -> None:
    page = open_page(cases("End", {"code": ["0", "1"], "after": ["5", "50"]}, run, ask="When is the second restart?"))
    assert axe(page) == []
    press(page, "Tab", "ArrowRight", "Tab", "Tab", "ArrowRight", "Enter")
    assert page.locator(".desk label", has=page.locator(":checked")).all_inner_texts() == ["1", "5"]
    assert "You said at 0.5 s" in page.evaluate(FOCUS), "the focus goes to the verdict"
    assert page.locator(".stage .lanes").is_visible()
    assert axe(page) == []
    press(page, "Shift+Tab", "ArrowRight")
    assert page.locator(".stage .lanes").count() == 0, "the next case is open"
    page.locator(".second input[type=checkbox]").press("Space")
    press(page, "Tab", "Enter")
    assert "Right." in page.evaluate(FOCUS)
    assert page.locator(".score").inner_text().startswith("1 of 2")


def test_a_walk_is_walked_by_keyboard(open_page: Callable[[Any], Any], axe: Callable[[Any], list[str]]) -> None:
    page = open_page(steps("Walk", WALK))
    assert axe(page) == []
    press(page, "Tab", "Enter")
    assert page.evaluate(FOCUS) == "this", "the focus goes to the question"
    assert not page.locator(".told", has_text="It syncs").is_visible()
    press(page, "Enter")
    assert page.locator(".told", has_text="It syncs").is_visible()
    assert axe(page) == []
    press(page, "ArrowRight")
    assert page.locator(".told", has_text="It kills").is_visible()
    press(page, "ArrowLeft", "ArrowLeft")
    assert page.locator(".told", has_text="It lists").is_visible()
    press(page, "ArrowRight", "ArrowRight", "Enter")
    assert page.locator("[role=status]").inner_text() == "Step 2 of 3", "the focus is on the way back"
