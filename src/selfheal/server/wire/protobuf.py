"""Requests in Kubernetes' protobuf, which kubectl's typed commands send (``create namespace``, ``drain``, ``auth``).

Only reading: every client that sends protobuf takes JSON as an answer. After four bytes (``k8s`` and a zero) comes
an envelope with the kind and the object (staging/src/k8s.io/apimachinery/pkg/runtime/serializer/protobuf).
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

from selfheal.errors import BadRequest
from selfheal.objects import Object
from selfheal.protobuf import Field, fields
from selfheal.server import wire

MAGIC = b"k8s\0"
DEEPEST = 64

META = "apimachinery.pkg.apis.meta.v1."

_EXPLICIT = """
replicas gracePeriodSeconds activeDeadlineSeconds terminationGracePeriodSeconds backoffLimit backoffLimitPerIndex
completions parallelism ttlSecondsAfterFinished revisionHistoryLimit progressDeadlineSeconds tolerationSeconds
minReplicas startingDeadlineSeconds successfulJobsHistoryLimit failedJobsHistoryLimit runAsUser runAsGroup fsGroup
priority value partition expirationSeconds stabilizationWindowSeconds
automountServiceAccountToken enableServiceLinks controller blockOwnerDeletion immutable allowPrivilegeEscalation
privileged readOnlyRootFilesystem runAsNonRoot suspend optional orphanDependents shareProcessNamespace
hostUsers ready serving terminating allocateLoadBalancerNodePorts setHostnameAsFQDN
maxUnavailable maxSurge minAvailable maxFailedIndexes succeededCount defaultMode mode averageUtilization
deletionGracePeriodSeconds exitCode restartCount
currentHealthy desiredHealthy disruptionsAllowed expectedPods
currentNumberScheduled desiredNumberScheduled numberMisscheduled numberReady
leaseDurationSeconds leaseTransitions started collisionCount terminatingReplicas manualSelector minDomains
allowVolumeExpansion attachRequired podInfoOnMount requiresRepublish seLinuxMount storageCapacity hostProcess
"""
EXPLICIT = frozenset(_EXPLICIT.split())
"""Numbers and booleans that may be 0 or false on purpose: pointers in Go, or never left out of its JSON."""

STRUCTS = (
    "metadata",
    "spec",
    "status",
    "strategy",
    "updateStrategy",
    "resources",
    "template",
    "source",
    "loadBalancer",
)
"""Structs that Go writes also when they are empty."""


def decode(data: bytes) -> Object:
    """An object from its bytes. Raises BadRequest."""
    if not data.startswith(MAGIC):
        raise BadRequest("the body of the request does not begin as Kubernetes' protobuf does")
    try:
        envelope = fields(data[len(MAGIC) :])
        about = {number: value.decode() for number, value in fields(_bytes(envelope, 1)) if isinstance(value, bytes)}
        version, kind = about.get(1, ""), about.get(2, "")
        name = _message(version, kind)
        return {"apiVersion": version, "kind": kind, **_object(_bytes(envelope, 2), name, 0)}
    except (IndexError, ValueError, OverflowError) as error:
        raise BadRequest(f"the body of the request could not be decoded: {error}") from None


def _message(version: str, kind: str) -> str:
    if kind.endswith("Options") and META + kind in wire.messages():
        return META + kind
    group, _, number = version.rpartition("/")
    name = f"api.{group.partition('.')[0] or 'core'}.{number}.{kind}"
    if name not in wire.messages():
        raise BadRequest(f'no kind "{kind}" is registered for version "{version}"')
    return name


def _bytes(found: list[Field], number: int) -> bytes:
    return next((v for n, v in found if n == number and isinstance(v, bytes)), b"")


def _object(data: bytes, name: str, depth: int) -> Object:
    if depth > DEEPEST:
        raise ValueError("too deep")
    known = wire.messages()[name]
    out: Object = {}
    for number, raw in fields(data):
        field = known.get(str(number))
        if field is None:
            continue
        key, of, how = field
        if how == "inline":
            if isinstance(raw, bytes):
                out |= _object(raw, of, depth + 1)
        elif how == "map":
            pair = fields(raw) if isinstance(raw, bytes) else []
            out.setdefault(key, {})[_bytes(pair, 1).decode()] = _value(_bytes(pair, 2), of, depth)
        else:
            value = _value(raw, of, depth)
            if how == "repeated":
                out.setdefault(key, []).append("" if value is None else value)
            elif not _left_out(key, value):
                out[key] = value
    return out


def _left_out(key: str, value: Any) -> bool:
    if value is None or value == "":
        return True
    if isinstance(value, bool | int):
        return not value and key not in EXPLICIT
    return value == {} and key in STRUCTS


def _value(raw: int | bytes, of: str, depth: int) -> Any:
    if isinstance(raw, int):
        if of == "t":
            return bool(raw)
        return raw - (1 << 64) if raw >= 1 << 63 else raw
    if of == "s":
        return raw.decode()
    if of == "b":
        return base64.b64encode(raw).decode()
    special = of.rpartition(".")[2]
    if special == "Quantity":
        return _bytes(fields(raw), 1).decode()
    if special in ("Time", "MicroTime"):
        return _time(dict(fields(raw)), micro=special == "MicroTime")
    if special == "IntOrString":
        parts = fields(raw)
        numbers = {n: v for n, v in parts if isinstance(v, int)}
        if numbers.get(1, 0):
            return _bytes(parts, 3).decode()
        return _value(numbers.get(2, 0), "i", depth)
    if special in ("RawExtension", "FieldsV1"):
        return json.loads(_bytes(fields(raw), 1) or b"null")
    if of not in wire.messages():
        return None
    return _object(raw, of, depth + 1)


def _time(parts: dict[int, int | bytes], *, micro: bool) -> str | None:
    seconds, nanos = parts.get(1), parts.get(2, 0)
    if not isinstance(seconds, int) or not isinstance(nanos, int):
        return None
    moment = datetime.fromtimestamp(_value(seconds, "i", 0), UTC)
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}" + (f".{nanos // 1000:06d}Z" if micro else "Z")
