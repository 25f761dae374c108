"""The table of a custom resource: ``additionalPrinterColumns``, each with a simple JSONPath.

staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor/tableconvertor.go
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from selfheal.objects import Object, name
from selfheal.printers import Column, Row, Table
from selfheal.printers.duration import since

STEP = re.compile(
    r"""\.(?P<field>[\w\-\\./]+?(?=[.\[]|$))|\[(?P<index>-?\d+)\]|\[(?P<all>\*)\]|\[['"](?P<quoted>[^'"]*)['"]\]"""
    r"""|\[\?\(@\.(?P<key>[\w.\-]+)\s*==\s*['"](?P<equal>[^'"]*)['"]\)\]"""
)
AGE = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
"""What a definition without columns gets."""


def values(obj: Any, path: str) -> list[Any]:
    """What a JSONPath finds; nothing if it is not understood."""
    found, at = [obj], 0
    text = path.strip().strip("{}")
    text = text if text.startswith((".", "[")) else f".{text}"
    while at < len(text):
        step = STEP.match(text, at)
        if step is None:
            return []
        found = [value for parent in found for value in _step(parent, step)]
        at = step.end()
    return found


def _step(parent: Any, step: re.Match[str]) -> Sequence[Any]:
    if step["index"] is not None:
        return [parent[int(step["index"])]] if isinstance(parent, list) and _inside(parent, int(step["index"])) else []
    if step["all"]:
        return parent if isinstance(parent, list) else list(parent.values()) if isinstance(parent, Mapping) else []
    if step["key"]:
        items = parent if isinstance(parent, list) else []
        return [i for i in items if isinstance(i, Mapping) and str(i.get(step["key"])) == step["equal"]]
    key = (step["field"] or step["quoted"] or "").replace("\\.", ".")
    return [parent[key]] if isinstance(parent, Mapping) and key in parent else []


def _inside(items: list[Any], index: int) -> bool:
    return -len(items) <= index < len(items)


def _cell(obj: Object, column: Mapping[str, Any], now: float) -> Any:
    found = values(obj, column["jsonPath"])
    if not found:
        return None
    value, kind = found[0], column.get("type")
    if kind == "date":
        return since(value, now) if isinstance(value, str) else None
    if kind in ("integer", "number", "boolean") and isinstance(value, int | float):
        return value
    if len(found) > 1:
        return ",".join(_text(v) for v in found)
    return _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def table(columns: Sequence[Mapping[str, Any]], objs: Sequence[Object], now: float, *, namespaced: bool) -> Table:
    """The table of some objects of a custom kind."""
    shown = columns or (AGE,)
    heads = tuple(
        Column(c["name"], c.get("type", "string"), c.get("format", ""), int(c.get("priority") or 0)) for c in shown
    )
    rows = tuple(Row((name(o), *(_cell(o, c, now) for c in shown)), o) for o in objs)
    return Table((Column("Name", "string", "name"), *heads), rows, namespaced)
