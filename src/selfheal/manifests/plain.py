"""Plain values: what JSON can say, and nothing else.

Whatever a manifest was made of, YAML, JSON or Python, the rest of the package sees only ``None``, ``bool``, ``int``
of 64 bits, finite ``float``, ``str``, ``list`` and ``dict`` with text keys, nested no deeper than :data:`DEEPEST`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from selfheal.errors import ApiError, BadRequest

LARGEST = 3 * 1024 * 1024
"""Bytes that a request to the API server may have (apiserver/pkg/server/config.go MaxRequestBodyBytes)."""

MOST = 200_000
"""Values that one document may hold."""

DEEPEST = 100
"""Levels of nesting that are read; no object of Kubernetes has half of them (go-yaml and Go's JSON stop at 10000)."""

Plain = None | bool | int | float | str | list[Any] | dict[str, Any]


class BadManifest(BadRequest):
    """A manifest that kubectl itself refuses, before it asks the API server."""


class TooLarge(ApiError):
    """More than the API server takes."""

    code, reason = 413, "RequestEntityTooLarge"


@dataclass(slots=True)
class Unreadable(Exception):
    """What is wrong with a document, in the words of go-yaml or of Go's JSON."""

    text: str
    line: int = 0
    """1 is the document's first line; 0 if unknown."""


def plain(value: object) -> Plain:
    """A Python value as JSON would carry it. Raises Unreadable if it cannot."""
    return _plain(value, 0, [], [0])


def key(value: object) -> str:
    """A mapping's key as text (sigs.k8s.io/yaml convertToJSONableObject)."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, list | dict | tuple):
        raise Unreadable("yaml: invalid map key")
    raise Unreadable(f"unsupported map key of type: {'<nil>' if value is None else type(value).__name__}")


def clean(text: str) -> str:
    """The text, with what is no character of Unicode replaced, as in Go."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def whole(value: float) -> int | float:
    """A float without a fraction is an integer: JSON knows no difference."""
    return int(value) if value.is_integer() and abs(value) < 2**63 else float(value)


def integer(value: int) -> int | float:
    """An integer of 64 bits; what is larger becomes a float, as in Go."""
    if -(2**63) <= value < 2**64:
        return int(value)
    if value.bit_length() > 1000:
        raise Unreadable("json: unsupported value: an integer of more than 300 digits")
    return float(value)


def number(value: float) -> str:
    """A number as Go's JSON writes it: ``10``, ``0.5``, ``1e+30``."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    text = repr(value)
    if "e" not in text:
        return text
    mantissa, _, exponent = text.partition("e")
    power = int(exponent)
    if -7 < power < 0:
        return f"{value:.{len(mantissa.replace('.', '').lstrip('-')) - 1 - power}f}"
    return f"{mantissa.removesuffix('.0')}e{power:+d}"


def _plain(value: object, depth: int, above: list[int], count: list[int]) -> Plain:
    count[0] += 1
    if count[0] > MOST:
        raise Unreadable(f"more than {MOST} values")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, int):
        return integer(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Unreadable(f"json: unsupported value: {number(value)}")
        return whole(value)
    if not isinstance(value, Mapping | list | tuple):
        raise Unreadable(f"json: unsupported type: {type(value).__name__}")
    if depth >= DEEPEST:
        raise Unreadable(f"exceeded max depth of {DEEPEST}")
    if id(value) in above:
        raise Unreadable("the object contains itself")
    above.append(id(value))
    out: Plain
    if isinstance(value, Mapping):
        out = {key(k): _plain(v, depth + 1, above, count) for k, v in value.items()}
    else:
        out = [_plain(v, depth + 1, above, count) for v in value]
    above.pop()
    return out
