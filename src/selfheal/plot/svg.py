"""A scene as SVG: text alone, no library, the same bytes for the same timeline."""

from __future__ import annotations

from html import escape as _escape

from selfheal.plot.scene import LEFT, WIDTH, Bar, Bars, Cross, Dot, Line, Scene, Shape, Text
from selfheal.plot.style import STYLES, css
from selfheal.words import words


def escape(text: str) -> str:
    """Text that stays text; control characters, which XML cannot hold, become blanks."""
    return _escape("".join(max(c, " ") for c in text), quote=False)


def svg(scene: Scene, scope: str) -> str:
    """The whole picture; ``scope`` is a name that no other picture on a page has."""
    body = "".join(_shape(s) for s in (*scene.marks, *scene.names))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{scope}" viewBox="0 0 {WIDTH:g} {_n(scene.height)}" '
        f'role="img" aria-labelledby="{scope}-t {scope}-d" style="display:block;width:100%;height:auto">'
        f'<title id="{scope}-t">{escape(scene.title or words("plot")["timeline"])}</title>'
        f'<desc id="{scope}-d">{escape(scene.alt)}</desc>'
        f"{_defs(scene, scope)}"
        f'<rect class="paper" width="{WIDTH:g}" height="{_n(scene.height)}"/>{body}</svg>'
    )


def html(scene: Scene, scope: str) -> str:
    """The picture for a page: on a narrow one the axis scrolls, under a column of names that stays."""
    names = "".join(_shape(s) for s in scene.names)
    column = LEFT - 8
    top, bottom = scene.lanes
    fixed = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{scope}" aria-hidden="true" '
        f'viewBox="0 0 {_n(column)} {_n(scene.height)}" '
        f'style="grid-area:1/1;position:sticky;left:0;width:{column / WIDTH:.2%};height:auto;display:block">'
        f'<rect class="paper" y="{_n(top)}" width="{_n(column)}" height="{_n(bottom - top + 18)}"/>{names}</svg>'
    )
    whole = svg(scene, scope).replace('style="display:block;', 'style="grid-area:1/1;display:block;', 1)
    return (
        f'<div role="group" tabindex="0" aria-label="{_escape(scene.title or words("plot")["timeline"])}" '
        'style="overflow-x:auto;max-width:960px">'
        f'<div style="display:grid;min-width:720px;justify-items:start">{whole}{fixed}</div></div>'
    )


def _defs(scene: Scene, scope: str) -> str:
    used = {s.style for s in (*scene.marks, *scene.names)}
    out = f"<style>{css(scope, f'{scope}-h', used)}</style>"
    defs = ""
    if any(STYLES[style].hatched for style in used):
        defs += (
            f'<pattern id="{scope}-h" width="6" height="6" patternUnits="userSpaceOnUse" '
            'patternTransform="rotate(45)"><rect width="6" height="6" class="hatchground"/>'
            '<line x1="0" y1="0" x2="0" y2="6" class="hatchline"/></pattern>'
        )
    return out + (f"<defs>{defs}</defs>" if defs else "")


def _shape(s: Shape) -> str:
    if isinstance(s, Text):
        anchor = "" if s.anchor == "start" else f' text-anchor="{s.anchor}"'
        return f'<text class="{s.style}" x="{_n(s.x)}" y="{_n(s.y)}"{anchor}>{escape(s.text)}</text>'
    title = f"<title>{escape(s.title)}</title>" if s.title else ""
    if isinstance(s, Bar):
        box = f'x="{_n(s.x)}" y="{_n(s.y)}" width="{_n(s.w)}" height="{_n(s.h)}"'
        shape = f'<rect class="{s.style}" {box}' + (f' rx="{_n(s.rx)}"' if s.rx else "")
    elif isinstance(s, Dot):
        shape = f'<circle class="{s.style}" cx="{_n(s.x)}" cy="{_n(s.y)}" r="{_n(s.r)}"'
    elif isinstance(s, Cross):
        r, d = s.r * 0.92, _n(2 * s.r * 0.92)
        shape = f'<path class="{s.style}" d="M{_n(s.x - r)},{_n(s.y - r)}l{d},{d}m0,-{d}l-{d},{d}"'
    elif isinstance(s, Bars):
        shape = f'<path class="{s.style}" d="{"".join(_rect(*r) for r in s.rects)}"'
    else:
        shape = f'<path class="{s.style}" d="{_line(s)}"'
    return f"{shape}>{title}</{shape[1:].partition(' ')[0]}>" if title else f"{shape}/>"


def _rect(x: float, y: float, w: float, h: float) -> str:
    return f"M{_n(x)},{_n(y)}h{_n(w)}v{_n(h)}h-{_n(w)}z"


def _line(s: Line) -> str:
    path = f"M{_n(s.x1)},{_n(s.y1)}L{_n(s.x2)},{_n(s.y2)}"
    if s.arrow:
        back = -6 if s.x2 >= s.x1 else 6
        path += f"m{back},-4l{-back},4l{back},4"
    return path


def _n(value: float) -> str:
    """A length, short: 12, 12.5, 12.25."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
