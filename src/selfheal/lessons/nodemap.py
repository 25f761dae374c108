"""The map of a failing node: what the API says of each machine, and beside it what really runs there.

    nodemap(cluster, until=420, do={30: lambda c: c.node("node-1").stop()})

The left half of a node is what anybody who asks the API server hears: Ready, the age of the heartbeat, taints, pods,
endpoints. The right half is what somebody sees who stands beside the machine.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from selfheal.clock import SECOND, parse_rfc3339
from selfheal.cluster import Cluster
from selfheal.lessons.film import Act, Film, chip, film, short
from selfheal.lessons.questions import Question
from selfheal.objects import Object, name
from selfheal.printers.pods import summary
from selfheal.words import words

SILENT = 15
"""A heartbeat older than this (s) has failed to come at least once: a kubelet renews its Lease every 10 s."""
LEASES = "kube-node-lease"
READY = {"True": "ok", "False": "sick", "Unknown": "wait"}


@dataclass(frozen=True, slots=True)
class PodSeen:
    """A pod as the API has it. ``listed``: whether its endpoint is ready, None where no Service knows it."""

    name: str
    status: str
    ready: str
    listed: bool | None

    @property
    def told(self) -> str:
        """``Running, Ready``"""
        return str(words("punctuation")["clause"]).join((self.status, words("nodes")[f"pod.{self.ready}"]))


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """One machine from both sides."""

    name: str
    ready: str
    taints: tuple[str, ...]
    age: int = field(compare=False)
    """Of the heartbeat that the API knows (s)."""
    silent: bool
    pods: tuple[PodSeen, ...]
    powered: bool
    cut: bool
    runs: tuple[str, ...]
    """Pods of which a container really runs."""

    def told(self, before: NodeSeen) -> Iterator[str]:
        say, node = words("nodes"), self.name

        def tell(what: str, **gaps: str) -> str:
            return str(say[f"tell.{what}"]).format(node=node, **gaps)

        if self.powered != before.powered:
            yield tell("power" if self.powered else "dark")
        if self.cut != before.cut:
            yield tell("cut" if self.cut else "joined")
        yield from (tell("runs", pod=short(pod)) for pod in self.runs if pod not in before.runs)
        yield from (tell("ends", pod=short(pod)) for pod in before.runs if pod not in self.runs)
        if self.silent != before.silent:
            yield tell("silent", age=str(self.age)) if self.silent else tell("heard")
        if self.ready != before.ready:
            yield tell("ready", **{"is": say[f"ready.{self.ready}"]})
        if self.taints != before.taints:
            yield tell("taint", taints=_listed(self.taints)) if self.taints else tell("untaint")
        old = {pod.name: pod for pod in before.pods}
        for pod in self.pods:
            was = old.pop(pod.name, None)
            if was is None:
                yield tell("new", pod=short(pod.name))
            elif (pod.status, pod.ready) != (was.status, was.ready):
                told = pod.told
                yield tell("status", pod=short(pod.name), **{"is": told})
            listed = was.listed if was else None
            if bool(pod.listed) != bool(listed):
                yield tell("in" if pod.listed else "out", pod=short(pod.name))
            elif pod.listed != listed:
                yield tell("unlisted" if pod.listed is None else "listed", pod=short(pod.name))
        yield from (tell("gone", pod=short(pod)) for pod in old)

    def html(self) -> str:
        say = words("nodes")
        says = [chip(READY[self.ready], say[f"ready.{self.ready}"])]
        beat = html.escape(say["beat"].format(age=self.age))
        says.append(chip("wait", say["beat"].format(age=self.age)) if self.silent else beat)
        if self.taints:
            says.append(html.escape(say["taints"].format(taints=_listed(self.taints))).replace(":", ":<wbr>"))
        for pod in self.pods:
            listed = "" if pod.listed is None else say["in" if pod.listed else "out"]
            mark = chip("ok" if pod.ready == "True" else "wait", pod.told)
            served = "" if pod.listed is None else "<br>" + chip("ok" if pod.listed else "off", listed)
            says.append(f"<code>{html.escape(short(pod.name))}</code><br>{mark}{served}")
        if not self.pods:
            says.append(html.escape(say["none"]))
        is_ = [chip("ok", say["power"]) if self.powered else chip("sick", say["dark"])]
        if self.cut:
            is_.append(chip("sick", say["cut"]))
        is_ += [f"<code>{html.escape(short(pod))}</code><br>{chip('ok', say['runs'])}" for pod in self.runs]
        if not self.runs:
            is_.append(html.escape(say["no"]))
        dark = ' class="dark"' if self.cut or not self.powered else ""
        return (
            f"<section{dark}><p><strong>{html.escape(self.name)}</strong></p><div>"
            f"{_half(say['api'], says)}{_half(say['real'], is_)}</div></section>"
        )


@dataclass(frozen=True, slots=True)
class Nodes:
    """All machines at one moment."""

    nodes: tuple[NodeSeen, ...]

    def told(self, before: Nodes) -> list[str]:
        return [text for now, was in zip(self.nodes, before.nodes, strict=True) for text in now.told(was)]

    def html(self) -> str:
        return f'<div class="machines">{"".join(node.html() for node in self.nodes)}</div>'


def nodemap(
    cluster: Cluster,
    until: float,
    *,
    do: Mapping[float, Act] | None = None,
    ask: Mapping[float, Question] | None = None,
    title: str = "",
) -> Film:
    """Let the cluster run to ``until`` (s); for ``do`` and ``ask`` see :func:`selfheal.lessons.film.film`."""
    return film(title or words("nodes")["title"], cluster, until, seen, do=do, ask=ask)


def seen(cluster: Cluster) -> Nodes:
    """The nodes of a cluster as they are now."""
    leases = {name(lease): lease for lease in cluster.get("leases", namespace=LEASES)}
    listed = {
        endpoint["targetRef"]["name"]: bool(endpoint["conditions"]["ready"])
        for found in cluster.get("endpointslices")
        for endpoint in found.get("endpoints") or ()
    }
    pods: dict[str, list[PodSeen]] = {}
    for pod in cluster.get("pods"):
        ready = "True" if _condition(pod) == "True" else "False"
        one = PodSeen(name(pod), summary(pod).status, ready, listed.get(name(pod)))
        pods.setdefault(pod["spec"].get("nodeName", ""), []).append(one)
    out = []
    for node in cluster.get("nodes"):
        machine, called = cluster.node(name(node)), name(node)
        age = int(cluster.clock.unix_seconds() - _heard(node, leases.get(called)) / SECOND)
        runs = [box.name for box in machine.runtime.sandboxes.values() if any(c.running for c in box.containers)]
        taints = [f"{t['key'].rpartition('/')[2]}:{t['effect']}" for t in node["spec"].get("taints") or ()]
        out.append(
            NodeSeen(
                called,
                _condition(node) or "Unknown",
                tuple(sorted(taints)),
                age,
                age >= SILENT,
                tuple(pods.get(called, ())),
                machine.powered,
                machine.kubelet.events.cut_off,
                tuple(sorted(runs)),
            )
        )
    return Nodes(tuple(out))


def _heard(node: Object, lease: Object | None) -> int:
    """When its kubelet was last heard (Unix time, µs): it renews the Lease, and now and then the node's status."""
    stamps = [c["lastHeartbeatTime"] for c in node["status"]["conditions"] if c["type"] == "Ready"]
    if lease is not None:
        stamps.append(lease["spec"]["renewTime"])
    return max(map(parse_rfc3339, stamps))


def _condition(obj: Object) -> str | None:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((str(c["status"]) for c in conditions if c["type"] == "Ready"), None)


def _listed(told: Iterable[str]) -> str:
    return str(words("punctuation")["comma"]).join(told)


def _half(title: str, lines: list[str]) -> str:
    told = "".join(f"<p>{line}</p>" for line in lines)
    return f'<div><p class="head">{html.escape(title)}</p>{told}</div>'
