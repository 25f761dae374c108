"""The members of a StatefulSet: each has a number, and with it a name, a host name and its own claims.

All functions here are pure. Follows pkg/controller/statefulset/stateful_set_utils.go.
"""

from __future__ import annotations

import re
from typing import Any

from selfheal.clock import Clock
from selfheal.controllers import pods
from selfheal.controllers.revisions import HASH
from selfheal.objects import Object, labels, name, namespace, owner_reference, terminating

POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"

_NUMBERED = re.compile(r"(.*)-([0-9]+)$")


def ordinal(pod: Object) -> int:
    """The number at the end of the pod's name; -1 without one (getOrdinal)."""
    found = _NUMBERED.match(name(pod))
    return int(found[2]) if found else -1


def is_member(owner: Object, pod: Object) -> bool:
    """Whether the pod's name is one that the set would give (isMemberOf)."""
    found = _NUMBERED.match(name(pod))
    return found is not None and found[1] == name(owner)


def ordinals(owner: Object) -> range:
    """The numbers that the set should have."""
    first = int((owner["spec"].get("ordinals") or {}).get("start", 0))
    return range(first, first + int(owner["spec"].get("replicas", 1)))


def partition(owner: Object) -> int:
    """How many of the lowest members keep the current revision in a rolling update."""
    return int((strategy(owner).get("rollingUpdate") or {}).get("partition", 0))


def strategy(owner: Object) -> Object:
    found: Object = owner["spec"].get("updateStrategy") or {}
    return found


def revision(pod: Object) -> str:
    """The name of the revision that the pod was made from (getPodRevision)."""
    return labels(pod).get(HASH, "")


def created(pod: Object) -> bool:
    """Whether the pod exists, and is not just planned (isCreated)."""
    return bool(pods.phase(pod))


def ready(pod: Object) -> bool:
    """isRunningAndReady"""
    return pods.phase(pod) == "Running" and pods.ready(pod)


def available(pod: Object, owner: Object, clock: Clock) -> bool:
    """isRunningAndAvailable"""
    return ready(pod) and pods.available(pod, owner["spec"].get("minReadySeconds", 0), clock)


def unavailable(pod: Object, owner: Object, clock: Clock) -> bool:
    """Whether the member is missing, ill, not yet ready for long enough, or on its way out (isUnavailable)."""
    return terminating(pod) or not available(pod, owner, clock)


# ---- new members


def missing(owner: Object, number: int, revision_name: str) -> Object:
    """Stands for a member that is not there: its name and the revision that it will have."""
    meta = {"name": f"{name(owner)}-{number}", "namespace": namespace(owner), "labels": {HASH: revision_name}}
    return {"kind": "Pod", "metadata": meta, "status": {}}


def new_pod(owner: Object, number: int, template: Object, revision_name: str) -> Object:
    """The member of that number, as it is created (newVersionedStatefulSetPod, initIdentity, updateStorage)."""
    called = f"{name(owner)}-{number}"
    given = template.get("metadata") or {}
    meta = {
        "name": called,
        "namespace": namespace(owner),
        **{k: given[k] for k in ("annotations", "finalizers") if k in given},
        "labels": {
            **(given.get("labels") or {}),
            POD_NAME: called,
            POD_INDEX: str(number),
            HASH: revision_name,
        },
        "ownerReferences": [owner_reference(owner)],
    }
    spec = {**template["spec"], "hostname": called}
    if owner["spec"].get("serviceName"):
        spec["subdomain"] = owner["spec"]["serviceName"]
    own_claims = claims(owner, number)
    if own_claims:
        others = [v for v in spec.get("volumes") or () if v["name"] not in own_claims]
        spec["volumes"] = [
            *({"name": v, "persistentVolumeClaim": {"claimName": name(c)}} for v, c in own_claims.items()),
            *others,
        ]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def claims(owner: Object, number: int) -> dict[str, Object]:
    """The PersistentVolumeClaims of a member, by the name of the volume (getPersistentVolumeClaims)."""
    out: dict[str, Any] = {}
    for wanted in owner["spec"].get("volumeClaimTemplates") or ():
        meta = wanted["metadata"]
        own_labels = {
            **(meta.get("labels") or {}),
            **((owner["spec"].get("selector") or {}).get("matchLabels") or {}),
        }
        out[meta["name"]] = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                **meta,
                "name": f"{meta['name']}-{name(owner)}-{number}",
                "namespace": namespace(owner),
                "labels": own_labels,
            },
            "spec": wanted.get("spec") or {},
        }
    return out
