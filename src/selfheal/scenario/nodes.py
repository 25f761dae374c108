"""Nodes that an action names by a pod that runs there, since no two clusters name their nodes alike.

Wherever an action takes a node's name, it may say ``{pod: web-0}`` or ``{pod: {selector: app=web, index: 0}}``
instead (a fault: ``target: {node: {pod: …}}``). ``startNode`` and ``uncordon`` mean the node that an earlier action
meant by the same words: by then the pod may be elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

BARE = ("stopNode", "startNode", "cordon", "uncordon")
"""Verbs whose only argument is a node."""
BACK = ("startNode", "uncordon")
"""Verbs that undo what was done to a node before."""


class Nodes:
    """The nodes that the actions of one run mean."""

    def __init__(self) -> None:
        self._meant: dict[tuple[str, str], tuple[str, str]] = {}

    def resolved(
        self, verb: str, args: Any, space: str, find: Callable[[Any], tuple[str, str]]
    ) -> tuple[Any, str | None]:
        """(the arguments with the node's name, the pod by which it was found: None if it was not named by one).

        ``find`` gives for a pod, as an action names it, its name and its node's.
        """
        wanted = pod_of(verb, args)
        if wanted is None:
            return args, None
        words = space, json.dumps(wanted, sort_keys=True)
        if verb not in BACK or words not in self._meant:
            self._meant[words] = find(wanted)
        pod, node = self._meant[words]
        if verb in BARE:
            return node, pod
        return {**args, **({"target": f"node/{node}"} if verb == "fault" else {"node": node})}, pod


def pod_of(verb: str, args: Any) -> Any:
    """The pod by which an action names a node, if it does."""
    if isinstance(args, dict) and verb not in BARE:
        args = args.get("target" if verb == "fault" else "node")
        if verb == "fault":
            args = args.get("node") if isinstance(args, dict) else None
    return args.get("pod") if isinstance(args, dict) else None


def node_of(verb: str, args: Any) -> str | None:
    """The node that an action names, once :meth:`Nodes.resolved` has seen it."""
    if verb in BARE:
        return str(args)
    if not isinstance(args, dict):
        return None
    if verb == "fault":
        kind, _, name = str(args.get("target", "")).partition("/")
        return name if kind == "node" else None
    return args.get("node")
