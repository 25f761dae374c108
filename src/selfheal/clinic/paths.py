"""Places in a manifest, as findings name them: ``spec.template.spec.containers[0].livenessProbe.timeoutSeconds``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")

Step = str | int


def steps(path: str) -> list[Step]:
    """``a.b[0].c`` as ``["a", "b", 0, "c"]``. ValueError if it is no path."""
    found: list[Step] = []
    at = 0
    while at < len(path):
        if path[at] == "." and found:
            at += 1
        match = _STEP.match(path, at)
        if match is None:
            raise ValueError(f"{path} is no path; write it like spec.containers[0].livenessProbe.periodSeconds")
        found.append(match[1] if match[1] is not None else int(match[2]))
        at = match.end()
    return found


def get(obj: Any, path: str, default: Any = None) -> Any:
    """What stands at a path; ``default`` if nothing does."""
    for step in steps(path):
        inside = step < len(obj) if isinstance(obj, list) and isinstance(step, int) else False
        if not (inside or (isinstance(obj, dict) and step in obj)):
            return default
        obj = obj[step]
    return obj


def has(obj: Any, path: str) -> bool:
    """Whether something stands at a path."""
    missing = object()
    return get(obj, path, missing) is not missing


def put(obj: Any, path: str, value: Any) -> Any:
    """A copy in which ``value`` stands at the path; None removes what is there. The rest is shared.

    ValueError if the path leads through something that is neither a mapping nor an item of a list.
    """
    return _put(obj, steps(path), value, path)


def _put(obj: Any, rest: list[Step], value: Any, path: str) -> Any:
    if not rest:
        return value
    step, *others = rest
    if isinstance(step, int):
        if not isinstance(obj, list) or step >= len(obj):
            raise ValueError(f"{path}: there is no item [{step}]")
        made = list(obj)
        made[step] = _put(obj[step], others, value, path)
        return made
    if obj is not None and not isinstance(obj, dict):
        raise ValueError(f"{path}: {step} cannot be set there")
    out = dict(obj or {})
    if value is None and not others:
        out.pop(step, None)
    elif value is None and step not in out:
        pass
    else:
        out[step] = _put(out.get(step), others, value, path)
    return out


def differences(a: Any, b: Any, path: str = "") -> Iterator[str]:
    """The paths at which two objects differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted({*a, *b}):
            yield from differences(a.get(key), b.get(key), f"{path}.{key}" if path else key)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for n, (x, y) in enumerate(zip(a, b, strict=True)):
            yield from differences(x, y, f"{path}[{n}]")
    elif a != b:
        yield path
