"""A timeline in words, for those who hear it read aloud."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.timeline.lanes import Lanes
from selfheal.words import words


def seconds(t: float) -> str:
    """``35.4 s``"""
    return str(words("plot")["s"]).format(t=f"{t:.1f}")


def between(a: float, b: float) -> str:
    """``10.2 s to 35.4 s``"""
    return str(words("plot")["to"]).format(a=seconds(a), b=seconds(b))


def alt_text(lanes: Lanes, title: str) -> str:
    """What a picture of the lanes shows."""
    say = words("alt")
    parts = [say["title.of" if title else "title"].format(title=title, t=f"{lanes['until']:g}")]
    parts += [say["action"].format(t=seconds(a["t"]), what=a["text"]) for a in lanes["actions"][:8]]
    parts += [say["join"].join(_pod(pod, lanes["until"])) for pod in lanes["pods"][:8]]
    if len(lanes["pods"]) > 8:
        parts.append(say["pods.more"].format(n=len(lanes["pods"]) - 8))
    for c in lanes["controllers"][:4]:
        counts = [
            say["count"].format(ready=s["ready"], desired=s["desired"], t=seconds(s["from"])) for s in c["spans"][:10]
        ]
        if counts:
            parts.append(say["counts"].format(what=c["object"].replace("/", " "), counts=say["comma"].join(counts)))
    for t in lanes["traffic"]:
        served = sum(s["served"] * s["times"] for s in t["stretches"])
        lost = sum(s["lost"] * s["times"] for s in t["stretches"])
        parts.append(say["requests"].format(name=t["name"], served=served, lost=lost))
    return str(say["join"]).join(parts)


def _pod(pod: Lanes, until: float) -> Iterator[str]:
    say = words("alt")
    for c in pod["containers"]:
        who = say["who.container" if len(pod["containers"]) > 1 else "who"].format(pod=pod["name"], name=c["name"])
        running = [s for s in c["spans"] if s["is"] == "running"]
        yield say["starts" if running else "starts.never"].format(
            who=who, t=seconds(running[0]["from"]) if running else ""
        )
        sick = [s for s in c["app"] if not s["healthy"]]
        if sick:
            yield say["sick"].format(when=_spans(sick))
        for p in c["probes"]:
            failed = [
                s["t"] + k * s["every"] for s in p["ticks"] if s["result"] == "failure" for k in range(s["times"])
            ]
            failed = [t for t in failed if t <= until]
            if failed:
                yield say["fails"].format(probe=p["probe"], when=_several([seconds(t) for t in failed]))
        stops = [s for s in c["spans"] if s["is"] == "stopping"]
        if stops:
            yield say["stopped"].format(when=_spans(stops))
        if c["restarts"]:
            yield say["restarted"].format(when=_several([seconds(r["t"]) for r in c["restarts"]]))
    yield say["ready"].format(when=_spans(pod["ready"])) if pod["ready"] else say["ready.never"]
    served = [s for s in pod["service"] if s["ready"]]
    if served:
        yield say["service"].format(when=_spans(served))
    if pod["deleted"]:
        yield say["gone"].format(t=seconds(pod["to"]))


def _spans(spans: list[Lanes]) -> str:
    say = words("alt")["span"]
    return _several([say.format(a=f"{s['from']:.1f}", b=f"{s['to']:.1f}") for s in spans])


def _several(told: list[str], most: int = 9) -> str:
    """``a, b and c``; of many the first and how many more."""
    say = words("alt")
    if len(told) > most:
        return str(say["several.more"]).format(some=say["comma"].join(told[:most]), n=len(told) - most)
    return told[0] if len(told) == 1 else str(say["several"]).format(some=say["comma"].join(told[:-1]), last=told[-1])
