"""What a reader does with a page that can run, and what can then be seen of it."""

from __future__ import annotations

import json
from typing import Any

from tests.live.host import Host
from tests.live.tab import Tab

STATE = "document.documentElement.dataset.live"
STATUS = "document.querySelector('.live-status').textContent"
FRAME = (
    "new Promise((done) => { const t = performance.now(); requestAnimationFrame(() => done(performance.now() - t)); })"
)
SHADOWS = '[...document.querySelectorAll(".selfheal-monitor > div")].map((place) => place.shadowRoot).filter(Boolean)'
"""The open shadow trees of the monitors that are drawn."""

LISTEN = """
    globalThis.heard = [];
    globalThis.workers = [];
    globalThis.Worker = class extends Worker {
        constructor(...given) {
            super(...given);
            workers.push(this);
            this.addEventListener("message", ({data}) => heard.push(data));
        }
    };
"""
"""A script that runs before the page's own: it keeps the page's workers, and all that they say."""


def page(host: Host, name: str) -> str:
    return f"{host.url}book/{name}.html"


def visit(tab: Tab, host: Host, name: str) -> None:
    """Opens a page whose worker is listened to."""
    tab.before(LISTEN)
    tab.goto(page(host, name))


def run_all(tab: Tab, seconds: float = 120) -> str:
    """Presses "Run this page" and waits until it is over; gives what the page then says."""
    tab.js("document.documentElement.dataset.live = ''")
    tab.click(".live-go", "Run")
    tab.until(f"['on', 'off', 'failed'].includes({STATE})", seconds)
    return str(tab.js(STATUS))


def dom(cell: int) -> str:
    return f"document.getElementById('live-cell-{cell}')"


def shown(cell: int) -> str:
    """What stands below a cell."""
    return f"{dom(cell)}.querySelector('.cell_output')?.innerText ?? ''"


def code(cell: int) -> str:
    """The text of a cell, whether it can be changed yet or not."""
    return f"({dom(cell)}.querySelector('.live-code')?.value ?? {dom(cell)}.querySelector('pre').textContent).trim()"


def write(tab: Tab, cell: int, text: str) -> None:
    """Puts a text in the place of a cell's own, as pasting does."""
    tab.js(
        f"""(() => {{
            const code = {dom(cell)}.querySelector(".live-code");
            code.value = {json.dumps(text)};
            code.dispatchEvent(new InputEvent("input", {{bubbles: true}}));
        }})()"""
    )


def run(tab: Tab, cell: int, text: str | None = None) -> None:
    """Runs a cell, with another text if one is given; does not wait."""
    if text is not None:
        write(tab, cell, text)
    tab.js(f"{dom(cell)}.dataset.live = ''")
    tab.js(f"{dom(cell)}.querySelector('.live-run').click()")


def ran(tab: Tab, cell: int, text: str | None = None, seconds: float = 60) -> str:
    """Runs a cell and waits until it has; gives what stands below it."""
    run(tab, cell, text)
    tab.until(f"{dom(cell)}.dataset.live == 'done' && !{dom(cell)}.hasAttribute('aria-busy')", seconds)
    return str(tab.js(shown(cell)))


def outputs(tab: Tab) -> dict[int, list[dict[str, Any]]]:
    """Cell → what Python said, as notebooks store it."""
    told: dict[int, list[dict[str, Any]]] = {}
    for message in tab.js("heard.filter((message) => message.type === 'output')"):
        told.setdefault(message["cell"], []).append(message)
    return told


def said(told: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Stream or MIME type → texts, in order: what nbval compares, for it gathers streams and knows no ids."""
    found: dict[str, list[str]] = {}
    for output in told:
        if output["output_type"] == "stream":
            before = found.setdefault(output["name"], [""])
            before[0] += "".join(output["text"])
        elif output["output_type"] == "error":
            found.setdefault("error", []).append(output["ename"])
        for mime, data in output.get("data", {}).items():
            found.setdefault(mime, []).append("".join(data))
    return found


def approach(tab: Tab) -> None:
    """Scrolls to the page's monitor, and waits until it is drawn."""
    tab.js("document.querySelector('.selfheal-monitor').scrollIntoView({behavior: 'instant'})")
    tab.until(f"{SHADOWS}[0]?.querySelector('.knob')", 30)


def flip(tab: Tab) -> None:
    """Sets the monitor's first switch to its second value, and waits until the answer is drawn."""
    strip = f"{SHADOWS}[0].querySelector('.strip').innerHTML"
    before = tab.js(strip)
    tab.click(".seg label:has(input:not(:checked))")
    tab.until(f"{strip} != {json.dumps(before)} && {SHADOWS}[0].querySelector('.notice').hidden")
