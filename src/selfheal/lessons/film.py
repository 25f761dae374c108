"""A run as a film: a cluster is looked at after each event, and there is a picture wherever something has changed.

``look`` takes a cluster and gives a view, a frozen value; two equal views are one picture (ages are left out of the
comparison). What changes by the mere passing of time (a silence that becomes too long) is seen within a second. On a
page of the book ``play.js`` gives the film a time slider; a question stops it until it is answered. Without the script
each picture opens by a click.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from selfheal.clock import SECOND, micros
from selfheal.cluster import Cluster
from selfheal.lessons.questions import Question
from selfheal.lessons.steps import one_at_a_time
from selfheal.words import phrase, words


class View(Protocol):
    """What there is to see of a cluster at one moment."""

    def told(self, before: Self) -> Sequence[str]:
        """What has changed, a sentence each."""

    def html(self) -> str:
        """The picture."""


Act = Callable[[Cluster], object]


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture. ``t``: cluster time (s); ``ask``: a question that is to be answered before it is shown."""

    t: float
    says: tuple[str, ...]
    view: View
    ask: Question | None = None

    @property
    def told(self) -> str:
        """All that has changed."""
        return str(words("film")["between"]).join(self.says)


@dataclass(frozen=True, slots=True)
class Film:
    """The pictures in their order."""

    title: str
    frames: tuple[Frame, ...]

    def __repr__(self) -> str:
        return "\n".join((self.title, *(f"  {frame.t:>6g} s  {frame.told}" for frame in self.frames)))

    def _repr_html_(self) -> str:
        return one_at_a_time(self.title, "\n".join(map(_frame, self.frames)), FILM)


def film(
    title: str,
    cluster: Cluster,
    until: float,
    look: Callable[[Cluster], View],
    *,
    do: Mapping[float, Act] | None = None,
    ask: Mapping[float, Question] | None = None,
) -> Film:
    """Let ``cluster`` run to ``until`` (s) and look at it after each event, and each second.

    ``do``: second → what is then done to the cluster. ``ask``: second → a question before the next picture after it.
    """
    waiting, deeds = sorted((ask or {}).items()), sorted((micros(at), act) for at, act in (do or {}).items())
    frames: list[Frame] = []
    while True:
        _see(frames, cluster, look(cluster), waiting)
        if deeds and deeds[0][0] <= cluster.clock.now:
            deeds.pop(0)[1](cluster)
            continue
        if cluster.clock.now >= micros(until):
            return Film(phrase(title), tuple(frames))
        end = min([micros(until), cluster.clock.now + SECOND, *(at for at, _ in deeds[:1])])
        cluster.clock.run(end, lambda: look(cluster) != frames[-1].view)


def _see(frames: list[Frame], cluster: Cluster, view: View, waiting: list[tuple[float, Question]]) -> None:
    """One more picture, if it shows something new."""
    if frames and view == frames[-1].view:
        return
    says = view.told(frames[-1].view) if frames else [words("film")["begin"]]
    asked = waiting.pop(0)[1] if waiting and waiting[0][0] < cluster.now else None
    frames.append(Frame(round(cluster.now, 2), tuple(says), view, asked))


def _frame(frame: Frame) -> str:
    asked = "" if frame.ask is None else f'<div class="asked">{frame.ask.html()}</div>'
    when = html.escape(words("film")["at"].replace("{t}", f"{frame.t:g}"))
    return (
        f'<li data-at="{when}">{asked}<div class="told"><details class="frame"><summary><strong>{when}</strong> '
        f"{html.escape(frame.told, quote=False)}</summary>{frame.view.html()}</details></div></li>"
    )


def short(pod: str) -> str:
    """A pod's name, as far as it tells it from its siblings."""
    return pod if len(pod) <= 12 else f"…{pod[-5:]}"


def chip(kind: str, text: str) -> str:
    """A word in its colour and its shape: ``ok``, ``sick``, ``wait`` or ``off``."""
    return f'<b class="chip {kind}">{SIGNS[kind]} {html.escape(text)}</b>'


SIGNS = {"ok": "●", "sick": "✕", "wait": "?", "off": "○"}

FILM = """
.selfheal-play .chip{display:inline-block;font-weight:600;font-size:12.5px;line-height:18px;padding:0 6px;margin:1px 0;
border:1.5px solid;border-radius:9px;overflow-wrap:anywhere}
.selfheal-play .chip.ok{color:var(--ok);background:var(--okb)}
.selfheal-play .chip.sick{color:var(--sick);background:var(--sickb);border-style:double;border-width:3px}
.selfheal-play .chip.wait{color:var(--wait);background:var(--waitb);border-style:dashed}
.selfheal-play .chip.off{color:var(--soft);border-style:dotted}
.selfheal-play .machines{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,190px),1fr));gap:10px}
.selfheal-play .machines section{border:1px solid var(--edge);border-radius:8px;padding:6px 8px;min-width:0;
container-type:inline-size;display:flex;flex-direction:column}
.selfheal-play .machines section.dark{border:1.5px dashed var(--sick)}
.selfheal-play .machines section>div{display:grid;grid-template-columns:1fr 1fr;gap:8px;flex:1}
.selfheal-play .machines section>div>div{min-width:0}
.selfheal-play .machines section>div>div+div{border-inline-start:1px solid var(--line);padding-inline-start:8px}
@container (max-width:230px){.selfheal-play .machines section>div{grid-template:1fr auto/1fr}
.selfheal-play .machines section>div>div+div{border:0;border-top:1px solid var(--line);padding:4px 0 0}}
.selfheal-play .machines p{margin:2px 0;font-size:13px;overflow-wrap:anywhere}
.selfheal-play .machines .head{color:var(--soft)}
.selfheal-play .film-scroll{overflow-x:auto}
.selfheal-play .share{display:inline-block;height:10px;background:var(--ok);vertical-align:middle;margin-inline-end:6px}
.selfheal-play .routes :is(td,th){padding:3px 8px 3px 0;text-align:start;font-weight:400;vertical-align:top;
border:0;background:none;color:inherit}
.selfheal-play .routes thead th{color:var(--soft);font-size:13px}
""".replace("\n", "")
