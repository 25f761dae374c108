"""What is wrong with the fields of an object, in Kubernetes' words.

staging/src/k8s.io/apimachinery/pkg/util/validation/field/errors.go and
staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from selfheal.errors import FieldError, Invalid
from selfheal.manifests.plain import number
from selfheal.objects import Object


class Errors:
    """A list of errors under way. Each method adds one."""

    def __init__(self) -> None:
        self.found: list[FieldError] = []

    def invalid(self, field: str, value: Any, detail: str) -> None:
        self._add(field, "FieldValueInvalid", f"Invalid value: {shown(value)}", detail)

    def each(self, field: str, value: Any, details: Iterable[str]) -> None:
        """One error for each thing that is wrong with the value."""
        for detail in details:
            self.invalid(field, value, detail)

    def required(self, field: str, detail: str = "") -> None:
        self._add(field, "FieldValueRequired", "Required value", detail)

    def forbidden(self, field: str, detail: str) -> None:
        self._add(field, "FieldValueForbidden", "Forbidden", detail)

    def unsupported(self, field: str, value: Any, supported: Sequence[str]) -> None:
        known = ", ".join(map(quoted, supported))
        self._add(field, "FieldValueNotSupported", f"Unsupported value: {shown(value)}", f"supported values: {known}")

    def duplicate(self, field: str, value: Any, detail: str = "") -> None:
        self._add(field, "FieldValueDuplicate", f"Duplicate value: {shown(value)}", detail)

    def not_found(self, field: str, value: Any) -> None:
        self._add(field, "FieldValueNotFound", f"Not found: {shown(value)}")

    def too_long(self, field: str, limit: int) -> None:
        self._add(field, "FieldValueTooLong", "Too long", f"may not be more than {limit} bytes")

    def too_many(self, field: str, count: int, limit: int) -> None:
        self._add(field, "FieldValueTooMany", f"Too many: {count}", f"must have at most {limit} items")

    def not_negative(self, field: str, value: int | None) -> None:
        """ValidateNonnegativeField; a field that is not there is fine."""
        if value is not None and value < 0:
            self.invalid(field, value, "must be greater than or equal to 0")

    def one_of(self, field: str, value: str | None, supported: Sequence[str]) -> None:
        """A text that must be there and be one of a few."""
        if not value:
            self.required(field)
        elif value not in supported:
            self.unsupported(field, value, supported)

    def immutable(self, field: str, new: Any, old: Any) -> None:
        """ValidateImmutableField"""
        if new != old:
            self.invalid(field, new, "field is immutable")

    def _add(self, field: str, reason: str, *parts: str) -> None:
        self.found.append(FieldError(field, reason, ": ".join(p for p in parts if p)))

    def refuse(self, obj: Object) -> None:
        """Raise Invalid if there is anything in the list."""
        if self.found:
            raise invalid(obj, tuple(dict.fromkeys(self.found)))


def invalid(obj: Object, causes: tuple[FieldError, ...]) -> Invalid:
    """The API server's refusal of an object (NewInvalid)."""
    group, slash, _ = obj["apiVersion"].rpartition("/")
    kind = f"{obj['kind']}.{group}" if slash else obj["kind"]
    texts = ", ".join(map(str, causes))
    name = obj["metadata"].get("name", "")
    return Invalid(f"{kind} {quoted(name)} is invalid: {texts if len(causes) == 1 else f'[{texts}]'}", causes)


def shown(value: Any) -> str:
    """A value as errors show it: texts quoted, numbers plain, all else as JSON."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, float):
        return number(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


_ESCAPES = dict(zip('\\"\a\b\f\n\r\t\v', '\\"abfnrtv', strict=True))


def quoted(text: str) -> str:
    """A text in double quotes, as Go's ``%q`` writes it."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return f"\\{_ESCAPES[char]}"
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
