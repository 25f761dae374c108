"""The same drawing by matplotlib, for print and for whoever wants to draw on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from selfheal.plot.scene import LEFT, RIGHT, WIDTH, Bar, Bars, Cross, Dot, Line, Scene, Shape, Text
from selfheal.plot.style import LIGHT, STYLES, Style
from selfheal.words import language, speaking

_INCH = 76.0
"""Units of a drawing in an inch: 10 inches wide."""
LATIN = "DejaVu Sans"
"""matplotlib brings it."""
CHINESE = (
    "Noto Sans CJK TC",
    "Noto Sans TC",
    "Source Han Sans TC",
    "PingFang TC",
    "PingFang HK",
    "Microsoft JhengHei",
    "Heiti TC",
    "Noto Sans CJK JP",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Noto Serif CJK TC",
    "Noto Serif CJK JP",
    "AR PL UMing TW",
    "Arial Unicode MS",
)
"""Fonts with Chinese characters, the best first. Of a collection of fonts matplotlib knows only one, often the JP."""


@contextmanager
def legible() -> Iterator[None]:
    """What is drawn within speaks English where this machine has no font for the language that is spoken."""
    with speaking(language() if len(fonts()) > 1 else "en"):
        yield


@cache
def fonts() -> list[str]:
    """Fonts to write with; a character that one lacks is taken from the next. ImportError without matplotlib."""
    try:
        from matplotlib.font_manager import fontManager
    except ImportError:
        raise ImportError('backend="matplotlib" needs matplotlib: pip install "selfheal[plot]"') from None
    known = {font.name for font in fontManager.ttflist}
    return [LATIN, *(name for name in CHINESE if name in known)]


def figure(scene: Scene) -> Any:
    """A ``matplotlib.figure.Figure``, drawn within :func:`legible`."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(WIDTH / _INCH, scene.height / _INCH), dpi=144)
    axes = drawn.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(scene.height, 0)
    axes.axis("off")
    for order, shape in enumerate((*scene.marks, *scene.names)):
        _draw(axes, shape, order)
    return drawn


def _draw(axes: Any, s: Shape, order: int) -> None:
    from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

    style = STYLES[s.style]
    if isinstance(s, Text):
        axes.text(
            s.x,
            s.y,
            s.text.replace("$", r"\$"),
            ha={"start": "left", "middle": "center", "end": "right"}[s.anchor],
            va="baseline",
            color=LIGHT[style.fill],
            fontfamily=fonts(),
            fontsize=style.size * 72 / _INCH * 0.92,
            fontweight="bold" if style.bold else "normal",
            zorder=order,
        )
        return
    look = _look(style, order)
    if isinstance(s, Bar):
        shape = f"round,pad=0,rounding_size={s.rx}" if s.rx else "square,pad=0"
        axes.add_patch(FancyBboxPatch((s.x, s.y), s.w, s.h, boxstyle=shape, **look))
    elif isinstance(s, Bars):
        for x, y, w, h in s.rects:
            axes.add_patch(Rectangle((x, y), w, h, **look))
    elif isinstance(s, Dot):
        axes.add_patch(Circle((s.x, s.y), s.r, **look))
    elif isinstance(s, Cross):
        r = s.r * 0.92
        _stroke(axes, style, [s.x - r, s.x + r], [s.y - r, s.y + r], order)
        _stroke(axes, style, [s.x - r, s.x + r], [s.y + r, s.y - r], order)
    else:
        _line(axes, style, s, order)


def _line(axes: Any, style: Style, s: Line, order: int) -> None:
    _stroke(axes, style, [s.x1, s.x2], [s.y1, s.y2], order)
    if s.arrow:
        back = -6 if s.x2 >= s.x1 else 6
        _stroke(axes, style, [s.x2 + back, s.x2, s.x2 + back], [s.y2 - 4, s.y2, s.y2 + 4], order)


def _look(style: Style, order: int) -> dict[str, Any]:
    return {
        "facecolor": LIGHT.get(style.fill, "none"),
        "edgecolor": LIGHT.get(style.stroke, "none"),
        "linewidth": style.width if style.stroke != "none" else 0,
        "linestyle": (0, style.dash) if style.dash else "solid",
        "hatch": "//" if style.hatched else None,
        "alpha": style.opacity,
        "zorder": order,
    }


def _stroke(axes: Any, style: Style, xs: list[float], ys: list[float], order: int) -> None:
    axes.plot(
        xs,
        ys,
        color=LIGHT[style.stroke],
        linewidth=style.width,
        linestyle=(0, style.dash) if style.dash else "solid",
        solid_capstyle="round" if style.round else "butt",
        zorder=order,
    )


__all__ = ["LEFT", "RIGHT", "figure"]
