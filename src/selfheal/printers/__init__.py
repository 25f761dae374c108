"""What kubectl would print: tables of objects, and everything about one of them.

>>> printers.get("Pod", pods, now, wide=True)
>>> printers.describe(pod, store, now)

``now`` is Unix time in seconds, fractions included. Texts are those of kubectl 1.36, blank for
blank, each line with its newline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from selfheal.objects import Object
from selfheal.printers.columns import KINDS, OTHER, table
from selfheal.printers.describe import Lister, describe
from selfheal.printers.events import listing
from selfheal.printers.fields import text
from selfheal.printers.pods import PodSummary
from selfheal.printers.pods import summary as pod_summary
from selfheal.printers.table import Column, Row, Table

__all__ = [
    "ALL",
    "Column",
    "Lister",
    "PodSummary",
    "Row",
    "Table",
    "describe",
    "events",
    "get",
    "get_all",
    "pod_summary",
    "table",
]

ALL = (
    "Pod",
    "ReplicationController",
    "Service",
    "DaemonSet",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "HorizontalPodAutoscaler",
    "CronJob",
    "Job",
)
"""The kinds of ``kubectl get all``, in its order: those that discovery puts into the category ``all``."""


def get(
    kind: str,
    objects: Iterable[Object],
    now: float,
    *,
    wide: bool = False,
    show_labels: bool = False,
    all_namespaces: bool = False,
    label_columns: Sequence[str] = (),
    namespace: str = "default",
) -> str:
    """``kubectl get``: the table of ``objects``, all of one ``kind``, in the order given.

    ``namespace`` is only named if there is nothing to show.
    """
    found = table(kind, objects, now).text(
        wide=wide, show_labels=show_labels, all_namespaces=all_namespaces, label_columns=label_columns
    )
    return found or nothing(kind, namespace, all_namespaces=all_namespaces)


def nothing(kind: str, namespace: str = "default", *, all_namespaces: bool = False) -> str:
    """``No resources found in default namespace.`` (staging/src/k8s.io/kubectl/pkg/cmd/get/get.go)."""
    if all_namespaces or not KINDS.get(kind, OTHER).namespaced:
        return "No resources found\n"
    return f"No resources found in {namespace} namespace.\n"


def get_all(
    objects: Mapping[str, Sequence[Object]],
    now: float,
    *,
    wide: bool = False,
    show_labels: bool = False,
    all_namespaces: bool = False,
    namespace: str = "default",
) -> str:
    """``kubectl get all``: a table for each kind of :data:`ALL` of which there is something, by kind."""
    tables = []
    for kind in ALL:
        found = objects.get(kind) or ()
        if found:
            tables.append(
                table(kind, found, now).text(
                    wide=wide, show_labels=show_labels, all_namespaces=all_namespaces, prefix=_prefix(kind, found[0])
                )
            )
    return "\n".join(tables) or nothing("Pod", namespace, all_namespaces=all_namespaces)


def _prefix(kind: str, obj: Object) -> str:
    """``deployment.apps/``, ``pod/``"""
    group = text(obj, "apiVersion").rpartition("/")[0]
    return f"{kind.lower()}.{group}/" if group else f"{kind.lower()}/"


def events(objects: Sequence[Object], now: float, *, all_namespaces: bool = False, namespace: str = "default") -> str:
    """``kubectl events``: what happened, in order of time, repetitions counted."""
    if objects:
        return listing(objects, now, all_namespaces=all_namespaces)
    return "No events found.\n" if all_namespaces else f"No events found in {namespace} namespace.\n"
