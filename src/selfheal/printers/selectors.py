"""Labels and selectors on one line: ``app=web,tier in (back,front)``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from selfheal.objects import matches
from selfheal.printers.fields import items, mapping, strings, text, written


def labels(of: Mapping[str, Any]) -> str:
    """``app=web,tier=front`` in the order of the keys, or ``<none>`` (labels.FormatLabels)."""
    return ",".join(f"{key}={written(of[key])}" for key in sorted(of)) or "<none>"


def selector(of: Any) -> str:
    """A LabelSelector as text, empty if it selects everything or is missing.

    (staging/src/k8s.io/apimachinery/pkg/labels/selector.go Requirement.String)
    """
    parts = [(key, f"{key}={written(value)}") for key, value in mapping(of, "matchLabels").items()]
    for expression in items(of, "matchExpressions"):
        key, operator = text(expression, "key"), text(expression, "operator")
        if operator in ("In", "NotIn"):
            parts.append((key, f"{key} {operator.lower()} ({','.join(sorted(strings(expression, 'values')))})"))
        else:
            parts.append((key, f"!{key}" if operator == "DoesNotExist" else key))
    return ",".join(part for _, part in sorted(parts, key=lambda pair: pair[0]))


def selector_or_none(of: Any) -> str:
    """As :func:`selector`, with ``<none>`` for an empty one (metav1.FormatLabelSelector)."""
    return selector(of) or "<none>"


def selects(of: Any, on: Mapping[str, Any]) -> bool:
    """Whether labels match a LabelSelector; a malformed one selects nothing."""
    try:
        return isinstance(of, Mapping) and matches(of, on)
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
