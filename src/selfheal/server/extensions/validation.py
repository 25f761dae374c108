"""What a schema has against a value, and what of it an update may leave as it was.

staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver: validation/validation.go, validation/ratcheting.go,
schema/listtype/validation.go; the texts are those of k8s.io/kube-openapi/pkg/validation/errors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from selfheal.errors import FieldError
from selfheal.server.extensions.structural import Schema, below

NEW: Any = object()
"""In the place of an old value: there is none that this one could be compared with."""


def check(value: Any, schema: Schema, path: str = "", old: Any = NEW) -> list[FieldError]:
    """Everything that a schema has against a value, but for what it already had against the same ``old`` value."""
    found = list(_check(value, schema, path, old))
    return [] if old is not NEW and old == value else found


def _check(value: Any, schema: Schema, path: str, old: Any) -> Iterator[FieldError]:
    if value is None and (schema.get("nullable") or not path):
        return
    if not _is(value, schema):
        wanted = "integer,string" if schema.get("x-kubernetes-int-or-string") else str(schema.get("type"))
        text = f"{path} in body must be of type {wanted}: {_quoted(_type(value))}"
        yield FieldError(path or "<nil>", "FieldValueTypeInvalid", f"Invalid value: {_quoted(_type(value))}: {text}")
        return
    if "enum" in schema and value not in schema["enum"]:
        known = ", ".join(_quoted(v) for v in schema["enum"])
        text = f"Unsupported value: {_quoted(value)}: supported values: {known}"
        yield FieldError(path, "FieldValueNotSupported", text)
    if isinstance(value, bool):
        pass
    elif isinstance(value, int | float):
        yield from _number(value, schema, path)
    elif isinstance(value, str):
        yield from _text(value, schema, path)
    elif isinstance(value, list):
        yield from _list(value, schema, path, old)
    elif isinstance(value, Mapping):
        yield from _map(value, schema, path, old)
    yield from _logic(value, schema, path)


def _type(value: Any) -> str:
    for name, kind in (("null", type(None)), ("boolean", bool), ("integer", int), ("number", float), ("string", str)):
        if isinstance(value, kind):
            return name
    return "array" if isinstance(value, list) else "object"


def _is(value: Any, schema: Schema) -> bool:
    found, wanted = _type(value), schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        return found in ("integer", "string")
    if wanted == "number":
        return found in ("number", "integer")
    if wanted == "integer" and found == "number":
        return bool(float(value).is_integer())
    return wanted in (None, "", found)


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _invalid(path: str, value: Any, why: str) -> FieldError:
    shown = _quoted(value)
    return FieldError(path or "<nil>", "FieldValueInvalid", f"Invalid value: {shown}: {path} in body {why}")


def _number(value: float, schema: Schema, path: str) -> Iterator[FieldError]:
    least, most, step = schema.get("minimum"), schema.get("maximum"), schema.get("multipleOf")
    if least is not None:
        if schema.get("exclusiveMinimum") and value <= least:
            yield _invalid(path, value, f"should be greater than {least:g}")
        elif value < least:
            yield _invalid(path, value, f"should be greater than or equal to {least:g}")
    if most is not None:
        if schema.get("exclusiveMaximum") and value >= most:
            yield _invalid(path, value, f"should be less than {most:g}")
        elif value > most:
            yield _invalid(path, value, f"should be less than or equal to {most:g}")
    if step and value % step:
        yield _invalid(path, value, f"should be a multiple of {step:g}")


def _moment(text: str) -> bool:
    try:
        return "T" in text.upper() and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


FORMATS: dict[str, Callable[[str], object]] = {
    "date-time": _moment,
    "date": lambda t: re.fullmatch(r"\d{4}-\d{2}-\d{2}", t),
    "ipv4": lambda t: re.fullmatch(r"(\d{1,3}\.){3}\d{1,3}", t),
    "uuid": lambda t: re.fullmatch(r"(?i)[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", t),
    "email": lambda t: re.fullmatch(r"[^@\s]+@[^@\s]+", t),
    "byte": lambda t: re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", t),
}
"""Formats that are checked; all others say nothing."""


def _text(value: str, schema: Schema, path: str) -> Iterator[FieldError]:
    if (most := schema.get("maxLength")) is not None and len(value) > most:
        yield FieldError(path, "FieldValueTooLong", f"Too long: may not be more than {most} bytes")
    if (least := schema.get("minLength")) is not None and len(value) < least:
        yield _invalid(path, value, f"should be at least {least} chars long")
    if "pattern" in schema and re.search(schema["pattern"], value) is None:
        yield _invalid(path, value, f"should match '{schema['pattern']}'")
    known = FORMATS.get(schema.get("format", ""))
    if known is not None and not known(value):
        yield _invalid(path, value, f"must be of type {schema['format']}: {_quoted(value)}")


def _list(value: list[Any], schema: Schema, path: str, old: Any) -> Iterator[FieldError]:
    if (most := schema.get("maxItems")) is not None and len(value) > most:
        yield FieldError(path, "FieldValueTooMany", f"Too many: {len(value)}: must have at most {most} items")
    if (least := schema.get("minItems")) is not None and len(value) < least:
        yield _invalid(path, len(value), f"should have at least {least} items")
    items, before = schema.get("items"), by_key(old, schema)
    for i, item in enumerate(value):
        if isinstance(items, Mapping):
            yield from check(item, items, f"{path}[{i}]", before.get(key_of(item, schema), NEW))


def by_key(old: Any, schema: Schema) -> dict[str, Any]:
    """The items of the old list that can be found again."""
    if not isinstance(old, list) or schema.get("x-kubernetes-list-type") != "map":
        return {}
    return {key_of(item, schema): item for item in old}


def key_of(item: Any, schema: Schema) -> str:
    """By what an item is told from the others of its list."""
    if schema.get("x-kubernetes-list-type") == "map":
        keys, given = schema.get("x-kubernetes-list-map-keys") or (), item if isinstance(item, Mapping) else {}
        item = {key: given[key] for key in keys if key in given}
    return json.dumps(item, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def duplicates(value: Any, schema: Schema, path: str = "") -> Iterator[FieldError]:
    """Items that come twice in lists that are sets or maps."""
    if isinstance(value, Mapping):
        for key, held in value.items():
            of = below(schema, key)
            if of is not None:
                yield from duplicates(held, of, _join(path, key))
    if not isinstance(value, list):
        return
    kind = schema.get("x-kubernetes-list-type")
    wrong = [i for i, item in enumerate(value) if item is not None and not isinstance(item, Mapping)]
    if kind == "map" and wrong:
        text = f"Invalid value: {_quoted(value[wrong[0]])}: must be an object for an array of list-type map"
        yield FieldError(f"{path}[{wrong[0]}]", "FieldValueInvalid", text)
    elif kind in ("map", "set"):
        seen: list[str] = []
        for i, item in enumerate(value):
            seen.append(key_of(item, schema))
            if seen.count(seen[-1]) == 2:  # a third time says nothing new
                yield FieldError(f"{path}[{i}]", "FieldValueDuplicate", f"Duplicate value: {seen[-1]}")
    for i, item in enumerate(value):
        yield from duplicates(item, schema.get("items") or {}, f"{path}[{i}]")


def _map(value: Mapping[str, Any], schema: Schema, path: str, old: Any) -> Iterator[FieldError]:
    if (most := schema.get("maxProperties")) is not None and len(value) > most:
        yield FieldError(path, "FieldValueTooMany", f"Too many: {len(value)}: must have at most {most} items")
    if (least := schema.get("minProperties")) is not None and len(value) < least:
        yield _invalid(path, len(value), f"should have at least {least} properties")
    for key in schema.get("required") or ():
        if key not in value:
            yield FieldError(_join(path, key), "FieldValueRequired", "Required value")
    for key, held in value.items():
        of = below(schema, key)
        if of is not None:
            before = old.get(key, NEW) if isinstance(old, Mapping) else NEW
            yield from check(held, of, _join(path, key), before)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _logic(value: Any, schema: Schema, path: str) -> Iterator[FieldError]:
    for part in schema.get("allOf") or ():
        yield from check(value, part, path)
    quoted = f'"{path}"'
    if schema.get("anyOf") and not any(_fits(value, part) for part in schema["anyOf"]):
        yield FieldError(
            path, "FieldValueInvalid", f"Invalid value: {quoted} must validate at least one schema (anyOf)"
        )
    if schema.get("oneOf"):
        fitting = sum(_fits(value, part) for part in schema["oneOf"])
        if fitting != 1:
            found = "Found none valid" if not fitting else f"Found {fitting} valid alternatives"
            text = f"Invalid value: {quoted} must validate one and only one schema (oneOf). {found}"
            yield FieldError(path, "FieldValueInvalid", text)
    if schema.get("not") and _fits(value, schema["not"]):
        yield FieldError(path, "FieldValueInvalid", f"Invalid value: {quoted} must not validate the schema (not)")


def _fits(value: Any, schema: Schema) -> bool:
    return not check(value, schema, "x")
