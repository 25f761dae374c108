"""A drawing as a list of simple shapes, which any backend can draw.

Lengths are units of a drawing :data:`WIDTH` wide; y grows downwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field

WIDTH = 760.0
LEFT = 122.0
"""Where the time axis begins; the lanes' names stand left of it."""
RIGHT = 14.0


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    w: float
    h: float
    style: str
    title: str = ""
    rx: float = 4.0


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    r: float
    style: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Cross:
    x: float
    y: float
    r: float
    style: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    x1: float
    y1: float
    x2: float
    y2: float
    style: str
    title: str = ""
    arrow: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """Many bars of one style, of one title."""

    rects: tuple[tuple[float, float, float, float], ...]
    style: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    x: float
    y: float
    text: str
    style: str
    anchor: str = "start"


Shape = Bar | Dot | Cross | Line | Bars | Text


@dataclass(slots=True)
class Scene:
    """What is drawn: first ``names`` (the column at the left), then ``marks``."""

    height: float
    lanes: tuple[float, float]
    """From where to where the lanes reach, downwards."""
    title: str
    alt: str
    names: list[Shape] = field(default_factory=list)
    marks: list[Shape] = field(default_factory=list)


def width_of(text: str, size: float = 11.7, bold: bool = False) -> float:
    """How wide a text will be, rather too much than too little."""
    units = 0.0
    for c in text:
        if c in "iljtfrI.,:;|!'()[] ·":
            units += 0.38
        elif c in "mwMW…—":
            units += 0.95
        elif c >= "\u2e80":
            units += 1.0
        elif c.isupper():
            units += 0.72
        else:
            units += 0.62
    return units * size * (1.1 if bold else 1.0)
