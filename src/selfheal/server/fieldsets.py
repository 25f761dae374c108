"""Sets of an object's fields: which there are, which have changed, and how ``managedFields`` writes them down.

A field is a path of words as ``fieldsV1`` has them: ``f:spec``, ``k:{"name":"web"}`` (an item of a list that is a map),
``v:"a"`` (an item of a list that is a set). What is atomic is one field, whatever is in it. Which is which stands in
the schemas (``x-kubernetes-list-type``, ``x-kubernetes-list-map-keys``, ``x-kubernetes-map-type``).

sigs.k8s.io/structured-merge-diff: fieldpath, typed/tofieldset.go, typed/compare.go
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from selfheal.server.patches import Schema, properties, resolved

Path = tuple[str, ...]
Fields = set[Path]

MEMBER = "."
"""In ``fieldsV1``: the field itself is in the set too, not only what is below it."""


# ---- what a schema says of a field


def below(of: Schema | None, key: str) -> Schema | None:
    """The schema of a field of a map."""
    found = properties(of).get(key)
    if found is None and of is not None:
        found = of.get("additionalProperties")
    return found if isinstance(found, Mapping) else None


def keys_of(of: Schema | None) -> list[str] | None:
    """The keys of a list of maps; None if it is another sort of list."""
    if of is None or of.get("x-kubernetes-list-type") != "map":
        return None
    return list(of.get("x-kubernetes-list-map-keys") or ())


def atomic(of: Schema | None) -> bool:
    """Whether a map is one field."""
    if of is None:
        return False
    if of.get("x-kubernetes-map-type") == "atomic":
        return True
    return resolved(of).get("x-kubernetes-map-type") == "atomic"


def _is_set(of: Schema | None) -> bool:
    return of is not None and of.get("x-kubernetes-list-type") == "set"


def item_word(item: Any, keys: list[str], of: Schema | None) -> str:
    """``k:{"name":"web"}``: by what an item of a list is known; a key that is left out has its default."""
    fields = properties((of or {}).get("items"))
    given = item if isinstance(item, Mapping) else {}
    known = {key: given.get(key, fields.get(key, {}).get("default")) for key in sorted(keys)}
    return "k:" + _json({key: value for key, value in known.items() if value is not None})


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def parts(value: Any, of: Schema | None) -> dict[str, tuple[Any, Schema | None]] | None:
    """What a value is made of: word → (value, schema); None if it is one field."""
    if isinstance(value, Mapping) and not atomic(of):
        return {f"f:{key}": (item, below(of, key)) for key, item in value.items()}
    keys = keys_of(of)
    if isinstance(value, list) and keys is not None:
        return {item_word(item, keys, of): (item, (of or {}).get("items")) for item in value}
    if isinstance(value, list) and _is_set(of):
        return {f"v:{_json(item)}": (item, None) for item in value}
    return None


# ---- sets


def fields(value: Any, of: Schema | None, path: Path = ()) -> Iterator[Path]:
    """The fields that somebody who applies a value wants."""
    found = parts(value, of)
    if not found:
        yield path
        return
    plain = not properties(of)
    for word, (item, schema_) in found.items():
        yield from fields(item, schema_, (*path, word))
        if word[0] != "f" or (plain and of is not None):
            yield (*path, word)


def everything(value: Any, of: Schema | None, path: Path = ()) -> Iterator[Path]:
    """All the fields that there are, those with others below them too."""
    yield path
    for word, (item, schema_) in (parts(value, of) or {}).items():
        yield from everything(item, schema_, (*path, word))


def changed(old: Any, new: Any, of: Schema | None, path: Path = (), *, there: bool = True) -> Iterator[Path]:
    """The fields of ``new`` that ``old`` has not, or otherwise. ``there``: whether Go has it even if it is empty."""
    found = parts(new, of)
    if found is None or not (found or there):
        if old != new:
            yield path
        return
    there = there or old is not None
    if not there:
        yield path
    before, needed = parts(old, of) or {}, resolved(of).get("required") or ()
    for word, (item, schema_) in found.items():
        always = there and (word[2:] in needed or (schema_ or {}).get("default") == {})
        yield from changed(before.get(word, (None, None))[0], item, schema_, (*path, word), there=always)


# ---- fieldsV1


def to_wire(found: Fields) -> dict[str, Any]:
    """A set as ``fieldsV1`` has it."""
    out: dict[str, Any] = {}
    for path in sorted(found):
        level = out
        for word in path:
            level = level.setdefault(word, {})
        level[MEMBER] = {}
    return {word: _thin(value) for word, value in out.items() if word != MEMBER}


def _thin(level: dict[str, Any]) -> dict[str, Any]:
    """A field with nothing below it needs no dot to say that it is in the set."""
    return {} if list(level) == [MEMBER] else {word: {} if word == MEMBER else _thin(v) for word, v in level.items()}


def from_wire(value: Any, path: Path = ()) -> Iterator[Path]:
    """The set that ``fieldsV1`` means. Raises ValueError."""
    if not isinstance(value, Mapping):
        raise ValueError("fieldsV1 is no map")
    if path and (not value or MEMBER in value):
        yield path
    for word, under in value.items():
        if word != MEMBER:
            if word[:2] not in ("f:", "k:", "v:", "i:"):
                raise ValueError(f"missing colon in {word!r}")
            yield from from_wire(under, (*path, word))


def written(path: Path) -> str:
    """``.spec.template.spec.containers[name="web"].image``"""
    return "".join(f".{word[2:]}" if word[0] == "f" else f"[{_item(word)}]" for word in path)


def _item(word: str) -> str:
    value = json.loads(word[2:])
    if word[0] == "v":
        return f"={_json(value)}"
    return ",".join(f"{k}={_json(v)}" for k, v in value.items()) if isinstance(value, dict) else str(value)
