"""``fieldPath`` of a rule: a JSON path of fields alone (schema/cel/validation.go ValidFieldPath)."""

from __future__ import annotations

import re
from typing import Any

from selfheal.server.extensions.structural import Schema

STEP = re.compile(r"\.(?P<field>[^.\[\]']+)|\['(?P<quoted>(?:[^'\\]|\\.)*)'\]")


def normalized(path: str, schema: Schema) -> str | None:
    """The path as errors write it; None if there is no such field."""
    text, at, out = path.strip(), 0, ""
    of: Any = schema
    while at < len(text):
        step = STEP.match(text, at)
        if step is None or not isinstance(of, dict):
            return None
        name = step["field"] or re.sub(r"\\(.)", r"\1", step["quoted"] or "")
        if "properties" in of:
            if name not in of["properties"]:
                return None
            out, of = f"{out}.{name}" if out else name, of["properties"][name]
        elif isinstance(of.get("additionalProperties"), dict):
            out, of = f"{out}[{name}]", of["additionalProperties"]
        else:
            return None
        at = step.end()
    return out or None
