"""What one does to a lab by hand: wait for something, and read what kubectl says."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from selfheal import objects
from selfheal.errors import ApiError
from selfheal.headlines import told
from selfheal.kinds import kind_named
from selfheal.labs.api import Api
from selfheal.labs.errors import LabError, Refused, Unreachable
from selfheal.labs.pace import Pace
from selfheal.objects import Object
from selfheal.timeline.facts import facts

LOOK_AGAIN = 0.2
"""Seconds between two looks (of the machine's; in cluster time if that goes faster)."""
PHASES = ("Pending", "Running", "Succeeded", "Failed")

Wanted = str | float | Callable[[], Any]
"""What to wait for: ``"pod/web Ready"``, a number of seconds, or a function that says it."""


class Text(str):
    """Text that a notebook shows as it is."""

    __slots__ = ()
    __repr__ = str.__str__


def wait(api: Api, namespace: str, wanted: Wanted, timeout: float) -> Any:
    """Look again and again until it is so, and give what was seen; both times in seconds of cluster time.

    A text is ``KIND/NAME`` and a condition (``Ready``, ``Ready=False``, ``Available``), a phase (``Running``), or
    ``deleted``. A function is called until what it returns is true; that the API says no, or nothing, counts as not
    yet.
    Raises LabError, which tells what was seen last.
    """
    pace = Pace(api)
    if isinstance(wanted, int | float):
        end = pace.cluster + wanted
        while pace.cluster < end:
            _pause(pace, end - pace.cluster)
        return None
    look = _look(api, namespace, wanted) if isinstance(wanted, str) else wanted
    end = pace.cluster + timeout
    not_yet: tuple[type[Exception], ...] = (Refused, Unreachable, *_clients_own())
    while True:
        seen: Any
        try:
            seen = look()
        except not_yet as error:
            seen = None
            said = " ".join(str(error if isinstance(error, LabError) else getattr(error, "reason", error)).split())
        else:
            said = "" if isinstance(wanted, str) else f"it gave {seen!r}"
        if seen:
            return seen
        if pace.cluster >= end:
            what = wanted if isinstance(wanted, str) else getattr(wanted, "__name__", "what was waited for")
            raise LabError(f"not within {timeout:g} s: {what}. Last seen: {said or state(api, namespace, wanted)}")
        _pause(pace, LOOK_AGAIN)


def state(api: Api, namespace: str, wanted: Any = "") -> str:
    """How the object that was waited for is, or else every pod."""
    kind, name, _ = _parts(wanted) if isinstance(wanted, str) else ("Pod", "", "")
    try:
        found = [api.get(kind, name, namespace)] if name else api.list("Pod", namespace)["items"]
    except ApiError as error:
        return str(error)
    return "; ".join(f"{objects.ref(obj)} {told({'kind': obj['kind'], **facts(obj, 0)})}" for obj in found) or "no pods"


def _look(api: Api, namespace: str, wanted: str) -> Callable[[], Any]:
    kind, name, word = _parts(wanted)
    condition, _, status = word.partition("=")

    def look() -> Any:
        try:
            obj = api.get(kind, name, namespace)
        except Refused as refusal:
            if word == "deleted" and refusal.status == 404:
                return True
            raise
        if word == "deleted":
            return None
        return obj if _is(obj, condition, status or "True") else None

    return look


def _is(obj: Object, condition: str, status: str) -> bool:
    now = obj.get("status") or {}
    if condition in PHASES and "phase" in now:
        return bool(now["phase"] == condition)
    if obj["kind"] == "Deployment" and now.get("observedGeneration") != obj["metadata"].get("generation"):
        return False  # what the status says is not yet about this spec
    return any(c["type"] == condition and c["status"] == status for c in now.get("conditions") or ())


def _parts(wanted: str) -> tuple[str, str, str]:
    """``pod/web Ready`` → (``Pod``, ``web``, ``Ready``)."""
    what, _, word = wanted.strip().partition(" ")
    short, _, name = what.partition("/")
    kind = kind_named(short)
    if kind is None or not name or not word or " " in word.strip():
        raise LabError(f'"{wanted}" is nothing to wait for; write for instance "pod/web Ready" or "pod/web deleted"')
    return kind, name, word.strip()


def _pause(pace: Pace, most: float) -> None:
    time.sleep(min(LOOK_AGAIN, max(0.01, most / max(1.0, pace.speed))))
    pace.ask_now_and_then()


def _clients_own() -> tuple[type[Exception], ...]:
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    return (ApiException, HTTPError)
