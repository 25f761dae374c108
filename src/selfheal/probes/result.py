"""What a probe finds out (pkg/probe/probe.go)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from selfheal.clock import MILLISECOND, SECOND

if TYPE_CHECKING:
    from selfheal.spec import ContainerPort

Result = Literal["success", "warning", "failure", "unknown"]

BODY_LIMIT = 10 * 1024
"""Bytes kept of a body or of a command's output (pkg/probe/http/http.go, pkg/probe/exec/exec.go)."""


class Panic(Exception):
    """What a handler of the real thing would end with: a mistake in its code. Nothing simulated raises it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt's result."""

    result: Result
    output: str = ""
    """What the event will say."""
    error: str | None = None
    """If set, the attempt could not be made as meant: it is repeated and in the end not counted."""
    duration: int = 0
    """Simulated time the attempt took, in µs (without the machinery's own latencies)."""
    steady: bool = True
    """Whether asking again gives the same, as long as the container's version does not change."""


def told(outcome: Outcome, probe: str) -> tuple[str, str] | None:
    """The event (reason, message) that an outcome leaves, for a probe called ``liveness`` …; None: none (prober.go)."""
    title = probe.capitalize()
    if outcome.error is not None:
        return "Unhealthy", f"{title} probe errored and resulted in {outcome.result} state: {outcome.error}"
    if outcome.result == "warning":
        return "ProbeWarning", f"{title} probe warning: {outcome.output}"
    return ("Unhealthy", f"{title} probe failed: {outcome.output}") if outcome.result == "failure" else None


class PortError(Exception):
    """A port that cannot be resolved; the text is Kubernetes' own."""


def port_number(port: int | str, ports: Sequence[ContainerPort]) -> int:
    """The number of a port given by number, by name, or by a number in letters (pkg/probe/util.go)."""
    if isinstance(port, str):
        named = next((p.container_port for p in ports if p.name == port), None)
        if named is None:
            try:
                port = int(port)
            except ValueError:
                raise PortError(f'strconv.Atoi: parsing "{port}": invalid syntax') from None
        else:
            port = named
    if not 0 < port < 65536:
        raise PortError(f"invalid port number: {port}")
    return port


def cut(text: str) -> str:
    """The first 10 KiB."""
    return text if len(text) * 4 <= BODY_LIMIT else text.encode()[:BODY_LIMIT].decode(errors="ignore")


def go_duration(micros: int) -> str:
    """A duration as Go prints it: ``1s``, ``1m30s``, ``1h0m0s``, ``500ms``."""
    if micros == 0:
        return "0s"
    if micros < MILLISECOND:
        return f"{micros}µs"
    if micros < SECOND:
        return f"{_decimal(micros, MILLISECOND)}ms"
    minutes, rest = divmod(micros, 60 * SECOND)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, SECOND)}s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


UNITS = {"ns": 0.001, "us": 1, "µs": 1, "ms": MILLISECOND, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}


def go_micros(text: str) -> int | None:
    """The µs of a duration as Go reads it (``1m30s``, ``.5s``, ``0``); None if it is none (time.ParseDuration)."""
    if text == "0":
        return 0
    parts = re.findall(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text.lstrip("+"):
        return None
    return round(sum(float(number) * UNITS[unit] for number, unit in parts))


def _decimal(value: int, unit: int) -> str:
    whole, fraction = divmod(value, unit)
    digits = str(fraction).rjust(len(str(unit)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)
