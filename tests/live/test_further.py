"""In the page, too, an answer that passed can be tried with more seeds: it tells how far it has come, and stops."""

from __future__ import annotations

import re

from tests.live.conftest import Open
from tests.live.host import Host
from tests.live.reader import code, dom, ran, run_all, visit

ONE, CELL = "02-liveness", 9
ANSWER = "from selfheal.lessons.exercises import friday\nfriday.check(friday.solution)"
TOLD = f"({dom(CELL)}.querySelector('.selfheal-runs span')?.textContent ?? '')"
BUTTON = f"#live-cell-{CELL} .selfheal-runs button"


def counted(text: str) -> int:
    found = re.search(r"(\d+) of 57", text)
    assert found, text
    return int(found[1])


def test_more_seeds_are_tried_one_by_one_until_somebody_stops_them(open_tab: Open, host: Host) -> None:
    tab = open_tab()
    visit(tab, host, ONE)
    run_all(tab)
    ran(tab, CELL, ANSWER)
    tab.click(BUTTON, "Try more seeds")
    told = tab.until(f"/seed [3-9]: \\S/.test({TOLD}) && {TOLD}")
    assert counted(told) >= 4
    tab.click(BUTTON, "Stop")
    stopped = tab.until(f"{TOLD}.startsWith('Stopped') && {TOLD}")
    assert 4 <= counted(stopped) < 57
    assert "42" in ran(tab, 2, "6 * 7"), "Python is there as before"
    assert counted(tab.js(TOLD)) <= counted(stopped) + 1, "the run on its way ended, and none was begun"
    assert "Solved." in tab.js(f"{dom(CELL)}.innerText")
    assert tab.js(code(CELL)) == ANSWER
    tab.click(BUTTON, "Go on")
    on = tab.until(f"{TOLD}.startsWith('Run') && {TOLD}")
    assert counted(on) >= counted(stopped), "it goes on where it was"
