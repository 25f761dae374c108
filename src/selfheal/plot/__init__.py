"""A timeline as a picture: SVG by the package itself, or matplotlib for print.

    plot(timeline).svg
    plot(timeline, objects=["shop"], until=120, beside=as_believed)

The picture reads a timeline's records and nothing else, so it draws a recording of a real cluster as
well as a simulated run (where it also knows what the app was and what each probe saw).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfheal.plot.layout import layout
from selfheal.plot.scene import Scene
from selfheal.plot.svg import html, svg
from selfheal.timeline.lanes import lanes
from selfheal.timeline.log import Timeline
from selfheal.words import phrase, words

__all__ = ["Plot", "plot"]


@dataclass(frozen=True, slots=True, repr=False)
class Plot:
    """A picture that notebooks show by themselves."""

    svg: str
    """A whole SVG file."""
    html: str
    """The same for a page: it scrolls on a narrow screen, and the lanes' names stay in sight."""
    alt: str
    """What it shows, in words."""

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return self.html

    def __str__(self) -> str:
        return self.alt

    __repr__ = __str__

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the SVG to a file."""
        Path(path).write_text(self.svg, encoding="utf-8", newline="\n")


def plot(
    timeline: Timeline,
    objects: Iterable[str] | None = None,
    until: float | None = None,
    beside: Timeline | None = None,
    title: str | None = None,
    *,
    beside_name: str | None = None,
    backend: str = "svg",
) -> Any:
    """Draw a timeline.

    ``objects`` chooses what is shown (``"web-0"``, ``"Pod/web-0"``, ``"Service/web"`` …), ``until`` (s) where the axis
    ends; ``beside`` is another timeline, say what would happen if a belief were true, whose container lives are
    drawn as dashed outlines under the true ones. Returns a :class:`Plot`; with ``backend="matplotlib"`` (needs
    the extra ``selfheal[plot]``) a ``matplotlib.figure.Figure`` of the same drawing.
    """
    if backend == "matplotlib":
        from selfheal.plot.figure import figure, legible

        with legible():
            return figure(_scene(timeline, objects, until, beside, title, beside_name)[0])
    if backend != "svg":
        raise ValueError(f"backend must be 'svg' or 'matplotlib', not {backend!r}")
    scene, drawn = _scene(timeline, objects, until, beside, title, beside_name)
    content = json.dumps(drawn, sort_keys=True, default=str)
    scope = "sh" + hashlib.blake2s(content.encode(), digest_size=5).hexdigest()
    return Plot(svg(scene, scope), html(scene, scope), scene.alt)


def _scene(
    timeline: Timeline,
    objects: Iterable[str] | None,
    until: float | None,
    beside: Timeline | None,
    title: str | None,
    beside_name: str | None,
) -> tuple[Scene, list[Any]]:
    """The drawing, and what it was made of."""
    drawn = lanes(timeline, objects, until)
    ghost = None if beside is None else lanes(beside, None, drawn["until"])
    name = drawn["scenario"] if title is None else phrase(title)
    beside_name = words("plot")["believed"] if beside_name is None else phrase(beside_name)
    return layout(drawn, ghost, name, beside_name), [drawn, ghost, name, beside_name]
