"""``x-kubernetes-validations``: rules about an object that its schema alone cannot say.

staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go, compilation.go. What an expression
may cost is neither estimated nor counted, but for an end to how often it may go round.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from selfheal.errors import FieldError
from selfheal.server.extensions import expressions
from selfheal.server.extensions.exposed import exposed
from selfheal.server.extensions.expressions import BadExpression, Failed, compiled
from selfheal.server.extensions.fieldpaths import normalized
from selfheal.server.extensions.structural import Schema, below
from selfheal.server.extensions.validation import NEW, by_key, key_of

RULES = "x-kubernetes-validations"
REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
LONGEST = 5 * 1024
"""Bytes of what a messageExpression may say (MaxEvaluatedMessageExpressionSizeBytes)."""

ALONE, BOTH = ("self",), ("self", "oldSelf")
BLOCKING = (
    "FieldValueNotSupported",
    "FieldValueRequired",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "FieldValueTypeInvalid",
)
"""Faults with which an object's rules are not even asked."""
UNASKED = FieldError(
    "<nil>",
    "FieldValueInvalid",
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation",
)


class Place(NamedTuple):
    """Where in an object: what was there before, and what of that counts (ratcheting)."""

    path: str
    old: Any = NEW
    """What a rule knows as oldSelf."""
    current: Any = NEW
    """What stood there, if it can be told which that was."""
    above: tuple[Any, Any] | None = None
    """(old, new) of the nearest place above of which it can be told."""

    def field(self, key: str, path: str, value: Any, *, correlates: bool) -> Place:
        """A field below a map, ``value``."""
        held = self.old.get(key, NEW) if correlates and isinstance(self.old, Mapping) else NEW
        if self.current is NEW:
            return Place(path, held, NEW, self.above)
        if self.above is None and key in ("apiVersion", "kind"):
            return Place(path, held)
        now = self.current.get(key, NEW) if isinstance(self.current, Mapping) else NEW
        return Place(path, held, now, (self.current, value))

    def item(self, key: str, i: int, value: Any, schema: Schema) -> Place:
        """An item of a list, ``value``."""
        held, now = by_key(self.old, schema).get(key, NEW), by_key(self.current, schema).get(key, NEW)
        if self.current is NEW:
            return Place(f"{self.path}[{i}]", held, NEW, self.above)
        return Place(f"{self.path}[{i}]", held, now, (self.current, value))

    def unchanged(self, value: Any) -> bool:
        """Whether an update has left it, or what it lies in, as it was."""
        if self.current is not NEW:
            return bool(self.current == value)
        return self.above is not None and bool(self.above[0] == self.above[1])


def check(new: Any, schema: Schema, old: Any, warnings: list[str]) -> list[FieldError]:
    """What the rules of a schema have against an object; ``warnings`` gets what they had against it before."""
    before = NEW if old is None else old
    return list(_check(new, schema, schema, Place("", before, before), warnings, root=True))


def _check(
    value: Any, schema: Schema, node: Schema, place: Place, warnings: list[str], *, root: bool = False
) -> Iterator[FieldError]:
    """``node`` is the schema with the types of what ``schema`` has rules about."""
    if value is None:
        return
    yield from _rules(value, schema, node, place, warnings, root=root)
    for part in schema.get("allOf") or ():
        yield from _check(value, part, node, place._replace(current=NEW), warnings, root=root)
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping) and isinstance(node.get("items"), Mapping):
        for i, item in enumerate(value):
            there = place.item(key_of(item, node), i, value, node)
            yield from _check(item, schema["items"], node["items"], there, warnings, root=_embedded(node["items"]))
    if not isinstance(value, Mapping):
        return
    for key, held in value.items():
        of, types = below(schema, key), below(node, key)
        if of is not None and types is not None:
            named = key in (node.get("properties") or {})
            path = (f"{place.path}.{key}" if place.path else key) if named else f"{place.path}[{key}]"
            there = place.field(key, path, value, correlates=node.get("x-kubernetes-map-type") != "atomic")
            yield from _check(held, of, types, there, warnings, root=_embedded(types))


def _embedded(schema: Schema) -> bool:
    return schema.get("x-kubernetes-embedded-resource") is True


def _rules(
    value: Any, schema: Schema, node: Schema, place: Place, warnings: list[str], *, root: bool
) -> Iterator[FieldError]:
    rules = schema.get(RULES) or ()
    if not rules:
        return
    given = {"self": exposed(value, node, root=root)}
    if place.old is not NEW and place.old is not None:
        given["oldSelf"] = exposed(place.old, node, root=root)
    kind = json.dumps(node.get("type", ""))
    for rule in rules:
        if unanswered(rule):
            warnings.append(f"not evaluated: {place.path or '<nil>'}: {_told(rule)}")
            continue
        transition = _transition(rule["rule"])
        if transition and "oldSelf" not in given and not rule.get("optionalOldSelf"):
            continue
        try:
            fits = _asked(rule, given)
        except Failed as error:
            why = f"{error} evaluating rule: {_told(rule)}"
            if str(error) == "no such overload":
                signature = "call arguments did not match a supported operator, function or macro signature"
                why = f"'{error}': {signature} for rule: {_told(rule)}"
            yield FieldError(place.path or "<nil>", "FieldValueInvalid", f"Invalid value: {kind}: {why}")
            continue
        if fits is not True:
            wrong = _wrong(rule, given, node, place, kind)
            if transition or not place.unchanged(value):
                yield wrong
            else:
                warnings.append(str(wrong))


def _transition(text: str) -> bool:
    """Whether a rule asks what was there before."""
    if "oldSelf" not in text:
        return False
    try:
        compiled(text, ALONE)
    except BadExpression:
        return True
    return False


def _asked(rule: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    if not rule.get("optionalOldSelf"):
        return compiled(rule["rule"], BOTH).evaluate(given)
    text = f"cel.bind(oldSelf, there__ ? optional.of(old__) : optional.none(), (\n{rule['rule']}\n))"
    known = {"self": given["self"], "there__": "oldSelf" in given, "old__": given.get("oldSelf")}
    return compiled(text, ("self", "there__", "old__"), binds=True).evaluate(known)


def _told(rule: Mapping[str, Any]) -> str:
    return str(rule.get("message") or rule["rule"]).strip()


def _wrong(rule: Mapping[str, Any], given: Mapping[str, Any], node: Schema, place: Place, kind: str) -> FieldError:
    """What is said of a rule that does not hold."""
    detail = _said(rule, given) or (str(rule.get("message") or "").strip() or f"failed rule: {_told(rule)}")
    path = place.path
    if rule.get("fieldPath"):
        field = normalized(rule["fieldPath"], node) or ""
        path = f"{path}.{field}" if path and field else path or field
    reason = rule.get("reason") or "FieldValueInvalid"
    text = {
        "FieldValueForbidden": f"Forbidden: {detail}",
        "FieldValueRequired": f"Required value: {detail}",
        "FieldValueDuplicate": f"Duplicate value: {kind}",
    }.get(reason, f"Invalid value: {kind}: {detail}")
    return FieldError(path or "<nil>", reason, text)


def _said(rule: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """What its messageExpression comes to; '' if that is nothing to show."""
    if not rule.get("messageExpression"):
        return ""
    try:
        said = compiled(rule["messageExpression"], BOTH).evaluate(given)
    except (BadExpression, Failed):
        return ""
    text = said.strip() if isinstance(said, str) else ""
    return "" if "\n" in text or len(text.encode()) > LONGEST else text


# ---- when a definition is written


def unanswered(rule: Mapping[str, Any]) -> bool:
    """Whether a rule cannot be asked here, though it may be right."""
    if not expressions.available():
        return True
    if not expressions.elsewhere(rule["rule"]):
        return False
    try:
        compiled(rule["rule"], BOTH)
    except BadExpression:
        return True
    return False


def each(schema: Schema, path: str, apart: str = "") -> Iterator[tuple[Schema, Mapping[str, Any], str, str]]:
    """(schema, rule, where the rule stands, above it what cannot be told from what it was) of each rule."""
    rules = schema.get(RULES) or ()
    for i, rule in enumerate(rules if isinstance(rules, list) else ()):
        yield schema, rule if isinstance(rule, Mapping) else {}, f"{path}.{RULES}[{i}]", apart
    atomic = apart or (path if schema.get("x-kubernetes-map-type") == "atomic" else "")
    for key, held in (schema.get("properties") or {}).items():
        yield from each(held, f"{path}.properties[{key}]", atomic)
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield from each(schema["additionalProperties"], f"{path}.additionalProperties", atomic)
    if isinstance(schema.get("items"), Mapping):
        listed = apart or (path if schema.get("x-kubernetes-list-type") != "map" else "")
        yield from each(schema["items"], f"{path}.items", listed)
    for i, part in enumerate(schema.get("allOf") or ()):
        yield from each(part, f"{path}.allOf[{i}]", apart)


def problems(schema: Schema, path: str) -> Iterator[FieldError]:
    """What is wrong with the rules of a schema."""
    for node, rule, where, apart in each(schema, path):
        wrong = list(_form(rule, node, where))
        yield from wrong or (() if unanswered(rule) else _compilation(rule, where, apart))


def _form(rule: Mapping[str, Any], node: Schema, where: str) -> Iterator[FieldError]:
    for name in ("rule", "message", "messageExpression", "fieldPath", "reason"):
        if not isinstance(rule.get(name) or "", str):
            yield _invalid(f"{where}.{name}", rule[name], "must be a string")
            return
    message, text = rule.get("message") or "", (rule.get("rule") or "").strip()
    if not text:
        yield FieldError(f"{where}.rule", "FieldValueRequired", "Required value: rule is not specified")
    elif message and not message.strip():
        yield _invalid(f"{where}.message", message, "must be non-empty if specified")
    elif "\n" in message.strip():
        yield _invalid(f"{where}.message", message, "must not contain line breaks")
    elif "\n" in text and not message:
        why = "message must be specified if rule contains line breaks"
        yield FieldError(f"{where}.message", "FieldValueRequired", f"Required value: {why}")
    if rule.get("reason") and rule["reason"] not in REASONS:
        known = ", ".join(json.dumps(r) for r in REASONS)
        told = f"Unsupported value: {json.dumps(rule['reason'])}: supported values: {known}"
        yield FieldError(f"{where}.reason", "FieldValueNotSupported", told)
    if rule.get("fieldPath") and normalized(rule["fieldPath"], node) is None:
        yield _invalid(f"{where}.fieldPath", rule["fieldPath"], "must be a valid path")


def _compilation(rule: Mapping[str, Any], where: str, apart: str) -> Iterator[FieldError]:
    text = rule["rule"]
    try:
        if compiled(text, BOTH).type not in ("BOOL", "DYN"):
            yield _invalid(f"{where}.rule", _internal(rule), "cel expression must evaluate to a bool")
    except BadExpression as error:
        yield _invalid(f"{where}.rule", _internal(rule), f"compilation failed: {error}")
        return
    if rule.get("messageExpression"):
        field = f"{where}.messageExpression"
        try:
            if compiled(rule["messageExpression"], BOTH).type not in ("STRING", "DYN"):
                yield _invalid(field, _internal(rule), "messageExpression must evaluate to a string")
        except BadExpression as error:
            yield _invalid(field, _internal(rule), f"messageExpression compilation failed: {error}")
    if _transition(text) and apart:
        why = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {apart}"
        yield _invalid(f"{where}.rule", text, why)
    elif not _transition(text) and rule.get("optionalOldSelf") is not None:
        why = "may not be set if oldSelf is not used in rule"
        yield _invalid(f"{where}.optionalOldSelf", rule["optionalOldSelf"], why)


def _internal(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as the server's errors show it (apis/apiextensions/types_jsonschema.go)."""
    texts = {f"{name[0].upper()}{name[1:]}": rule.get(name) or "" for name in ("rule", "message", "messageExpression")}
    rest = {"FieldPath": rule.get("fieldPath") or "", "OptionalOldSelf": rule.get("optionalOldSelf")}
    return {**texts, "Reason": rule.get("reason"), **rest}


def _invalid(path: str, value: Any, why: str) -> FieldError:
    shown = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return FieldError(path, "FieldValueInvalid", f"Invalid value: {shown}: {why}")
