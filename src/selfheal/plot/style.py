"""How things look: colours that mean something, in light and dark, and never colour alone.

Healthy is plain green, sick is hatched orange, stopping is dashed yellow, running is blue, what somebody
believed is dashed violet; ✕ failed, ● passed, ○ not probed. All pairs of text and ground keep a contrast
of 4.5 : 1 or more.
"""

from __future__ import annotations

from dataclasses import dataclass

LIGHT = {
    "bg": "#ffffff",
    "ink": "#1c2330",
    "soft": "#5b6675",
    "line": "#d9dee6",
    "ok": "#0a7d5a",
    "okb": "#d3f0e4",
    "sick": "#b8400a",
    "sickb": "#fbdfcf",
    "wait": "#8a6100",
    "waitb": "#fbeec2",
    "info": "#0b63a5",
    "infob": "#d8eafa",
    "ghost": "#7a58a3",
}
DARK = {
    "bg": "#12161d",
    "ink": "#e8ecf2",
    "soft": "#a3afbf",
    "line": "#313a48",
    "ok": "#4fd1a5",
    "okb": "#123c30",
    "sick": "#ff9a66",
    "sickb": "#4a2412",
    "wait": "#f2c94c",
    "waitb": "#40330c",
    "info": "#74b9f5",
    "infob": "#12304a",
    "ghost": "#c3a6e8",
}


@dataclass(frozen=True, slots=True)
class Style:
    """The look of one class of marks; colours are names of the palette."""

    fill: str = "none"
    stroke: str = "none"
    width: float = 1.0
    dash: tuple[float, ...] = ()
    hatched: bool = False
    bold: bool = False
    size: float = 12.0
    round: bool = False
    opacity: float = 1.0


STYLES: dict[str, Style] = {
    # bars
    "ok": Style("okb", "ok"),
    "sick": Style("sickb", "sick", hatched=True),
    "run": Style("infob", "info"),
    "term": Style("waitb", "wait", dash=(4, 3)),
    "begin": Style("none", "soft", dash=(1, 3), round=True),
    "waits": Style("none", "wait", dash=(1, 3.5), width=1.6, round=True),
    "ready": Style("ok"),
    "listed": Style("none", "soft", 1.4),
    "leaving": Style("none", "wait", 1.6, dash=(4, 3)),
    "full": Style("okb", "ok"),
    "short": Style("waitb", "wait", dash=(4, 3)),
    "served": Style("ok", opacity=0.6),
    "lost": Style("sick"),
    "ghost": Style("none", "ghost", 1.4, dash=(5, 4)),
    # ticks
    "pass": Style("ok"),
    "warn": Style("okb", "ok", 2.2),
    "fail": Style("none", "sick", 2.4, round=True),
    "skip": Style("bg", "soft", 1.3),
    "passes": Style("none", "ok", 3.0, dash=(3, 1)),
    "fails": Style("none", "sick", 5.0, dash=(2, 1.4)),
    "skips": Style("none", "soft", 1.2, dash=(2, 2)),
    # lines
    "grid": Style("none", "line"),
    "rule": Style("none", "line"),
    "base": Style("none", "soft"),
    "restart": Style("none", "info", 2.4),
    "action": Style("none", "ink", 1.2, dash=(2, 3)),
    "far": Style("none", "soft", 1.0, dash=(1, 5)),
    "diff": Style("none", "ghost", 2.0),
    "flag": Style("ink"),
    # texts
    "lane": Style("soft", size=12.0),
    "head": Style("ink", size=13.0, bold=True),
    "node": Style("soft", size=12.0),
    "title": Style("ink", size=15.0, bold=True),
    "tick": Style("soft", size=11.7),
    "in": Style("ink", size=11.7),
    "note": Style("soft", size=11.7),
    "bad": Style("sick", size=11.7, bold=True),
    "ghosttext": Style("ghost", size=11.7),
    "flagtext": Style("bg", size=11.7, bold=True),
    "unknown": Style("soft", size=12.0, bold=True),
}
"""Every class of marks."""


_FONTS = "system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif"


def css(scope: str, hatch: str, used: set[str]) -> str:
    """Style sheet of one picture: nothing in it reaches beyond the class ``scope``.

    Dark where the reader's system is dark, unless the page itself has said what it is
    (Sphinx themes, JupyterLab, VS Code).
    """
    root = f".{scope}"
    dark, light = _variables(DARK), _variables(LIGHT)
    rules = [
        f"{root}{{{light};color-scheme:light dark}}",
        f"@media (prefers-color-scheme:dark){{{root}{{{dark}}}}}",
        f'[data-theme="light"] {root},[data-jp-theme-light="true"] {root},.vscode-light {root}{{{light}}}',
        f'[data-theme="dark"] {root},[data-jp-theme-light="false"] {root},.vscode-dark {root}{{{dark}}}',
        f"{root} text{{font:12px {_FONTS};font-variant-numeric:tabular-nums}}",
        f"{root} .hatchground{{fill:var(--sickb)}}{root} .hatchline{{stroke:var(--sick);stroke-width:1.1;opacity:.45}}",
        f"{root} .paper{{fill:var(--bg)}}",
    ]
    rules += [f"{root} .{name}{{{_rule(STYLES[name], hatch)}}}" for name in STYLES if name in used]
    return "\n".join(rules)


def _variables(palette: dict[str, str]) -> str:
    return ";".join(f"--{name}:{value}" for name, value in palette.items())


def _rule(style: Style, hatch: str) -> str:
    out = [f"fill:url(#{hatch})" if style.hatched else f"fill:{_var(style.fill)}"]
    if style.stroke != "none":
        out += [f"stroke:{_var(style.stroke)}", f"stroke-width:{style.width:g}"]
    if style.dash:
        out.append(f"stroke-dasharray:{' '.join(f'{d:g}' for d in style.dash)}")
    if style.round:
        out.append("stroke-linecap:round")
    if style.bold:
        out.append("font-weight:600")
    if style.size != 12:
        out.append(f"font-size:{style.size:g}px")
    if style.opacity != 1:
        out.append(f"opacity:{style.opacity:g}")
    return ";".join(out)


def _var(name: str) -> str:
    return "none" if name == "none" else f"var(--{name})"
