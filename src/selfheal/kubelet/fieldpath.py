"""Fields of a pod that its containers may be told of: ``metadata.labels['app']`` and the like.

Follows pkg/fieldpath/fieldpath.go ExtractFieldPathAsString.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from selfheal import quantities
from selfheal.objects import Object, labels, name, namespace, uid


class ConfigError(Exception):
    """A container that cannot be configured; the text is Kubernetes' own."""


_SUBSCRIPT = re.compile(r"(metadata\.(?:labels|annotations))\['(.*)'\]")


def value(pod: Object, path: str) -> str:
    """The field as text; empty if the pod has it not, or if it is not one of its own metadata."""
    subscript = _SUBSCRIPT.fullmatch(path)
    if subscript is not None:
        held = labels(pod) if subscript[1].endswith("labels") else pod["metadata"].get("annotations") or {}
        return str(held.get(subscript[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        held = pod["metadata"].get(path.partition(".")[2]) or {}
        return "".join(f"{key}={json.dumps(text, ensure_ascii=False)}\n" for key, text in sorted(held.items())).rstrip()
    if path == "spec.serviceAccountName":
        return str(pod["spec"].get("serviceAccountName", ""))
    read = {"metadata.name": name, "metadata.namespace": namespace, "metadata.uid": uid}.get(path)
    return read(pod) if read is not None else ""


def resource(pod: Object, ref: Mapping[str, Any], fields: Mapping[str, str], own: str = "") -> str:
    """A container's request or limit, in whole units of the divisor, rounded up.

    Who has no limit may take what the node has: ``fields`` (pkg/api/v1/resource/helpers.go
    ExtractContainerResourceValue, MergeContainerResourceLimits).
    """
    wanted, which = ref.get("containerName") or own, str(ref.get("resource", ""))
    groups = ("containers", "initContainers")
    found: Mapping[str, Any] = next(
        (c for group in groups for c in pod["spec"].get(group) or () if c["name"] == wanted), {}
    )
    kind, _, amount = which.partition(".")
    given = ((found.get("resources") or {}).get(kind) or {}).get(amount) or fields.get(which, "0")
    divisor = quantities.parse(ref.get("divisor") or "0") or 1
    return str(math.ceil(quantities.parse(given) / divisor))
