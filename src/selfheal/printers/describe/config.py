"""What pods are given to read, and where they live: ConfigMaps, Secrets, ServiceAccounts, Namespaces."""

from __future__ import annotations

import base64
import binascii

from selfheal.objects import Object
from selfheal.printers.describe import parts
from selfheal.printers.describe.lister import Lister
from selfheal.printers.describe.writer import Writer
from selfheal.printers.duration import rfc1123
from selfheal.printers.fields import at, items, mapping, text, written


def config_map(w: Writer, obj: Object, lister: Lister, now: float) -> None:
    """(staging/src/k8s.io/kubectl/pkg/describe/describe.go ConfigMapDescriber)"""
    parts.head(w, obj)
    parts.labels(w, obj)
    w.write("\nData\n====\n")
    data = mapping(obj, "data")
    for key in sorted(data):
        w.write(f"{key}:\n----\n{written(data[key])}\n\n")
    w.write("\nBinaryData\n====\n")
    data = mapping(obj, "binaryData")
    for key in sorted(data):
        w.write(f"{key}: {_length(data[key])} bytes\n")
    w.write("\n")
    parts.events_table(w, parts.events_of(obj, lister), now)


def secret(w: Writer, obj: Object, lister: Lister, now: float) -> None:  # noqa: ARG001
    """How long each value is, never the value (describe.go describeSecret)."""
    parts.head(w, obj)
    parts.labels(w, obj)
    w.write(f"\nType:\t{text(obj, 'type')}\n")
    w.write("\nData\n====\n")
    data = mapping(obj, "data")
    for key in sorted(data):
        w.field(key, f"{_length(data[key])} bytes")


def _length(encoded: object) -> int:
    """Bytes behind a base64 text."""
    try:
        return len(base64.b64decode(str(encoded)))
    except (binascii.Error, ValueError):
        return len(str(encoded))


def service_account(w: Writer, obj: Object, lister: Lister, now: float) -> None:
    """(describe.go describeServiceAccount)"""
    parts.head(w, obj)
    parts.labels(w, obj)
    title = "Image pull secrets:"
    for name in [text(ref, "name") for ref in items(obj, "imagePullSecrets")] or ["<none>"]:
        w.line(f"{title}\t{name}")
        title = " " * len(title)
    parts.events_table(w, parts.events_of(obj, lister), now)


def namespace(w: Writer, obj: Object, lister: Lister, now: float) -> None:  # noqa: ARG001
    """Quotas and limits are not simulated, so there are none (describe.go describeNamespace)."""
    w.field("Name", text(obj, "metadata.name"))
    parts.labels(w, obj)
    w.field("Status", text(obj, "status.phase"))
    conditions = items(obj, "status.conditions")
    if conditions:
        w.line("Conditions:")
        w.header("Type", "Status", "LastTransitionTime", "Reason", "Message")
    for condition in conditions:
        moved = rfc1123(at(condition, "lastTransitionTime"))
        w.row(text(condition, "type"), text(condition, "status"), moved, *_why(condition))
    w.write("\nNo resource quota.\n")
    w.write("\nNo LimitRange resource.\n")


def _why(condition: object) -> tuple[str, str]:
    return text(condition, "reason"), text(condition, "message")
