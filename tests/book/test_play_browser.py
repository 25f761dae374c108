"""Tables that one can play and walks, in a real browser: by keyboard alone, from disk, in both themes, on a phone."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.book.notebooks import cells

pytestmark = pytest.mark.browser
STATIC = Path(__file__).parents[2] / "book/_static"
FOCUS = "document.activeElement.textContent"


def stored(name: str, cell_id: str) -> str:
    """What a chapter's notebook stores of a widget."""
    (cell,) = (cell for cell in cells(name, "code") if cell["id"] == cell_id)
    (found,) = (o["data"]["text/html"] for o in cell["outputs"] if "text/html" in o.get("data", {}))
    return "".join(found)


@pytest.fixture
def shown(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens one widget of a chapter; an error of the page fails the test."""
    opened: list[Any] = []
    wrong: list[str] = []

    def show(name: str, cell_id: str, *, width: int = 900, script: bool = True, theme: str = "light") -> Any:
        page = tmp_path / f"{cell_id}-{width}-{script}-{theme}.html"
        style, code = (STATIC / f"play.{kind}" for kind in ("css", "js"))
        page.write_text(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>t</title><meta name="viewport" '
            f'content="width=device-width"><style>:root{{color-scheme:{theme}}}{style.read_text("utf-8")}</style>'
            f"<main>{stored(name, cell_id)}</main><script>{code.read_text('utf-8')}</script>",
            "utf-8",
        )
        context = browser.new_context(
            viewport={"width": width, "height": 900}, offline=True, java_script_enabled=script, color_scheme=theme
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


TABLE, CLOCK = ("11-restart-policy.ipynb", "table-of-all"), ("12-back-off.ipynb", "clock")
WALK = ("10-the-kubelet.ipynb", "stepper")


def test_nothing_is_shown_before_a_prediction_and_the_score_is_kept(shown: Any) -> None:
    tab = shown(*TABLE)
    assert tab.locator(".stage .lanes").count() == 0
    assert tab.locator("button", has_text="Show what happens").is_disabled()
    tab.locator("fieldset label", has_text="pod Failed").click()
    tab.locator("button", has_text="Show what happens").click()
    assert tab.locator(".verdict").inner_text() == "✗ Not so. It is: started again."
    assert tab.locator(".stage .lanes").count() == 1
    assert tab.locator(".score").is_visible()
    assert tab.locator(".score").inner_text() == "0 of 1 predicted; 48 cases in all"
    tab.locator(".desk label", has_text="Never").click()
    assert tab.locator(".stage .lanes").count() == 0, "another case, another prediction"
    tab.locator("fieldset label", has_text="pod Succeeded").click()
    tab.locator("button", has_text="Show what happens").click()
    assert tab.locator(".verdict").inner_text() == "✓ Right."
    assert tab.locator(".score").inner_text() == "1 of 2 predicted; 48 cases in all"


def test_a_cell_of_the_table_chooses_its_case_and_fills_when_it_is_seen(shown: Any) -> None:
    tab = shown(*TABLE)
    cell = tab.locator(".map button").nth(30)
    assert tab.locator(".map button").count() == 48
    assert cell.inner_text() == "?"
    cell.click()
    chosen = [label.inner_text() for label in tab.locator(".desk label:has(input:checked)").all()]
    assert cell.get_attribute("aria-label") == f"{' · '.join(chosen)}: ?"
    tab.locator("fieldset label", has_text="runs on, not Ready").click()
    tab.locator("button", has_text="Show what happens").click()
    assert cell.inner_text() == "runs on, not Ready"
    assert cell.get_attribute("class") == "yes"


def test_a_second_is_predicted_by_keyboard_and_scored_in_seconds(shown: Any) -> None:
    tab = shown(*CLOCK)
    tab.locator("input[type=range]").focus()
    for _ in range(20):
        tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Enter")
    said = tab.locator(".verdict").inner_text()
    true = float(re.findall(r"it is at ([\d.]+) s", said)[0])
    assert said == f"✗ You said at 10.0 s, it is at {true} s: {true - 10:.1f} s off."
    assert tab.locator(".axis .mine").count() >= 2, "the mark stays beside the run"
    assert tab.evaluate(FOCUS) == said, "what was pressed is gone, and the verdict has the focus"
    tab.keyboard.press("Shift+Tab")
    tab.keyboard.press("ArrowRight")
    assert tab.locator(".stage .lanes").count() == 0, "the next case"


def test_a_walk_goes_on_by_arrow_keys_and_only_after_an_answer(shown: Any) -> None:
    tab = shown(*WALK)
    place = tab.locator(".keys span")
    assert place.inner_text().startswith("Step 1 of 20")
    tab.locator("button", has_text="Next").focus()
    tab.keyboard.press("ArrowRight")
    assert "Answer first" in place.inner_text()
    assert not tab.locator("li:visible .told").is_visible()
    tab.keyboard.press("ArrowRight")
    assert place.inner_text().startswith("Step 2 of 20"), "it waits for the answer"
    tab.locator("li:visible summary").nth(1).click()
    tab.locator("li:visible .told").wait_for()
    tab.locator("button", has_text="Next").click()
    assert place.inner_text() == "Step 3 of 20"
    assert tab.locator(".people .now").inner_text() == "sync loop"


def test_a_walk_keeps_the_focus_where_what_was_pressed_is_gone(shown: Any) -> None:
    tab = shown(*WALK)
    tab.locator("button", has_text="Next").press("Enter")
    assert tab.evaluate(FOCUS) == tab.locator("li:visible summary").first.inner_text(), "the question"
    tab.keyboard.press("Enter")
    tab.locator("li:visible .told").wait_for()  # a browser tells of what was opened a moment later
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate(FOCUS) == "Next"
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("ArrowLeft")
    assert tab.locator(".keys span").inner_text().startswith("Step 1 of 20")
    assert tab.evaluate(FOCUS) == "Next"


@pytest.mark.parametrize("which", [TABLE, CLOCK, WALK], ids=["table", "clock", "walk"])
def test_on_a_phone_nothing_is_wider_than_the_page(shown: Any, which: tuple[str, str]) -> None:
    tab = shown(*which, width=360, theme="dark")
    if tab.locator(".map summary").count():
        tab.locator(".map summary").click()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360


def test_without_a_script_every_case_opens(shown: Any) -> None:
    tab = shown(*CLOCK, script=False)
    assert tab.locator("details").count() == 9
    tab.locator("summary").nth(0).click()
    assert tab.locator(".lanes").nth(0).is_visible()
    assert "The three pauses" in html.unescape(tab.locator(".says").nth(0).inner_text())


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("which", [TABLE, CLOCK, WALK], ids=["table", "clock", "walk"])
def test_axe_finds_nothing_before_and_after(shown: Any, axe: Any, which: tuple[str, str], theme: str) -> None:
    tab = shown(*which, theme=theme)
    tab.add_style_tag(
        content=f":root{{background:{'#12161d' if theme == 'dark' else '#fff'}}} *{{animation:none!important}}"
    )
    tab.evaluate("document.querySelector('main').insertAdjacentHTML('afterbegin', '<h1>Page</h1>')")
    assert axe(tab) == []
    if which is WALK:
        tab.locator("button", has_text="Next").click()
        tab.locator("li:visible summary").nth(0).click()
    else:
        tab.locator("fieldset input:visible").last.check()
        tab.locator("button", has_text="Show what happens").click()
    assert axe(tab) == []
