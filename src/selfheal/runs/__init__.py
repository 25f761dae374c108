"""What goes on after a first verdict: run after run, told one by one, and stopped at any moment.

A verdict is shown at once; beside a living Python (a kernel, or the one in a page) more runs can follow it. Whoever
looks asks for each of them, so Stop is no more than not asking: nothing is killed, and what is known stays.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any


@dataclass(frozen=True, slots=True)
class Step:
    """How far it has come, and what the run said that was the last."""

    done: int
    total: int
    says: str
    html: str = ""
    """The verdict as it is now, if this run changed it."""
    over: bool = False
    """Nothing comes after it."""


def listened() -> bool:
    """Whether a living widget can be shown: a kernel or a page, anywidget, and nobody who writes stored outputs."""
    if os.environ.get("SELFHEAL_WIDGETS") == "static" or find_spec("anywidget") is None:
        return False
    if sys.platform == "emscripten":
        return True
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return False
    shell = get_ipython()  # type: ignore[no-untyped-call, unused-ignore]
    return getattr(shell, "kernel", None) is not None


def view(html: str, steps: Iterator[Step]) -> dict[str, Any]:
    """A living widget as Jupyter shows it: a verdict, and the runs that go on."""
    from selfheal.runs.live import LiveRuns

    shown = LiveRuns(html, steps)._repr_mimebundle_()
    return dict((shown[0] if isinstance(shown, tuple) else shown) or {})
