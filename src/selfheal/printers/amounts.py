"""Amounts of CPU and memory as Kubernetes writes them back: ``0.5`` as ``500m``, ``1024Mi`` as ``1Gi``.

(staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go CanonicalizeBytes)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from selfheal import quantities
from selfheal.printers import fields

_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}


@dataclass(frozen=True, slots=True)
class Amount:
    """A quantity that remembers in which family of suffixes it is written."""

    value: Decimal = Decimal(0)
    style: str = ""
    """``binary`` (Mi), ``exponent`` (1e3) or ``""`` (m, k)."""

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.value + other.value, self.style if self.value else other.style)

    def __str__(self) -> str:
        if not self.value:
            return "0"
        if self.style == "binary" and abs(self.value) >= 1024:
            return _binary(self.value)
        return _decimal(self.value, exponent=self.style == "exponent")

    def of(self, whole: Amount) -> int:
        """Per cent of ``whole``, cut to a whole number; 0 of nothing."""
        return int(self.value * 100 / whole.value) if whole.value else 0


def _binary(value: Decimal) -> str:
    whole, power = int(value.to_integral_value(ROUND_CEILING)), 0
    while whole % 1024 == 0 and power + 1 < len(_BINARY):
        whole, power = whole // 1024, power + 1
    return f"{whole}{_BINARY[power]}"


def _decimal(value: Decimal, *, exponent: bool) -> str:
    """A whole number with the largest suffix that keeps it whole."""
    power = max(p for p in _DECIMAL if p == -9 or not value.scaleb(-p) % 1)
    suffix = (f"e{power}" if power else "") if exponent else _DECIMAL[power]
    return f"{int(value.scaleb(-power))}{suffix}"


def parse(text: Any) -> Amount | None:
    """The amount that a field holds; None if it is none."""
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        return None
    try:
        value = quantities.parse(text)
    except ValueError:
        return None
    written = str(text)
    if written.endswith("i"):
        return Amount(value, "binary")
    return Amount(value, "exponent" if written[-1].isdigit() and "e" in written.lower() else "")


def canonical(text: Any) -> str:
    """A quantity as Kubernetes writes it; what is no quantity stays as it is."""
    found = parse(text)
    return fields.written(text) if found is None else str(found)


def at(obj: Any, path: str, default: str = "<unknown>") -> str:
    """The quantity at ``path`` in canonical form."""
    value = fields.at(obj, path)
    return default if value is None else canonical(value)


def read(amounts: Mapping[str, Any]) -> dict[str, Amount]:
    """A resource list (``limits``, ``requests``, ``allocatable``)."""
    found = {name: parse(text) for name, text in amounts.items()}
    return {name: amount for name, amount in found.items() if amount is not None}
