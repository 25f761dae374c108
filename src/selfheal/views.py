"""What a cluster shows of itself: its timeline as a picture, its objects as kubectl's tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from selfheal.objects import Object
from selfheal.timeline import Timeline


class ClusterTimeline(Timeline):
    """A timeline that can draw itself."""

    def plot(self, **options: Any) -> Any:
        """The timeline as a picture; see :func:`selfheal.plot.plot`."""
        from selfheal.plot import plot  # imported when somebody draws: most runs are not drawn

        return plot(self, **options)


class Objects(list[Object]):
    """Objects in wire form; printed, they are kubectl's table."""

    def __init__(self, kind: str, objs: Iterable[Object], now: int) -> None:
        super().__init__(objs)
        self.kind = kind
        self._now = now

    def __str__(self) -> str:
        from selfheal import printers

        return printers.get(self.kind, list(self), self._now)

    __repr__ = __str__
