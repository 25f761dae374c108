"""How far a run is, on one line that is written again and again, or as a picture in a notebook."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any

from selfheal.headlines import headline
from selfheal.labs.recording import Tick
from selfheal.plot import plot
from selfheal.timeline import Timeline

EVERY = 1.0
"""Seconds between two lines, or pictures."""
WIDTH = 30


@contextlib.contextmanager
def progress(until: float, live: bool) -> Iterator[Tick]:
    """What to call again and again while a run lasts."""
    if not live:
        yield lambda _t, _timeline: None
        return
    shown = _notebook() or _Line()
    last = 0.0
    so_far: tuple[float, Timeline] | None = None

    def tick(t: float, timeline: Timeline) -> None:
        nonlocal last, so_far
        so_far = t, timeline
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            shown.show(t, until, timeline)

    try:
        yield tick
    finally:
        if so_far is not None:
            shown.show(so_far[0], until, so_far[1])  # what happened since it was last shown
        shown.done()


def bar(t: float, until: float) -> str:
    """``██████░░░░   60 of 100 s``"""
    full = round(WIDTH * min(1.0, t / until)) if until else WIDTH
    return f"{'█' * full}{'░' * (WIDTH - full)} {t:4.0f} of {until:.0f} s"


class _Line:
    """One line of a terminal."""

    def show(self, t: float, until: float, timeline: Timeline) -> None:
        newest = next((headline(r) for r in reversed(timeline.records[-20:]) if r["kind"] in ("Event", "Action")), "")
        sys.stderr.write(f"\r{bar(t, until)}  {newest[:80]:<80}")
        sys.stderr.flush()

    def done(self) -> None:
        sys.stderr.write(f"\r{' ' * 140}\r")
        sys.stderr.flush()


class _Picture:
    """A cell's output, drawn anew."""

    def __init__(self, display: Any) -> None:
        self._display = display
        self._handle: Any = None

    def show(self, t: float, until: float, timeline: Timeline) -> None:
        picture = plot(timeline, until=until, title=bar(t, until))
        if self._handle is None:
            self._handle = self._display(picture, display_id=True)
        else:
            self._handle.update(picture)

    def done(self) -> None: ...


def _notebook() -> _Picture | None:
    """A picture, if this is a notebook's kernel."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import display

    return _Picture(display)
