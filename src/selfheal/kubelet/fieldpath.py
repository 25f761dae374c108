"""Fields of a pod that its containers may be told of: ``metadata.labels['app']`` and the like.

Follows pkg/fieldpath/fieldpath.go ExtractFieldPathAsString.
"""

from __future__ import annotations

import re

from selfheal.objects import Object, labels, name, namespace, uid

_SUBSCRIPT = re.compile(r"(metadata\.(?:labels|annotations))\['(.*)'\]")


def value(pod: Object, path: str) -> str:
    """The field as text; empty if the pod has it not, or if it is not one of its own metadata."""
    subscript = _SUBSCRIPT.fullmatch(path)
    if subscript is not None:
        held = labels(pod) if subscript[1].endswith("labels") else pod["metadata"].get("annotations") or {}
        return str(held.get(subscript[2], ""))
    if path == "spec.serviceAccountName":
        return str(pod["spec"].get("serviceAccountName", ""))
    read = {"metadata.name": name, "metadata.namespace": namespace, "metadata.uid": uid}.get(path)
    return read(pod) if read is not None else ""
