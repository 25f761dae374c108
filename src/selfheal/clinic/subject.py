"""What is examined: one workload of somebody's manifests, with its Service and its disruption budget.

Manifests may come from ``helm template`` or ``kubectl get -o yaml`` as they are. What only the real cluster can know
(status, uids, nodes, volumes, secrets) is left out of the copy that runs; paths stay those of the file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from selfheal import manifests
from selfheal.clinic import paths
from selfheal.clinic.app import ports_of
from selfheal.errors import ApiError, BadRequest
from selfheal.kinds import KINDS
from selfheal.manifests import BadManifest, documents
from selfheal.objects import Object, labels, matches, matches_map, name, ref
from selfheal.spec import Container, pod_spec

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Pod")
MEANT = (*WORKLOADS, "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler", "Job", "CronJob")
"""Kinds that somebody looks at here; whatever else lies in the files is left alone."""
NODES = 3
TOPOLOGIES = ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
"""What the nodes differ in."""
ENDS = "runs to an end, so nobody waits for it to heal"
"""Why a workload is passed over."""


@dataclass(frozen=True)
class Subject:
    """A workload and what belongs to it, in the form in which it is run."""

    workload: Object
    """As it is written, without what a cluster has added."""
    others: tuple[Object, ...] = ()
    """Services, disruption budgets and autoscalers that mean it."""
    source: str = ""
    """The file."""

    @property
    def ref(self) -> str:
        return ref(self.workload)

    @property
    def name(self) -> str:
        return name(self.workload)

    @property
    def kind(self) -> str:
        return str(self.workload["kind"])

    @property
    def prefix(self) -> str:
        """Where the pod's spec stands: ``spec.template.spec``, or ``spec`` of a bare Pod."""
        return "spec" if self.kind == "Pod" else "spec.template.spec"

    @property
    def replicas(self) -> int:
        """How many pods there shall be."""
        if self.kind == "DaemonSet":
            return NODES
        return 1 if self.kind == "Pod" else int(paths.get(self.workload, "spec.replicas", 1))

    @cached_property
    def admitted(self) -> Object:
        """The workload with its defaults, as it runs. Raises ApiError."""
        return manifests.admit(_runnable(self.workload, self.prefix))

    @property
    def template(self) -> Object:
        """The pod template, or the Pod, as it runs."""
        return self.admitted if self.kind == "Pod" else self.admitted["spec"]["template"]

    @property
    def main(self) -> int:
        """The container that users mean: the first with a probe, else with a port, else with the workload's name."""
        containers = pod_spec(self.template).containers
        probed = [c.index for c in containers if c.readiness or c.liveness or c.startup]
        ported = [c.index for c in containers if c.ports]
        return [*probed, *ported, *(c.index for c in containers if c.name == self.name), 0][0]

    @property
    def container(self) -> Container:
        return pod_spec(self.template).containers[self.main]

    @property
    def at(self) -> str:
        """The path of the main container."""
        return f"{self.prefix}.containers[{self.main}]"

    @property
    def ports(self) -> list[int]:
        """Where the main container listens: declared, asked by its probes, or meant by a Service."""
        meant = [
            port.get("targetPort", port.get("port"))
            for other in self.others
            if other["kind"] == "Service"
            for port in other["spec"].get("ports") or ()
        ]
        return list(dict.fromkeys((*ports_of(self.container), *(p for p in meant if isinstance(p, int)))))

    @cached_property
    def service(self) -> Object | None:
        """The Service that users ask: its own, or one made for it; None if it has no port."""
        for other in self.others:
            if other["kind"] == "Service" and (other["spec"] or {}).get("ports"):
                return other
        found = ports_of(self.container)
        selector = labels(self.template)
        if not found or not selector:
            return None
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": self.name},
            "spec": {"selector": selector, "ports": [{"port": 80, "targetPort": found[0]}]},
        }

    @property
    def objects(self) -> list[Object]:
        """All that is applied."""
        others = [o for o in self.others if o["kind"] != "HorizontalPodAutoscaler"]
        service = self.service
        made = [service] if service is not None and service not in others else []
        return [*others, *made, self.admitted]

    def change(self, path: str, value: Any) -> Subject:
        """The same with something else at a path of the workload; None removes it."""
        return replace(self, workload=paths.put(self.workload, path, value))

    def add(self, other: Object) -> Subject:
        """The same with one more object."""
        return replace(self, others=(*self.others, other))


STDIN = "-"


def read(sources: Sequence[str | Path]) -> tuple[list[Subject], list[str]]:
    """The workloads of files, folders and ``-`` (standard input), and what is passed over. Raises ApiError, OSError."""
    found: list[tuple[Object, str]] = []
    for file, content in texts(sources).items():
        try:
            values = documents.documents(content, file)
        except BadManifest:
            if "{{" not in content:
                raise
            raise BadManifest(f"{file} is a template: diagnose what `helm template CHART` prints") from None
        found += [(obj, file) for value in values for obj in _items(value)]
    return subjects(found)


def texts(sources: Sequence[str | Path]) -> dict[str, str]:
    """What stands in the files, by their names. Raises ApiError, OSError."""
    found = {}
    for source in sources:
        if source == STDIN:
            found[STDIN] = _standard_input()
            continue
        for path in _files(Path(source)):
            found[str(path)] = documents.contents(path).decode("utf-8", "replace")
    return found


@lru_cache(maxsize=1)
def _standard_input() -> str:
    """It can be read once."""
    return sys.stdin.read()


def subjects(found: Iterable[tuple[Object, str]]) -> tuple[list[Subject], list[str]]:
    """The same of objects, each with the name of its file."""
    chosen, passed, clean = [], [], []
    for obj, source in found:
        version = obj.get("apiVersion")
        if obj["kind"] in MEANT and version == KINDS[obj["kind"]].api_version:
            clean.append((_checked(obj, source), source))
        elif obj["kind"] in WORKLOADS:
            passed.append(f"{obj['kind']} in {source}: Kubernetes 1.36 has none of version {version}")
    for obj, source in clean:
        if obj["kind"] == "Pod" and paths.get(obj, "spec.restartPolicy", "Always") != "Always":
            passed.append(f"{ref(obj)}: {ENDS}")
        elif obj["kind"] in WORKLOADS and not obj.pop("_owned", False):
            obj = _scaled(obj, [o for o, _ in clean])
            if paths.get(obj, "spec.replicas") == 0:
                passed.append(f"{ref(obj)}: has no replicas")
                continue
            chosen.append(Subject(obj, tuple(_belonging(obj, [o for o, _ in clean])), source))
        elif obj["kind"] in ("Job", "CronJob"):
            passed.append(f"{ref(obj)}: {ENDS}")
    return chosen, passed


def _files(path: Path) -> list[Path]:
    """As kubectl, but with the folders in it: charts are made of folders."""
    if path.is_dir():
        inner = sorted(p for p in path.rglob("*") if p.suffix in documents.SUFFIXES and p.is_file())
        if inner:
            return inner
    return documents.files(path)


def _items(value: Any) -> Iterator[Object]:
    """The objects of a document; what is no object is nothing that could be run."""
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
        return
    if value["kind"].endswith("List") and isinstance(value.get("items"), list):
        for item in value["items"]:
            yield from _items(item)
    elif value["kind"] in KINDS:
        yield value


ADDED = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink", "ownerReferences",
         "finalizers", "deletionTimestamp", "deletionGracePeriodSeconds", "generateName")  # fmt: skip
"""What a cluster writes into metadata."""


def _checked(obj: Object, source: str) -> Object:
    """A clean object that the API server would take. Raises ApiError."""
    clean = _clean(obj)
    try:
        manifests.admit({key: value for key, value in clean.items() if key != "_owned"})
    except ApiError as error:
        raise BadRequest(f"{source}: {error}" if source else str(error), error.causes) from None
    return clean


def _clean(obj: Object) -> Object:
    """An object as somebody would have written it, with a mark if another owns it."""
    if not isinstance(obj.get("metadata"), dict):
        return obj
    meta = {k: v for k, v in obj["metadata"].items() if k not in ADDED}
    if isinstance(meta.get("annotations"), dict):
        kept = {k: v for k, v in meta["annotations"].items() if not k.startswith(("kubectl.", "deployment."))}
        meta["annotations"] = kept
    out = {k: v for k, v in obj.items() if k != "status"} | {"metadata": meta}
    owners = obj["metadata"].get("ownerReferences")
    if isinstance(owners, list) and any(isinstance(owner, dict) and owner.get("controller") for owner in owners):
        out["_owned"] = True
    return out


def _belonging(workload: Object, objects: list[Object]) -> Iterator[Object]:
    """Whatever of the manifests acts on the workload, in the namespace in which it is run."""
    space = workload["metadata"].get("namespace", "default")
    on = labels(workload if workload["kind"] == "Pod" else workload["spec"].get("template") or {"metadata": {}})
    for obj in objects:
        spec = obj.get("spec") or {}
        if obj["metadata"].get("namespace", "default") != space:
            continue
        if (
            (obj["kind"] == "Service" and matches_map(spec.get("selector"), on))
            or (obj["kind"] == "PodDisruptionBudget" and matches(spec.get("selector"), on))
        ):  # fmt: skip
            yield _here(obj)


def _scaled(workload: Object, objects: list[Object]) -> Object:
    """With as many replicas as an autoscaler leaves at least, if one decides that."""
    wanted = (workload["kind"], name(workload), workload["metadata"].get("namespace", "default"))
    for obj in objects:
        spec = obj.get("spec") or {}
        target = spec.get("scaleTargetRef") or {}
        there = (target.get("kind"), target.get("name"), obj["metadata"].get("namespace", "default"))
        if obj["kind"] == "HorizontalPodAutoscaler" and there == wanted and not paths.has(workload, "spec.replicas"):
            return dict(paths.put(workload, "spec.replicas", spec.get("minReplicas", 1)))
    return workload


def _here(obj: Object) -> Object:
    """In the namespace default, without an address of its own."""
    meta = {k: v for k, v in obj["metadata"].items() if k != "namespace"}
    spec = {k: v for k, v in (obj.get("spec") or {}).items() if k not in ("clusterIPs", "healthCheckNodePort")}
    if spec.get("clusterIP") != "None":
        spec.pop("clusterIP", None)
    if obj["kind"] == "Service" and isinstance(spec.get("ports"), list):
        spec["ports"] = [{k: v for k, v in p.items() if k != "nodePort"} for p in spec["ports"] if isinstance(p, dict)]
    return {**obj, "metadata": meta, "spec": spec}


ELSEWHERE = (
    "nodeSelector",
    "affinity",
    "nodeName",
    "schedulerName",
    "schedulingGates",
    "readinessGates",
    "priorityClassName",
    "priority",
    "preemptionPolicy",
    "serviceAccount",
    "serviceAccountName",
    "runtimeClassName",
    "imagePullSecrets",
    "overhead",
    "resourceClaims",
)
"""Of a pod's spec, what asks for things that only the real cluster has."""


def _runnable(workload: Object, prefix: str) -> Object:
    """The workload without what only the real cluster has; volumes are empty, variables from elsewhere have a value."""
    out = _here(workload) if workload["kind"] != "Pod" else {**workload, "metadata": _here(workload)["metadata"]}
    spec = paths.get(out, prefix)
    if not isinstance(spec, dict):
        return out
    spec = {k: v for k, v in spec.items() if k not in ELSEWHERE}
    spec["automountServiceAccountToken"] = False
    spread = [c for c in spec.get("topologySpreadConstraints") or () if c.get("topologyKey") in TOPOLOGIES]
    spec["topologySpreadConstraints"] = spread or None
    claims = [(c.get("metadata") or {}) for c in out["spec"].get("volumeClaimTemplates") or ()]
    volumes = [*(spec.get("volumes") or ()), *claims]
    if volumes:
        spec["volumes"] = [{"name": v.get("name"), "emptyDir": {}} for v in volumes if isinstance(v, dict)]
    for kind in ("initContainers", "containers"):
        if isinstance(spec.get(kind), list):
            spec[kind] = [_container(c) if isinstance(c, dict) else c for c in spec[kind]]
    out = paths.put(out, prefix, spec)
    return {**out, "spec": {k: v for k, v in out["spec"].items() if k != "volumeClaimTemplates"}}


def _container(container: Object) -> Object:
    out = {k: v for k, v in container.items() if k not in ("envFrom", "volumeDevices")}
    if isinstance(out.get("resources"), dict):
        out["resources"] = {
            which: {k: v for k, v in amounts.items() if k in ("cpu", "memory", "ephemeral-storage")}
            for which, amounts in out["resources"].items()
            if which in ("requests", "limits") and isinstance(amounts, dict)
        }
    out["imagePullPolicy"] = "IfNotPresent"  # images lie on every node: it is not the registry that is examined
    if isinstance(out.get("env"), list):
        out["env"] = [{"name": e.get("name"), "value": "-"} if "valueFrom" in e else e
                      for e in out["env"] if isinstance(e, dict)]  # fmt: skip
    return out
