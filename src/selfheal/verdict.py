"""What a run came to, pod by pod: restarts, kills, time spent Ready, requests lost."""

from __future__ import annotations

from typing import Any

from selfheal.timeline import Timeline

COLUMNS = ("POD", "PHASE", "READY", "RESTARTS", "PROBE KILLS", "FIRST READY", "NOT READY")


def verdict(timeline: Timeline) -> str:
    """A table with a row for each pod, and a line for each Service that had traffic."""
    rows: list[tuple[str, ...]] = [COLUMNS]
    last: dict[str, dict[str, Any]] = {}
    for record in timeline.select(kind="Pod"):
        last[record["object"]] = record
    for pod, record in last.items():
        name = pod.partition("/")[2]
        intervals = timeline.ready_intervals(name)
        first = f"{intervals[0][0]:.1f} s" if intervals else "never"
        unready = _unready(intervals, record["t"] if record.get("deleted") else timeline.end)
        rows.append(
            (
                name,
                "(gone)" if record.get("deleted") else record["phase"],
                record["ready"],
                str(sum(c["restartCount"] for c in record["containers"])),
                str(len(timeline.kills(name))),
                first,
                f"{unready:.1f} s",
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    lines = ["   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for service in timeline.objects("Traffic"):
        sent = lost = 0
        for record in timeline.select(kind="Traffic", object=service):
            sent += record["sent"] * record["times"]
            lost += record["lost"] * record["times"]
        lines.append(f"{service}: {sent} requests, {lost} lost")
    return "\n".join(lines)


def _unready(intervals: list[tuple[float, float]], end: float) -> float:
    """Seconds without Ready after the first time it was."""
    if not intervals:
        return 0.0
    return max(0.0, end - intervals[0][0] - sum(b - a for a, b in intervals))
