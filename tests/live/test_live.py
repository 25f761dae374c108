"""The page runs its own code: every chapter as it is stored, cells that readers change, widgets of their own."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import Any

import pytest

from selfheal.widgets.page import words
from tests.book.notebooks import by_day, notebook
from tests.live.conftest import CHROMIUM, Open
from tests.live.host import Host
from tests.live.reader import (
    FRAME,
    STATUS,
    code,
    dom,
    outputs,
    page,
    ran,
    run,
    run_all,
    said,
    shown,
    visit,
)
from tests.live.tab import ChromiumTab

LIVE = "Live: Python runs in this page."
ONE = "02-liveness"
"""A chapter for what is true of each, and a cell of it with which anything can be done."""
CELL = 9


chromium = pytest.mark.parametrize("open_tab", [CHROMIUM], indirect=True)


# ---- the chapters


@pytest.mark.parametrize("name", by_day(2))
def test_run_all_gives_the_stored_outputs(open_tab: Open, host: Host, name: str) -> None:
    tab = open_tab()
    visit(tab, host, name)
    assert run_all(tab) == LIVE
    told = outputs(tab)
    differing = []
    for index, cell in enumerate(notebook(f"{name}.ipynb")["cells"]):
        tags = cell["metadata"].get("tags", [])
        if cell["cell_type"] != "code" or "raises-exception" in tags:
            continue
        if "skip-live" in tags:  # what needs a server shows what was stored, and offers nothing
            assert tab.js(f"{dom(index)}.querySelector('.live-run') === null")
            continue
        assert tab.js(f"{dom(index)}.dataset.live") == "done"
        if said(told.get(index, [])) != said(cell["outputs"]):
            differing.append((cell["id"], *difference(said(told.get(index, [])), said(cell["outputs"]))))
    assert differing == []


def difference(live: dict[str, list[str]], stored: dict[str, list[str]]) -> list[str]:
    """The pieces in which two outputs differ."""
    pieces = [
        re.split(r"(?<=[>,.])", "".join(f"{mime}: {text}" for mime in sorted(one) for text in one[mime]))
        for one in (live, stored)
    ]
    return [piece[:200] for piece in difflib.ndiff(*pieces) if piece[:1] in "+-"]


@chromium
@pytest.mark.parametrize("name", by_day(1))
def test_axe_finds_nothing_on_a_live_page(
    open_tab: Open, host: Host, axe: Callable[[Any], list[str]], name: str
) -> None:
    tab = open_tab(expected=("basic.css",))  # axe reads style sheets, and takes an @import for the page's own
    assert isinstance(tab, ChromiumTab)
    visit(tab, host, name)
    assert run_all(tab) == LIVE
    if name == ONE:
        ran(tab, CELL, WIDGETS)
        tab.until("document.querySelector('.noUi-handle') !== null")
    assert axe(tab.page) == []


KEYS = {
    "[role=slider]": ("ArrowRight", "ArrowLeft", "Home", "End"),
    "select": ("ArrowDown", "ArrowUp"),
    "[type=number]": ("ArrowUp", "Enter", "ArrowDown", "Enter"),
}
"""What stands in a monitor → what a keyboard does with it."""

REFUSALS = re.compile(
    "|".join(
        re.sub(r"\\{\w+\\}", ".+", re.escape(words()[key]))
        for key in ("flip.over", "faults.nobody", "faults.dark", "faults.light")
    )
)
"""What a monitor says to what cannot be done where the playhead stands."""


@pytest.mark.parametrize("name", by_day(1))
def test_every_widget_can_be_clicked_and_stepped_by_keyboard(open_tab: Open, host: Host, name: str) -> None:
    tab = open_tab()
    visit(tab, host, name)
    run_all(tab)
    tab.js("document.querySelectorAll('.cell details, .toggle').forEach((e) => { e.open = true; })")
    for n in range(tab.js("document.querySelectorAll('.selfheal-monitor').length")):
        tab.js(f"document.querySelectorAll('.selfheal-monitor')[{n}].scrollIntoView({{behavior: 'instant'}})")
        root = f"document.querySelectorAll('.selfheal-monitor > div')[{n}]?.shadowRoot"
        tab.until(f"{root}?.querySelector('.knob')", 30)

        def found(kind: str, root: str = root) -> str:
            return f"[...{root}.querySelectorAll({kind!r})].filter((e) => e.getClientRects().length)"

        def settle(root: str = root) -> None:
            """Waits for the answer; what then still stands over the strip says that something cannot be done there."""
            notice = f"{root}.querySelector('.notice')"
            says = f"({notice}.hidden ? 'nothing' : !{notice}.matches('.over') && {notice}.textContent)"
            told = tab.until(f"!{root}.querySelector('.stale') && {says}", 60)
            assert told == "nothing" or REFUSALS.fullmatch(told), told

        given, missing = tab.js(f"{found('.drop')}.length"), tab.js(f"{found('.add')}.length")
        assert given + missing == 3, "each probe can be taken away or added"
        if not given:
            tab.js(f"{found('.add')}[0].click()")
            settle()
        for kind, keys in KEYS.items():
            count = tab.js(f"{found(kind)}.length")
            assert count
            for k in range(count):
                tab.js(f"{found(kind)}[{k}]?.focus()")
                tab.press(*keys)
                settle()
        for k in range(tab.js(f"{found('button, [type=radio]')}.length")):
            tab.js(f"{found('button, [type=radio]')}[{k}]?.click()")
            settle()
    for question in range(tab.js("document.querySelectorAll('article summary').length")):
        tab.js(f"document.querySelectorAll('article summary')[{question}].focus()")
        tab.press("Enter")
    assert tab.js(FRAME) < 1000


# ---- a reader's own code


def test_a_cell_can_be_changed_and_run_by_keyboard(open_tab: Open, host: Host) -> None:
    tab = open_tab()
    visit(tab, host, ONE)
    assert run_all(tab) == LIVE
    tab.click(f"#live-cell-{CELL} .live-code")
    tab.press("Control+a")
    tab.type("for n in range(2):")
    tab.press("Enter")
    tab.type("print(n)")
    tab.press("Enter")
    tab.type("print(6 * 7, len(shop) > 9)")
    tab.press("Shift+Enter")
    tab.until(f"({shown(CELL)}).includes('42 True')")
    assert tab.js(shown(CELL)).split() == ["0", "42", "True", "1", "42", "True"], "a new line is as deep as it must be"


def test_what_was_typed_survives_a_reload_and_reset_brings_the_original_back(open_tab: Open, host: Host) -> None:
    tab = open_tab()
    visit(tab, host, ONE)
    original = tab.js(code(CELL))
    assert run_all(tab) == LIVE
    assert ran(tab, CELL, "print('mine')").strip() == "mine"
    tab.goto(page(host, ONE))
    tab.until(f"{code(CELL)} == \"print('mine')\"")
    assert "again" in tab.js(STATUS)
    assert "print('mine')" not in "".join(tab.requests)
    assert ran(tab, CELL).strip() == "mine", "a cell runs alone, too"
    tab.click(f"#live-cell-{CELL} .live-reset")
    assert tab.js(code(CELL)) == original
    tab.goto(page(host, ONE))
    assert tab.js(code(CELL)) == original
    assert tab.js("Object.keys(localStorage).filter((key) => key.startsWith('live:')).length") == 0


@pytest.mark.nightly
def test_restart_forgets_what_ran_and_keeps_what_was_typed(open_tab: Open, host: Host) -> None:
    tab = open_tab()
    visit(tab, host, ONE)
    assert run_all(tab) == LIVE
    assert ran(tab, CELL, "mine = 5\nmine").strip() == "5"
    tab.click(".live-again", "Restart")
    tab.until(f"!({STATUS}).startsWith('Live')")
    assert "NameError" in ran(tab, CELL, "mine")
    assert ran(tab, CELL, "2 + 2").strip() == "4"


def test_an_endless_loop_neither_freezes_nor_traps(open_tab: Open, host: Host) -> None:
    tab = open_tab(expected=("uncaught exception: undefined",))  # what Firefox calls a worker's end
    visit(tab, host, ONE)
    assert run_all(tab) == LIVE
    run(tab, CELL, "while True: pass")
    tab.until(f"{dom(CELL)}.hasAttribute('aria-busy')")
    assert min(tab.js(FRAME) for _ in range(3)) < 200
    tab.click(".live-go", "Stop")
    tab.until(f"!{dom(CELL)}.hasAttribute('aria-busy')")
    assert "Stopped" in tab.js(STATUS)
    assert "while True" in tab.js(f"{dom(CELL)}.innerText")
    assert ran(tab, CELL, "print('well')").strip() == "well"


@pytest.mark.nightly
def test_ten_megabytes_of_output_are_shortened(open_tab: Open, host: Host) -> None:
    tab = open_tab()
    visit(tab, host, ONE)
    assert run_all(tab) == LIVE
    for text in ("print('x' * 10_000_000)", "for n in range(100_000): print('y' * 99)", "'z' * 10_000_000"):
        told = ran(tab, CELL, text)
        assert len(told) < 1_000_000
        assert "not shown" in told
        assert tab.js(FRAME) < 1000
    assert ran(tab, CELL, "print('well')").strip() == "well"


EVIL = "<img src=x onerror='globalThis.hacked=1'><script>globalThis.hacked=1</script>"
MANIFEST = """
evil = '''apiVersion: v1
kind: Pod
metadata: {name: evil, annotations: {note: "%s"}}
spec:
  containers:
  - {name: c, image: "selfheal/patient:1", args: ["%s"]}
'''
""" % (EVIL, EVIL)  # noqa: UP031 - braces


def test_markup_shows_as_text(open_tab: Open, host: Host) -> None:
    tab = open_tab()
    visit(tab, host, ONE)
    assert run_all(tab) == LIVE
    for text in (
        f'print("""{EVIL}""")',
        f'"""{EVIL}"""',
        f'raise ValueError("""{EVIL}""")',
        f'{MANIFEST}c = Cluster(seed=1); c.apply(evil); c.run(until=9); print(c.describe("pod/evil"))',
        f"{MANIFEST}c = Cluster(seed=1); c.apply(evil); c.run(until=9); c.timeline.plot(title=evil)",
        f'{MANIFEST}table(["{EVIL}"], [["{EVIL}"]])',
        f"{MANIFEST}monitor(evil, title=evil, ask=evil)",
    ):
        told = ran(tab, CELL, text)
        assert tab.js(f"{dom(CELL)}.querySelector('.traceback') !== null") == text.startswith("raise"), told
        assert tab.js(f"{dom(CELL)}.querySelector('.cell_output :is(img, script:not([type*=json]))')") is None
        if "monitor" not in text and "plot" not in text:
            assert "<img src=x" in told
    tab.goto(page(host, ONE))
    tab.until(f"{code(CELL)}.includes('onerror')")
    assert tab.js("globalThis.hacked ?? null") is None


# ---- widgets of the reader's own

WIDGETS = """
import ipywidgets as w
slider, toggle, out = w.IntSlider(3, 0, 9, description="replicas"), w.ToggleButton(description="flip"), w.Output()
button = w.Button(description="press me")
def told(change):
    with out:
        print("now", slider.value, toggle.value)
slider.observe(told, "value"); toggle.observe(told, "value")
button.on_click(lambda _: print("pressed"))
w.VBox([slider, toggle, button, out])
"""
INTERACT = """
from ipywidgets import interact
@interact(n=(1, 5), loud=False)
def twice(n=2, loud=False):
    print("twice is", 2 * n, "!" if loud else "")
"""
ANYWIDGET = '''
import anywidget, traitlets
class Counter(anywidget.AnyWidget):
    _esm = """
    export default { render({ model, el }) {
        const button = document.createElement("button");
        button.className = "mine";
        const draw = () => { button.textContent = `count ${model.get("count")}`; };
        button.onclick = () => { model.set("count", model.get("count") + 1); model.save_changes(); };
        model.on("change:count", draw);
        draw();
        el.append(button);
    } };
    """
    count = traitlets.Int(5).tag(sync=True)
counter = Counter()
counter.observe(lambda change: print("python knows", change["new"]), "count")
counter
'''


def test_widgets_of_a_readers_own_work(open_tab: Open, host: Host) -> None:
    tab = open_tab()
    visit(tab, host, ONE)
    assert run_all(tab) == LIVE
    ran(tab, CELL, WIDGETS)
    tab.until(f"{dom(CELL)}.querySelector('.noUi-handle') !== null")
    tab.js(f"{dom(CELL)}.querySelector('.noUi-handle').focus()")
    tab.press("ArrowRight")
    tab.until(f"({shown(CELL)}).includes('now 4 False')")
    tab.click(f"#live-cell-{CELL} button", "flip")
    tab.until(f"({shown(CELL)}).includes('now 4 True')")
    tab.click(f"#live-cell-{CELL} button", "press me")
    tab.until(f"({shown(CELL)}).includes('pressed')")
    ran(tab, CELL, INTERACT)
    tab.until(f"({shown(CELL)}).includes('twice is 4')")
    tab.js(f"{dom(CELL)}.querySelector('.noUi-handle').focus()")
    tab.press("ArrowRight")
    tab.until(f"({shown(CELL)}).includes('twice is 6')")
    ran(tab, CELL, ANYWIDGET)
    tab.click(".mine", "count 5")
    tab.until(f"({shown(CELL)}).includes('count 6')")
    tab.until(f"({shown(CELL)}).includes('python knows 6')")
