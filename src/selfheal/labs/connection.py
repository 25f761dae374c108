"""A running cluster's timeline, live: ``connect().timeline("shop").plot()``. It looks on and changes nothing."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from selfheal.labs.api import Api
from selfheal.labs.context import PIN, Context, resolve
from selfheal.labs.pace import Pace
from selfheal.labs.progress import progress
from selfheal.labs.recording import Recording
from selfheal.views import ClusterTimeline

LOOK = 0.2
"""Seconds between two looks at the clock while a picture is shown."""


def connect(kubeconfig: str | Path | None = None) -> Connection:
    """Look at a running cluster, under the same rules of safety as a lab's.

    ``kubeconfig``: a file, instead of what ``KUBECONFIG`` names. Raises :class:`~selfheal.labs.errors.Unsafe` if its
    current context is none for a lab.
    """
    return Connection(PIN.context() if kubeconfig is None else resolve({**os.environ, "KUBECONFIG": str(kubeconfig)}))


class Connection:
    """A cluster that is looked at, until :meth:`close`."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.api = Api(context)
        self._open = contextlib.ExitStack()
        self._timelines: dict[str, ClusterTimeline] = {}

    def timeline(self, namespace: str = "default") -> ClusterTimeline:
        """What happens in a namespace, and to the nodes, from the first call on: it grows while the cluster lives.

        Its second 0 is now; what is there already stands at its beginning. Raises LabError.
        """
        if namespace not in self._timelines:
            recording = Recording(self.api, namespace)
            self._timelines[namespace] = self._open.enter_context(recording.following(onlooker=True))
        return self._timelines[namespace]

    def show(self, namespace: str = "default", seconds: float = 60) -> ClusterTimeline:
        """Look on for so many seconds of cluster time; in a notebook as a picture that is drawn anew."""
        import time

        timeline = self.timeline(namespace)
        pace = Pace(self.api)
        end = pace.cluster + seconds
        begin = float(timeline.header["until"])
        with progress(begin + seconds, live=True) as tick:
            while pace.cluster < end:
                time.sleep(LOOK)
                pace.ask_now_and_then()
                tick(begin + seconds - (end - pace.cluster), timeline)
        return timeline

    def close(self) -> None:
        """Look no more. Raises LabError if something was missed."""
        self._timelines = {}
        try:
            self._open.close()
        finally:
            self.api.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, of: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Connection({self.context})"
