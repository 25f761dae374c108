"""What Kubernetes adds to CEL: functions on lists, patterns, quantities, URLs and addresses.

staging/src/k8s.io/apiserver/pkg/cel/library: lists.go, regex.go, quantity.go, urls.go, ip.go, cidr.go. A value of a
type of Kubernetes' own is a map here, for CEL's Python has no other way to hand one on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address, ip_interface, ip_network
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from selfheal import quantities
from selfheal.errors import ApiError

Value = Any


def _sorted(items: Value) -> bool:
    found = list(items)
    return all(a <= b for a, b in pairwise(found))


def _index(items: Value, wanted: Value) -> int:
    found = list(items)
    return found.index(wanted) if wanted in found else -1


def _last_index(items: Value, wanted: Value) -> int:
    found = list(items)
    return max((i for i, item in enumerate(found) if item == wanted), default=-1)


def _extreme(pick: Callable[[Any], Any], called: str) -> Callable[[Value], Value]:
    def chosen(items: Value) -> Value:
        found = list(items)
        if not found:
            raise ValueError(f"{called} called on empty list")
        return pick(found)

    return chosen


def _find(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found[0] if found else ""


def _find_all(text: str, pattern: str, most: int = -1) -> list[str]:
    found = [m[0] for m in re.finditer(pattern, text)]
    return found if most < 0 else found[:most]


def _possible(make: Callable[[str], object]) -> Callable[[str], bool]:
    """Whether a text can be read so."""

    def possible(text: str) -> bool:
        with suppress(ValueError, ArithmeticError, ApiError):
            make(text)
            return True
        return False

    return possible


def _quantity(text: str) -> Value:
    return {"quantity": str(quantities.parse(text).normalize())}


def _number(value: Value) -> Any:
    return quantities.parse(value if isinstance(value, int) else value["quantity"])


def _compared(one: Value, other: Value) -> int:
    a, b = _number(one), _number(other)
    return int(a > b) - int(a < b)


def _sum(one: Value, other: Value) -> Value:
    return {"quantity": str((_number(one) + _number(other)).normalize())}


def _difference(one: Value, other: Value) -> Value:
    return {"quantity": str((_number(one) - _number(other)).normalize())}


def _integer(value: Value) -> int:
    found = _number(value)
    if found != int(found):
        raise ValueError("cannot convert value to integer")
    return int(found)


def _url(text: str) -> Value:
    found = urlsplit(text)
    if not (found.scheme or text.startswith("/")):
        raise ValueError(f'URL parse error during conversion from string: parse "{text}": invalid URI for request')
    return {"url": text, "port": "" if found.port is None else str(found.port)}


def _ip(text: str) -> Value:
    return {"ip": str(ip_address(text))}


def _cidr(text: str) -> Value:
    if "/" not in text:
        raise ValueError(f"network address parse error during conversion from string: {text}")
    return {"cidr": str(ip_interface(text))}


def _within(network: Value, address: Value) -> bool:
    whole = ip_interface(network["cidr"]).network
    if isinstance(address, str):
        address = _cidr(address) if "/" in address else _ip(address)
    part = ip_interface(address["cidr"]).network if "cidr" in address else ip_network(address["ip"])
    return part.version == whole.version and part.subnet_of(whole)  # type: ignore[arg-type]


def _scheme(value: Value) -> str:
    return str(urlsplit(value["url"]).scheme)


def _about(question: str) -> Callable[[Value], Any]:
    """A question about an address that Python's own answers."""
    return lambda value: getattr(ip_address(value["ip"]), question)


S, L, D, B, N, F = "STRING", "LIST", "DYN", "BOOL", "INT", "DOUBLE"

FUNCTIONS: tuple[tuple[str, bool, tuple[str, ...], str, Callable[..., Any]], ...] = (
    ("isSorted", True, (L,), B, _sorted),
    ("sum", True, (L,), D, sum),
    ("min", True, (L,), D, _extreme(min, "min")),
    ("max", True, (L,), D, _extreme(max, "max")),
    ("indexOf", True, (L, D), N, _index),
    ("lastIndexOf", True, (L, D), N, _last_index),
    ("find", True, (S, S), S, _find),
    ("findAll", True, (S, S), L, _find_all),
    ("findAll", True, (S, S, N), L, _find_all),
    ("isQuantity", False, (S,), B, _possible(quantities.parse)),
    ("quantity", False, (S,), D, _quantity),
    ("compareTo", True, (D, D), N, _compared),
    ("isGreaterThan", True, (D, D), B, lambda a, b: _compared(a, b) > 0),
    ("isLessThan", True, (D, D), B, lambda a, b: _compared(a, b) < 0),
    ("add", True, (D, D), D, _sum),
    ("sub", True, (D, D), D, _difference),
    ("sign", True, (D,), N, lambda a: _compared(a, 0)),
    ("isInteger", True, (D,), B, lambda a: _number(a) == int(_number(a))),
    ("asInteger", True, (D,), N, _integer),
    ("asApproximateFloat", True, (D,), F, lambda a: float(_number(a))),
    ("isURL", False, (S,), B, _possible(_url)),
    ("url", False, (S,), D, _url),
    ("getScheme", True, (D,), S, _scheme),
    ("getHost", True, (D,), S, lambda a: urlsplit(a["url"]).netloc.rpartition("@")[2]),
    ("getHostname", True, (D,), S, lambda a: urlsplit(a["url"]).hostname or ""),
    ("getPort", True, (D,), S, lambda a: a["port"]),
    ("getEscapedPath", True, (D,), S, lambda a: urlsplit(a["url"]).path),
    ("isIP", False, (S,), B, _possible(ip_address)),
    ("ip", False, (S,), D, _ip),
    ("family", True, (D,), N, _about("version")),
    ("isUnspecified", True, (D,), B, _about("is_unspecified")),
    ("isLoopback", True, (D,), B, _about("is_loopback")),
    ("isCIDR", False, (S,), B, _possible(_cidr)),
    ("cidr", False, (S,), D, _cidr),
    ("ip", True, (D,), D, lambda a: {"ip": str(ip_interface(a["cidr"]).ip)}),
    ("masked", True, (D,), D, lambda a: {"cidr": str(ip_interface(a["cidr"]).network)}),
    ("prefixLength", True, (D,), N, lambda a: ip_interface(a["cidr"]).network.prefixlen),
    ("containsIP", True, (D, D), B, _within),
    ("containsCIDR", True, (D, D), B, _within),
)
"""Name, whether it stands behind its first argument, the arguments' types, the result's type, and what it does."""


def extension() -> Any:
    """All of it, as CEL takes it."""
    from cel_expr_python import cel

    overloads: dict[str, list[Any]] = {}
    for name, member, given, result, function in FUNCTIONS:
        overloads.setdefault(name, []).append(
            cel.Overload(
                f"kubernetes_{name}_{'on_' if member else ''}{'_'.join(given)}".lower(),
                return_type=getattr(cel.Type, result),
                parameters=[getattr(cel.Type, kind) for kind in given],
                is_member=member,
                impl=function,
            )
        )
    return cel.CelExtension("kubernetes", [cel.FunctionDecl(name, found) for name, found in overloads.items()])
