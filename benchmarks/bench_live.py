"""What a reader of the built site waits for, in Chromium: ``make bench``, or this file with a number of rounds (3).

A desktop beside a phone (360 px, the page's thread at a quarter of its speed; Python's own thread is not slowed, for
Chromium offers that to pages only), each with nothing kept before. Medians; the line is this machine's own, so what
counts is the work. Nothing here passes or fails. ``BOOK_HTML`` names a built book, else one is built.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
# ruff: noqa: E402 - after the path

from playwright.sync_api import sync_playwright

from conftest import find_chromium
from tests.live.host import Host
from tests.live.reader import SHADOWS, approach, page, run_all, visit
from tests.live.tab import ChromiumTab

CHAPTER, NEXT = "01-is-it-alive", "02-liveness"  # the first has a scenario of two minutes
PHONE = {"width": 360, "height": 740, "device_scale_factor": 3, "is_mobile": True, "has_touch": True}
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
MARKS = "Object.fromEntries(performance.getEntriesByType('mark').map((mark) => [mark.name, mark.startTime]))"
FLIP = f"""(async () => {{
    const root = {SHADOWS}[0];
    const other = root.querySelector(".seg input:not(:checked)");
    const asked = heard.length, began = performance.now();
    const drawn = new Promise((done) => {{
        const look = new MutationObserver(() => {{
            const python = heard.slice(asked).some((message) => message.type === "idle" && message.text);
            if (python === (livePage.state === "ready")) {{ look.disconnect(); done(performance.now() - began); }}
        }});
        look.observe(root.querySelector(".strip"), {{subtree: true, childList: true}});
        setTimeout(() => done(null), 5000);
    }});
    other.click();
    return drawn;
}})()"""
"""Sets the first switch to another value; milliseconds until the answer is drawn, Python's where it is ready."""


def reader(browser: Any, phone: bool) -> ChromiumTab:
    """Somebody who was never here."""
    tab = ChromiumTab(browser, **PHONE) if phone else ChromiumTab(browser)
    if phone:
        tab.context.new_cdp_session(tab.page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    return tab


def reading(browser: Any, root: Path, phone: bool) -> dict[str, float]:
    """The page as it comes, and a first touch of its monitor."""
    with Host(root) as host:
        tab = reader(browser, phone)
        visit(tab, host, CHAPTER)
        paint = tab.until(PAINT) / 1000
        approach(tab)
        tab.page.wait_for_load_state("networkidle")
        own = {url.removeprefix(host.url).partition("?")[0] for url in tab.requests}
        size = sum({asked.path: asked.size for asked in reversed(host.log) if asked.path in own}.values()) / 1000
        first = tab.js(FLIP)
        tab.close()
    return {"first paint, s": paint, "page with its monitor drawn, kB": size, "first flip, from the bank, ms": first}


def running(browser: Any, root: Path, phone: bool) -> dict[str, float]:
    """The first run of a page, the second, and the next chapter's."""
    found: dict[str, float] = {}
    with Host(root) as host:
        tab = reader(browser, phone)
        visit(tab, host, CHAPTER)
        before = host.bytes
        for when in ("cold", "from memory", "next chapter"):
            if when != "cold":
                tab.goto(page(host, CHAPTER if when == "from memory" else NEXT))
            run_all(tab)
            marks = tab.js(MARKS)
            for what, mark in (("Python ready", "live:ready"), ("whole page run", "live:live")):
                found[f"click → {what}, {when}, s"] = (marks[mark] - marks["live:click"]) / 1000
            if when == "cold":
                found["Python and its packages, once, MB"] = (host.bytes - before) / 1e6
                assert tab.until("document.documentElement.dataset.snapshot", 60) == "stored"
                found |= flips(tab)
        tab.close()
    return found


def flips(tab: ChromiumTab) -> dict[str, float]:
    """Each flip a tick later and with a period that no bank knows, so that Python answers."""
    approach(tab)
    field = f"{SHADOWS}[0].querySelector('[type=number]')"
    tab.js(f"({field}.focus(), {field}.select())")
    tab.press("7", "Enter")
    settled = f"!{SHADOWS}[0].querySelector('.stale') && {SHADOWS}[0].querySelector('.notice').hidden"
    tab.until(settled, 60)
    tab.js(f"{SHADOWS}[0].querySelector('.knob').focus()")
    tab.press("Home")
    taken = []
    for _ in range(14):
        tab.js(f"{SHADOWS}[0].querySelector('.knob').focus()")
        tab.press(*["ArrowRight"] * 7)
        taken += [took] if (took := tab.js(FLIP)) else []
        tab.until(settled, 60)
    assert len(taken) > 9, "the question was asked of nobody"
    slow = statistics.quantiles(taken, n=20, method="inclusive")[-1]
    return {"flip → redraw, live, p50, ms": statistics.median(taken), "flip → redraw, live, p95, ms": slow}


PROTOTYPE = {
    "first paint, s": ("0.4", ""),
    "page with its monitor drawn, kB": ("330", "≤ 350"),
    "first flip, from the bank, ms": ("", "≤ 100"),
    "click → whole page run, cold, s": ("4.2", ""),
    "click → Python ready, cold, s": ("4.1", "≤ 4.5"),
    "click → Python ready, from memory, s": ("0.6", "≤ 0.8"),
    "click → Python ready, next chapter, s": ("0.6", "≤ 0.8"),
    "Python and its packages, once, MB": ("6.7", ""),
    "flip → redraw, live, p50, ms": ("9", ""),
    "flip → redraw, live, p95, ms": ("15, a toy engine", "≤ 100"),
}
"""Measure → what the prototype took, and our aim."""


def main(root: Path, rounds: int) -> None:
    program = find_chromium()
    if not program:
        print("The live pages are not measured, for there is no Chromium here (CHROMIUM=… names one).")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        desktop, phone = (
            [reading(browser, root, phone) | running(browser, root, phone) for _ in range(rounds)]
            for phone in (False, True)
        )
        browser.close()
    print(f"{'live page':<42} {'desktop':>9} {'phone':>9}   prototype (desktop)   aim")
    for what in desktop[0]:
        here, there = (statistics.median(one[what] for one in found) for found in (desktop, phone))
        old, aim = PROTOTYPE.get(what, ("", ""))
        digits = 2 if here < 20 else 0
        print(f"{what:<42} {here:>9.{digits}f} {there:>9.{digits}f}   {old:<19}   {aim}".rstrip())


if __name__ == "__main__":
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    if "BOOK_HTML" in os.environ:
        main(Path(os.environ["BOOK_HTML"]), times)
    else:
        with tempfile.TemporaryDirectory() as place:
            subprocess.run([sys.executable, "tools/build_book.py", place], cwd=ROOT, check=True)
            main(Path(place) / "_build" / "html", times)
