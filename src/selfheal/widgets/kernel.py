"""The monitor beside a kernel: an anywidget whose questions are answered by real runs.

Imported only where a widget is shown in a live notebook; without anywidget the stored page is shown.
"""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from selfheal.widgets import page
from selfheal.widgets.answers import Answer, respond_text, text_of
from selfheal.widgets.questions import language_of


class LiveMonitor(anywidget.AnyWidget):
    """One monitor in a notebook: ``data`` goes out once, then questions come in and answers go out."""

    _esm = page.HERE / "monitor.js"
    data = traitlets.Dict().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)
    css = traitlets.Unicode().tag(sync=True)
    first = traitlets.Unicode(allow_none=True).tag(sync=True)

    def __init__(self, data: dict[str, Any], first: Answer | None) -> None:
        told = None if first is None else text_of({"answer": first})
        super().__init__(data=data, first=told, words=page.words(), css=page.source("monitor.css"))
        self.on_msg(self._asked)

    def __repr__(self) -> str:  # no address: the same cell prints the same
        return "LiveMonitor()"

    def _asked(self, _widget: object, content: Any, _buffers: object) -> None:
        """``{ask: number, question: text}`` → ``{to: number, text: what respond_text says}``."""
        if isinstance(content, dict) and "ask" in content:
            self.send(
                {"to": content["ask"], "text": respond_text(str(content.get("question")), language_of(self.data))}
            )
