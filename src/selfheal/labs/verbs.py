"""A scenario's actions on a cluster, through its API as kubectl does it: one function for each verb.

What cannot be done through the API (a signal to a container, a power cut) goes to the emulator as it is, to kind's
nodes through docker, and elsewhere to the command that ``LAB_NODE_FAULT`` names: ``stop NODE``, ``start NODE``,
``kill NODE CONTAINERID SIGNAL``. What cannot be done at all is refused before a run begins.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable
from typing import Any

from selfheal import objects
from selfheal.actions import IMMEDIATELY, called, deleted
from selfheal.clock import rfc3339
from selfheal.kinds import kind_info, kind_named
from selfheal.labs.api import MANAGER, STRATEGIC, Api
from selfheal.labs.errors import LabError, Refused, Unreachable
from selfheal.labs.tools import program
from selfheal.objects import Object
from selfheal.scenario import Action, Nodes, selector
from selfheal.scenario.nodes import BACK, node_of

NODE_FAULT = "LAB_NODE_FAULT"
FROM_OUTSIDE = ("kill", "stopNode", "startNode")
ACTIONS = "/selfheal/actions"
CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
"""Labels of the nodes on which the cluster itself lives."""
UNDONE_BY = {"stopNode": "startNode", "cordon": "uncordon", "drain": "uncordon"}
PATIENCE = 120.0
"""Seconds that a command may take."""
ANSWER = 10.0
"""Seconds that an app may take to answer a request."""


class Hands:
    """Does actions in one namespace."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self._nodes = Nodes()
        self._left: dict[tuple[str, str], None] = {}
        """What is to be done to nodes so that they are as before: (verb, node)."""

    def restore(self) -> list[str]:
        """Make nodes as they were before, where a run was cut off; what was done. Raises LabError."""
        done = []
        for verb, node in [*self._left]:
            self.perform(Action(0, verb, node), node)
            done.append(f"{verb} {node}")
        return done

    def resolved(self, action: Action) -> tuple[Any, str | None]:
        """The action's arguments with the names of what it means at this moment; the pod that named a node."""
        args, by = self._nodes.resolved(action.verb, action.args, self._namespace, self._place)
        return self._with_pods(action.verb, args), by

    def _with_pods(self, verb: str, args: Any) -> Any:
        if isinstance(args, dict) and "pod" in args:
            args = {**args, "pod": self._pod(args["pod"])}
            if verb in ("delete", "forceDelete"):
                return f"pod/{args['pod']}"
        if verb == "fault" and isinstance(args.get("target"), dict):
            return {**args, "target": f"pod/{self._pod(args['target'])}"}
        return args

    def perform(self, action: Action, args: Any) -> str:
        """Do it; what kubectl would say of it. Raises LabError."""
        node = node_of(action.verb, args)
        if node is not None and action.verb not in BACK:
            self._spare(node)
        if node is not None and action.verb in UNDONE_BY:
            self._left[UNDONE_BY[action.verb], node] = None
        done = self._done(action, args)
        if node is not None:
            self._left.pop((action.verb, node), None)
        return done

    def _done(self, action: Action, args: Any) -> str:
        if self._api.context.sort == "emulator" and action.verb in (*FROM_OUTSIDE, "fault"):
            where = {"namespace": self._namespace}
            done = self._api.ask("POST", ACTIONS, {"at": 0, action.verb: args}, query=where)
            return str(done.get("result", "ok"))
        if action.verb == "apply":
            return "\n".join(map(self.apply, action.manifests))
        do: Callable[[Any], str] = getattr(self, f"_{action.verb}")
        return do(args).replace(self._namespace, "default")

    def ask(self, action: Action, begin: float) -> dict[str, Any]:
        """Let the emulator do an action, so many seconds after ``begin``; its record. Raises LabError."""
        query = {"namespace": self._namespace, "begin": f"{begin:.6f}"}
        _, told = self._api.exchange("POST", ACTIONS, action.canonical(), query=query, patience=PATIENCE)
        node = node_of(action.verb, told["args"])
        if node is not None:
            self._left.pop((action.verb, node), None)
            if action.verb in UNDONE_BY:
                self._left[UNDONE_BY[action.verb], node] = None
        kept = ("t", "kind", "verb", "args", "result", "pod")
        told["result"] = str(told.get("result", "ok")).replace(self._namespace, "default")
        return {key: told[key] for key in kept if key in told}

    def apply_all(self, manifests: tuple[Object, ...]) -> None:
        """Apply a scenario's objects, on the emulator while its clock stands. Raises LabError."""
        if self._api.context.sort != "emulator":
            for manifest in manifests:
                self.apply(manifest)
        elif manifests:
            entry = Action(0, "apply", "manifest.yaml", manifests).canonical()
            told = self._api.ask("POST", ACTIONS, entry, query={"namespace": self._namespace})
            if not all(line.endswith(" created") for line in told["result"].splitlines()):
                raise LabError(told["result"])

    def apply(self, manifest: Object) -> str:
        """Apply one object; what kubectl says of it."""
        info = kind_info(manifest["kind"], manifest["apiVersion"])
        if not info.namespaced:
            raise LabError(f"a lab applies nothing that belongs to the whole cluster: {objects.ref(manifest)}")
        name = manifest["metadata"].get("name")
        wanted = objects.replace(manifest, "metadata.namespace", None)
        if not name:
            made = self._api.create(wanted, self._namespace)
            return f"{called(objects.ref(made))} created"
        try:
            before = _asked_of(self._api.get(manifest["kind"], name, self._namespace), wanted)
        except Refused as refusal:
            if refusal.status != 404:
                raise
            before = None
        after, _ = self._api.apply(wanted, self._namespace)
        same = "unchanged" if before == _asked_of(after, wanted) else "configured"
        return f"{called(objects.ref(manifest))} {'created' if before is None else same}"

    # ---- the verbs

    def _exec(self, args: Any) -> str:
        command = args["command"]
        argv = ["sh", "-c", command] if isinstance(command, str) else command
        words = ["exec", args["pod"], *(["-c", args["container"]] if "container" in args else []), "--", *argv]
        return f"exit {self._kubectl(*words).returncode}"

    def _http(self, args: Any) -> str:
        path, _, query = args["path"].partition("?")
        path = f"/api/v1/namespaces/{self._namespace}/pods/{args['pod']}:{args['port']}/proxy{path}"
        method = args.get("method", "GET")
        try:
            response = self._api.send(method, path + (f"?{query}" if query else ""), accept="*/*", patience=ANSWER)
            status, text = response.status, response.data
        except Unreachable:
            return "ok"  # the app keeps its answer back; the simulator says no more of it
        if status != 503 or b"error trying to reach service" not in text:
            return str(status)
        if b"refused" in text:
            return "ok"  # nobody listens
        return self._forwarded(method, args)  # the API server has no way to the pod's network

    def _forwarded(self, method: str, args: Any) -> str:
        """The same request through kubectl port-forward, which goes by way of the kubelet."""
        import urllib3

        words = [program("kubectl"), "--namespace", self._namespace, "port-forward"]
        words += [f"pod/{args['pod']}", f":{args['port']}", "--address", "127.0.0.1"]
        forward = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # noqa: S603
        try:
            assert forward.stdout is not None
            told = forward.stdout.readline()  # Forwarding from 127.0.0.1:41234 -> 8080
            port = told.partition("127.0.0.1:")[2].partition(" ")[0]
            if not port.isdigit():
                return "ok"
            with urllib3.PoolManager(timeout=ANSWER, retries=False) as pool:
                return str(pool.request(method, f"http://127.0.0.1:{port}{args['path']}", redirect=False).status)
        except urllib3.exceptions.HTTPError:
            return "ok"
        finally:
            forward.terminate()
            forward.wait()

    def _delete(self, what: str) -> str:
        kind, name = _split(what)
        self._api.delete(kind, name, self._namespace)
        return deleted(what, "deleted")

    def _forceDelete(self, what: str) -> str:  # noqa: N802 - the verb's own name
        kind, name = _split(what)
        self._api.delete(kind, name, self._namespace, gracePeriodSeconds=0)
        return f"{deleted(what, 'force deleted')}\n{IMMEDIATELY}"

    def _scale(self, args: Any) -> str:
        for what, replicas in args.items():
            kind, name = _split(what)
            self._api.patch(kind, name, {"spec": {"replicas": replicas}}, self._namespace, "scale")
        return "\n".join(f"{called(what)} scaled" for what in args)

    def _rollout(self, args: Any) -> str:
        [(how, what)] = args.items()
        kind, name = _split(what)
        if how == "undo":
            return self._said("rollout", "undo", what)
        mark = {"annotations": {"kubectl.kubernetes.io/restartedAt": self._now()}}
        self._api.patch(kind, name, {"spec": {"template": {"metadata": mark}}}, self._namespace, how=STRATEGIC)
        return f"{called(what)} restarted"

    def _label(self, args: Any) -> str:
        kind = "Pod" if "pod" in args else "Node"
        name = args[kind.lower()]
        labels: dict[str, str | None] = {}
        for word in args["labels"].split():
            key, equals, value = word.partition("=")
            labels[key if equals else key.removesuffix("-")] = value if equals else None
        self._api.patch(kind, name, {"metadata": {"labels": labels}}, self._namespace)
        return f"{kind.lower()}/{name} {'labeled' if any(labels.values()) else 'unlabeled'}"

    def _condition(self, args: Any) -> str:
        new = {"type": args["type"], "status": args["status"], "lastTransitionTime": self._now()}
        change = {"status": {"conditions": [new]}}
        self._api.patch("Pod", args["pod"], change, self._namespace, "status", STRATEGIC)
        return f"pod/{args['pod']} patched"

    def _cordon(self, node: str) -> str:
        return self._said("cordon", node)

    def _uncordon(self, node: str) -> str:
        return self._said("uncordon", node)

    def _drain(self, args: Any) -> str:
        words = ["drain", args["node"], "--ignore-daemonsets", "--delete-emptydir-data", "--force"]
        timeout = args.get("timeout", 0)
        self._only_ours(args["podSelector"], args["node"])
        return self._said(*words, f"--pod-selector={args['podSelector']}", f"--timeout={timeout:g}s", patience=timeout)

    def _kill(self, args: Any) -> str:
        pod = self._api.get("Pod", args["pod"], self._namespace)
        wanted = args.get("container") or pod["spec"]["containers"][0]["name"]
        statuses = (pod.get("status") or {}).get("containerStatuses") or ()
        found = next((s for s in statuses if s["name"] == wanted and "running" in s.get("state", {})), None)
        if found is None:
            raise LabError(f'container {wanted} is not running in pod "{args["pod"]}"')
        container = found["containerID"].rpartition("//")[2]
        self._outside("kill", pod["spec"]["nodeName"], container, str(args.get("signal", "KILL")))
        return "ok"

    def _stopNode(self, node: str) -> str:  # noqa: N802 - the verb's own name
        self._outside("stop", node)
        return "ok"

    def _startNode(self, node: str) -> str:  # noqa: N802 - the verb's own name
        self._outside("start", node)
        return "ok"

    # ---- inner

    def _place(self, wanted: Any) -> tuple[str, str]:
        """A pod and the node where it runs."""
        pod = self._pod(wanted)
        node = self._api.get("Pod", pod, self._namespace)["spec"].get("nodeName")
        if not node:
            raise LabError(f"pod {pod} runs on no node yet")
        return pod, node

    def _spare(self, node: str) -> None:
        """Raises LabError if the cluster itself lives on a node."""
        labels = objects.labels(self._api.get("Node", node))
        if any(role in labels for role in CONTROL_PLANE):
            raise LabError(f"node {node} carries the control plane: no lab touches it")

    def _now(self) -> str:
        """The time of day as Kubernetes writes it."""
        if self._api.context.sort == "emulator":
            return str(self._api.ask("GET", "/selfheal/clock")["time"])
        return rfc3339(int(time.time()))

    def _pod(self, wanted: Any) -> str:
        if isinstance(wanted, str):
            return wanted
        wants = selector(wanted["selector"])
        found = [
            objects.name(pod)
            for pod in self._api.list("Pod", self._namespace).get("items") or ()
            if objects.matches(wants, objects.labels(pod)) and not objects.terminating(pod)
        ]
        index = int(wanted.get("index", 0))
        if index >= len(found):
            raise LabError(f"no pod number {index} with label {wanted['selector']}: there are {len(found)}")
        return sorted(found)[index]

    def _only_ours(self, wanted: str, node: str) -> None:
        """Raises LabError if a drain by that selector would evict other people's pods, too."""
        for pod in self._api.list("Pod", selector=wanted).get("items") or ():
            if objects.namespace(pod) != self._namespace and pod["spec"].get("nodeName") == node:
                where = f"{objects.namespace(pod)}/{objects.name(pod)}"
                raise LabError(f"a drain of {node} by {wanted} would evict {where}, which is not the lab's")

    def _said(self, *words: str, patience: float = 0) -> str:
        done = self._kubectl(*words, patience=patience)
        return (done.stdout + done.stderr).strip()

    def _kubectl(self, *words: str, patience: float = 0) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603 - kubectl, with the pinned kubeconfig
                [program("kubectl"), "--namespace", self._namespace, *words],
                capture_output=True,
                text=True,
                check=False,
                timeout=PATIENCE + patience,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            raise LabError(f"kubectl {words[0]} took longer than {PATIENCE:.0f} s") from None

    def _outside(self, what: str, node: str, *more: str) -> None:
        done = subprocess.run(  # noqa: S603 - the reader's own command, or docker
            _command(what, node, *more), capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        if done.returncode:
            raise LabError(f"{what} {node}: {(done.stderr or done.stdout).strip()}")


def check(api: Api, actions: tuple[Action, ...]) -> None:
    """Raises LabError if one of the actions cannot be done on this cluster."""
    context = api.context
    for action in actions:
        where = f"at {action.at:g} s, {action.verb}"
        if action.verb == "fault" and context.sort != "emulator":
            raise LabError(f"{where}: nobody can do that to a real cluster from outside")
        if action.verb in FROM_OUTSIDE and context.sort == "named" and not os.environ.get(NODE_FAULT):
            raise LabError(f"{where}: {context.name} has no such switch; {NODE_FAULT} names a command that has one")
        if action.verb in FROM_OUTSIDE and context.sort == "kind" and not os.environ.get(NODE_FAULT):
            program("docker")
        if action.verb in ("exec", "drain", "cordon", "uncordon") or (
            action.verb == "rollout" and "undo" in action.args
        ):
            program("kubectl")
        if action.verb == "drain" and not action.args.get("podSelector"):
            raise LabError(f"{where}: needs a podSelector, for a node may run other people's pods")
        if action.verb == "apply":
            check_manifests(action.manifests)


def check_manifests(manifests: tuple[Object, ...]) -> None:
    """Raises LabError for what a lab must not apply: what is not its namespace's."""
    for manifest in manifests:
        if not kind_info(manifest["kind"], manifest["apiVersion"]).namespaced:
            raise LabError(f"a lab applies nothing that belongs to the whole cluster: {objects.ref(manifest)}")
        if manifest["metadata"].get("namespace") not in (None, "", "default"):
            raise LabError(f"{objects.ref(manifest)} wants a namespace; a lab has one of its own")


def _command(what: str, node: str, *more: str) -> list[str]:
    hook = os.environ.get(NODE_FAULT)
    if hook:
        return [*shlex.split(hook), what, node, *more]
    docker = program("docker")
    if what != "kill":
        return [docker, {"stop": "kill", "start": "start"}[what], node]  # a power cut asks nobody
    container, signal = more
    return [
        docker,
        "exec",
        node,
        "ctr",
        "--namespace",
        "k8s.io",
        "tasks",
        "kill",
        "--signal",
        f"SIG{signal}",
        container,
    ]


def _asked_of(obj: Object, wanted: Object) -> tuple[Any, Any]:
    """What a manifest says of an object, and which fields are its own: all that an apply of it can change.

    The rest changes by itself meanwhile: a scheduler binds the pod, a controller counts.
    """
    entries = obj["metadata"].get("managedFields", ())
    own = [entry["fieldsV1"] for entry in entries if entry["manager"] == MANAGER and entry["operation"] == "Apply"]
    return _within(obj, wanted), own


def _within(value: Any, shape: Any) -> Any:
    """A value without what stands in it beside a shape."""
    if isinstance(value, dict) and isinstance(shape, dict):
        return {key: _within(value.get(key), part) for key, part in shape.items()}
    if isinstance(value, list) and isinstance(shape, list) and len(value) == len(shape):
        return [_within(one, part) for one, part in zip(value, shape, strict=True)]
    return value


def _split(what: str) -> tuple[str, str]:
    word, _, name = what.partition("/")
    kind = kind_named(word)
    if kind is None:
        raise LabError(f'the server doesn\'t have a resource type "{word}"')
    return kind, name
