"""The widget of :mod:`selfheal.runs`. Imported only where one is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from selfheal.runs import Step
from selfheal.words import words


class LiveRuns(anywidget.AnyWidget):
    """A verdict and a button: ``{next: true}`` comes in, one run is made, and ``state`` goes out."""

    _esm = Path(__file__).parent / "runs.js"
    words = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, html: str, steps: Iterator[Step]) -> None:
        state = {"turn": 0, "html": html, "says": "", "done": 0, "total": 1, "over": False}
        super().__init__(words=words("runs"), state=state)
        self._steps = steps
        self.on_msg(self._asked)

    def __repr__(self) -> str:  # no address: the same cell prints the same
        return "LiveRuns()"

    def _asked(self, _widget: object, content: Any, _buffers: object) -> None:
        if not isinstance(content, dict) or not content.get("next") or self.state["over"]:
            return
        told: dict[str, Any] = {"over": True}
        try:
            step = next(self._steps, None)
        except KeyboardInterrupt:  # the kernel's own Stop
            told["says"] = words("runs")["cut"]
        except Exception as error:  # noqa: BLE001 - whatever it is, who asked must not wait for ever
            told["says"] = " ".join(f"{type(error).__name__}: {error}".split())
        else:
            if step is not None:
                told = {"says": step.says, "done": step.done, "total": step.total, "over": step.over}
                told["html"] = step.html or self.state["html"]
        self.state = {**self.state, **told, "turn": self.state["turn"] + 1}
