"""A timeline in words, for those who hear it read aloud."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.timeline.lanes import Lanes


def seconds(t: float) -> str:
    """``35.4 s``"""
    return f"{t:.1f} s"


def alt_text(lanes: Lanes, title: str) -> str:
    """What a picture of the lanes shows."""
    parts = [f"Timeline{' of ' + title if title else ''}, {lanes['until']:g} seconds."]
    parts += [f"At {seconds(action['t'])}: {action['text']}." for action in lanes["actions"][:8]]
    parts += [" ".join(_pod(pod, lanes["until"])) for pod in lanes["pods"][:8]]
    if len(lanes["pods"]) > 8:
        parts.append(f"And {len(lanes['pods']) - 8} more pods.")
    for c in lanes["controllers"][:4]:
        counts = [f"{s['ready']} of {s['desired']} from {seconds(s['from'])}" for s in c["spans"][:10]]
        if counts:
            parts.append(f"{c['object'].replace('/', ' ')} ready: {', '.join(counts)}.")
    for t in lanes["traffic"]:
        served = sum(s["served"] * s["times"] for s in t["stretches"])
        lost = sum(s["lost"] * s["times"] for s in t["stretches"])
        parts.append(f"Requests to {t['name']}: {served} served, {lost} lost.")
    return " ".join(parts)


def _pod(pod: Lanes, until: float) -> Iterator[str]:
    name = f"Pod {pod['name']}"
    for c in pod["containers"]:
        who = f"{name}, container {c['name']}" if len(pod["containers"]) > 1 else name
        running = [s for s in c["spans"] if s["is"] == "running"]
        yield f"{who} starts at {seconds(running[0]['from'])}." if running else f"{who} never starts."
        sick = [s for s in c["app"] if not s["healthy"]]
        if sick:
            yield f"The app is sick {_several([_span(s['from'], s['to']) for s in sick])}."
        for p in c["probes"]:
            failed = [
                s["t"] + k * s["every"] for s in p["ticks"] if s["result"] == "failure" for k in range(s["times"])
            ]
            failed = [t for t in failed if t <= until]
            if failed:
                yield f"Its {p['probe']} probe fails at {_several([seconds(t) for t in failed])}."
        stops = [s for s in c["spans"] if s["is"] == "stopping"]
        if stops:
            yield f"It is stopped {_several([_span(s['from'], s['to']) for s in stops])}."
        if c["restarts"]:
            yield f"It is restarted at {_several([seconds(r['t']) for r in c['restarts']])}."
    if pod["ready"]:
        yield f"Ready {_several([_span(s['from'], s['to']) for s in pod['ready']])}."
    else:
        yield "Never Ready."
    served = [s for s in pod["service"] if s["ready"]]
    if served:
        yield f"In the Service {_several([_span(s['from'], s['to']) for s in served])}."
    if pod["deleted"]:
        yield f"Gone at {seconds(pod['to'])}."


def _span(a: float, b: float) -> str:
    return f"from {a:.1f} to {b:.1f} s"


def _several(words: list[str], most: int = 9) -> str:
    """``a, b and c``; of many the first and how many more."""
    if len(words) > most:
        return f"{', '.join(words[:most])} and {len(words) - most} times more"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
