"""Strict decoding: does every field exist, and has it the right type?

The API server decodes a request into Go structs and complains in Go's words (sigs.k8s.io/json). The first wrong type
ends it; otherwise all unknown fields are told at once. kubectl sends JSON with sorted keys, so "first" is by name.
What comes out is what the server would keep: nulls are gone, quantities stand in their canonical form.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from selfheal import quantities, schema
from selfheal.errors import BadRequest
from selfheal.manifests.names import nearest
from selfheal.manifests.plain import Plain, number
from selfheal.objects import Object

MOST_ERRORS = 100
"""Unknown fields that are told at once (sigs.k8s.io/json: the limit on strict errors)."""


def decode(obj: Object) -> Object:
    """The object as the API server reads it. Raises BadRequest.

    Of a kind without a schema, only the metadata are looked at.
    """
    out, unknown, hints = lenient(obj)
    if unknown:
        raise _refused(obj, f"strict decoding error: {', '.join(unknown[:MOST_ERRORS])}", hints)
    return out


def lenient(obj: Object) -> tuple[Object, list[str], list[str]]:
    """(the object without the fields that its kind has not, what is wrong with those, hints). Raises BadRequest.

    What fieldValidation=Warn and Ignore make of a request.
    """
    decoder = _Decoder()
    name = schema.names().get((obj["apiVersion"], obj["kind"]))
    try:
        out: Object = decoder.struct(obj, name, "", "") if name else decoder.untyped(obj)
    except _Mismatch as mismatch:
        raise _refused(obj, str(mismatch), []) from None
    return out, [f'unknown field "{field}"' for field in decoder.unknown], decoder.hints


def _refused(obj: Object, problem: str, hints: list[str]) -> BadRequest:
    kind, version = obj["kind"], obj["apiVersion"].rpartition("/")[2]
    error = BadRequest(f'{kind} in version "{version}" cannot be handled as a {kind}: {problem}')
    for hint in hints:
        error.add_note(hint)
    return error


class _Mismatch(Exception):
    """A value that Go cannot put into its field."""


class _Decoder:
    """One pass over one object."""

    def __init__(self) -> None:
        self.unknown: list[str] = []
        self.hints: list[str] = []

    def struct(self, value: dict[str, Any], name: str, path: str, field: str) -> dict[str, Any]:
        """A struct. ``path`` is written with indices (for unknown fields), ``field`` without (as Go tells types)."""
        properties = schema.types()[name].get("properties", {})
        go = name.rpartition(".")[2]
        found = {}
        for key in sorted(value):
            below = f"{path}.{key}" if path else key
            if key not in properties:
                self.unknown.append(below)
                guess = nearest(key, properties)
                if guess:
                    self.hints.append(f'did you mean "{guess}"?')
                continue
            if value[key] is None:
                continue
            where = f"{go}.{field}.{key}" if field else f"{go}.{key}"
            found[key] = self.value(value[key], properties[key], below, where)
        return {key: found[key] for key in value if key in found}

    def untyped(self, value: dict[str, Any]) -> dict[str, Any]:
        """An object with unknown fields beside its metadata."""
        meta = {"$ref": "#/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
        found = self.value(value.get("metadata") or {}, meta, "metadata", f"{value['kind']}.metadata")
        return {**value, "metadata": found}

    def value(self, value: Any, schema_: schema.Schema, path: str, where: str) -> Any:
        """Any value. ``where`` is Go's name of the field: ``Probe.spec.containers.livenessProbe.periodSeconds``."""
        reference = _reference(schema_)
        if reference is not None:
            special = _SPECIAL.get(reference.rpartition(".")[2])
            if special is not None:
                return special(value)
            if not isinstance(value, dict):
                raise _mismatch(value, where, go_type(schema_, where))
            return self.struct(value, reference, path, where.partition(".")[2])
        kind = schema_.get("type")
        if kind == "array":
            if not isinstance(value, list):
                raise _mismatch(value, where, go_type(schema_, where))
            items = schema_["items"]
            return [self.item(v, items, f"{path}[{i}]", where) for i, v in enumerate(value)]
        if kind == "object":
            if not isinstance(value, dict):
                raise _mismatch(value, where, go_type(schema_, where))
            items = schema_.get("additionalProperties")
            if items is None:
                return value
            found = {key: self.item(value[key], items, f"{path}.{key}", where) for key in sorted(value)}
            return {key: found[key] for key in value}
        return _scalar(value, schema_, where)

    def item(self, value: Any, schema_: schema.Schema, path: str, where: str) -> Any:
        """A value in a list or map, where null is Go's zero value."""
        if value is not None:
            return self.value(value, schema_, path, where)
        reference = _reference(schema_)
        if reference is not None and reference.endswith(".Quantity"):
            return "0"
        if reference is not None or schema_.get("type") == "object":
            return {}
        return {"array": [], "integer": 0, "boolean": False, "number": 0}.get(schema_.get("type", ""), "")


def _reference(schema_: schema.Schema) -> str | None:
    """The name of the schema that a field refers to, if any."""
    of = schema_.get("allOf")
    reference = (of[0] if of else schema_).get("$ref")
    return reference.rpartition("/")[2] if reference else None


# ---- Go's types


_INTEGERS = {"int32": 2**31, "int64": 2**63}


def _scalar(value: Any, schema_: schema.Schema, where: str) -> Any:
    kind = schema_.get("type")
    if kind == "string" and isinstance(value, str):
        if schema_.get("format") == "byte":
            _base64(value)
        return value
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind in ("integer", "number") and isinstance(value, int | float) and not isinstance(value, bool):
        if kind == "number":
            return value
        limit = _INTEGERS[schema_.get("format", "int64")]
        if value == int(value) and -limit <= value < limit:
            return int(value)
        raise _Mismatch(_message(f"number {number(value)}", where, go_type(schema_, where)))
    raise _mismatch(value, where, go_type(schema_, where))


def _mismatch(value: Plain, where: str, type_: str) -> _Mismatch:
    return _Mismatch(_message(_json_type(value), where, type_))


def _message(what: str, where: str, type_: str) -> str:
    return f"json: cannot unmarshal {what} into Go struct field {where} of type {type_}"


def _json_type(value: Plain) -> str:
    for types, name in ((bool, "bool"), (int | float, "number"), (str, "string"), (list, "array")):
        if isinstance(value, types):
            return name
    return "object"


def go_type(schema_: schema.Schema, where: str) -> str:
    """How Go prints the type of a field: ``int32``, ``[]v1.Container``, ``map[string]string``, ``v1.PullPolicy``."""
    reference = _reference(schema_)
    if reference is not None:
        package, name = reference.split(".")[-2:]
        return f"{package}.{name}"
    kind = schema_.get("type")
    if kind == "array":
        return f"[]{go_type(schema_['items'], where)}"
    if kind == "object":
        items = schema_.get("additionalProperties", {})
        if _reference(items) == "io.k8s.apimachinery.pkg.api.resource.Quantity":
            return "v1.ResourceList"
        return f"map[string]{go_type(items, where)}"
    if kind == "string":
        if schema_.get("format") == "byte":
            return "[]uint8"
        struct, _, path = where.partition(".")
        return _NAMED.get((struct, path.rpartition(".")[2]), "string")
    if kind == "integer":
        return str(schema_.get("format", "int64"))
    return "bool" if kind == "boolean" else "float64"


_NAMED = {
    ("Container", "imagePullPolicy"): "v1.PullPolicy",
    ("Container", "restartPolicy"): "v1.ContainerRestartPolicy",
    ("Container", "terminationMessagePolicy"): "v1.TerminationMessagePolicy",
    ("ContainerPort", "protocol"): "v1.Protocol",
    ("CronJobSpec", "concurrencyPolicy"): "v1.ConcurrencyPolicy",
    ("DaemonSetUpdateStrategy", "type"): "v1.DaemonSetUpdateStrategyType",
    ("DeploymentStrategy", "type"): "v1.DeploymentStrategyType",
    ("HTTPGetAction", "scheme"): "v1.URIScheme",
    ("JobSpec", "completionMode"): "v1.CompletionMode",
    ("LabelSelectorRequirement", "operator"): "v1.LabelSelectorOperator",
    ("NodeSelectorRequirement", "operator"): "v1.NodeSelectorOperator",
    ("ObjectMeta", "uid"): "types.UID",
    ("PodReadinessGate", "conditionType"): "v1.PodConditionType",
    ("PodSpec", "dnsPolicy"): "v1.DNSPolicy",
    ("PodSpec", "preemptionPolicy"): "v1.PreemptionPolicy",
    ("PodSpec", "restartPolicy"): "v1.RestartPolicy",
    ("Secret", "type"): "v1.SecretType",
    ("ServicePort", "protocol"): "v1.Protocol",
    ("ServiceSpec", "sessionAffinity"): "v1.ServiceAffinity",
    ("ServiceSpec", "type"): "v1.ServiceType",
    ("StatefulSetSpec", "podManagementPolicy"): "v1.PodManagementPolicyType",
    ("StatefulSetUpdateStrategy", "type"): "v1.StatefulSetUpdateStrategyType",
    ("Taint", "effect"): "v1.TaintEffect",
    ("Toleration", "effect"): "v1.TaintEffect",
    ("Toleration", "operator"): "v1.TolerationOperator",
}
"""Texts with a type of their own, by struct and field."""


# ---- types that decode themselves; their errors name no field


def _quantity(value: Plain) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = number(value)
    try:
        return quantities.canonical(value if isinstance(value, str) else "")
    except ValueError as error:
        raise _Mismatch(str(error)) from None


def _int_or_string(value: Plain) -> int | str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value == int(value) and -(2**31) <= value < 2**31:
            return int(value)
        raise _Mismatch(f"json: cannot unmarshal number {number(value)} into Go value of type int32")
    raise _Mismatch(f"json: cannot unmarshal {_json_type(value)} into Go value of type int32")


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:\d\d)", re.ASCII)


def _time(value: Plain) -> str:
    """In UTC and without a fraction, as the server keeps it (apimachinery/pkg/apis/meta/v1/time.go)."""
    return _moment(value, "2006-01-02T15:04:05Z07:00").isoformat(timespec="seconds").replace("+00:00", "Z")


def _micro_time(value: Plain) -> str:
    moment = _moment(value, "2006-01-02T15:04:05.000000Z07:00")
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _moment(value: Plain, layout: str) -> datetime:
    if not isinstance(value, str):
        raise _Mismatch(f"json: cannot unmarshal {_json_type(value)} into Go value of type string")
    if _TIME.fullmatch(value):
        try:
            return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise _Mismatch(f'parsing time "{value}": day out of range') from None
    raise _Mismatch(f'parsing time "{value}" as "{layout}": cannot parse "{value}" as "2006"')


def _base64(value: str) -> None:
    try:
        base64.b64decode(value.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        bad = re.search(r"[^A-Za-z0-9+/]", value)
        raise _Mismatch(f"illegal base64 data at input byte {bad.start() if bad else len(value)}") from None


_SPECIAL: dict[str, Callable[[Any], Any]] = {
    "Quantity": _quantity,
    "IntOrString": _int_or_string,
    "Time": _time,
    "MicroTime": _micro_time,
    "RawExtension": lambda value: value,
    "FieldsV1": lambda value: value,
}
