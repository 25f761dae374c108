"""Where pods may run: taints, tolerations, spreading."""

from __future__ import annotations

from selfheal.printers import selectors
from selfheal.printers.describe.writer import Writer
from selfheal.printers.fields import Fields, at, items, number, text


def taint(of: Fields) -> str:
    """``lab=fail:NoSchedule`` (staging/src/k8s.io/api/core/v1/taint.go ToString)."""
    key, value, effect = text(of, "key"), text(of, "value"), text(of, "effect")
    named = f"{key}={value}" if value else key
    if not effect:
        return f"{key}={value}:" if value else key
    return f"{named}:{effect}"


def taints(w: Writer, node: Fields) -> None:
    found = sorted(items(node, "spec.taints"), key=lambda t: f"{text(t, 'effect')},{text(t, 'key')}")
    w.values("Taints", [taint(t) for t in found])


def tolerations(w: Writer, name: str, spec: Fields) -> None:
    """(describe.go printPodTolerationsMultiline)"""
    found = sorted(items(spec, "tolerations"), key=lambda t: text(t, "key"))
    w.values(name, [_toleration(t) for t in found])


def _toleration(of: Fields) -> str:
    key, value, effect = text(of, "key"), text(of, "value"), text(of, "effect")
    out = key + (f"={value}" if value else "") + (f":{effect}" if effect else "")
    if text(of, "operator") == "Exists" and not value:
        out += " op=Exists" if out else "op=Exists"
    seconds = at(of, "tolerationSeconds")
    return out if seconds is None else f"{out} for {seconds}s"


def spread(w: Writer, spec: Fields, indent: str = "") -> None:
    """Topology spread constraints; nothing without them."""
    found = sorted(items(spec, "topologySpreadConstraints"), key=lambda c: text(c, "topologyKey"))
    if found:
        w.values("Topology Spread Constraints", [_constraint(c) for c in found], indent)


def _constraint(of: Fields) -> str:
    out = f"{text(of, 'topologyKey')}:{text(of, 'whenUnsatisfiable')} when max skew {number(of, 'maxSkew')} is exceeded"
    selector = at(of, "labelSelector")
    return out if selector is None else f"{out} for selector {selectors.selector_or_none(selector)}"
