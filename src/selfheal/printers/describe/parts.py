"""What many descriptions share: their head, conditions, events, and the pods behind a controller."""

from __future__ import annotations

from selfheal.objects import Object, matches_map
from selfheal.printers import events, pods, selectors
from selfheal.printers.describe.lister import Lister
from selfheal.printers.describe.writer import Writer
from selfheal.printers.fields import Fields, controller, items, mapping, text


def head(w: Writer, obj: Fields) -> None:
    """Name and namespace."""
    w.field("Name", text(obj, "metadata.name"))
    w.field("Namespace", text(obj, "metadata.namespace"))


def labels(w: Writer, obj: Fields) -> None:
    """Labels and annotations."""
    w.labels("Labels", mapping(obj, "metadata.labels"))
    w.annotations("Annotations", mapping(obj, "metadata.annotations"))


def controlled_by(w: Writer, obj: Fields) -> None:
    """The controller of the object, if it has one."""
    owner = controller(obj)
    if owner is not None:
        w.field("Controlled By", f"{text(owner, 'kind')}/{text(owner, 'name')}")


def conditions(w: Writer, obj: Fields) -> None:
    """Type, status and reason; nothing without conditions. The blank behind the type is kubectl's."""
    found = items(obj, "status.conditions")
    if not found:
        return
    w.line("Conditions:")
    w.header("Type", "Status", "Reason")
    for condition in found:
        w.row(text(condition, "type") + " ", text(condition, "status"), text(condition, "reason"))


def pods_of(obj: Object, lister: Lister) -> str:
    """``2 Running / 0 Waiting / 0 Succeeded / 0 Failed``: the pods that match the selector and are owned."""
    selector = mapping(obj, "spec.selector")
    plain = obj.get("kind") == "ReplicationController"
    found: list[Fields] = []
    for pod in lister.list("Pod", text(obj, "metadata.namespace")):
        on = mapping(pod, "metadata.labels")
        if matches_map(dict(selector), dict(on)) if plain else selectors.selects(selector, on):
            found.append(pod)
    return pods.phases(pods.controlled(found, obj))


def events_of(obj: Object, lister: Lister, *, any_kind: bool = False) -> list[Object]:
    """The events about an object (describe.go searchEvents), by name, namespace, uid and, mostly, kind."""
    namespace, kind = text(obj, "metadata.namespace"), "" if any_kind else text(obj, "kind")
    return _about(lister, text(obj, "metadata.name"), namespace, text(obj, "metadata.uid"), kind)


def events_of_node(node: Object, lister: Lister) -> list[Object]:
    """Controllers name a node by its uid, the kubelet by its *name* in the uid's place; both are wanted."""
    name = text(node, "metadata.name")
    by_uid = _about(lister, name, "", text(node, "metadata.uid"), "Node")
    by_name = _about(lister, name, "", name, "Node") if text(node, "metadata.uid") else []
    return by_uid + by_name


def _about(lister: Lister, name: str, namespace: str, uid: str, kind: str) -> list[Object]:
    wanted = {"name": name, "namespace": namespace}
    if uid:
        wanted["uid"] = uid
    if kind:
        wanted["kind"] = kind
    return [
        event
        for event in lister.list("Event", namespace or None)
        if all(text(event, f"involvedObject.{field}") == value for field, value in wanted.items())
    ]


def events_table(w: Writer, found: list[Object], now: float) -> None:
    """The last part of most descriptions (describe.go DescribeEvents)."""
    if not found:
        w.field("Events", "<none>")
        return
    w.flush()
    w.line("Events:")
    w.header("Type", "Reason", "Age", "From", "Message", dashes=("----", "------", "----", "----", "-------"))
    for event in events.by_last_timestamp(found):
        where, message = text(event, "involvedObject.fieldPath"), text(event, "message").strip()
        w.row(
            text(event, "type"),
            text(event, "reason"),
            events.interval(event, now),
            events.source(event),
            f"{where}: {message}" if where else message,
        )
