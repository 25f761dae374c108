"""The cluster behind the transcripts of tests/kubectl, as objects in wire form.

Every object is written down by hand from what kubectl said about it. Times are seconds after
09:32:57, when the manifest was applied; `T0 + 86.5` is the moment at which kubectl was asked.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]

TRANSCRIPTS = Path(__file__).parent.parent / "kubectl"
START = datetime(2026, 11, 23, 9, 32, 57, tzinfo=UTC)
T0 = START.timestamp()

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
BUSYBOX = "busybox:1.36"
IMAGE_IDS = {
    AGNHOST: "sha256:32fdf0b26346a18e7d9413a20945ff385c342d0fbe837c27f1f8623f9bd4b270",
    BUSYBOX: "sha256:ff3b4a3699f647a3ce7e307c125afb836046ade3eb33536b13960c18d6668801",
}
JOB_UID = "0b715b3e-d725-4c3c-85bf-d3d621a8de68"


def said(transcript: str) -> str:
    """What kubectl printed: the transcript without its command line and without warnings."""
    lines = (TRANSCRIPTS / transcript).read_text().splitlines(keepends=True)
    return "".join(line for line in lines[1:] if not line.startswith("Warning:"))


def at(seconds: float) -> str:
    """A time stamp in whole seconds."""
    return (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Lister:
    """Finds objects as a store does."""

    def __init__(self, objects: list[Object]) -> None:
        self.objects = objects

    def get(self, kind: str, namespace: str, name: str, /) -> Object | None:
        found = [o for o in self.list(kind, namespace) if o["metadata"]["name"] == name]
        return found[0] if found else None

    def list(self, kind: str, namespace: str | None = None, /) -> list[Object]:
        found = [o for o in self.objects if o["kind"] == kind]
        if namespace is not None:
            found = [o for o in found if o["metadata"].get("namespace", "") == namespace]
        return sorted(found, key=lambda o: (o["metadata"].get("namespace", ""), o["metadata"]["name"]))


# ---- the manifest, with the API server's defaults


def defaulted(manifest: Object) -> Object:
    """An object of the manifest with the defaults that kubectl shows."""
    obj: Object = yaml.safe_load(yaml.safe_dump(manifest))  # no shared parts
    obj["metadata"] |= {"namespace": "demo", "uid": f"uid-of-{obj['kind']}-{obj['metadata']['name']}"}
    obj["metadata"]["creationTimestamp"] = at(0)
    spec = obj["spec"]
    for container in [*spec.get("containers", ()), *spec.get("template", {}).get("spec", {}).get("containers", ())]:
        _container(container)
    for port in spec.get("ports", ()):
        port.setdefault("protocol", "TCP")
    return obj


def _container(container: Object) -> None:
    for port in container.get("ports", ()):
        port.setdefault("protocol", "TCP")
    for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
        if kind in container:
            probe = container[kind]
            for field, value in (("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1)):
                probe.setdefault(field, value)
            probe.setdefault("failureThreshold", 3)
            if "httpGet" in probe:
                probe["httpGet"].setdefault("scheme", "HTTP")


MANIFEST = {
    (doc["kind"], doc["metadata"]["name"]): doc
    for doc in yaml.safe_load_all((TRANSCRIPTS / "manifest.yaml").read_text())
}


def applied(kind: str, name: str) -> Object:
    return defaulted(MANIFEST[kind, name])


# ---- pods


def owner(obj: Object) -> list[Object]:
    meta = obj["metadata"]
    reference = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "name": meta["name"], "uid": meta["uid"]}
    return [{**reference, "controller": True, "blockOwnerDeletion": True}]


def running(since: float, *, ready: bool = True, restarts: int = 0, last: Object | None = None) -> Object:
    state = {"running": {"startedAt": at(since)}}
    return {"state": state, "lastState": last or {}, "ready": ready, "started": True, "restartCount": restarts}


def ended(start: float, finish: float, code: int, **more: Any) -> Object:
    reason = "Completed" if code == 0 else "Error"
    return {
        "terminated": {"exitCode": code, "reason": reason, "startedAt": at(start), "finishedAt": at(finish), **more}
    }


def failed(start: float, *, restarts: int = 0, last: Object | None = None) -> Object:
    return {"state": ended(start, start, 1), "lastState": last or {}, "ready": False, "restartCount": restarts}


def pod(
    spec: Object,
    name: str,
    node: str,
    ip: str,
    status: Object,
    *,
    labels: dict[str, str],
    by: Object | None = None,
    created: float = 0,
    phase: str = "Running",
    container_id: str = "",
    token: str = "kube-api-access-x",
    namespace: str = "demo",
    uid: str = "",
) -> Object:
    container = dict(spec["containers"][0])
    container["volumeMounts"] = [
        {"name": token, "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
    ]
    ready = "True" if status["ready"] else "False"
    conditions = {
        "PodReadyToStartContainers": "True",
        "Initialized": "True",
        "Ready": ready,
        "ContainersReady": ready,
        "PodScheduled": "True",
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid or f"uid-of-{name}",
            "creationTimestamp": at(created),
            "labels": labels,
            **({"ownerReferences": owner(by)} if by else {}),
        },
        "spec": {
            **spec,
            "containers": [container],
            "priority": 0,
            "serviceAccountName": "default",
            "nodeName": node,
            "tolerations": [
                {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
                for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
            ],
            "volumes": [{"name": token, "projected": {"sources": TOKEN_SOURCES}}],
        },
        "status": {
            "phase": phase,
            "hostIP": "10.88.0.1",
            "podIP": ip,
            "podIPs": [{"ip": ip}],
            "startTime": at(created),
            "qosClass": "BestEffort",
            "conditions": [{"type": kind, "status": value} for kind, value in conditions.items()],
            "containerStatuses": [
                {
                    "name": container["name"],
                    "image": container["image"],
                    "imageID": IMAGE_IDS[container["image"]],
                    "containerID": f"containerd://{container_id}",
                    **status,
                }
            ],
        },
    }


TOKEN_SOURCES = [
    {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
    {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
    {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
]


def crash() -> Object:
    return pod(
        applied("Pod", "crash")["spec"],
        "crash",
        "node-2",
        "10.88.2.46",
        failed(40, restarts=3, last=ended(16, 16, 1)),
        labels={"app": "crash"},
        container_id="dc2168103827d90533ab2a44de6bbfef5c195a58372d2ca54be6c243437844db",
        token="kube-api-access-svhk2",
        uid="03157164-5715-4ed7-96b2-62b16d650ce6",
    )


def liveness_exec() -> Object:
    return pod(
        applied("Pod", "liveness-exec")["spec"],
        "liveness-exec",
        "node-2",
        "10.88.2.49",
        running(61, restarts=2, last=ended(31, 60, 137)),
        labels={"test": "liveness"},
        container_id="4a64e27044121ad1b7f787edad566c27e2bd701de0122b242670bc344debbd32",
        token="kube-api-access-t9jfq",
    )


def replica_set(deployment: Object, hash_: str, **status: int) -> Object:
    spec = deployment["spec"]
    labels = {**spec["template"]["metadata"]["labels"], "pod-template-hash": hash_}
    replicas = spec["replicas"]
    name = f"{deployment['metadata']['name']}-{hash_}"
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": "demo",
            "uid": f"uid-of-ReplicaSet-{name}",
            "creationTimestamp": at(0),
            "labels": labels,
            "annotations": {
                "deployment.kubernetes.io/desired-replicas": str(replicas),
                "deployment.kubernetes.io/max-replicas": str(replicas + 1),
                "deployment.kubernetes.io/revision": "1",
            },
            "ownerReferences": owner(deployment),
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {**spec["template"], "metadata": {"labels": labels}},
        },
        "status": {"replicas": replicas, **status},
    }


def deployment(name: str, available: str, progressing: str, **status: int) -> Object:
    obj = applied("Deployment", name)
    value, reason = available.split()
    obj["metadata"]["annotations"] = {
        "deployment.kubernetes.io/revision": "1",
        "kubectl.kubernetes.io/last-applied-configuration": "{}\n",
    }
    obj["spec"] |= {
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
        "progressDeadlineSeconds": 600,
    }
    obj["status"] = {
        **status,
        "conditions": [
            {"type": "Available", "status": value, "reason": reason},
            {"type": "Progressing", "status": "True", "reason": progressing},
        ],
    }
    return obj


def workloads() -> list[Object]:
    api = deployment(
        "api",
        "True MinimumReplicasAvailable",
        "NewReplicaSetAvailable",
        replicas=2,
        updatedReplicas=2,
        readyReplicas=2,
        availableReplicas=2,
    )
    web = deployment(
        "web",
        "False MinimumReplicasUnavailable",
        "ReplicaSetUpdated",
        replicas=3,
        updatedReplicas=3,
        unavailableReplicas=3,
    )
    api_rs = replica_set(api, "76d9cc56c6", readyReplicas=2, availableReplicas=2)
    web_rs = replica_set(web, "6b7956ddd6")
    out = [crash(), liveness_exec(), api, web, api_rs, web_rs]

    for rs, suffix, node, ip in (
        (api_rs, "xrtrn", "node-1", "10.88.1.74"),
        (api_rs, "zhgnq", "node-2", "10.88.2.51"),
        (web_rs, "h2dg9", "node-1", "10.88.1.73"),
        (web_rs, "tjzzt", "node-1", "10.88.1.72"),
        (web_rs, "2qvlr", "node-2", "10.88.2.47"),
    ):
        out.append(
            pod(
                rs["spec"]["template"]["spec"],
                f"{rs['metadata']['name']}-{suffix}",
                node,
                ip,
                running(2, ready=rs is api_rs),
                labels=rs["metadata"]["labels"],
                by=rs,
                container_id="be8350f5ee9680e07febe8a5087ce0866ae7b95fe03c79789d0ee8bfbad15826",
                token="kube-api-access-frvwj",
            )
        )
    return out + daemon_set() + stateful_set() + job()


def daemon_set() -> list[Object]:
    agent = applied("DaemonSet", "agent")
    agent["metadata"]["annotations"] = {"deprecated.daemonset.template.generation": "1"}
    counted = ("desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled", "numberAvailable")
    agent["status"] = {**dict.fromkeys((*counted, "numberReady"), 2), "numberMisscheduled": 0}
    labels = {"app": "agent", "controller-revision-hash": "69cf5c75c", "pod-template-generation": "1"}
    spec = agent["spec"]["template"]["spec"]
    return [
        agent,
        pod(spec, "agent-l2tqd", "node-1", "10.88.1.76", running(2), labels=labels, by=agent),
        pod(spec, "agent-vzbzq", "node-2", "10.88.2.50", running(2), labels=labels, by=agent),
    ]


def stateful_set() -> list[Object]:
    db = applied("StatefulSet", "db")
    db["spec"] |= {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}}
    db["status"] = {"replicas": 2, "readyReplicas": 2, "currentReplicas": 2}
    out = [db]
    for i, node, ip in ((0, "node-1", "10.88.1.75"), (1, "node-2", "10.88.2.52")):
        labels = {
            "app": "db",
            "apps.kubernetes.io/pod-index": str(i),
            "controller-revision-hash": "db-65655ccdf6",
            "statefulset.kubernetes.io/pod-name": f"db-{i}",
        }
        spec = db["spec"]["template"]["spec"]
        out.append(pod(spec, f"db-{i}", node, ip, running(2 + 2 * i), labels=labels, by=db, created=2 * i))
    return out


def job() -> list[Object]:
    fail = applied("Job", "fail")
    labels = {
        "batch.kubernetes.io/controller-uid": JOB_UID,
        "batch.kubernetes.io/job-name": "fail",
        "controller-uid": JOB_UID,
        "job-name": "fail",
    }
    fail["metadata"] |= {"uid": JOB_UID, "labels": labels}
    fail["spec"] |= {
        "parallelism": 1,
        "completions": 1,
        "completionMode": "NonIndexed",
        "suspend": False,
        "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": JOB_UID}},
    }
    fail["spec"]["template"]["metadata"] = {"labels": labels}
    fail["status"] = {
        "startTime": at(0),
        "failed": 2,
        "ready": 0,
        "conditions": [
            {"type": "FailureTarget", "status": "True", "reason": "BackoffLimitExceeded"},
            {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"},
        ],
    }
    spec = fail["spec"]["template"]["spec"]
    return [
        fail,
        pod(spec, "fail-74p2b", "node-2", "10.88.2.48", failed(2), labels=labels, by=fail, phase="Failed"),
        pod(spec, "fail-rkxqv", "node-2", "10.88.2.53", failed(13), labels=labels, by=fail, created=12, phase="Failed"),
    ]


# ---- what else there is


def network() -> list[Object]:
    api = applied("Service", "api")
    api["spec"] |= {
        "type": "ClusterIP",
        "clusterIP": "10.96.20.82",
        "clusterIPs": ["10.96.20.82"],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "internalTrafficPolicy": "Cluster",
        "sessionAffinity": "None",
    }
    pods = [("10.88.1.74", "xrtrn", "node-1"), ("10.88.2.51", "zhgnq", "node-2")]
    eps = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "api-hkcnr",
            "namespace": "demo",
            "uid": "uid-of-api-hkcnr",
            "creationTimestamp": at(0),
            "labels": {
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
                "kubernetes.io/service-name": "api",
            },
            "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": "2026-11-23T09:33:09Z"},
        },
        "addressType": "IPv4",
        "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
        "endpoints": [
            {
                "addresses": [ip],
                "conditions": {"ready": True, "serving": True, "terminating": False},
                "nodeName": node,
                "targetRef": {"kind": "Pod", "namespace": "demo", "name": f"api-76d9cc56c6-{suffix}"},
            }
            for ip, suffix, node in pods
        ],
    }
    endpoints = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": "api", "namespace": "demo", "creationTimestamp": at(0)},
        "subsets": [
            {"addresses": [{"ip": ip} for ip, _, _ in pods], "ports": [{"port": 8080, "protocol": "TCP"}]},
        ],
    }
    return [api, eps, endpoints]


def nodes() -> list[Object]:
    out = []
    registered = at(-1016)  # 09:16:01
    for name in ("node-1", "node-2", "node-3"):
        amounts = {"cpu": "2", "hugepages-1Gi": "0", "hugepages-2Mi": "0", "pods": "110"}
        out.append(
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {
                    "name": name,
                    "uid": f"uid-of-{name}",
                    "creationTimestamp": registered,
                    "labels": {
                        "beta.kubernetes.io/arch": "amd64",
                        "beta.kubernetes.io/os": "linux",
                        "kubernetes.io/arch": "amd64",
                        "kubernetes.io/hostname": name,
                        "kubernetes.io/os": "linux",
                    },
                    "annotations": {
                        "node.alpha.kubernetes.io/ttl": "0",
                        "volumes.kubernetes.io/controller-managed-attach-detach": "true",
                    },
                },
                "spec": {},
                "status": {
                    "conditions": [
                        {
                            "type": kind,
                            "status": status,
                            "reason": reason,
                            "message": message,
                            "lastHeartbeatTime": at(-181),  # 09:29:56
                            "lastTransitionTime": registered,
                        }
                        for kind, status, reason, message in NODE_CONDITIONS
                    ],
                    "addresses": [
                        {"type": "InternalIP", "address": "10.88.0.1"},
                        {"type": "Hostname", "address": name},
                    ],
                    "capacity": {**amounts, "ephemeral-storage": "264212084Ki", "memory": "24683656Ki"},
                    "allocatable": {**amounts, "ephemeral-storage": "267847642337", "memory": "24632456Ki"},
                    "nodeInfo": {
                        "machineID": "3d1219c7c4c5404aaa1f6d2a48adfda4",
                        "systemUUID": "3d1219c7c4c5404aaa1f6d2a48adfda4",
                        "bootID": "d45f91ad-7fa9-47f9-893e-93a6cb5b903d",
                        "kernelVersion": "6.18.44",
                        "osImage": "Debian GNU/Linux 12 (bookworm)",
                        "operatingSystem": "linux",
                        "architecture": "amd64",
                        "containerRuntimeVersion": "containerd://2.1.9+unknown",
                        "kubeletVersion": "v1.36.2",
                    },
                },
            }
        )
        lease = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": micro(85.3)}
        metadata = {"name": name, "namespace": "kube-node-lease", "creationTimestamp": registered}
        out.append({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": lease})
    spec = applied("Pod", "crash")["spec"]
    for namespace, name, created in (("rec-crash-loop", "crash", -600), ("rec-exit-zero-always", "zero", -83)):
        where = ("node-1", "10.88.1.9")
        out.append(pod(spec, name, *where, running(0), labels={}, created=created, namespace=namespace))
    return out


NODE_CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def namespaces() -> list[Object]:
    created = {
        "default": -1021,
        "demo": -3,
        "kube-node-lease": -1021,
        "kube-public": -1021,
        "kube-system": -1021,
        "rec-crash-loop": -600,
        "rec-exit-zero-always": -84,
        "rec-image-pull": -84,
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "creationTimestamp": at(when)},
            "status": {"phase": "Active"},
        }
        for name, when in created.items()
    ]


# ---- events


def event(
    about: Object,
    reason: str,
    message: str,
    first: float,
    last: float | None = None,
    count: int = 1,
    *,
    component: str = "kubelet",
    container: str = "",
    warning: bool = False,
    order: int = 0,
) -> Object:
    """An old-style event; the scheduler's are new-style, with an eventTime and no count."""
    meta = about["metadata"]
    out: Object = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{meta['name']}.{round(first * 1000) * 100 + 10**12 + order:016x}",
            "namespace": meta.get("namespace", "default"),
            "creationTimestamp": at(first),
        },
        "involvedObject": {
            "apiVersion": about["apiVersion"],
            "kind": about["kind"],
            "name": meta["name"],
            "uid": meta["uid"],
            **({"namespace": meta["namespace"]} if "namespace" in meta else {}),
            **({"fieldPath": f"spec.containers{{{container}}}"} if container else {}),
        },
        "type": "Warning" if warning else "Normal",
        "reason": reason,
        "message": message,
        "reportingComponent": component,
        "reportingInstance": "",
    }
    if component == "default-scheduler":
        return out | {"eventTime": micro(first), "firstTimestamp": None, "lastTimestamp": None, "source": {}}
    stamps = {"firstTimestamp": at(first), "lastTimestamp": at(first if last is None else last), "count": count}
    return out | stamps | {"eventTime": None, "source": {"component": component}}


def started(pod: Object, scheduled: float, *, pulled: tuple[float, ...], count: int = 1) -> list[Object]:
    """Scheduled, Pulled, Created, Started; ``pulled`` are the seconds of the latter three, or of first and last."""
    container = pod["spec"]["containers"][0]
    field, image = container["name"], container["image"]
    meta = pod["metadata"]
    where = f"Successfully assigned {meta['namespace']}/{meta['name']} to {pod['spec']['nodeName']}"
    out = [event(pod, "Scheduled", where, scheduled, component="default-scheduler")]
    present = f'Container image "{image}" already present on machine and can be accessed by the pod'
    texts = (("Pulled", present), ("Created", "Container created"), ("Started", "Container started"))
    for i, (reason, message) in enumerate(texts):
        if count > 1:
            out.append(event(pod, reason, message, pulled[0], pulled[1], count, container=field, order=i + 1))
        else:
            out.append(event(pod, reason, message, pulled[i], container=field, order=i + 1))
    return out


def events(objects: list[Object]) -> list[Object]:
    by = {(o["kind"], o["metadata"]["name"]): o for o in objects if o["metadata"].get("namespace") == "demo"}
    pods = {name: o for (kind, name), o in by.items() if kind == "Pod"}
    out: list[Object] = []
    for name, scheduled, pulled in (
        ("agent-l2tqd", 0.6, (1, 2, 2)),
        ("agent-vzbzq", 0.6, (1, 2, 2)),
        ("api-76d9cc56c6-xrtrn", 0.4, (1, 1, 2)),
        ("api-76d9cc56c6-zhgnq", 0.4, (2, 2, 2)),
        ("db-0", 0.4, (1, 1, 2)),
        ("db-1", 2.6, (3, 3, 3)),
        ("fail-74p2b", 0.4, (1, 2, 2)),
        ("fail-rkxqv", 12.0, (12, 12, 12)),
        ("web-6b7956ddd6-2qvlr", 0.4, (2, 2, 3)),
        ("web-6b7956ddd6-h2dg9", 0.4, (1, 2, 2)),
        ("web-6b7956ddd6-tjzzt", 0.4, (1, 1, 1)),
    ):
        out += started(pods[name], scheduled, pulled=pulled)
    out += started(pods["crash"], 0.4, pulled=(1, 40), count=4)
    out += started(pods["liveness-exec"], 0.4, pulled=(2, 61), count=3)

    back_off = "Back-off restarting failed container app in pod crash_demo(03157164-5715-4ed7-96b2-62b16d650ce6)"
    out.append(event(pods["crash"], "BackOff", back_off, 2, 41, 3, container="app", warning=True))
    unhealthy = "Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory\n"
    killing = "Container liveness failed liveness probe, will be restarted"
    subject = pods["liveness-exec"]
    out.append(event(subject, "Unhealthy", unhealthy, 15, 85, 9, container="liveness", warning=True))
    out.append(event(subject, "Killing", killing, 25, 85, 3, container="liveness"))
    for name, when in (("api-76d9cc56c6-xrtrn", 2), ("api-76d9cc56c6-zhgnq", 3)):
        to = f"{pods[name]['status']['podIP']}:8080"
        refused = f'Readiness probe failed: Get "http://{to}/healthz": dial tcp {to}: connect: connection refused'
        out.append(event(pods[name], "Unhealthy", refused, when, container="api", warning=True, order=9))
    for name in ("web-6b7956ddd6-2qvlr", "web-6b7956ddd6-h2dg9", "web-6b7956ddd6-tjzzt"):
        to = f"{pods[name]['status']['podIP']}:8080"
        text = f'Startup probe failed: timeout: failed to connect service "{to}" within 1s: context deadline exceeded'
        out.append(event(pods[name], "Unhealthy", text, 11, 81, 8, container="web", warning=True))

    for kind, name, component, what in (
        ("DaemonSet", "agent", "daemonset-controller", ((0, "agent-l2tqd"), (0, "agent-vzbzq"))),
        ("ReplicaSet", "api-76d9cc56c6", "replicaset-controller", ((0, "zhgnq"), (0, "xrtrn"))),
        ("ReplicaSet", "web-6b7956ddd6", "replicaset-controller", ((0, "tjzzt"), (0, "h2dg9"), (0, "2qvlr"))),
        ("Job", "fail", "job-controller", ((0, "fail-74p2b"), (12, "fail-rkxqv"))),
    ):
        for i, (when, made) in enumerate(what):
            created = f"Created pod: {name}-{made}" if kind == "ReplicaSet" else f"Created pod: {made}"
            out.append(event(by[kind, name], "SuccessfulCreate", created, when, component=component, order=i))
    for i in (0, 1):
        created = f"Create Pod db-{i} in StatefulSet db successful"
        out.append(
            event(by["StatefulSet", "db"], "SuccessfulCreate", created, 2 * i, component="statefulset-controller")
        )
    limit = "Job has reached the specified backoff limit"
    out.append(event(by["Job", "fail"], "BackoffLimitExceeded", limit, 15, component="job-controller", warning=True))
    for name, rs, n in (("api", "api-76d9cc56c6", 2), ("web", "web-6b7956ddd6", 3)):
        scaled = f"Scaled up replica set {rs} from 0 to {n}"
        subject = by["Deployment", name]
        out.append(event(subject, "ScalingReplicaSet", scaled, 0, component="deployment-controller"))
    return out


def node_event(node: Object) -> Object:
    text = f"Node {node['metadata']['name']} event: Registered Node {node['metadata']['name']} in Controller"
    return event(node, "RegisteredNode", text, -1014, component="node-controller")


def cluster() -> Lister:
    objects = workloads() + network() + nodes() + namespaces()
    registered = [node_event(o) for o in objects if o["kind"] == "Node"]
    return Lister(objects + events(objects) + registered)
