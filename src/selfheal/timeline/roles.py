"""Generated names, replaced by what their bearer does in the story.

``web-5854fc4bcf-x7k2p`` is another name in each run. To lay two runs over each other, each
object gets a *role*, a name that is the same in both:

* a pod of a ReplicaSet, a ReplicationController or a Job is counted among its siblings. Siblings that
  the same actions hit, or that the controller itself removed, are counted among themselves, in order of
  their removal or else of their creation: an action on ``index: 0`` takes the first by *generated* name,
  and so another member in each run;
* a pod of a DaemonSet is the one on its node;
* a ReplicaSet of a Deployment and a Job of a CronJob are counted in order of creation;
* an EndpointSlice is the one of its Service;
* nodes that actions named by a pod are counted in the order of the actions, and a pod that ran on one of them is
  counted among its siblings there; of the other nodes nothing is told, since no two clusters have the same;
* everything else keeps its name.

Addresses differ likewise: ``10.88.2.4`` reads ``ADDRESS``, and a node chosen by the scheduler ``NODE``.
"""

from __future__ import annotations

import re
from typing import Any

from selfheal.timeline.log import Timeline

_COUNTED = {"ReplicaSet", "ReplicationController", "Job", "DaemonSet", "Deployment", "CronJob"}
"""Owners whose members have generated names."""

_ADDRESS = re.compile(r"\b(?!127\.)\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b")
_ASSIGNED = re.compile(r"^(Successfully assigned \S+ to )\S+$")
_DELETED = re.compile(r"^Deleted pod: (\S+)$")


class Roles:
    """The roles of one timeline's objects."""

    def __init__(self, timeline: Timeline) -> None:
        self.of: dict[str, str] = {}
        """``Pod/web-x7k2p`` → ``Pod/web #1``."""
        first: dict[str, dict[str, Any]] = {}
        nodes: dict[str, str] = {}
        named = _named(timeline)
        self._only_named = bool(named)
        for r in timeline:
            if r["kind"] not in ("Event", "Action"):
                first.setdefault(r["object"], r)
                if "node" in r:
                    nodes.setdefault(r["object"], r["node"])
        hits = _hits(timeline)
        removed = _removals(timeline)
        groups: dict[tuple[str, str, str], list[str]] = {}
        for number, name in enumerate(named, 1):
            self.of[name] = f"Node/node #{number}"
        for name, r in first.items():
            if self.untold(name) or name in named:
                continue
            owner = r.get("owner")
            if r["kind"] == "EndpointSlice":
                self.of[name] = f"EndpointSlice/{r['service']}"
            elif owner is None or owner.partition("/")[0] not in _COUNTED:
                self.of[name] = name
            elif owner.startswith("DaemonSet/"):
                groups.setdefault((r["kind"], owner, f"on {nodes.get(name, 'no node')}"), []).append(name)
            else:
                tags = list(hits.get(name, ()))
                if name in removed:
                    tags.append("removed")
                home = f"Node/{nodes.get(name)}"
                if r["t"] <= named.get(home, -1):
                    tags.append(f"on {self.of[home].partition('/')[2]}")
                groups.setdefault((r["kind"], owner, ", ".join(tags)), []).append(name)
        for (kind, owner, what), names in groups.items():
            names.sort(key=lambda name: removed.get(name, 0))  # stable: else in order of creation
            base = self.of.get(owner, owner).partition("/")[2]
            for number, name in enumerate(names, 1):
                counted = f".{number}" if kind in ("ReplicaSet", "Job") else f" #{number}"
                self.of[name] = f"{kind}/{base}{counted}" + (f" ({what})" if what else "")
        self._names = {name.partition("/")[2]: role.partition("/")[2] for name, role in self.of.items()}
        generated = sorted((n for n, role in self._names.items() if n != role), key=lambda n: (-len(n), n))
        self._generated = re.compile("|".join(map(re.escape, generated))) if generated else None

    def text(self, message: str) -> str:
        """A message without generated names, addresses and the scheduler's choice."""
        message = _ASSIGNED.sub(r"\1NODE", _ADDRESS.sub("ADDRESS", message))
        if self._generated is not None:
            message = self._generated.sub(lambda m: self._names[m.group()], message)
        return message

    def role(self, name: str) -> str:
        """The role of ``Pod/web-x7k2p``."""
        return self.of.get(name, name)

    def untold(self, name: str) -> bool:
        """Whether it is a node of which nothing is to be told: nobody named it, and others are named by their pods."""
        return self._only_named and name.startswith("Node/") and name not in self.of


def _named(timeline: Timeline) -> dict[str, float]:
    """Nodes that actions named by a pod, and when first: ``Node/node-2`` → seconds."""
    named: dict[str, float] = {}
    for r in timeline:
        if r["kind"] == "Action" and "pod" in r:
            node = (
                r["args"].get("node") or r["args"]["target"].partition("/")[2]
                if isinstance(r["args"], dict)
                else r["args"]
            )
            named.setdefault(f"Node/{node}", r["t"])
    return named


def _hits(timeline: Timeline) -> dict[str, list[str]]:
    """Which actions named an object, as ``delete at 15 s``."""
    hits: dict[str, list[str]] = {}
    for r in timeline:
        if r["kind"] == "Action":
            name = target(r)
            if name is not None:
                hits.setdefault(name, []).append(f"{r['verb']} at {r['t']:.0f} s")
    return hits


def _removals(timeline: Timeline) -> dict[str, float]:
    """When a controller deleted a pod on its own account (event ``SuccessfulDelete``)."""
    removed: dict[str, float] = {}
    for r in timeline:
        if r["kind"] == "Event" and r["reason"] == "SuccessfulDelete":
            found = _DELETED.match(r["message"])
            if found:
                removed.setdefault(f"Pod/{found[1]}", r["t"])
    return removed


def target(action: dict[str, Any]) -> str | None:
    """The pod that an action names, as ``Pod/web-0``; None for other actions."""
    args = action.get("args")
    named = args.get("pod") if isinstance(args, dict) else args
    if not isinstance(named, str):
        return None
    if isinstance(args, dict):
        return f"Pod/{named}"
    kind, _, name = named.rpartition("/")
    return f"Pod/{name}" if kind.lower() in ("pod", "pods", "po") else None
