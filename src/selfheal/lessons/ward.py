"""The ward: twenty documented mistakes as patients. Each is run as it is and after its treatment.

    from selfheal.lessons.ward import ward
    ward("killed")      # all of a room
    patient("deaf")     # one of them: complaint, chart, question, treatment

What a patient is stands in ``patients.yaml``: a container, what is done to it, what must be seen, and what cures it.
A card is plain HTML, ``<details>`` and ``<summary>``, as the questions of the chapters are.
"""

from __future__ import annotations

import html
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from selfheal.cluster import Cluster
from selfheal.lessons.beside import events
from selfheal.lessons.questions import Answer, Question
from selfheal.lessons.table import Table
from selfheal.objects import Object
from selfheal.scenario import Scenario
from selfheal.words import marked, words

ROOMS = {
    "killed": "Killed for nothing",
    "unseen": "Nobody notices",
    "users": "The users suffer",
}

SERVICE: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "shop"},
    "spec": {"selector": {"app": "shop"}, "ports": [{"port": 80, "targetPort": 8080}]},
}

_COMPARED: dict[str, Callable[[Any, Any], bool]] = {"<=": operator.le, ">=": operator.ge, "==": operator.eq}


@dataclass(frozen=True)
class Chart:
    """What was seen of a patient: numbers, and what kubectl says."""

    values: Mapping[str, float]
    pods: str
    events: Table


@dataclass(frozen=True)
class Patient:
    """One mistake. ``sick`` and ``cured``: what is expected without and with ``cure``, a change of the container."""

    key: str
    room: str
    complaint: str
    container: Mapping[str, Any]
    replicas: int
    at: float
    do: tuple[Mapping[str, Any], ...]
    lasts: float
    sick: Mapping[str, str]
    cure: Mapping[str, Any]
    cured: Mapping[str, str]
    question: Question
    treatment: str
    seen: str
    rule: str

    def objects(self, *, treated: bool = False) -> list[Object]:
        """The manifest."""
        container = {"name": "shop", "image": "selfheal/patient:1", **self.container}
        if treated:
            container = _merged(container, self.cure)
        labels = {"app": "shop"}
        spec: Object = {"containers": [container]}
        pod: Object = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "shop", "labels": labels}, "spec": spec}
        if self.replicas == 1:
            return [pod, SERVICE]
        template = {"metadata": {"labels": labels}, "spec": spec}
        spec = {"replicas": self.replicas, "selector": {"matchLabels": labels}, "template": template}
        return [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}, "spec": spec}, SERVICE]

    def run(self, *, treated: bool = False) -> Chart:
        """What becomes of it."""
        cluster = Cluster(seed=9)
        cluster.apply(self.objects(treated=treated))
        cluster.traffic("shop", 5)
        cluster.run(until=self.at)
        pod = cluster.get("pods")[0]["metadata"]["name"]
        cluster.play(Scenario.load([], actions=[dict(action) for action in self.do], until=self.lasts))
        timeline = cluster.timeline
        restarts, ready = timeline.restarts(pod), timeline.ready_intervals(pod)
        traffic = timeline.select(kind="Traffic", since=self.at)
        values = {
            "kills": len(timeline.kills(pod)),
            "restarts": len(restarts),
            "back": restarts[0] - self.at if restarts else float("inf"),
            "ready": ready[-1][0] - self.at if ready else float("inf"),
            "lost": sum(r["lost"] * r["times"] for r in traffic),
        }
        return Chart(values, str(cluster.get("pods")), events(cluster.describe(f"pod/{pod}")))

    def __repr__(self) -> str:
        return f"{self.complaint}\n{self.question!r}"

    def _repr_html_(self) -> str:
        return f'<div class="selfheal-questions"{marked()}>\n{self.html()}\n</div>'

    def html(self, number: int | None = None) -> str:
        chart, after, say = self.run(), self.run(treated=True), words("ward")
        title = "" if number is None else say["patient"].format(n=number)
        told, then = _told(chart.values, self.sick), _told(after.values, self.cured)
        cure = html.escape(yaml.safe_dump(dict(self.cure), sort_keys=False, default_flow_style=None).strip())
        given = yaml.safe_dump(dict(self.container), sort_keys=False, default_flow_style=None).strip()
        chart_html = (
            f'<pre tabindex="0" aria-label="{say["container"]}" style="overflow-x:auto">{html.escape(given)}</pre>'
            f'<pre tabindex="0" aria-label="{say["pods"]}" style="overflow-x:auto">{html.escape(chart.pods)}</pre>'
            f'<div style="font-size:.85em">{chart.events._repr_html_()}</div><p>{html.escape(told)}</p>'
        )
        treated = (
            f"<p>{html.escape(self.treatment, quote=False)}</p>"
            f'<pre tabindex="0" aria-label="{say["changed"]}" style="overflow-x:auto">{cure}</pre>'
            f"<p>{say['after'].format(what=html.escape(then))}</p>"
            f"<p>{say['rule'].format(rule=f'<code>{html.escape(self.rule)}</code>')} "
            f"{say['seen'].format(where=_link(self.seen))}</p>"
        )
        return (
            f'<p style="margin:1.2em 0 .2em"><strong>{title}</strong>{html.escape(self.complaint, quote=False)}</p>\n'
            f"{_folded(say['chart'], chart_html)}{self.question.html()}\n{_folded(say['treatment'], treated)}"
        )


@dataclass(frozen=True)
class Ward:
    """Some patients."""

    patients: tuple[Patient, ...]
    first: int

    def __repr__(self) -> str:
        return "\n\n".join(
            f"{words('ward')['patient'].format(n=n)}{p!r}" for n, p in enumerate(self.patients, self.first)
        )

    def _repr_html_(self) -> str:
        cards = "\n".join(p.html(n) for n, p in enumerate(self.patients, self.first))
        return f'<div class="selfheal-questions"{marked()}>\n{cards}\n</div>'


@cache
def patients() -> tuple[Patient, ...]:
    """All of them, room by room."""
    given = yaml.safe_load(files(__package__).joinpath("patients.yaml").read_text(encoding="utf-8"))
    return tuple(_patient(room, one) for room in ROOMS for one in given[room])


def patient(key: str) -> Patient:
    """One of them. KeyError if there is none of that name."""
    return {one.key: one for one in patients()}[key]


def ward(room: str) -> Ward:
    """The patients of one of :data:`ROOMS`."""
    chosen = tuple(one for one in patients() if one.room == room)
    return Ward(chosen, 1 + patients().index(chosen[0]))


def meets(values: Mapping[str, float], expected: Mapping[str, str]) -> bool:
    """Whether a chart says what is expected: ``{kills: ">= 1"}``."""
    for key, text in expected.items():
        sign, value = str(text).split() if " " in str(text) else ("==", text)
        if not _COMPARED[sign](values[key], float(value)):
            return False
    return True


def _patient(room: str, given: Mapping[str, Any]) -> Patient:
    answers = [Answer(given["is"]["says"], given["is"]["reply"], True)]
    answers += [Answer(one["says"], one["reply"], False) for one in given["not"]]
    place = len(given["key"]) % len(answers)  # the right one stands here or there, always the same
    answers = [*answers[1 : place + 1], answers[0], *answers[place + 1 :]]
    return Patient(
        key=given["key"],
        room=room,
        complaint=given["complaint"].strip(),
        container=given["container"],
        replicas=given.get("replicas", 1),
        at=given.get("at", 60),
        do=tuple(given.get("do", ())),
        lasts=given.get("lasts", 120),
        sick=given["sick"],
        cure=given["cure"],
        cured=given["cured"],
        question=Question(words("ward")["question"], tuple(answers)),
        treatment=given["treatment"].strip(),
        seen=given["seen"],
        rule=given["rule"],
    )


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """``old`` with the values of ``new``, maps within maps; None takes away."""
    out = dict(old)
    for key, value in new.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(out.get(key), Mapping):
            out[key] = _merged(out[key], value)
        else:
            out[key] = value
    return out


def _told(values: Mapping[str, float], keys: Mapping[str, str]) -> str:
    """``kills: 3; requests lost: 20``"""
    say = words("ward")
    return str(words("punctuation")["semicolon"]).join(
        say["value"].format(what=say["values"][key], n=_shown(values[key])) for key in keys
    )


def _shown(value: float) -> str:
    if value == float("inf"):
        return str(words("ward")["never"])
    return f"{value:g}" if float(value).is_integer() else f"{value:.1f}"


def _folded(title: str, text: str) -> str:
    summary = f'<summary style="cursor:pointer;padding:.2em 0">{title}</summary>'
    return f'<details style="margin:.35em 0">{summary}{text}</details>\n'


def _link(seen: str) -> str:
    """``owner/name#1`` as a link to the thread; an address as a link with its title before it."""
    found = re.fullmatch(r"([\w.-]+/[\w.-]+)#(\d+)", seen)
    if found:
        return f'<a href="https://github.com/{found[1]}/issues/{found[2]}">{seen}</a>'
    title, _, address = seen.rpartition(" ")
    return f'<a href="{html.escape(address)}">{html.escape(title)}</a>'
