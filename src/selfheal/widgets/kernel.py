"""The monitor beside a kernel: an anywidget whose questions are answered by real runs.

Imported only where a widget is shown in a live notebook; without anywidget the stored page is shown.
"""

from __future__ import annotations

import json
from typing import Any

import anywidget
import traitlets

from selfheal.errors import ApiError
from selfheal.widgets import page
from selfheal.widgets.answers import Answer, answer


class LiveMonitor(anywidget.AnyWidget):
    """One monitor in a notebook: ``data`` goes out once, then questions come in and answers go out."""

    _esm = page.HERE / "monitor.js"
    data = traitlets.Dict().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)
    css = traitlets.Unicode().tag(sync=True)
    first = traitlets.Dict(allow_none=True).tag(sync=True)

    def __init__(self, data: dict[str, Any], first: Answer | None) -> None:
        super().__init__(data=data, first=first, words=page.words(), css=page.source("monitor.css"))
        self.on_msg(self._asked)

    def __repr__(self) -> str:  # no address: the same cell prints the same
        return "LiveMonitor()"

    def _asked(self, _widget: object, content: Any, _buffers: object) -> None:
        """``{ask: number, question: text}`` → ``{to: number, answer | error}``."""
        if isinstance(content, dict) and "ask" in content:
            self.send({"to": content["ask"], **respond(content.get("question"))})


def respond(question: Any) -> dict[str, Any]:
    """What a question gets: ``{"answer": …}``, or ``{"error": …}`` in one line."""
    try:
        return {"answer": answer(json.loads(question))}
    except (ApiError, ValueError, TypeError, KeyError) as error:
        return {"error": " ".join(str(error).split()) or type(error).__name__}
