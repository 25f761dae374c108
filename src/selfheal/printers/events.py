"""Events: rows of ``kubectl get events``, the text of ``kubectl events``, and the order in which they happened.

An event stands for itself and for all that repeated it: it has a first and a last time and a
count. Old-style events (the kubelet's, most controllers') carry ``firstTimestamp``,
``lastTimestamp`` and ``count``; new-style ones (the scheduler's) carry ``eventTime`` and, if
repeated, ``series``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from selfheal.objects import Object
from selfheal.printers import tabs
from selfheal.printers.duration import since, unix
from selfheal.printers.fields import Fields, at, number, text
from selfheal.printers.table import LEAST, PADDING


def cells(event: Fields, now: float) -> list[Any]:
    """The row of an event in ``kubectl get events`` (pkg/printers/internalversion/printers.go printEvent)."""
    first = since(at(event, "firstTimestamp", at(event, "eventTime")), now)
    last, count = at(event, "lastTimestamp"), number(event, "count") or 1
    last_seen = first if last is None else since(last, now)
    if at(event, "series") is not None:
        last_seen, count = since(at(event, "series.lastObservedTime"), now), number(event, "series.count")
    kind, name = text(event, "involvedObject.kind").lower(), text(event, "involvedObject.name")
    component = source(event)
    host = text(event, "source.host") or text(event, "reportingInstance")
    return [
        last_seen,
        text(event, "type"),
        text(event, "reason"),
        f"{kind}/{name}" if name else kind,
        text(event, "involvedObject.fieldPath"),
        f"{component}, {host}" if host else component,
        text(event, "message").strip(),
        first,
        count,
        text(event, "metadata.name"),
    ]


def source(event: Fields) -> str:
    """Who reported it: ``kubelet``, ``default-scheduler``."""
    return text(event, "source.component") or text(event, "reportingComponent")


def interval(event: Fields, now: float) -> str:
    """``87s``, or ``2s (x9 over 72s)`` for one that was repeated (describe.go DescribeEvents)."""
    first = since(at(event, "eventTime", at(event, "firstTimestamp")), now)
    if at(event, "series") is not None:
        last = since(at(event, "series.lastObservedTime"), now)
        return f"{last} (x{number(event, 'series.count')} over {first})"
    if number(event, "count") > 1:
        return f"{since(at(event, 'lastTimestamp'), now)} (x{number(event, 'count')} over {first})"
    return first


def by_last_timestamp(events: Iterable[Object]) -> list[Object]:
    """As describe sorts them: by ``lastTimestamp``, new-style events (which have none) first.

    (staging/src/k8s.io/kubectl/pkg/util/event/sorted_event_list.go)
    """
    return sorted(events, key=lambda event: unix(at(event, "lastTimestamp")) or 0)


def by_time(events: Iterable[Object]) -> list[Object]:
    """As ``kubectl events`` sorts them: by the last time that each was seen.

    (staging/src/k8s.io/kubectl/pkg/cmd/events/events.go eventTime)
    """
    return sorted(events, key=_last_seen)


def _last_seen(event: Object) -> int:
    observed = at(event, "series.lastObservedTime")
    last = observed or at(event, "lastTimestamp") or at(event, "eventTime")
    return unix(last) or 0


def listing(events: Sequence[Object], now: float, *, all_namespaces: bool = False) -> str:
    """``kubectl events``: what happened, in order of time (staging/src/k8s.io/kubectl/pkg/cmd/events)."""
    lines = [["NAMESPACE"] if all_namespaces else []]
    lines[0] += ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    for event in by_time(events):
        involved = f"{text(event, 'involvedObject.kind')}/{text(event, 'involvedObject.name')}"
        line = [text(event, "metadata.namespace")] if all_namespaces else []
        line += [interval(event, now), text(event, "type"), text(event, "reason"), involved]
        lines.append([*line, tabs.escape(text(event, "message").strip())])
    return tabs.align("".join("\t".join(line) + "\n" for line in lines), padding=PADDING, least=LEAST)
