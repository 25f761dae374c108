"""JSON patches, merge patches and strategic merge patches. Nothing is changed in place.

RFC 6902, RFC 7386, staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go. Which lists are merged, and
by which key, stands in the schemas (``x-kubernetes-patch-merge-key``, ``x-kubernetes-patch-strategy``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from selfheal import schema
from selfheal.errors import BadRequest, FieldError, Invalid

OPERATIONS = 10_000
"""A JSON patch has no more (handlers/patch.go maxJSONPatchOperations)."""

Schema = Mapping[str, Any]


def resolved(of: Schema | None) -> Schema:
    """The schema that one refers to, or itself."""
    if of is None:
        return {}
    if of.get("allOf"):
        of = of["allOf"][0]
    return schema.types().get(of["$ref"].rpartition("/")[2], {}) if "$ref" in of else of


def properties(of: Schema | None) -> Mapping[str, Schema]:
    """The fields of what a schema describes; none if it is a plain map, or unknown."""
    found: Mapping[str, Schema] = resolved(of).get("properties", {})
    return found


def schema_of(api_version: str, kind: str) -> Schema | None:
    """The schema of a kind."""
    name = schema.names().get((api_version, kind))
    return None if name is None else schema.types()[name]


# ---- RFC 7386


def merge(target: Any, patch: Any) -> Any:
    """A JSON merge patch: null removes, maps are merged, all else is replaced."""
    if not isinstance(patch, dict):
        return patch
    out = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merge(out.get(key), value)
    return out


# ---- RFC 6902


def _refused(why: str) -> Invalid:
    text = "the server rejected our request due to an error in our request"
    return Invalid(text, (FieldError("", "UnexpectedServerResponse", why),))


def json_patch(target: Any, operations: Any) -> Any:
    """A JSON patch. Raises BadRequest for one that is none, Invalid for one that does not fit."""
    if not isinstance(operations, list) or not all(isinstance(o, dict) for o in operations):
        raise BadRequest("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    if len(operations) > OPERATIONS:
        text = f"The allowed maximum operations in a JSON patch is {OPERATIONS}, got {len(operations)}"
        raise BadRequest(text)
    for operation in operations:
        kind, path = operation.get("op"), operation.get("path")
        if kind not in ("add", "remove", "replace", "move", "copy", "test") or not isinstance(path, str):
            raise _refused(f"Unexpected kind: {kind}")
        if kind in ("move", "copy"):
            origin = operation.get("from")
            if not isinstance(origin, str):
                raise _refused(f"{kind} operation does not apply: from is missing")
            value = _at(target, _words(origin), kind, origin)
            if kind == "move":
                target = _changed(target, _words(origin), "remove", None, origin)
            target = _changed(target, _words(path), "add", value, path)
        elif kind == "test":
            try:
                same = _at(target, _words(path), kind, path) == operation.get("value")
            except Invalid:
                same = operation.get("value") is None
            if not same:
                raise _refused(f"testing value {path} failed: test failed")
        else:
            target = _changed(target, _words(path), kind, operation.get("value"), path)
    return target


def _words(pointer: str) -> list[str]:
    if not pointer:
        return []
    return [word.replace("~1", "/").replace("~0", "~") for word in pointer.split("/")[1:]]


def _missing(kind: str, path: str) -> Invalid:
    return _refused(f"{kind} operation does not apply: doc is missing path: {path}: missing value")


def _at(value: Any, words: Sequence[str], kind: str, path: str) -> Any:
    for word in words:
        if isinstance(value, dict) and word in value:
            value = value[word]
        elif isinstance(value, list) and word.isdecimal() and int(word) < len(value):
            value = value[int(word)]
        else:
            raise _missing(kind, path)
    return value


def _changed(target: Any, words: Sequence[str], kind: str, value: Any, path: str) -> Any:
    if not words:
        return value
    word, rest = words[0], words[1:]
    if isinstance(target, dict):
        if (rest and word not in target) or (not rest and kind != "add" and word not in target):
            raise _missing(kind, path)
        if not rest and kind == "remove":
            return {k: v for k, v in target.items() if k != word}
        return {**target, word: _changed(target.get(word), rest, kind, value, path)}
    if isinstance(target, list):
        end = len(target)
        at = end if word == "-" else int(word) if word.isdecimal() else -1
        if at < 0 or at > end or (at == end and (rest or kind != "add")):
            raise _refused(f"{kind} operation does not apply: doc is missing path: {path}: invalid array index")
        if rest:
            return [*target[:at], _changed(target[at], rest, kind, value, path), *target[at + 1 :]]
        if kind == "add":
            return [*target[:at], value, *target[at:]]
        return [*target[:at], *([value] if kind == "replace" else []), *target[at + 1 :]]
    raise _missing(kind, path)


# ---- strategic merge

DELETE_FROM, ORDER, RETAIN, DIRECTIVE = "$deleteFromPrimitiveList/", "$setElementOrder/", "$retainKeys", "$patch"


def strategic(target: Any, patch: Any, of: Schema | None) -> Any:
    """A strategic merge patch of a map. Raises BadRequest for directives that make no sense."""
    if not isinstance(patch, dict):
        return patch
    base: dict[str, Any] = dict(target) if isinstance(target, dict) else {}
    directive = patch.get(DIRECTIVE)
    if directive == "replace":
        return {k: v for k, v in patch.items() if k != DIRECTIVE}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise BadRequest(f"unknown patch type: {directive}")
    fields = properties(of)
    if isinstance(patch.get(RETAIN), list):
        base = {k: v for k, v in base.items() if k in patch[RETAIN]}
    out = dict(base)
    for key, value in patch.items():
        if key in (DIRECTIVE, RETAIN) or key.startswith((DELETE_FROM, ORDER)):
            continue
        if value is None:
            out.pop(key, None)
        elif isinstance(value, dict):
            out[key] = strategic(base.get(key), value, _below(fields, of, key))
        elif isinstance(value, list):
            out[key] = _list(base.get(key), value, fields.get(key), key)
        else:
            out[key] = value
    for key, value in patch.items():
        if key.startswith(DELETE_FROM) and isinstance(value, list):
            name = key[len(DELETE_FROM) :]
            if isinstance(out.get(name), list):
                out[name] = [item for item in out[name] if item not in value]
    for key, value in patch.items():
        name = key[len(ORDER) :]
        if key.startswith(ORDER) and isinstance(value, list) and isinstance(out.get(name), list):
            out[name] = _ordered(out[name], value, _merge_key(fields.get(name)))
    return out


def _below(fields: Mapping[str, Schema], of: Schema | None, key: str) -> Schema | None:
    """The schema of a field, or of a plain map's values."""
    found = fields.get(key)
    if found is None and of is not None:
        found = of.get("additionalProperties")
    return found if isinstance(found, Mapping) else None


def _merge_key(of: Schema | None) -> str:
    """The key by which a list's items are told apart; '' if they are not."""
    if of is None or "merge" not in of.get("x-kubernetes-patch-strategy", "").split(","):
        return ""
    return str(of.get("x-kubernetes-patch-merge-key", ""))


def _list(target: Any, patch: list[Any], of: Schema | None, name: str) -> list[Any]:
    merges = of is not None and "merge" in of.get("x-kubernetes-patch-strategy", "").split(",")
    old: list[Any] = target if isinstance(target, list) else []
    if not merges or of is None:
        return patch
    key = _merge_key(of)
    if not key:
        return [*old, *(item for item in patch if item not in old)]
    if any(isinstance(item, dict) and item.get(DIRECTIVE) == "replace" and len(item) == 1 for item in patch):
        return [item for item in patch if not (isinstance(item, dict) and DIRECTIVE in item)]
    out = list(old)
    for item in patch:
        if not isinstance(item, dict):
            raise BadRequest(f"invalid patch: an item of {name} is no map")
        if key not in item:
            raise BadRequest(f"map: {item} does not contain declared merge key: {key}")
        at = next((i for i, o in enumerate(out) if isinstance(o, dict) and o.get(key) == item[key]), None)
        directive = item.get(DIRECTIVE)
        if directive == "delete":
            out = [o for o in out if not (isinstance(o, dict) and o.get(key) == item[key])]
        elif at is None:
            out.append(strategic({}, item, of.get("items")))
        else:
            out[at] = strategic(out[at], item, of.get("items"))
    return out


def _ordered(items: list[Any], order: list[Any], key: str) -> list[Any]:
    """Items in the order given; those that it does not name stay where they are."""
    if key:
        wanted = [o.get(key) for o in order if isinstance(o, dict)]
        named = [item.get(key) if isinstance(item, dict) else None for item in items]
    else:
        wanted, named = order, items
    slots = [i for i, name in enumerate(named) if name in wanted]
    moved = sorted(slots, key=lambda i: wanted.index(named[i]))
    out = list(items)
    for slot, origin in zip(slots, moved, strict=True):
        out[slot] = items[origin]
    return out
