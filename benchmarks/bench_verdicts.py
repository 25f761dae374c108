"""How long a learner waits for the first verdict on an exercise: here, and in the built page (Chromium).

For each exercise the start, the typical wrong answers and the solution are checked; the longest wait counts, in seconds
of the clock, since that is what somebody waits. Nothing here passes or fails. ``BOOK_HTML`` names a built book; without
one, or without Chromium, the page is left out.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
# ruff: noqa: E402 - after the path

from playwright.sync_api import sync_playwright

from conftest import find_chromium
from selfheal.lessons import exercises
from selfheal.lessons.answers import EXERCISES
from tests.book.chapters import Chapter, all_exercises
from tests.live.host import Host
from tests.live.reader import dom, ran, run_all, visit
from tests.live.tab import ChromiumTab

PAGE, CELL = "02-liveness", 9
"""A short chapter, and a cell of it with which anything can be done."""


def answers(chapter: Chapter) -> list[str]:
    """The start, the solution, and what people write instead."""
    exercise = chapter.exercise
    return [
        exercise.manifest,
        exercise.solution,
        *(w.answer for w in exercise.wrong),
        *(a for _, a, _ in chapter.cheats),
    ]


def here(chapter: Chapter) -> list[float]:
    taken = []
    for answer in answers(chapter):
        begun = time.perf_counter()
        chapter.exercise.check(answer)
        taken.append(time.perf_counter() - begun)
    return taken


CLICKED = """
    (async () => {{
        const cell = {dom}, begun = performance.now();
        cell.dataset.live = "";
        cell.querySelector(".live-run").click();
        while (cell.dataset.live !== "done" || !cell.querySelector(".selfheal-report")) {{
            await new Promise(requestAnimationFrame);
        }}
        return (performance.now() - begun) / 1000;
    }})()
"""


def there(tab: ChromiumTab, name: str, chapter: Chapter) -> list[float]:
    """From the click on Run until the verdict is drawn."""
    taken = []
    for answer in answers(chapter):
        ran(tab, CELL, f"from selfheal.lessons.exercises import {name}\nmine = {answer!r}")
        tab.js(f"({dom(CELL)}.querySelector('.live-code').value = '{name}.check(mine)')")
        tab.js(f"{dom(CELL)}.querySelector('.live-code').dispatchEvent(new InputEvent('input'))")
        taken.append(float(tab.js(CLICKED.format(dom=dom(CELL)))))
    return taken


def main() -> None:
    names = {id(getattr(exercises, name)): name for _, name in EXERCISES}
    chapters = all_exercises()
    found: dict[str, dict[str, Any]] = {}
    for chapter in chapters:
        found[names[id(chapter.exercise)]] = {"chapter": chapter, "here": here(chapter)}
    program, root = find_chromium(), os.environ.get("BOOK_HTML")
    if program and root:
        with sync_playwright() as playwright, Host(Path(root)) as host:
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            tab = ChromiumTab(browser)
            visit(tab, host, PAGE)
            run_all(tab)
            for name, row in found.items():
                row["there"] = there(tab, name, row["chapter"])
            browser.close()
    print(
        f"{'first verdict, at worst':<24} {'answers':>7} {'here, s':>9} {'page, s':>9}   aim: 2 s here, 6 s in the page"
    )
    for name, row in found.items():
        page = f"{max(row['there']):.2f}" if "there" in row else "-"
        print(f"{name:<24} {len(row['here']):>7} {max(row['here']):>9.2f} {page:>9}")


if __name__ == "__main__":
    main()
