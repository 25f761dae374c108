"""A run as a few bars in plain HTML: small enough that a widget can hold dozens of them.

The same lanes, colours and shapes as in the pictures of :mod:`selfheal.plot`; places are per cent of the axis, so
that it fits a phone. :data:`STYLE` stands once in the output that shows them.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from selfheal.plot.words import alt_text
from selfheal.timeline.lanes import Lanes, lanes
from selfheal.timeline.log import Timeline
from selfheal.words import words

Mark = tuple[float, str]
"""(second, what happened then), drawn as a line through all lanes."""

STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
NAME = 12
"""A longer name of a pod is shown by its last letters."""
CLOSE = 0.02
"""Ticks that are closer, in axes, become a dotted line."""
LETTER = 1.1
"""What a letter takes of the axis (per cent), on a page as wide as a book's."""
SIGNS = {"success": ("pass", "●"), "warning": ("pass", "●"), "failure": ("fail", "✕"), "unknown": ("skip", "?")}


def bars(
    timeline: Timeline,
    until: float,
    objects: Iterable[str] | None = None,
    marks: Sequence[Mark] = (),
    title: str = "",
) -> str:
    """The lanes of a timeline up to ``until`` (s)."""
    say, drawn = words("lanes"), lanes(timeline, objects, until)
    many = len(drawn["pods"]) > 1
    rows = [row for pod in drawn["pods"] for row in _pod(pod, until, many)]
    rows += [_row(say["users"].format(name=t["name"]), _lost(t["stretches"], until)) for t in drawn["traffic"]]
    lines = "".join(
        f'<s style="left:{_percent(t, until)}" title="{_text(say["mark"].format(what=what, t=f"{t:.1f}"))}">'
        f"<q>{_text(what)}</q></s>"
        for t, what in marks
    )
    described = html.escape(alt_text(drawn, title))
    top = f'<div class="lane marks"><span></span><span class="axis">{lines}</span></div>' if marks else ""
    return (
        f'<div class="lanes" role="img" aria-label="{described}" data-until="{until:g}">{top}{"".join(rows)}'
        f"{scale(until)}</div>"
    )


def scale(until: float) -> str:
    """The axis in seconds, as the last of some lanes."""
    step = next((s for s in STEPS if until / s <= 7), STEPS[-1])
    ticks = "".join(
        f'<u style="left:{_percent(t, until)}">{t:g}{words("lanes")["unit"] if t == 0 else ""}</u>'
        for t in range(0, int(until) + 1, step)
    )
    return f'<div class="lane scale"><span></span><span class="axis">{ticks}</span></div>'


def _pod(pod: Lanes, until: float, many: bool) -> list[str]:
    say = words("lanes")
    of = f"{_short(pod['name'])}: " if many else ""
    rows = []
    for c in pod["containers"]:
        app = [_bar("ok" if s["healthy"] else "sick", s["from"], s["to"], until, s["text"]) for s in c["app"]]
        if any(not s["healthy"] for s in c["app"]):
            rows.append(_row(of + say["app"], app))
        spans = [_bar(s["is"], s["from"], s["to"], until, s["label"]) for s in c["spans"]]
        rows.append(_row(f"{of}{c['name']}", spans))
        for p in c["probes"]:
            ticks = [tick for stretch in p["ticks"] for tick in _ticks(stretch, until)]
            if ticks:
                rows.append(_row(f"{of}{p['probe']}", ticks))
    rows.append(_row(of + say["ready"], [_bar("ready", s["from"], s["to"], until, "") for s in pod["ready"]]))
    if pod["service"]:
        served = [s for s in pod["service"] if s["ready"]]
        rows.append(_row(of + say["service"], [_bar("listed", s["from"], s["to"], until, "") for s in served]))
    return rows


def _short(name: str) -> str:
    """A pod's name, as far as it tells it from its siblings."""
    return name if len(name) <= NAME else f"…{name[-5:]}"


def _ticks(stretch: Lanes, until: float) -> Iterable[str]:
    if stretch["result"] not in SIGNS:
        return
    kind, sign = SIGNS[stretch["result"]]
    if stretch["times"] > 2 and stretch["every"] < CLOSE * until:
        yield _bar(f"many {kind}", stretch["t"], stretch["t"] + (stretch["times"] - 1) * stretch["every"], until, "")
        return
    for n in range(stretch["times"]):
        t = stretch["t"] + n * stretch["every"]
        if t <= until:
            yield f'<b class="{kind}" style="left:{_percent(t, until)}">{sign}</b>'


def _lost(stretches: Sequence[Lanes], until: float) -> list[str]:
    """Seconds in which requests were lost, neighbours as one bar, with how many.

    Of the first second a single one is left out: it goes out before anybody has been asked.
    """
    begin = min((s["t"] for s in stretches), default=0)
    seconds = [
        (s["t"] + n * s["every"], s["lost"], s["served"])
        for s in stretches
        for n in range(s["times"])
        if s["t"] + n * s["every"] < until and not (s["t"] == begin and s["lost"] == 1)
    ]
    out: list[list[float]] = []
    for t, lost, _ in seconds:
        if lost and out and t - out[-1][1] < 0.5:
            out[-1][1], out[-1][2] = t + 1, out[-1][2] + lost
        elif lost:
            out.append([t, t + 1, lost])
    first = min((t for t, _, _ in seconds), default=0)
    served = [_bar("served", first, until, until, "")] if seconds else []
    return served + [
        _bar("lost", a, min(b, until), until, words("lanes")["lost"].format(n=f"{n:g}")) for a, b, n in out
    ]


def _row(name: str, parts: Sequence[str]) -> str:
    return f'<div class="lane"><span>{_text(name)}</span><span class="axis">{"".join(parts)}</span></div>'


def _bar(kind: str, begin: float, end: float, until: float, label: str) -> str:
    begin, end = min(begin, until), min(end, until)
    width = f"{max(100 * (end - begin) / until, 0.4):.1f}%"
    told = words("lanes")["from"].format(begin=f"{begin:.1f}", end=f"{end:.1f}")
    told = words("lanes")["bar"].format(label=label, told=told) if label else told
    room = 100 * (end - begin) / until
    shown = label if LETTER * (len(label) + 1) < room else label.rpartition(" · ")[2]
    shown = _text(shown) if room > 9 else ""
    return f'<i class="{kind}" style="left:{_percent(begin, until)};width:{width}" title="{_text(told)}">{shown}</i>'


def _percent(t: float, until: float) -> str:
    return f"{100 * t / until:.1f}%"


def _text(value: str) -> str:
    return html.escape(value)


STYLE = """
.selfheal-play{--ink:light-dark(#1c2330,#e8ecf2);--soft:light-dark(#566170,#a3afbf);--line:light-dark(#d9dee6,#323b49);
--edge:light-dark(#8b95a4,#6f7c8e);--bg:light-dark(#fff,#12161d);--card:light-dark(#f6f7f9,#1a2029);
--ok:light-dark(#0a7250,#4fd1a5);--okb:light-dark(#d3f0e4,#123c30);--sick:light-dark(#ac3a06,#ff9a66);
--sickb:light-dark(#fbdfcf,#4a2412);--wait:light-dark(#7a5600,#f2c94c);--waitb:light-dark(#fbeec2,#40330c);
--info:light-dark(#0b5c9a,#74b9f5);--infob:light-dark(#d8eafa,#12304a);--mine:light-dark(#7650a3,#c3a6e8);
--mineb:light-dark(#f0e8f8,#2c2140);color:var(--ink);background:var(--bg);border:1px solid var(--line);
border-radius:14px;padding:12px 14px;margin:.6em 0;font-size:15px;line-height:1.45}
[data-jp-theme-light="false"] .selfheal-play,.vscode-dark .selfheal-play{color-scheme:dark}
.selfheal-play p{margin:.5em 0;color:inherit}
.selfheal-play .lanes{position:relative;font-size:12.5px;padding:4px 10px 4px 0;overflow:clip}
.selfheal-play .lane{display:grid;grid-template-columns:minmax(84px,18%) 1fr;gap:8px;align-items:center}
.selfheal-play .lane>span:first-child{color:var(--soft);text-align:right;overflow-wrap:anywhere;line-height:1.15}
.selfheal-play .axis{position:relative;display:block;height:22px;border-bottom:1px solid var(--line)}
.selfheal-play .lane:not(.scale):not(.marks) .axis{overflow:clip}
.selfheal-play .axis i{position:absolute;top:3px;height:16px;font-style:normal;font-size:11.5px;line-height:14px;
padding:0 3px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;
border:1px solid var(--edge);border-radius:3px;color:var(--ink)}
.selfheal-play .axis i.running{background:var(--infob);border-color:var(--info)}
.selfheal-play .axis i.stopping{background:var(--waitb);border:1.5px dashed var(--wait)}
.selfheal-play .axis i.waiting,.selfheal-play .axis i.starting{border:1.5px dotted var(--wait);background:none}
.selfheal-play .axis i.starting{border-color:var(--edge)}
.selfheal-play .axis i.ended{border-style:dotted;background:none;color:var(--soft)}
.selfheal-play .axis i.ok{background:var(--okb);border-color:var(--ok)}
.selfheal-play .axis i.sick,.selfheal-play .axis i.lost{border-color:var(--sick);
background:repeating-linear-gradient(135deg,var(--sickb) 0 4px,transparent 4px 7px),var(--bg)}
.selfheal-play .axis i.lost{top:1px;height:20px;line-height:18px;overflow:visible;color:var(--sick);font-weight:600}
.selfheal-play .axis i.served{top:9px;height:4px;border:0;background:var(--ok);opacity:.55;padding:0}
.selfheal-play .axis i.ready{top:8px;height:6px;border:0;background:var(--ok);padding:0}
.selfheal-play .axis i.listed{top:7px;height:8px;border:1.5px solid var(--edge);background:none;padding:0}
.selfheal-play .axis i.many{top:9px;height:0;padding:0;border:0;border-top:3px dotted var(--ok);border-radius:0}
.selfheal-play .axis i.many.fail{border-top:5px double var(--sick);top:8px}
.selfheal-play .axis i.many.skip{border-color:var(--soft)}
.selfheal-play .axis b{position:absolute;top:2px;transform:translateX(-50%);font-size:12px;line-height:18px}
.selfheal-play .axis b.pass{color:var(--ok);font-size:9px}
.selfheal-play .axis b.fail{color:var(--sick)}
.selfheal-play .axis b.skip{color:var(--soft)}
.selfheal-play .scale .axis{border:0;height:16px}
.selfheal-play .scale u{position:absolute;transform:translateX(-50%);text-decoration:none;color:var(--soft);
font-variant-numeric:tabular-nums}
.selfheal-play .marks .axis{border:0;height:18px}
.selfheal-play .marks s{position:absolute;top:0;height:400px;border-left:1.5px dashed var(--ink);text-decoration:none;
z-index:1}
.selfheal-play .marks q{quotes:none;position:absolute;left:3px;top:0;white-space:nowrap;font-size:11.5px;
line-height:14px;background:var(--bg)}
.selfheal-play details{margin:.3em 0}
.selfheal-play summary{cursor:pointer;min-height:24px;padding:.15em 0}
.selfheal-play table{border-collapse:collapse;font-size:14px;margin:.4em 0}
.selfheal-play .says code{white-space:normal;overflow-wrap:anywhere}
""".replace("\n", "")
