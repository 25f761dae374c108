"""What can go wrong between a page and its Python: it is said, the page stays alive, nothing that was typed is lost."""

from __future__ import annotations

import pytest

from tests.live.conftest import CHROMIUM, Open
from tests.live.host import Host
from tests.live.reader import (
    FRAME,
    LISTEN,
    SHADOWS,
    STATE,
    STATUS,
    approach,
    code,
    dom,
    flip,
    outputs,
    page,
    ran,
    run,
    run_all,
    said,
    shown,
    visit,
    write,
)
from tests.live.tab import ChromiumTab, Tab

LIVE = "Live: Python runs in this page."
ONE, NEXT = "02-liveness", "03-readiness"
CELL = 9

chromium = pytest.mark.parametrize("open_tab", [CHROMIUM], indirect=True)


def steps(tab: Tab) -> list[str]:
    """How Python started: from the network's files (``python``) or from its memory (``snapshot``)."""
    return list(tab.js("heard.filter((message) => message.type === 'progress').map((message) => message.name)"))


def stored(tab: Tab) -> str:
    """Waits until Python's memory is kept, or cannot be."""
    return str(tab.until("document.documentElement.dataset.snapshot", 60))


# ---- the second time


def test_a_second_visit_and_the_next_chapter_start_from_memory(open_tab: Open, host: Host) -> None:
    tab = open_tab()
    visit(tab, host, ONE)
    assert run_all(tab) == LIVE
    assert "python" in steps(tab)
    first = {n: said(told) for n, told in outputs(tab).items()}
    assert stored(tab) == "stored"
    for name in (ONE, NEXT):
        tab.goto(page(host, name))
        assert run_all(tab) == LIVE
        assert "snapshot" in steps(tab)
        assert "python" not in steps(tab)
        assert name != ONE or {n: said(told) for n, told in outputs(tab).items()} == first


@pytest.mark.parametrize(
    "damage",
    [
        "bytes.fill(0, bytes.length / 2)",
        pytest.param("bytes.fill(7)", marks=pytest.mark.nightly),
        pytest.param("(bytes = new Uint8Array(99))", marks=pytest.mark.nightly),
    ],
)
def test_a_damaged_memory_is_a_plain_start(open_tab: Open, host: Host, damage: str) -> None:
    tab = open_tab(expected=("",))
    visit(tab, host, ONE)
    assert run_all(tab) == LIVE
    assert stored(tab) == "stored"
    tab.js(
        f"""(async () => {{
            for (const name of await caches.keys()) {{
                const shelf = await caches.open(name);
                for (const key of await shelf.keys()) {{
                    if (!key.url.includes("snapshot")) continue;
                    let bytes = new Uint8Array(await (await shelf.match(key)).arrayBuffer());
                    {damage};
                    await shelf.put(key, new Response(bytes));
                }}
            }}
        }})()"""
    )
    tab.goto(page(host, ONE))
    assert run_all(tab) == LIVE
    assert "python" in steps(tab)


@pytest.mark.nightly
def test_two_tabs_do_not_clash(open_tab: Open, host: Host) -> None:
    one = open_tab()
    visit(one, host, ONE)
    two = open_tab(beside=one)
    visit(two, host, ONE)
    for tab in (one, two):
        tab.click(".live-go", "Run")
    for tab in (one, two):
        tab.until(f"{STATE} == 'on'", 120)
    assert {n: said(told) for n, told in outputs(one).items()} == {n: said(told) for n, told in outputs(two).items()}
    assert ran(one, CELL, "here = 1\nhere").strip() == "1"
    assert ran(two, CELL, "'here' in globals()").strip() == "False"
    assert {stored(one), stored(two)} == {"stored"}
    one.goto(page(host, ONE))
    assert run_all(one) == LIVE


# ---- Python dies


def test_python_that_crashes_is_replaced_and_the_code_is_kept(open_tab: Open, host: Host) -> None:
    tab = open_tab(expected=("boom", "Pyodide", "fatal"))
    visit(tab, host, ONE)
    assert run_all(tab) == LIVE
    run(tab, CELL, "import js\njs.setTimeout(js.Function.new('throw new Error(\"boom\")'), 0)")
    tab.until(f"({STATUS}).includes('crashed')")
    tab.until("livePage.state == 'ready'", 60)
    assert "boom" in tab.js(STATUS)
    assert "boom" in tab.js(code(CELL))
    assert ran(tab, CELL, "print('well')").strip() == "well"


WILD = {
    "input('who? ')": "cannot ask",
    "import sys\nsys.stdout = sys.stderr = None": "",
    "for n in range(20_000): display(n)": "not shown",
    "import sys\nfor n in range(20_000): print(n); print(n, file=sys.stderr)": "not shown",
    "import js\njs.Function.new('Promise.reject(Error(\"mine\"))')()": "",
    "hoard = []\nwhile True: hoard.append(bytearray(50_000_000))": "MemoryError",
}


def test_whatever_a_cell_did_the_next_one_runs(open_tab: Open, host: Host) -> None:
    tab = open_tab(expected=("mine",))  # the browser tells of a promise that nobody took
    visit(tab, host, ONE)
    assert run_all(tab) == LIVE
    ran(tab, CELL, "mark = 'well'")
    for text, told in WILD.items():
        assert told in ran(tab, CELL, text)
        assert ran(tab, CELL, "print(mark)").strip() == "well", text
        assert tab.js(STATUS) == LIVE


def test_a_cell_that_is_stopped_shows_what_it_said_until_then(open_tab: Open, host: Host) -> None:
    tab = open_tab(expected=("uncaught exception: undefined",))
    visit(tab, host, ONE)
    assert run_all(tab) == LIVE
    run(tab, CELL, "import time\nfor n in range(99): print('step', n); time.sleep(0.1)")
    tab.until("heard.map((message) => message.text ?? '').join('').includes('step 3')")
    tab.click(".live-go", "Stop")
    tab.until(f"({shown(CELL)}).includes('step 0')")
    assert not tab.js(f"{dom(CELL)}.hasAttribute('aria-busy')")


def test_what_is_pressed_twice_runs_once(open_tab: Open, host: Host) -> None:
    tab = open_tab(expected=("uncaught exception: undefined",))
    visit(tab, host, ONE)
    assert run_all(tab) == LIVE
    tab.click(".live-again", "Restart")
    assert "new" in tab.until(f"livePage.state == 'ready' && {STATUS}", 60)
    tab.click(".live-again, .live-go", "Run this page")
    tab.until(f"{STATE} == 'on'", 60)
    tab.click(".live-again", "Restart")
    write(tab, CELL, "count = globals().get('count', 0) + 1\nprint('count', count)")
    tab.js(f"{dom(CELL)}.querySelector('.live-code').focus()")
    tab.press("Shift+Enter", "Control+Enter")
    assert tab.js(f"{dom(CELL)}.ariaBusy"), "it waits for Python, and shows it"
    tab.js(f"{dom(CELL)}.querySelector('.live-run').dispatchEvent(new MouseEvent('click', {{detail: 2}}))")
    tab.until(f"({shown(CELL)}).includes('count') && !{dom(CELL)}.ariaBusy", 60)
    assert tab.js(shown(CELL)).strip() == "count 1"
    assert ran(tab, CELL).strip() == "count 2"


LATE = """
    const known = globalThis.fetch;
    globalThis.fetch = async (...asked) => {
        if (String(asked[0]).includes("/_live/")) await new Promise((done) => setTimeout(done, 3000));
        return known(...asked);
    };
"""


def test_what_comes_after_stop_starts_nothing(open_tab: Open, host: Host) -> None:
    tab = open_tab(expected=("uncaught exception: undefined",))  # what Firefox calls a worker's end
    tab.before(LATE)
    visit(tab, host, ONE)
    tab.js("livePage.warm()")
    tab.until("livePage.state == 'ready'", 60)
    tab.click(".live-go", "Run")
    tab.click(".live-go", "Stop")
    tab.until("document.querySelector('.live-code') !== null")
    tab.until(f"{STATUS}.includes('Stopped')")
    assert tab.js("document.querySelector('[aria-busy]')") is None
    assert run_all(tab) == LIVE


@pytest.mark.nightly
def test_python_that_falls_silent_can_be_stopped(open_tab: Open, host: Host) -> None:
    tab = open_tab()
    visit(tab, host, ONE)
    assert run_all(tab) == LIVE
    tab.js("workers.at(-1).terminate()")
    run(tab, CELL, "print('well')")
    tab.click(".live-go", "Stop")
    tab.until(f"!{dom(CELL)}.hasAttribute('aria-busy')")
    assert ran(tab, CELL).strip() == "well"


# ---- the line


def test_on_a_slow_line_the_page_tells_how_far_it_is_and_can_be_used(open_tab: Open, host: Host) -> None:
    tab = open_tab()
    visit(tab, host, ONE)
    approach(tab)
    host.rate = 50_000  # slow 3G
    tab.click(".live-go", "Run")
    first = tab.until(f"/\\d[\\d.]* MB/.exec({STATUS})?.[0]")
    told = tab.until(f"(/[\\d.]+ MB unpacked/.exec({STATUS}) ?? [''])[0]", 60)
    assert told != tab.until(f"/[\\d.]+ MB unpacked/.exec({STATUS})[0].replace('{told}', '')", 60) != first
    flip(tab)
    assert tab.js(FRAME) < 500
    assert tab.js("livePage.state") == "starting"
    host.rate = None
    tab.until(f"{STATE} == 'on'", 120)
    assert tab.js(STATUS) == LIVE


FILES = {
    "worker": "*/live/worker.js",
    "runtime": "*/pyodide.asm.wasm",
    "loader": "*/pyodide.mjs",
    "library": "*/python_stdlib.zip",
    "packages": "*/site.pack",
    "cells": "_live/*.json",
}


@pytest.mark.parametrize(
    "which", [pytest.param(one, marks=() if one == "runtime" else pytest.mark.nightly) for one in FILES]
)
def test_a_missing_file_is_said_and_not_waited_for(open_tab: Open, host: Host, which: str) -> None:
    tab = open_tab(expected=("",))
    host.faults = {FILES[which]: "404"}
    visit(tab, host, ONE)
    before = tab.js(shown(CELL))
    told = run_all(tab, 30)
    assert tab.js(STATE) != "on"
    assert "could not" in told
    assert tab.js(shown(CELL)) == before
    host.faults = {}
    tab.goto(page(host, ONE))
    assert run_all(tab) == LIVE, "once it is there again, all is well"


@pytest.mark.nightly
def test_missing_widgets_are_said(open_tab: Open, host: Host) -> None:
    tab = open_tab(expected=("",))
    host.faults = {"*/live/widgets.js": "404"}
    visit(tab, host, ONE)
    assert run_all(tab) == LIVE
    run(tab, CELL, "import ipywidgets\nipywidgets.IntSlider()")
    tab.until(f"({STATUS}).includes('could not')", 30)
    assert ran(tab, CELL, "print('well')").strip() == "well"


# ---- the browser keeps nothing, or cannot

NO_STORAGE = 'Object.defineProperty(globalThis, "localStorage", {get() { throw new DOMException("denied"); }});'
NO_CACHES = 'Object.defineProperty(globalThis, "caches", {get() { throw new DOMException("denied"); }});'


def test_a_browser_that_denies_all_storage_runs_the_page(open_tab: Open, host: Host) -> None:
    host.before = {"*/live/worker.js": NO_CACHES.encode()}
    tab = open_tab(expected=("denied", "invalid theme mode"))  # the theme says so
    tab.before(NO_STORAGE + NO_CACHES)
    visit(tab, host, ONE)
    assert run_all(tab) == LIVE
    write(tab, CELL, "print('well')")
    assert "keeps nothing" in tab.js(STATUS)
    assert ran(tab, CELL).strip() == "well"


@chromium
@pytest.mark.nightly
def test_a_full_disk_costs_the_memory_alone(open_tab: Open, host: Host) -> None:
    tab = open_tab(expected=("Quota", "full"))
    assert isinstance(tab, ChromiumTab)
    tab.before("Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };")
    tab.context.new_cdp_session(tab.page).send(
        "Storage.overrideQuotaForOrigin", {"origin": host.origin, "quotaSize": 9}
    )
    visit(tab, host, ONE)
    assert run_all(tab) == LIVE
    assert stored(tab) == "denied"
    write(tab, CELL, "print('well')")
    assert "keeps nothing" in tab.js(STATUS)
    assert ran(tab, CELL).strip() == "well"
    tab.goto(page(host, ONE))
    assert run_all(tab) == LIVE


def test_without_webassembly_the_bank_answers_and_a_notice_says_so(open_tab: Open, host: Host) -> None:
    tab = open_tab()
    tab.before("delete globalThis.WebAssembly;" + LISTEN)
    tab.goto(page(host, ONE))
    assert "no WebAssembly" in tab.js(STATUS)
    assert tab.js("document.querySelector('.live-go').disabled")
    approach(tab)
    flip(tab)
    period = f"{SHADOWS}[0].querySelector('[type=number]')"
    tab.js(f"{period}.focus()")
    tab.js(f"{period}.select()")
    tab.type("7")
    tab.press("Enter")
    assert "no WebAssembly" in tab.until(f"{SHADOWS}[0].querySelector('.notice').textContent")
    assert tab.js("workers.length") == 0
    assert not [url for url in tab.requests if "pyodide" in url]
