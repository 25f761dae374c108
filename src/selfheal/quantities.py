"""Quantities: ``250m`` of CPU, ``64Mi`` of memory, as whole numbers.

Kubernetes writes amounts of a resource as a decimal number with a suffix
(staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go). The simulator counts CPU in
thousandths of a core and everything else in its own unit (bytes, pods, devices).
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Context, Decimal

PATTERN = re.compile(
    r"(?P<sign>[+-]?)(?P<digits>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
    r"(?:(?P<suffix>Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E)|[eE](?P<exponent>[+-]?[0-9]+))?",
    re.ASCII,
)

MALFORMED = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
"""What Kubernetes says of a text that is no quantity (quantity.go ErrFormatWrong)."""

SCALES: dict[str, Decimal] = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    "k": Decimal("1e3"),
    "M": Decimal("1e6"),
    "G": Decimal("1e9"),
    "T": Decimal("1e12"),
    "P": Decimal("1e15"),
    "E": Decimal("1e18"),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
    "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}

LARGEST = Decimal(2**63 - 1)
"""Larger amounts are cut to this one (quantity.go maxAllowed)."""

_EXACT = Context(prec=80)
_NANO = Decimal("1e-9")


def parse(text: str | float) -> Decimal:
    """The amount that ``text`` stands for; ValueError, with Kubernetes' text, if it is none.

    Fractions below 10⁻⁹ are rounded away from zero, and amounts beyond 2⁶³ − 1 are cut to that, as Kubernetes does.
    """
    text = str(text)
    found = PATTERN.fullmatch(text) if len(text) <= 400 else None
    if found is None:
        raise ValueError(MALFORMED)
    digits = Decimal(found["digits"], _EXACT)
    if found["exponent"] is not None:
        exponent = int(found["exponent"][:6])
        amount = digits.scaleb(max(-50, min(50, exponent)), _EXACT) if digits else Decimal(0)
    else:
        amount = _EXACT.multiply(digits, SCALES[found["suffix"] or ""])
    amount = min(amount, LARGEST)
    amount = amount.quantize(_NANO, ROUND_CEILING, _EXACT)
    return -amount if found["sign"] == "-" else amount


def milli(text: str | float) -> int:
    """Thousandths, rounded up: ``"250m"`` is 250, ``1`` is 1000 (``Quantity.MilliValue``)."""
    return int((parse(text) * 1000).to_integral_value(ROUND_CEILING))


def value(text: str | float) -> int:
    """Whole units, rounded up: ``"64Mi"`` is 67108864 (``Quantity.Value``)."""
    return int(parse(text).to_integral_value(ROUND_CEILING))


def count(resource: str, text: str | float) -> int:
    """An amount of a resource as the scheduler counts it: CPU in thousandths of a core, all else in units."""
    return milli(text) if resource == "cpu" else value(text)


def canonical(text: str | float) -> str:
    """The form in which the API server keeps an amount: ``0.5`` is ``500m``, ``1024Mi`` is ``1Gi``.

    Binary and decimal suffixes and exponents each stay what they are; the largest suffix with no fraction
    is chosen (quantity.go CanonicalizeBytes). ValueError as in :func:`parse`.
    """
    text = str(text)
    amount = parse(text)
    found = PATTERN.fullmatch(text)
    assert found is not None
    suffix = found["suffix"] or ""
    if not amount:
        return "0"
    if suffix.endswith("i") and abs(amount) >= 1024:
        whole, power = int(amount.to_integral_value(ROUND_CEILING)), 0
        while whole % 1024 == 0 and power < 6:
            whole, power = whole // 1024, power + 1
        return f"{whole}{('', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei')[power]}"
    thousands = -3
    digits = int(amount.scaleb(9, _EXACT))
    while digits % 1000 == 0 and thousands < 6:
        digits, thousands = digits // 1000, thousands + 1
    if found["exponent"] is not None:
        return f"{digits}e{3 * thousands}" if thousands else str(digits)
    return f"{digits}{('n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E')[thousands + 3]}"


def add(one: str, other: str) -> str:
    """The sum of two amounts, in the form of the first that is not 0 (quantity.go Add). ValueError for a bad one."""
    first = one if parse(one) else other
    total = parse(one) + parse(other)
    if first.endswith("i"):
        return canonical(f"{total / 1024:f}Ki")
    return canonical(f"{total:f}")
