"""What a run came to, pod by pod: restarts, kills by probes, time spent Ready, requests lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from selfheal.headlines import order, refused
from selfheal.timeline import Timeline
from selfheal.words import words
from selfheal.words.width import columns, padded

COLUMNS = ("POD", "PHASE", "READY", "RESTARTS", "KILLED BY PROBES", "READY AFTER", "THEN UNREADY FOR")


def verdict(timeline: Timeline) -> str:
    """A table with a row for each pod, a line for each Service that had traffic, and one for each refused action."""
    lives: dict[str, list[Mapping[str, Any]]] = {}
    for record in timeline.select(kind="Pod"):
        lives.setdefault(record["object"], []).append(record)
    rows = [COLUMNS, *(_row(timeline, records) for records in lives.values())]
    say = words("verdict")
    lines = _table(rows) if lives else [say["none"]]
    for service in timeline.objects("Traffic"):
        sent = lost = 0
        for record in timeline.select(kind="Traffic", object=service):
            sent += record["sent"] * record["times"]
            lost += record["lost"] * record["times"]
        share = f"{lost / sent:.1%}" if lost else ""
        told = say["traffic.lost" if lost else "traffic"]
        lines.append(told.format(service=service, sent=sent, lost=lost, share=share))
    for action in timeline.select(kind="Action"):
        if refused(action):
            asked = order(action["verb"], action["args"])
            lines.append(say["refused"].format(t=f"{action['t']:g}", asked=asked, result=action["result"]))
    return "\n".join(lines)


def _row(timeline: Timeline, records: list[Mapping[str, Any]]) -> tuple[str, ...]:
    first, last = records[0], records[-1]
    name, space, gone = last["object"].partition("/")[2], last.get("namespace", "default"), last.get("deleted", False)
    end = last["t"] if gone else timeline.end
    intervals = timeline.ready_intervals(name, namespace=space)
    by_probe = [
        e
        for e in timeline.select(kind="Event", object=last["object"], namespace=space, reason="Killing")
        if " failed " in e["message"]
    ]
    return (
        name if space == "default" else f"{space}/{name}",
        "(gone)" if gone else last["phase"],
        "-" if gone else last["ready"],
        str(sum(c["restartCount"] for c in last["containers"])),
        str(len(by_probe)),
        _seconds(intervals[0][0] - first["t"]) if intervals else words("verdict")["never"],
        _seconds(_unready(intervals, end)) if intervals else "-",
    )


def _unready(intervals: list[tuple[float, float]], end: float) -> float:
    """Seconds without Ready after the first time it was."""
    return max(0.0, end - intervals[0][0] - sum(b - a for a, b in intervals))


def _seconds(t: float) -> str:
    return str(words("records")["at"]).format(t=f"{t:.1f}")


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(columns(row[i]) for row in rows) for i in range(len(COLUMNS))]
    return ["   ".join(padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
