"""What is done to a cluster from outside, as scenarios and recordings write it down.

One function for each verb. What a reader would do with kubectl takes as long as kubectl
takes to start; a signal or a request comes at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from selfheal import latencies
from selfheal.errors import ApiError, NotFound
from selfheal.objects import Object, labels, matches, name, terminating
from selfheal.rules import Cause
from selfheal.scenario import Action
from selfheal.scenario.selectors import selector

if TYPE_CHECKING:
    from selfheal.cluster import Cluster


def perform(cluster: Cluster, action: Action) -> None:
    """Do one action now. Its record stands at the moment it began; a refusal stands in its result."""
    verb, args = action.verb, action.args
    try:
        args = _resolved(cluster, verb, args)
    except ApiError as error:
        cluster.record_action(verb, args, str(error))
        return
    cause = cluster.record_action(verb, *_shown(verb, args))
    do = VERBS[verb]
    if verb == "apply":
        args = list(action.manifests)
    if verb in IMMEDIATE:
        _attempt(cluster, do, args, cause)
        return
    stream = cluster.chance.stream("client", verb)
    pause = latencies.draw("client", stream, stream.next())
    if verb == "exec":
        pause += latencies.draw("exec session", stream, stream.next())
    cluster.clock.after(pause, lambda: _attempt(cluster, do, args, cause))


def _attempt(cluster: Cluster, do: Callable[[Cluster, Any, Cause], None], args: Any, cause: Cause) -> None:
    """A refusal by the API ends the action, not the run."""
    try:
        do(cluster, args, cause)
    except ApiError as error:
        cluster.amend_action(cause, str(error))


def _exec(cluster: Cluster, args: Any, cause: Cause) -> None:
    command = args["command"]
    argv = ["sh", "-c", command] if isinstance(command, str) else list(command)
    cluster.exec(args["pod"], argv, container=args.get("container"), cause=cause)


def _kill(cluster: Cluster, args: Any, cause: Cause) -> None:
    cluster.kill(args["pod"], container=args.get("container"), signal=str(args.get("signal", "KILL")), cause=cause)


def _http(cluster: Cluster, args: Any, cause: Cause) -> None:
    cluster.http(
        args["pod"], args.get("path", "/"), port=int(args["port"]), method=args.get("method", "GET"), cause=cause
    )


def _delete(cluster: Cluster, args: Any, cause: Cause) -> None:
    cluster.delete(args, cause=cause)


def _force_delete(cluster: Cluster, args: Any, cause: Cause) -> None:
    cluster.delete(args, grace=0, cause=cause)


def _scale(cluster: Cluster, args: Any, cause: Cause) -> None:
    for what, replicas in args.items():
        cluster.scale(what, int(replicas), cause=cause)


def _apply(cluster: Cluster, args: Any, cause: Cause) -> None:
    cluster.apply(args, cause=cause)


def _label(cluster: Cluster, args: Any, cause: Cause) -> None:
    kind = "pod" if "pod" in args else "node"
    cluster.label(f"{kind}/{args[kind]}", args["labels"], cause=cause)


def _condition(cluster: Cluster, args: Any, cause: Cause) -> None:
    """A condition of the pod's status, set as an outsider does for a readiness gate."""
    now = cluster.clock.timestamp()
    new = {"type": args["type"], "status": args["status"], "lastProbeTime": None, "lastTransitionTime": now}

    def change(pod: Object) -> Object:
        others = [c for c in pod["status"].get("conditions") or () if c["type"] != args["type"]]
        return {**pod, "status": {**pod["status"], "conditions": [*others, new]}}

    cluster.store.patch("Pod", DEFAULT_NAMESPACE, args["pod"], change, status=True, cause=cause)


def _stop_node(cluster: Cluster, args: Any, cause: Cause) -> None:
    cluster.node(args).stop(cause)


def _start_node(cluster: Cluster, args: Any, cause: Cause) -> None:
    cluster.node(args).start(cause)


def _cordon(cluster: Cluster, args: Any, cause: Cause) -> None:
    cluster.cordon(args, cause=cause)


def _uncordon(cluster: Cluster, args: Any, cause: Cause) -> None:
    cluster.cordon(args, on=False, cause=cause)


def _drain(cluster: Cluster, args: Any, cause: Cause) -> None:
    cluster.drain(
        args["node"],
        selector=args.get("podSelector"),
        timeout=args.get("timeout", 0),
        cause=cause,
        done=lambda text: cluster.amend_action(cause, text),
    )


def _fault(cluster: Cluster, args: Any, cause: Cause) -> None:
    target = str(args.get("target", ""))
    cluster.fault(args["kind"], target, for_=args.get("for"), cause=cause)


def _rollout(cluster: Cluster, args: Any, cause: Cause) -> None:
    do = cluster.undo if "undo" in args else cluster.restart
    cluster.amend_action(cause, do(*args.values(), cause=cause))


VERBS: dict[str, Callable[[Cluster, Any, Cause], None]] = {
    "exec": _exec,
    "kill": _kill,
    "http": _http,
    "delete": _delete,
    "forceDelete": _force_delete,
    "scale": _scale,
    "apply": _apply,
    "label": _label,
    "condition": _condition,
    "stopNode": _stop_node,
    "startNode": _start_node,
    "cordon": _cordon,
    "uncordon": _uncordon,
    "drain": _drain,
    "rollout": _rollout,
    "fault": _fault,
}
DEFAULT_NAMESPACE = "default"
IMMEDIATE = ("kill", "http", "fault", "stopNode", "startNode")
"""Verbs that do not go through kubectl."""


def _resolved(cluster: Cluster, verb: str, args: Any) -> Any:
    """Selectors replaced by the names of the pods they mean at this moment."""
    if verb not in VERBS:
        raise ApiError(f"{verb} is not simulated yet")
    if isinstance(args, dict) and "pod" in args:
        args = {**args, "pod": pod_name(cluster, args["pod"])}
        if verb in ("delete", "forceDelete"):
            return f"pod/{args['pod']}"
    if verb == "fault" and isinstance(args.get("target"), dict):
        return {**args, "target": f"pod/{pod_name(cluster, args['target'])}"}
    return args


def pod_name(cluster: Cluster, wanted: Any) -> str:
    """A name, or ``{selector: app=web, index: 0}``: the pods of that label that are not being deleted, by name."""
    if isinstance(wanted, str):
        return wanted
    wants = selector(wanted["selector"])
    found: list[Object] = [p for p in cluster.store.list("Pod") if matches(wants, labels(p)) and not terminating(p)]
    index = int(wanted.get("index", 0))
    if index >= len(found):
        raise NotFound(f"no pod number {index} with label {wanted['selector']}: there are {len(found)}")
    return name(found[index])


def _shown(verb: str, args: Any) -> tuple[Any, str]:
    """(args, result) as the record shows them."""
    if verb == "delete":
        kind, _, object_name = str(args).partition("/")
        return args, f'{kind} "{object_name}" deleted from default namespace'
    return args, "ok"
