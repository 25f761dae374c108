"""A whole cluster in the hands of somebody without a plan.

Objects are applied, changed, scaled and deleted; containers are killed, apps made ill, nodes cordoned and cut off
their power; time passes in steps of a tenth of a second to minutes. After each step tests.engine.invariants must hold.
In the end everything that was done is undone, and a quarter of an hour later all must be well.

A failing run prints itself as a program of its steps.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from selfheal import Cluster
from selfheal.errors import ApiError
from selfheal.objects import Object, controller_of, name, terminating
from selfheal.scenario import Action
from selfheal.timeline.validators import validate
from tests.conformance.pods import command, container, http
from tests.engine.invariants import Observer, unhealed

WELL, DOOMED = "well", "doomed"
SCALABLE = ("Deployment", "ReplicaSet", "StatefulSet")
SECONDS = (0, 0.1, 0.7, 2, 5, 12, 45, 120, 400)
LASTING = st.sampled_from((5, 30, 70, 400))

numbers = st.fixed_dictionaries(
    {"period": st.sampled_from((1, 2, 5, 10)), "F": st.integers(1, 3), "delay": st.sampled_from((0, 0, 3))}
)
index = st.integers(0, 40)


@st.composite
def templates(draw: st.DrawFn, app: str, fate: str = WELL) -> Object:
    """A pod template whose pods will be well as soon as they are left alone, or never, as ``fate`` says."""
    spec: Object = {"terminationGracePeriodSeconds": draw(st.sampled_from((1, 5, 30)))}
    sort = draw(st.sampled_from(("patient", "patient", "server", "shell"))) if fate == WELL else "crash"
    if sort == "patient":
        args = draw(st.sampled_from(([], ["--start", "4"], ["--term", "ignore"], ["--unfinished-work", "5"])))
        main = container(image="selfheal/patient", args=args, ports=[{"containerPort": 8080, "name": "http"}])
        asks = {
            "liveness": http("/healthz", 8080, **draw(numbers)),
            "readiness": http("/readyz", "http", **draw(numbers)),
            "startup": http("/healthz", 8080, period=1, F=60),
        }
    elif sort == "server":
        main = container(image="nginx", ports=[{"containerPort": 80}])
        asks = {probe: http("/", 80, **draw(numbers)) for probe in ("liveness", "readiness")}
    elif sort == "shell":
        main = container(command="touch /tmp/healthy; sleep 1000000")
        test = command("cat", "/tmp/healthy", **draw(numbers))
        asks = {"liveness": test, "readiness": test, "startup": command("true", period=1)}
    else:
        main, asks = container(command=draw(st.sampled_from(("exit 1", "sleep 3; exit 2", "no-such-command")))), {}
    for probe, ask in asks.items():
        needed = probe == "startup" and "--start" in main.get("args", ())  # else liveness may never let it load
        if needed or draw(st.booleans()):
            main[f"{probe}Probe"] = ask
    if draw(st.integers(0, 4)) == 0:
        main["lifecycle"] = {"preStop": draw(st.sampled_from(({"sleep": {"seconds": 2}}, _exec("sleep 3"))))}
    spec["containers"] = [main]
    if draw(st.integers(0, 4)) == 0:
        spec["containers"].append(container("second", command="sleep 1000000"))
    inits = []
    if draw(st.integers(0, 4)) == 0:
        inits.append(container("side", command="sleep 1000000", restartPolicy="Always"))
    if draw(st.integers(0, 4)) == 0:
        inits.append(container("init", command="sleep 1"))
    if inits:
        spec["initContainers"] = inits
    return {"metadata": {"labels": {"app": app, "fate": fate}}, "spec": spec}


def _exec(script: str) -> Object:
    return {"exec": {"command": ["sh", "-c", script]}}


@st.composite
def objects(draw: st.DrawFn) -> Object:
    """An object of some kind. There are few names, so that the same is often applied again with another spec."""
    kind = draw(st.sampled_from(("Deployment", "Deployment", *SCALABLE, "DaemonSet", "Job", "Pod", "Pod", *OTHERS)))
    called = draw(st.sampled_from(("a", "b")))
    app = f"{kind.lower()}-{called}"
    fate = draw(st.sampled_from((WELL, WELL, WELL, DOOMED)))
    meta = {"name": app, "labels": {"fate": fate}}
    if kind == "Service":
        chosen = draw(apps)
        meta["name"] = f"for-{chosen}"  # whom a Service stands for stays; a timeline could not tell
        spec: Object = {"selector": {"app": chosen}, "ports": [{"port": 80, "targetPort": 8080}]}
        if draw(st.booleans()):
            spec["clusterIP"] = "None"
        return {"apiVersion": "v1", "kind": kind, "metadata": meta, "spec": spec}
    if kind == "PodDisruptionBudget":
        chosen = draw(apps)
        meta["name"] = f"of-{chosen}"  # a pod has one budget
        spec = {"selector": {"matchLabels": {"app": chosen}}, "minAvailable": draw(st.sampled_from((1, "50%")))}
        return {"apiVersion": "policy/v1", "kind": kind, "metadata": meta, "spec": spec}
    if kind == "Job":
        script = draw(st.sampled_from(("exit 0", "sleep 6", "sleep 2; exit 1")))
        pod: Object = {
            "metadata": {"labels": {"app": app, "fate": fate}},
            "spec": {
                "restartPolicy": draw(st.sampled_from(("Never", "OnFailure"))),
                "containers": [container(command=script)],
            },
        }
        counts = {"completions": draw(st.integers(1, 3)), "parallelism": draw(st.integers(1, 3)), "backoffLimit": 2}
        return {"apiVersion": "batch/v1", "kind": kind, "metadata": meta, "spec": {"template": pod, **counts}}
    template = draw(templates(app, fate))
    if kind == "Pod":
        return {"apiVersion": "v1", "kind": kind, **template, "metadata": {**template["metadata"], "name": app}}
    spec = {"selector": {"matchLabels": {"app": app}}, "template": template}
    if kind in SCALABLE:
        spec["replicas"] = draw(st.integers(0, 4))
    if kind == "Deployment":
        spec["minReadySeconds"] = draw(st.sampled_from((0, 0, 4)))
        limits = {"maxSurge": draw(st.sampled_from((1, "25%"))), "maxUnavailable": draw(st.sampled_from((0, 1, "50%")))}
        # of one name always the same: who becomes Recreate and is scaled in the middle of a rollout is stuck for ever
        # (github.com/kubernetes/kubernetes/issues/125568)
        spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": limits} if called == "a" else {"type": "Recreate"}
    if kind == "StatefulSet":
        spec["serviceName"] = app
        spec["podManagementPolicy"] = "OrderedReady" if called == "a" else "Parallel"
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": meta, "spec": spec}


OTHERS = ("Service", "Service", "PodDisruptionBudget")
apps = st.sampled_from([f"{kind}-{called}" for kind in ("deployment", "statefulset", "pod") for called in "ab"])


class World(RuleBasedStateMachine):
    """Everything that anybody may do to a cluster."""

    @initialize(seed=st.integers(0, 99), nodes=st.integers(2, 3), second=st.sampled_from((0.0, 30.25)))
    def made(self, seed: int, nodes: int, second: float) -> None:
        self.cluster = Cluster(nodes=nodes, seed=seed, second=second, nodes_in_timeline=True)
        self.observer = Observer(self.cluster)
        self.pass_time(0.1)

    # ---- helpers

    def pods(self) -> list[Object]:
        return self.cluster.store.list("Pod")

    def act(self, verb: str, args: Any, manifests: tuple[Object, ...] = ()) -> None:
        """Do it as a scenario would; what the cluster refuses stands in the timeline."""
        self.broken = True
        self.cluster.act(Action(self.cluster.now, verb, args, manifests))
        self.pass_time(0)

    def pass_time(self, seconds: float) -> None:
        self.broken = True
        self.observer.snapshot()
        self.cluster.run(for_=seconds)
        self.observer.check()
        self.broken = False

    # ---- what is asked for

    @rule(obj=objects())
    def apply(self, obj: Object) -> None:
        self.act("apply", f"{obj['kind']}/{obj['metadata']['name']}.yaml", (obj,))

    @rule(what=index)
    def delete(self, what: int) -> None:
        kinds = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "Service", "PodDisruptionBudget")
        found = [o for kind in kinds for o in self.cluster.store.list(kind)]
        if found:
            obj = found[what % len(found)]
            self.act("delete", f"{obj['kind'].lower()}/{name(obj)}")

    @precondition(lambda self: self.pods())
    @rule(which=index, grace=st.sampled_from((None, None, 0, 2)))
    def delete_pod(self, which: int, grace: int | None) -> None:
        pod = self.pods()[which % len(self.pods())]
        if grace == 0:
            self.observer.forced.add(name(pod))
            self.act("forceDelete", f"pod/{name(pod)}")
        elif grace is None:
            self.act("delete", f"pod/{name(pod)}")
        else:
            self.broken = True
            with suppress(ApiError):  # there may be no API server
                self.cluster.delete(f"pod/{name(pod)}", grace=grace)
            self.pass_time(0)

    @rule(which=index, replicas=st.integers(0, 5))
    def scale(self, which: int, replicas: int) -> None:
        found = [o for kind in SCALABLE for o in self.cluster.store.list(kind) if controller_of(o) is None]
        if found:
            obj = found[which % len(found)]
            self.act("scale", {f"{obj['kind'].lower()}/{name(obj)}": replicas})

    @precondition(lambda self: self.pods())
    @rule(which=index, words=st.sampled_from(("mark=1", "mark-", "app=stray", "fate=odd")))
    def label(self, which: int, words: str) -> None:
        pod = self.pods()[which % len(self.pods())]
        owner = controller_of(pod)
        if words.startswith("app=") and (owner is None or owner["kind"] != "ReplicaSet"):
            return  # whoever has its name taken away can never come back
        self.act("label", {"pod": name(pod), "labels": words})

    # ---- what happens to containers

    @precondition(lambda self: self.pods())
    @rule(which=index, signal=st.sampled_from(("KILL", "TERM")))
    def kill(self, which: int, signal: str) -> None:
        self.act("kill", {"pod": name(self.pods()[which % len(self.pods())]), "signal": signal})

    @precondition(lambda self: self.pods())
    @rule(which=index, script=st.sampled_from(("rm -f /tmp/healthy", "touch /tmp/healthy", "sleep 3; kill 1")))
    def exec(self, which: int, script: str) -> None:
        self.act("exec", {"pod": name(self.pods()[which % len(self.pods())]), "command": script})

    @precondition(lambda self: self.pods())
    @rule(which=index, path=st.sampled_from(("healthz", "readyz")), value=st.sampled_from(("200", "500", "hang")))
    def switch(self, which: int, path: str, value: str) -> None:
        self.http(name(self.pods()[which % len(self.pods())]), f"/switch?{path}={value}")

    def http(self, pod: str, path: str) -> None:
        self.act("http", {"pod": pod, "port": 8080, "path": path, "method": "POST"})

    # ---- what happens to nodes

    @rule(which=index)
    def stop_node(self, which: int) -> None:
        self.power(which, "stopNode")

    @rule(which=index)
    def start_node(self, which: int) -> None:
        self.power(which, "startNode")

    def power(self, which: int, verb: str) -> None:
        node = self.cluster.nodes[which % len(self.cluster.nodes)]
        if node.powered == (verb == "stopNode"):
            self.observer.cut_off(0, node.name)
            self.act(verb, node.name)

    @rule(which=index, verb=st.sampled_from(("cordon", "uncordon")))
    def cordon(self, which: int, verb: str) -> None:
        self.act(verb, self.cluster.nodes[which % len(self.cluster.nodes)].name)

    # ---- faults that end by themselves

    @precondition(lambda self: self.pods())
    @rule(which=index, kind=st.sampled_from(("hang", "slow", "crash", "partition")), seconds=LASTING)
    def hurt_pod(self, which: int, kind: str, seconds: int) -> None:
        self.fault(kind, f"pod/{name(self.pods()[which % len(self.pods())])}", seconds)

    @rule(which=index, kind=st.sampled_from(("loseHeartbeats", "partition")), seconds=LASTING)
    def cut_off_node(self, which: int, kind: str, seconds: int) -> None:
        node = self.cluster.nodes[which % len(self.cluster.nodes)].name
        self.observer.cut_off(seconds, node)
        self.fault(kind, f"node/{node}", seconds)

    @rule(seconds=LASTING)
    def stop_api_server(self, seconds: int) -> None:
        self.observer.cut_off(seconds)
        self.fault("apiDown", "", seconds)

    def fault(self, kind: str, target: str, seconds: int) -> None:
        self.act("fault", {"kind": kind, "target": target, "for": seconds})

    # ---- time

    @rule(seconds=st.sampled_from(SECONDS))
    def wait(self, seconds: float) -> None:
        self.pass_time(seconds)

    @rule(seconds=st.sampled_from(SECONDS[3:]))
    def wait_longer(self, seconds: float) -> None:
        self.pass_time(seconds)

    # ---- the end

    def teardown(self) -> None:
        if not hasattr(self, "cluster") or self.broken:
            return
        self.pass_time(1)
        self.pass_time(400)  # whatever is cut off is joined again by itself
        for number, node in enumerate(self.cluster.nodes):
            self.power(number, "startNode")
            self.act("uncordon", node.name)
        self.pass_time(450)
        for pod in self.pods():
            self.cure(pod)
        for _ in range(5):
            self.pass_time(90)
        problems = [
            *unhealed(self.cluster, doomed),
            *self.observer._changed_in_place(),
            *validate(self.cluster.timeline),
        ]
        assert not problems, f"seed {self.cluster.seed}:\n" + "\n".join(problems[:12])

    def cure(self, pod: Object) -> None:
        """Undo what :meth:`switch` and :meth:`exec` may have done, where no probe would."""
        if terminating(pod) or doomed(pod):
            return
        image = pod["spec"]["containers"][0]["image"]
        try:
            if image == "selfheal/patient":
                self.http(name(pod), "/switch?healthz=200&readyz=200")
            elif image.startswith("busybox"):
                self.act("exec", {"pod": name(pod), "command": "touch /tmp/healthy"})
        except ApiError:
            pass


def doomed(pod: Object) -> bool:
    """Whether a pod crashes whatever one does."""
    words = [word for c in pod["spec"]["containers"] for word in c.get("command", ())]
    return any("exit" in word or word == "no-such-command" for word in words)


CALM = settings(deadline=None, suppress_health_check=list(HealthCheck))


def test_whatever_is_done_to_a_cluster_it_keeps_its_word_and_heals() -> None:
    run_state_machine_as_test(World, settings=settings(CALM, max_examples=8, stateful_step_count=20))


@pytest.mark.nightly
def test_a_long_time_of_trouble() -> None:
    run_state_machine_as_test(World, settings=settings(CALM, max_examples=400, stateful_step_count=50))
