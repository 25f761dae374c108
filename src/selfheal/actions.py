"""What is done to a cluster from outside, as scenarios and recordings write it down.

One function for each verb. What a reader would do with kubectl takes as long as kubectl
takes to start; a signal or a request comes at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from selfheal import latencies, manifests
from selfheal.errors import ApiError, NotFound
from selfheal.kinds import kind_info, kind_named
from selfheal.network import Response
from selfheal.objects import Object, labels, matches, name, ref, terminating
from selfheal.rules import Cause
from selfheal.scenario import Action
from selfheal.scenario.selectors import selector

if TYPE_CHECKING:
    from selfheal.cluster import Cluster


def perform(cluster: Cluster, action: Action, done: Callable[[dict[str, Any]], object] = lambda _: None) -> None:
    """Do one action now. Its record stands at the moment it began; a refusal stands in its result.

    ``done(record)`` is called when it has been done, or refused.
    """
    verb, args = action.verb, action.args
    try:
        args = _resolved(cluster, verb, args)
    except ApiError as error:
        done(cluster.action_record(cluster.record_action(verb, args, str(error))))
        return
    cause = cluster.record_action(verb, *_shown(verb, args))
    do = VERBS[verb]
    if verb == "apply":
        args = list(action.manifests)

    def attempt() -> None:
        _attempt(cluster, do, args, cause)
        done(cluster.action_record(cause))

    if verb in IMMEDIATE:
        attempt()
        return
    stream = cluster.chance.stream("client", verb)
    pause = latencies.draw("client", stream, stream.next())
    if verb == "exec":
        pause += latencies.draw("exec session", stream, stream.next())
    cluster.clock.after(pause, attempt)


def _attempt(cluster: Cluster, do: Verb, args: Any, cause: Cause) -> None:
    """A refusal by the API ends the action, not the run. What kubectl says of it becomes the record's result."""
    try:
        said = do(cluster, args, cause)
    except ApiError as error:
        said = str(error)
    if said is not None:
        cluster.amend_action(cause, said)


def _exec(cluster: Cluster, args: Any, cause: Cause) -> None:
    command = args["command"]
    argv = ["sh", "-c", command] if isinstance(command, str) else list(command)
    run = cluster.exec(args["pod"], argv, container=args.get("container"), cause=cause)

    def ended(_: object) -> None:
        cluster.amend_action(cause, f"exit {run.exit_code}")

    if run.done:
        ended(None)
    else:
        assert run.finished.callbacks is not None
        run.finished.callbacks.append(ended)


def _kill(cluster: Cluster, args: Any, cause: Cause) -> None:
    cluster.kill(args["pod"], container=args.get("container"), signal=str(args.get("signal", "KILL")), cause=cause)


def _http(cluster: Cluster, args: Any, cause: Cause) -> str | None:
    method = args.get("method", "GET")
    answer = cluster.http(args["pod"], args.get("path", "/"), port=int(args["port"]), method=method, cause=cause)
    return str(answer.status) if isinstance(answer, Response) and answer.status else None


def _delete(cluster: Cluster, args: Any, cause: Cause) -> None:
    cluster.delete(args, cause=cause)


def _force_delete(cluster: Cluster, args: Any, cause: Cause) -> str:
    cluster.delete(args, grace=0, cause=cause)
    return f"{deleted(args, 'force deleted')}\n{IMMEDIATELY}"


def _scale(cluster: Cluster, args: Any, cause: Cause) -> str:
    for what, replicas in args.items():
        cluster.scale(what, int(replicas), cause=cause)
    return "\n".join(f"{called(what)} scaled" for what in args)


def _apply(cluster: Cluster, args: Any, cause: Cause) -> str:
    wanted = [m.object for m in manifests.read(args)]
    before = [_version(cluster, obj) for obj in wanted]
    said = []
    for old, new in zip(before, cluster.apply(wanted, cause=cause), strict=True):
        same = "unchanged" if old == new["metadata"]["resourceVersion"] else "configured"
        said.append(f"{called(ref(new))} {'created' if old is None else same}")
    return "\n".join(said)


def _version(cluster: Cluster, obj: Object) -> str | None:
    """The version of what an object would change; None if there is nothing yet."""
    space = (obj["metadata"].get("namespace") or DEFAULT_NAMESPACE) if kind_info(obj["kind"]).namespaced else ""
    found = cluster.store.get(obj["kind"], space, name(obj))
    return None if found is None else found["metadata"]["resourceVersion"]


def _label(cluster: Cluster, args: Any, cause: Cause) -> str:
    kind = "pod" if "pod" in args else "node"
    what = f"{kind}/{args[kind]}"
    cluster.label(what, args["labels"], cause=cause)
    return f"{what} {'unlabeled' if all(word.endswith('-') for word in args['labels'].split()) else 'labeled'}"


def _condition(cluster: Cluster, args: Any, cause: Cause) -> str:
    """A condition of the pod's status, set as an outsider does for a readiness gate."""
    now = cluster.clock.timestamp()
    new = {"type": args["type"], "status": args["status"], "lastProbeTime": None, "lastTransitionTime": now}

    def change(pod: Object) -> Object:
        others = [c for c in pod["status"].get("conditions") or () if c["type"] != args["type"]]
        return {**pod, "status": {**pod["status"], "conditions": [*others, new]}}

    cluster.store.patch("Pod", DEFAULT_NAMESPACE, args["pod"], change, status=True, cause=cause)
    return f"pod/{args['pod']} patched"


def _stop_node(cluster: Cluster, args: Any, cause: Cause) -> None:
    cluster.node(args).stop(cause)


def _start_node(cluster: Cluster, args: Any, cause: Cause) -> None:
    cluster.node(args).start(cause)


def _cordon(cluster: Cluster, args: Any, cause: Cause) -> str:
    already = "already " if cluster.get("Node", args)["spec"].get("unschedulable") else ""
    cluster.cordon(args, cause=cause)
    return f"node/{args} {already}cordoned"


def _uncordon(cluster: Cluster, args: Any, cause: Cause) -> str:
    already = "" if cluster.get("Node", args)["spec"].get("unschedulable") else "already "
    cluster.cordon(args, on=False, cause=cause)
    return f"node/{args} {already}uncordoned"


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


def _rollout(cluster: Cluster, args: Any, cause: Cause) -> str:
    do = cluster.undo if "undo" in args else cluster.restart
    return do(*args.values(), cause=cause)


Verb = Callable[["Cluster", Any, Cause], "str | None"]
"""Does it, or raises ApiError; what kubectl says of it, if that is known by then."""

IMMEDIATELY = (
    "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. "
    "The resource may continue to run on the cluster indefinitely."
)

VERBS: dict[str, Verb] = {
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
    return args, deleted(args, "deleted") if verb == "delete" else "ok"


def called(what: str) -> str:
    """``deploy/web`` → ``deployment.apps/web``, as kubectl names what it has changed."""
    word, _, object_name = what.partition("/")
    kind = kind_named(word)
    if kind is None:
        return what
    info = kind_info(kind)
    return f"{info.resource.replace(info.plural, kind.lower(), 1)}/{object_name}"


def deleted(what: object, how: str) -> str:
    kind, _, object_name = called(str(what)).partition("/")
    known = kind_named(kind)
    space = " from default namespace" if known is None or kind_info(known).namespaced else ""
    return f'{kind} "{object_name}" {how}{space}'
