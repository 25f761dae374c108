"""The live view of ``selfheal up``: nodes, pods, probes and events on the terminal, a few times a second.

It takes the terminal's other screen, as an editor does, and gives the first one back as it was. Drawing happens in a
thread of its own: a terminal that stands still (Ctrl-S) must not hold up the API server.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys

from rich.console import Console, Group
from rich.table import Table as Grid
from rich.text import Text

from selfheal.server.emulator import Emulator
from selfheal.server.glance import BAD, GOOD, WAITING, Glance, Table

PAUSE = 0.5
"""Real seconds between two looks."""
COLOURS = {GOOD: "green", BAD: "red", WAITING: "yellow"}


def possible() -> bool:
    """Whether there is a terminal to draw on, and it is ours: a job in the background leaves it alone."""
    try:
        return sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and _foreground()
    except (OSError, ValueError):
        return False


def _foreground() -> bool:
    return not hasattr(os, "tcgetpgrp") or os.tcgetpgrp(sys.stdout.fileno()) == os.getpgrp()


class View:
    """The view of one emulator. ``line`` is the one to copy."""

    def __init__(self, emulator: Emulator, line: str, console: Console | None = None) -> None:
        self._emulator = emulator
        self._line = line
        self._console = console or Console(markup=False, highlight=False, emoji=False)
        self._over = asyncio.Event()
        self._suspended = False

    def end(self) -> None:
        """Make :meth:`show` give the terminal back."""
        self._over.set()

    def suspend(self) -> None:
        """Ctrl-Z: the shell gets its own screen."""
        self._suspended = True

    async def show(self) -> None:
        """Draw until :meth:`end`; then the terminal is as it was."""
        glance = Glance(self._emulator.cluster)
        try:
            with contextlib.suppress(OSError):  # the terminal has gone
                while not self._over.is_set():
                    await self._draw(glance)
                    if self._suspended:
                        self._suspended = False
                        os.kill(os.getpid(), signal.SIGSTOP)
        finally:
            glance.close()

    async def _draw(self, glance: Glance) -> None:
        """Until the end, or until it is suspended."""
        drawn: object = None
        with self._console.screen(hide_cursor=True) as screen:
            while not self._over.is_set() and not self._suspended:
                time, size = self._emulator.time, self._console.size
                now = max(time.cluster_now(), self._emulator.cluster.clock.now)
                head = [*self._head(size.width), glance.headline(now)]
                seen = (head, glance.tables(now, size.height - len(head)), size)
                if seen != drawn and _foreground():
                    drawn = seen
                    await asyncio.to_thread(screen.update, _page(head, seen[1]))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), PAUSE)

    def _head(self, width: int) -> list[str]:
        """What it is, and the line to copy, whole: folded where it is too long."""
        speed = self._emulator.time.speed
        pace = "" if speed == 1 else f", {speed:g} times as fast as a clock"
        folded = [self._line[i : i + width] for i in range(0, len(self._line), width)]
        return [f"selfheal at {self._emulator.address}{pace}. Ctrl-C ends it.", *folded]


def _page(head: list[str], tables: list[Table]) -> Group:
    lines = [
        Text(line, no_wrap=True, overflow="ellipsis", style="bold" if 0 < i < len(head) - 1 else "")
        for i, line in enumerate(head)
    ]
    return Group(*lines, *(part for table in tables for part in (Text(), _grid(table))))


def _grid(table: Table) -> Group:
    """Names are :class:`Text`, never a string, in which rich would look for its own markup."""
    grid = Grid(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in table.columns:
        ratio = 1 if column == "MESSAGE" else None  # it gives way to all others
        grid.add_column(Text(column), no_wrap=True, overflow="ellipsis", ratio=ratio)
    grid.expand = "MESSAGE" in table.columns
    for line in table.lines:
        grid.add_row(*(Text(cell, style=COLOURS.get(line.mood, "")) for cell in line.cells))
    return Group(grid, *([Text(f"… and {table.hidden} more")] if table.hidden else []))
