"""What is done to a cluster from outside, as scenarios and recordings write it down.

One function for each verb. What a reader would do with kubectl takes as long as kubectl
takes to start; a signal or a request comes at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from selfheal import latencies, manifests
from selfheal.errors import ApiError, BadRequest, NotFound
from selfheal.kinds import kind_info, kind_named
from selfheal.network import Response
from selfheal.objects import Object, labels, matches, name, ref, terminating
from selfheal.rules import Cause
from selfheal.scenario import Action
from selfheal.scenario.selectors import selector

if TYPE_CHECKING:
    from selfheal.cluster import Cluster

DEFAULT_NAMESPACE = "default"


def perform(
    cluster: Cluster,
    action: Action,
    done: Callable[[dict[str, Any]], object] = lambda _: None,
    *,
    namespace: str = DEFAULT_NAMESPACE,
) -> None:
    """Do one action now. Its record stands at the moment it began; a refusal stands in its result.

    What it names lies in ``namespace``. ``done(record)`` is called when it has been done, or refused.
    """
    verb, args = action.verb, action.args
    try:
        args, by = _resolved(cluster, verb, args, namespace)
    except ApiError as error:
        done(cluster.action_record(cluster.record_action(verb, args, str(error))))
        return
    said = deleted(args, "deleted", namespace) if verb == "delete" else "ok"
    deed = Deed(cluster, namespace, cluster.record_action(verb, args, said, pod=by))
    if verb == "apply":
        args = list(action.manifests)

    def attempt() -> None:
        _attempt(deed, VERBS[verb], args)
        done(cluster.action_record(deed.cause))

    if verb in IMMEDIATE:
        attempt()
        return
    stream = cluster.chance.stream("client", verb)
    pause = latencies.draw("client", stream, stream.next())
    if verb == "exec":
        pause += latencies.draw("exec session", stream, stream.next())
    cluster.clock.after(pause, attempt)


@dataclass(frozen=True, slots=True)
class Deed:
    """What is done to whom: the cluster, the namespace in which names are looked up, and the record as a cause."""

    cluster: Cluster
    namespace: str
    cause: Cause

    def amend(self, result: str) -> None:
        """What came of it is known later than it was begun."""
        self.cluster.amend_action(self.cause, result)


def _attempt(deed: Deed, do: Verb, args: Any) -> None:
    """A refusal by the API ends the action, not the run. What kubectl says of it becomes the record's result."""
    try:
        said = do(deed, args)
    except ApiError as error:
        said = str(error)
    if said is not None:
        deed.amend(said)


def _exec(deed: Deed, args: Any) -> None:
    command = args["command"]
    argv = ["sh", "-c", command] if isinstance(command, str) else list(command)
    run = deed.cluster.exec(
        args["pod"], argv, container=args.get("container"), namespace=deed.namespace, cause=deed.cause
    )

    def ended(_: object) -> None:
        deed.amend(f"exit {run.exit_code}")

    if run.done:
        ended(None)
    else:
        assert run.finished.callbacks is not None
        run.finished.callbacks.append(ended)


def _kill(deed: Deed, args: Any) -> None:
    deed.cluster.kill(
        args["pod"],
        container=args.get("container"),
        signal=str(args.get("signal", "KILL")),
        namespace=deed.namespace,
        cause=deed.cause,
    )


def _http(deed: Deed, args: Any) -> str | None:
    method = args.get("method", "GET")
    answer = deed.cluster.http(
        args["pod"],
        args.get("path", "/"),
        port=int(args["port"]),
        method=method,
        namespace=deed.namespace,
        cause=deed.cause,
    )
    return str(answer.status) if isinstance(answer, Response) and answer.status else None


def _delete(deed: Deed, args: Any) -> None:
    deed.cluster.delete(args, namespace=deed.namespace, cause=deed.cause)


def _force_delete(deed: Deed, args: Any) -> str:
    deed.cluster.delete(args, grace=0, namespace=deed.namespace, cause=deed.cause)
    return f"{deleted(args, 'force deleted', deed.namespace)}\n{IMMEDIATELY}"


def _scale(deed: Deed, args: Any) -> str:
    for what, replicas in args.items():
        deed.cluster.scale(what, int(replicas), namespace=deed.namespace, cause=deed.cause)
    return "\n".join(f"{called(what)} scaled" for what in args)


def _apply(deed: Deed, args: Any) -> str:
    wanted = [m.object for m in manifests.read(args)]
    before = [_version(deed, obj) for obj in wanted]
    said = []
    for old, new in zip(before, deed.cluster.apply(wanted, namespace=deed.namespace, cause=deed.cause), strict=True):
        same = "unchanged" if old == new["metadata"]["resourceVersion"] else "configured"
        said.append(f"{called(ref(new))} {'created' if old is None else same}")
    return "\n".join(said)


def _version(deed: Deed, obj: Object) -> str | None:
    """The version of what an object would change; None if there is nothing yet."""
    space = (obj["metadata"].get("namespace") or deed.namespace) if kind_info(obj["kind"]).namespaced else ""
    found = deed.cluster.store.get(obj["kind"], space, name(obj))
    return None if found is None else found["metadata"]["resourceVersion"]


def _label(deed: Deed, args: Any) -> str:
    kind = "pod" if "pod" in args else "node"
    what = f"{kind}/{args[kind]}"
    deed.cluster.label(what, args["labels"], namespace=deed.namespace, cause=deed.cause)
    return f"{what} {'unlabeled' if all(word.endswith('-') for word in args['labels'].split()) else 'labeled'}"


def _condition(deed: Deed, args: Any) -> str:
    """A condition of the pod's status, set as an outsider does for a readiness gate."""
    now = deed.cluster.clock.timestamp()
    new = {"type": args["type"], "status": args["status"], "lastProbeTime": None, "lastTransitionTime": now}

    def change(pod: Object) -> Object:
        others = [c for c in pod["status"].get("conditions") or () if c["type"] != args["type"]]
        return {**pod, "status": {**pod["status"], "conditions": [*others, new]}}

    deed.cluster.store.patch("Pod", deed.namespace, args["pod"], change, status=True, cause=deed.cause)
    return f"pod/{args['pod']} patched"


def _stop_node(deed: Deed, args: Any) -> None:
    deed.cluster.node(args).stop(deed.cause)


def _start_node(deed: Deed, args: Any) -> None:
    deed.cluster.node(args).start(deed.cause)


def _cordon(deed: Deed, args: Any) -> str:
    already = "already " if deed.cluster.get("Node", args)["spec"].get("unschedulable") else ""
    deed.cluster.cordon(args, cause=deed.cause)
    return f"node/{args} {already}cordoned"


def _uncordon(deed: Deed, args: Any) -> str:
    already = "" if deed.cluster.get("Node", args)["spec"].get("unschedulable") else "already "
    deed.cluster.cordon(args, on=False, cause=deed.cause)
    return f"node/{args} {already}uncordoned"


def _drain(deed: Deed, args: Any) -> None:
    deed.cluster.drain(
        args["node"],
        selector=args.get("podSelector"),
        timeout=args.get("timeout", 0),
        cause=deed.cause,
        done=deed.amend,
    )


def _fault(deed: Deed, args: Any) -> None:
    target = str(args.get("target", ""))
    if target.startswith("pod/"):
        target = f"pod/{deed.namespace}/{target.removeprefix('pod/')}"
    deed.cluster.fault(args["kind"], target, for_=args.get("for"), cause=deed.cause)


def _rollout(deed: Deed, args: Any) -> str:
    do = deed.cluster.undo if "undo" in args else deed.cluster.restart
    return do(*args.values(), namespace=deed.namespace, cause=deed.cause)


Verb = Callable[[Deed, Any], "str | None"]
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
IMMEDIATE = ("kill", "http", "fault", "stopNode", "startNode")
"""Verbs that do not go through kubectl."""


def _resolved(cluster: Cluster, verb: str, args: Any, space: str) -> tuple[Any, str | None]:
    """Selectors replaced by the names of the pods and nodes they mean at this moment; a pod that named a node."""
    if verb not in VERBS:
        raise ApiError(f"{verb} is not simulated yet")
    args, by = cluster.meant.resolved(
        verb, args, space, lambda pod: _place(cluster, pod_name(cluster, pod, space), space)
    )
    if isinstance(args, dict) and "pod" in args:
        args = {**args, "pod": pod_name(cluster, args["pod"], space)}
        if verb in ("delete", "forceDelete"):
            return f"pod/{args['pod']}", by
    if verb == "fault" and isinstance(args.get("target"), dict):
        return {**args, "target": f"pod/{pod_name(cluster, args['target'], space)}"}, by
    return args, by


def _place(cluster: Cluster, pod: str, space: str) -> tuple[str, str]:
    """A pod and the node where it runs."""
    node = cluster.get("Pod", pod, namespace=space)["spec"].get("nodeName")
    if not node:
        raise BadRequest(f"pod {pod} does not have a host assigned")
    return pod, node


def pod_name(cluster: Cluster, wanted: Any, space: str = DEFAULT_NAMESPACE) -> str:
    """A name, or ``{selector: app=web, index: 0}``: the pods of that label that are not being deleted, by name."""
    if isinstance(wanted, str):
        return wanted
    wants = selector(wanted["selector"])
    found = [p for p in cluster.store.list("Pod", space) if matches(wants, labels(p)) and not terminating(p)]
    index = int(wanted.get("index", 0))
    if index >= len(found):
        raise NotFound(f"no pod number {index} with label {wanted['selector']}: there are {len(found)}")
    return name(found[index])


def called(what: str) -> str:
    """``deploy/web`` → ``deployment.apps/web``, as kubectl names what it has changed."""
    word, _, object_name = what.partition("/")
    kind = kind_named(word)
    if kind is None:
        return what
    info = kind_info(kind)
    return f"{info.resource.replace(info.plural, kind.lower(), 1)}/{object_name}"


def deleted(what: object, how: str, space: str = DEFAULT_NAMESPACE) -> str:
    kind, _, object_name = called(str(what)).partition("/")
    known = kind_named(kind)
    where = f" from {space} namespace" if known is None or kind_info(known).namespaced else ""
    return f'{kind} "{object_name}" {how}{where}'
