"""Who answers a monitor's questions: the bank, Python in the page, a kernel. The reader does not see which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from selfheal.widgets import Monitor, bank, monitor
from selfheal.widgets.answers import respond_text
from selfheal.widgets.kernel import LiveMonitor
from selfheal.widgets.questions import canonical
from tests.widgets.shop import POD, full, three, ward, well, write_page

pytestmark = pytest.mark.browser

PYTHON = """<script>
globalThis.livePage = {
  state: "idle", reason: "", warmed: 0, asked: [], held: null,
  warm() { this.warmed++; if (this.state === "idle") this.turn("starting", "Fetching Python (7 MB, once) …"); },
  turn(state, reason = "") {
    Object.assign(this, { state, reason });
    document.dispatchEvent(new CustomEvent("live-state", { detail: state }));
  },
  async call(name, text) {
    this.asked.push(name);
    if (this.held) await this.held;
    if (this.state === "failed") throw new Error("no Python");
    if (this.state !== "ready") this.turn("ready");
    return answers(text);
  },
  hold() { this.held = new Promise((go) => { this.go = () => { this.held = null; go(); }; }); },
};
</script>"""
"""Python in the page, as the bridge offers it; the answers come from the Python that runs these tests."""

Open = Callable[..., Any]


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Opens a page with monitors and what answers as Python in the page; a page error fails the test."""
    contexts: list[Any] = []
    wrong: list[str] = []

    def opened(*shown: Monitor, python: bool = True, near: bool = True, **options: Any) -> Any:
        size = {"width": options.pop("width", 1000), "height": 900}
        context = browser.new_context(viewport=size, offline=True, **options.pop("context", {}))
        contexts.append(context)
        tab = context.new_page()
        tab.expose_function("answers", respond_text)
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.goto(write_page(tmp_path, *shown, scripts=PYTHON if python else "", **options))
        if near:
            tab.wait_for_selector(".knob")
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def set_period(tab: Any, seconds: int) -> None:
    """A question that no bank holds."""
    period = tab.get_by_label("liveness periodSeconds")
    period.fill(str(seconds))
    period.press("Enter")


def asked(tab: Any) -> int:
    return len(tab.evaluate("livePage.asked"))


# ---- the same bytes


@pytest.mark.parametrize("shown", [full(), three(), ward()], ids=["one pod", "three pods", "faults"])
def test_bank_page_and_kernel_give_the_same_bytes(show: Open, shown: Monitor) -> None:
    tab = show(shown)
    live, heard = LiveMonitor(shown.data, None), []
    live.send = heard.append  # type: ignore[method-assign]
    pairs = list(islice(bank.questions(shown.data), 0, 120, 9))
    for number, (question, _) in enumerate(pairs):
        text, name = canonical(question), bank.name_of(shown.data)
        from_bank = tab.evaluate("([text, name]) => selfhealMonitors.providers.bank(text, name)", [text, name])
        from_page = tab.evaluate("(text) => selfhealMonitors.providers.python(text)", text)
        live._asked(live, {"ask": number, "question": text}, None)
        assert from_bank == from_page == heard[-1]["text"]
    unknown = canonical({**shown.data["base"], "seed": 99})
    assert tab.evaluate("([text, name]) => selfhealMonitors.providers.bank(text, name)", [unknown, name]) is None
    for bad in ("{}", '{"until": -1}'):
        live._asked(live, {"ask": 0, "question": bad}, None)
        assert tab.evaluate("(text) => selfhealMonitors.providers.python(text)", bad) == heard[-1]["text"]


@pytest.mark.slow
def test_in_the_book_bank_page_and_kernel_give_the_same_bytes(browser: Any, book_url: str) -> None:
    tab = browser.new_page()
    tab.set_default_timeout(120_000)
    tab.goto(f"{book_url}book/index.html")
    tab.wait_for_selector(".knob")
    for notebook in sorted(Path("book").glob("*.ipynb")):
        for name, data in bank.monitors(notebook):
            promised = list(bank.promised(data))
            questions = [*promised[:: 1 + len(promised) // 6], {**data["base"], "seed": 99, "until": 40}, {"until": -1}]
            live, heard = LiveMonitor(data, None), []
            live.send = heard.append  # type: ignore[method-assign]
            for question in questions:
                text = canonical(question)
                live._asked(live, {"ask": len(heard), "question": text}, None)
                stored, answered = tab.evaluate(
                    """async ([text, name]) => {
                        const { bank, python } = selfhealMonitors.providers;
                        return [await bank(text, name), await python(text)];
                    }""",
                    [text, name],
                )
                assert answered == heard[-1]["text"]
                assert stored == (answered if question in promised else None)
    assert tab.evaluate("livePage.state") == "ready"
    tab.close()


@pytest.mark.slow
def test_in_the_book_python_takes_over_where_the_bank_ends(browser: Any, book_url: str) -> None:
    tab = browser.new_page(viewport={"width": 1000, "height": 1200})
    tab.set_default_timeout(120_000)
    tab.goto(f"{book_url}book/index.html")
    tab.wait_for_selector(".knob")
    assert tab.evaluate("livePage.state") == "idle"
    set_period(tab, 7)
    tab.get_by_text("Asking Python …").wait_for()
    tab.locator(".notice").wait_for(state="hidden")
    assert tab.evaluate("livePage.state") == "ready"
    assert tab.locator(".stage.stale").count() == 0
    assert "3 × 7" in tab.locator(".formula").first.inner_text()
    tab.close()


@pytest.mark.slow
def test_in_the_book_a_scenario_that_a_reader_changed_is_drawn_anew(browser: Any, book_url: str) -> None:
    tab = browser.new_page(viewport={"width": 1000, "height": 1200})
    tab.set_default_timeout(120_000)
    missing: list[str] = []
    tab.on("response", lambda answer: missing.append(answer.url) if answer.status >= 400 else None)
    tab.goto(f"{book_url}book/02-liveness.html")
    tab.locator(".selfheal-monitor").scroll_into_view_if_needed()
    tab.get_by_role("button", name="Run this page").click()
    tab.locator("html[data-live=on]").wait_for()
    code = tab.locator("textarea").first
    mine = "import functools, selfheal.widgets as w; w.monitor = functools.partial(w.monitor, title='Mine')"
    code.fill(f"{code.input_value()}\n{mine}\n")
    tab.get_by_role("button", name="Run all again").click()
    tab.get_by_role("group", name="Mine").wait_for()
    tab.get_by_label("obeys").click()
    tab.locator(".selfheal-monitor .seg .on input[value=obey]").first.wait_for(state="attached")
    assert "missing" not in tab.locator(".by").inner_text()
    assert missing == []
    tab.close()


# ---- the bank first, then Python


def test_what_the_bank_holds_it_answers_and_the_rest_goes_to_python(show: Open) -> None:
    tab = show(well())
    tab.get_by_label("500").click()
    tab.get_by_text("3 s: /healthz answers 500").wait_for()
    assert asked(tab) == 0
    set_period(tab, 7)
    tab.get_by_text("3 s: /healthz answers 500").wait_for()
    tab.wait_for_function("livePage.asked.length === 1")
    assert tab.evaluate("livePage.asked[0]") == "selfheal.widgets.answers:respond_text"
    tab.locator(".jump").click()
    assert "Why was the restart" in tab.locator(".why .head").inner_text()
    assert not tab.locator(".notice").is_visible()


def test_python_begins_to_start_when_a_monitor_is_touched_and_not_before(show: Open) -> None:
    tab = show(well())
    tab.keyboard.press("Tab")
    assert tab.evaluate("livePage.warmed") == 0
    tab.locator(".knob").focus()
    tab.keyboard.press("Tab")
    assert tab.evaluate("livePage.warmed") == 0
    tab.locator(".knob").focus()
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate("livePage.state") == "starting"
    assert asked(tab) == 0


def test_while_python_answers_nothing_moves_and_what_is_waited_for_is_said(
    show: Open, axe: Callable[[Any], list[str]]
) -> None:
    tab = show(well())
    tab.evaluate("livePage.hold()")
    before = {part: tab.locator(part).bounding_box() for part in (".strip", ".words", ".bar")}
    set_period(tab, 7)
    tab.get_by_text("Asking Python … Fetching Python (7 MB, once) …").wait_for()
    assert {part: tab.locator(part).bounding_box() for part in before} == before
    assert tab.get_by_label("liveness periodSeconds").input_value() == "7"
    assert axe(tab) == []
    tab.evaluate("livePage.turn('ready')")
    tab.get_by_text("Asking Python …").wait_for()
    assert {part: tab.locator(part).bounding_box() for part in before} == before
    tab.evaluate("livePage.go()")
    tab.locator(".notice").wait_for(state="hidden")
    assert tab.locator(".stage.stale").count() == 0
    assert {part: tab.locator(part).bounding_box() for part in before} == before


def test_a_late_answer_to_an_older_question_is_dropped(show: Open) -> None:
    tab = show(well())
    tab.evaluate("livePage.turn('ready')")
    tab.evaluate("livePage.hold()")
    set_period(tab, 7)
    tab.get_by_text("Asking Python …").wait_for()
    set_period(tab, 5)  # the bank holds this one
    tab.locator(".notice").wait_for(state="hidden")
    tab.get_by_label("500").click()
    tab.get_by_text("3 s: /healthz answers 500").wait_for()
    shown = tab.locator(".strip").inner_html()
    tab.evaluate("livePage.go()")
    tab.evaluate("new Promise((done) => setTimeout(done, 300))")
    assert tab.locator(".strip").inner_html() == shown
    assert tab.get_by_label("liveness periodSeconds").input_value() == "5"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_python_that_failed_says_why_and_nothing_is_lost(
    show: Open, axe: Callable[[Any], list[str]], theme: str
) -> None:
    tab = show(full(), theme=theme, context={"color_scheme": theme})
    tab.evaluate("livePage.turn('failed', 'The file pyodide.asm.wasm is missing.')")
    set_period(tab, 7)
    tab.get_by_text("The file pyodide.asm.wasm is missing.").wait_for()
    assert tab.get_by_label("liveness periodSeconds").input_value() == "7"
    assert axe(tab) == []
    tab.get_by_label("belief").select_option("restart-is-instant")
    tab.get_by_role("button", name="back to the last answer").click()
    tab.locator(".notice").wait_for(state="hidden")
    assert tab.get_by_label("liveness periodSeconds").input_value() == "5"
    assert (
        tab.evaluate("document.querySelector('.selfheal-monitor > div').shadowRoot.activeElement.className") == "knob"
    )


@pytest.mark.parametrize("python", [False, True], ids=["no bridge", "from disk"])
def test_without_python_the_online_page_is_named(show: Open, python: bool) -> None:
    tab = show(well(), python=python)
    if python:
        tab.evaluate("livePage.turn('unavailable', 'Python needs the online page')")
    set_period(tab, 7)
    tab.get_by_text("eeds the online page").wait_for()
    tab.get_by_label("500").click()
    tab.get_by_role("button", name="undo: 4 s").wait_for()


def test_a_question_whose_worker_crashed_is_asked_once_more(show: Open) -> None:
    tab = show(well())
    tab.evaluate(
        """() => {
            const well = livePage.call;
            livePage.call = async function () {
                livePage.call = well;
                this.turn("starting");
                throw new Error("Python was stopped");
            };
        }"""
    )
    set_period(tab, 7)
    tab.wait_for_function("livePage.asked.length === 1")
    tab.locator(".notice").wait_for(state="hidden")
    tab.evaluate("() => { livePage.call = async () => { throw new Error('Python was stopped'); }; }")
    set_period(tab, 6)
    tab.get_by_text("has no stored answer. Python was stopped. What you have set stays.").wait_for()


def test_what_cannot_be_run_is_said_in_words(show: Open) -> None:
    tab = show(well())
    tab.evaluate("() => { livePage.call = async () => JSON.stringify({ error: 'spec: <b>Required</b>' }); }")
    set_period(tab, 7)
    tab.get_by_text("That could not be run: spec: <b>Required</b>").wait_for()


def test_a_belief_that_cannot_be_run_leaves_the_answer(show: Open) -> None:
    tab = show(full())
    tab.evaluate("() => { livePage.call = async () => JSON.stringify({ error: 'not today' }); }")
    tab.get_by_label("hangs").click()
    tab.locator(".drops button").wait_for()
    for _ in range(12):  # two flips and a belief: more than a bank holds
        tab.locator(".knob").press("ArrowRight")
    tab.get_by_label("belief").select_option("threshold-plus-one")
    tab.get_by_text("The belief's run cannot be drawn beside it").wait_for()
    assert "not today" in tab.locator(".notice").inner_text()
    assert tab.locator(".stage.stale").count() == 0


# ---- when a bank is not there


def test_a_missing_bank_is_said_and_python_answers_all(show: Open) -> None:
    tab = show(well(), banks=False)
    assert "the stored answers of this widget are missing here" in tab.locator(".by").inner_text()
    tab.get_by_label("500").click()
    tab.get_by_text("3 s: /healthz answers 500").wait_for()
    assert asked(tab) == 2


def test_a_missing_bank_without_python_is_said_in_the_monitors_place(show: Open) -> None:
    tab = show(well(), banks=False, python=False, near=False)
    tab.get_by_text("eeds the online page").wait_for()


def test_a_scenario_that_was_changed_in_the_page_is_mounted_and_python_answers(show: Open) -> None:
    tab = show(well())
    wanted: list[str] = []
    tab.on("request", lambda request: wanted.append(request.url))
    changed = monitor(POD.replace("periodSeconds: 5", "periodSeconds: 4"), until=40, seed=7)
    tab.evaluate(
        """(html) => {
            const output = Object.assign(document.createElement("div"), { className: "output", innerHTML: html });
            document.querySelector("main").append(output);
            selfhealMount(output);
        }""",
        changed.html(),
    )
    fresh = tab.locator(".output .monitor")
    fresh.locator(".knob").wait_for()
    assert wanted == []
    assert "missing" not in fresh.locator(".by").inner_text()
    assert fresh.get_by_label("liveness periodSeconds").input_value() == "4"
    tab.evaluate("selfhealMount(document.body)")
    assert fresh.count() == 1
    again = tab.evaluate(
        """(html) => {
            const [old] = document.querySelectorAll(".output");
            old.innerHTML = html;
            selfhealMount(old.firstElementChild);
            return old.querySelectorAll(".selfheal-monitor > div").length;
        }""",
        changed.html(),
    )
    assert again == 1
    fresh.locator(".knob").wait_for()


# ---- nothing is loaded before somebody wants it


def far_away(tab: Any) -> None:
    """Puts the monitors out of sight before any script runs."""
    tab.add_init_script(
        "document.addEventListener('readystatechange', () => document.body.style.paddingTop = '4000px')"
    )


def test_code_and_bank_come_when_the_reader_comes_near(browser: Any, tmp_path: Path) -> None:
    tab = browser.new_page(viewport={"width": 1000, "height": 900})
    wanted: list[str] = []
    tab.on("request", lambda request: wanted.append(request.url.rsplit("/", 1)[1].partition("?")[0]))
    far_away(tab)
    tab.goto(write_page(tmp_path, well()))
    tab.add_style_tag(path="book/_static/chapters.css")  # the book's, which keeps the place
    tab.wait_for_timeout(300)
    assert wanted == ["index.html", "monitors.js"]
    place = tab.locator(".selfheal-monitor")
    assert "When will the container be restarted?" in place.inner_text()
    height = place.bounding_box()["height"]
    tab.evaluate("scrollTo(0, 3000)")
    tab.wait_for_selector(".knob")
    assert wanted == ["index.html", "monitors.js", "widgets.js", f"{bank.name_of(well().data)}.js"]
    assert height >= 900
    tab.close()


def test_a_touch_draws_a_monitor_at_once_and_a_missing_file_is_said(browser: Any, tmp_path: Path) -> None:
    tab = browser.new_page(viewport={"width": 1000, "height": 900})
    far_away(tab)
    index = write_page(tmp_path, well())
    script = tmp_path / "_static" / "widgets.js"
    kept = script.read_text("utf-8")
    script.unlink()
    tab.goto(index)
    touch = "document.querySelector('.selfheal-monitor').dispatchEvent(new Event('pointerdown', {bubbles: true}))"
    for _ in range(2):
        tab.evaluate(touch)
        tab.get_by_role("alert").wait_for(state="attached")
    assert tab.get_by_role("alert").all_inner_texts() == [
        "The monitor could not be loaded: a file of this site is missing, or the network is. Touch it to try again."
    ]
    assert "When will the container be restarted?" in tab.locator(".selfheal-monitor").inner_text()
    script.write_text(kept, "utf-8")
    tab.evaluate(touch)
    tab.wait_for_selector(".knob", state="attached")
    tab.close()


# ---- by keyboard


def test_the_focus_stays_where_it_is_while_answers_come(show: Open) -> None:
    tab = show(full())
    held = """() => {
        const one = document.querySelector(".selfheal-monitor > div").shadowRoot.activeElement;
        return [one?.ariaLabel ?? one?.textContent, !!one?.matches(":focus-visible")];
    }"""
    period = tab.get_by_label("liveness periodSeconds")
    period.focus()
    tab.keyboard.press("ArrowUp")
    tab.wait_for_function("livePage.asked.length === 1 && livePage.state === 'ready'")
    tab.locator(".notice").wait_for(state="hidden")
    tab.keyboard.press("ArrowUp")
    tab.wait_for_function("livePage.asked.length === 2")
    assert period.input_value() == "7"
    assert tab.evaluate(held) == ["liveness periodSeconds", True]
    tab.get_by_role("button", name="remove the liveness probe").press("Enter")
    tab.get_by_role("button", name="add a liveness probe").wait_for()
    assert tab.evaluate(held) == ["add a liveness probe", True]
    tab.keyboard.press("Enter")
    tab.get_by_role("button", name="remove the liveness probe").wait_for()
    tab.get_by_label("hangs").focus()
    tab.keyboard.press("Space")
    undo = tab.get_by_role("button", name="undo:")
    undo.wait_for()
    undo.focus()
    tab.keyboard.press("Enter")
    undo.wait_for(state="hidden")
    assert tab.evaluate(held) == ["playhead", True]
