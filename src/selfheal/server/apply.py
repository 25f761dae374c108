"""Server-side apply: what a manager wants holds, what it no longer wants goes, what others want stays.

In its simple form: each manager's last intent is remembered beside the object, not in ``metadata.managedFields``;
managers that write without applying own nothing, so conflicts arise between two that apply. Which lists are
merged by which keys stands in the schemas (``x-kubernetes-list-type``, ``x-kubernetes-list-map-keys``).

staging/src/k8s.io/apimachinery/pkg/util/managedfields, sigs.k8s.io/structured-merge-diff
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from selfheal import schema
from selfheal.errors import FieldError
from selfheal.objects import Object, uid
from selfheal.server.patches import Schema, properties, schema_of
from selfheal.server.statuses import Conflicts

IDENTITY = ("apiVersion", "kind")
OWN = ("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields")
"""Of the metadata: what nobody can own."""

Path = tuple[str, ...]


class Managers:
    """Who applied what, of all objects: uid → manager → intent."""

    def __init__(self) -> None:
        self._intents: dict[str, dict[str, Object]] = {}

    def apply(self, live: Object, intent: Object, manager: str, *, force: bool) -> Object:
        """The object as it should be. Raises Conflicts if another manager wants something else."""
        of = schema_of(live["apiVersion"], live["kind"])
        intents = self._intents.get(uid(live), {})
        wanted = _ownable(intent)
        others = {name: found for name, found in intents.items() if name != manager}
        if not force:
            _refuse_conflicts(live, wanted, others, of)
        return _merged(live, intents.get(manager), wanted, list(others.values()), of)  # type: ignore[no-any-return]

    def remember(self, obj: Object, intent: Object, manager: str) -> None:
        """The apply has been written."""
        intents = self._intents.setdefault(uid(obj), {})
        wanted, of = _ownable(intent), schema_of(obj["apiVersion"], obj["kind"])
        for name in [name for name in intents if name != manager]:
            intents[name] = _without_differing(intents[name], wanted, of)
        intents[manager] = wanted

    def forget(self, obj: Object) -> None:
        """The object is gone."""
        self._intents.pop(uid(obj), None)


def _ownable(intent: Object) -> Object:
    out = {k: v for k, v in intent.items() if k not in IDENTITY}
    if "metadata" in out:
        out["metadata"] = {k: v for k, v in (out["metadata"] or {}).items() if k not in OWN}
    return out


# ---- lists of maps, as maps


def _keys(of: Schema | None) -> list[str] | None:
    """The keys of a list of maps; None if it is another sort of list."""
    if of is None or of.get("x-kubernetes-list-type") != "map":
        return None
    return list(of.get("x-kubernetes-list-map-keys", ()))


def _item_key(item: Any, keys: list[str], of: Schema | None) -> tuple[str, ...]:
    fields = properties((of or {}).get("items"))
    if not isinstance(item, Mapping):
        return (str(item),)
    return tuple(str(item.get(key, fields.get(key, {}).get("default", ""))) for key in keys)


def _atomic(of: Schema | None) -> bool:
    if of is None:
        return False
    if of.get("x-kubernetes-map-type") == "atomic":
        return True
    reference = (of["allOf"][0] if "allOf" in of else of).get("$ref", "").rpartition("/")[2]
    return schema.types().get(reference, {}).get("x-kubernetes-map-type") == "atomic"


def _field(of: Schema | None, key: str) -> Schema | None:
    found = properties(of).get(key)
    if found is None and of is not None:
        found = of.get("additionalProperties")
    return found if isinstance(found, Mapping) else None


def _merged(live: Any, last: Any, new: Any, others: list[Any], of: Schema | None) -> Any:
    """``live``, with what ``new`` says, without what ``last`` said and ``new`` and ``others`` do not."""
    keys = _keys(of)
    if isinstance(new, Mapping) and not _atomic(of):
        before, out = last if isinstance(last, Mapping) else {}, dict(live) if isinstance(live, Mapping) else {}
        held = [o for o in others if isinstance(o, Mapping)]
        for key in [k for k in before if k not in new and k in out]:
            rest = _withdrawn(out[key], before[key], [o[key] for o in held if key in o], _field(of, key))
            if rest is None:
                del out[key]
            else:
                out[key] = rest
        for key, value in new.items():
            below = [o[key] for o in held if key in o]
            out[key] = _merged(out.get(key), before.get(key), value, below, _field(of, key))
        return out
    if isinstance(new, list) and keys is not None:
        items = (of or {}).get("items")
        found = {_item_key(i, keys, of): i for i in (live if isinstance(live, list) else [])}
        before = {_item_key(i, keys, of): i for i in (last if isinstance(last, list) else [])}
        wanted = {_item_key(i, keys, of): i for i in new}
        theirs = [{_item_key(i, keys, of): i for i in o} for o in others if isinstance(o, list)]
        merged = {}
        for key, item in found.items():
            if key in before and key not in wanted:
                rest = _withdrawn(item, before[key], [o[key] for o in theirs if key in o], items)
                if rest is not None and any(key in o for o in theirs):
                    merged[key] = rest
            else:
                merged[key] = item
        for key, item in wanted.items():
            merged[key] = _merged(merged.get(key), before.get(key), item, [o[key] for o in theirs if key in o], items)
        order = [k for k in wanted if k in merged] + [k for k in merged if k not in wanted]
        return [merged[key] for key in order]
    if isinstance(new, list) and of is not None and of.get("x-kubernetes-list-type") == "set":
        dropped = [i for i in (last or []) if i not in new and not any(i in o for o in others)]
        kept = [i for i in (live or []) if i not in dropped and i not in new]
        return [*new, *kept]
    return new


def _withdrawn(live: Any, last: Any, others: list[Any], of: Schema | None) -> Any:
    """What is left of a value that its manager no longer wants; None: nothing."""
    if isinstance(live, Mapping) and isinstance(last, Mapping) and not _atomic(of):
        left = _merged(live, last, {}, others, of)
        return left or None
    if isinstance(live, list) and isinstance(last, list) and _keys(of) is not None:
        return _merged(live, last, [], others, of) or None
    return live if others else None


# ---- conflicts


def _leaves(value: Any, of: Schema | None, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    keys = _keys(of)
    if isinstance(value, Mapping) and value and not _atomic(of):
        for key, below in value.items():
            yield from _leaves(below, _field(of, key), (*path, f".{key}"))
    elif isinstance(value, list) and keys is not None:
        for item in value:
            told = ",".join(
                f'{k}="{v}"' if isinstance(item.get(k), str) else f"{k}={v}"
                for k, v in zip(keys, _item_key(item, keys, of), strict=True)
            )
            for key, below in item.items():
                if key not in keys:
                    yield from _leaves(below, _field((of or {}).get("items"), key), (*path, f"[{told}]", f".{key}"))
    else:
        yield path, value


def _refuse_conflicts(live: Object, wanted: Object, others: dict[str, Object], of: Schema | None) -> None:
    mine = dict(_leaves(wanted, of))
    causes, told = list[FieldError](), dict[str, list[str]]()
    for name in sorted(others):
        for path, value in _leaves(others[name], of):
            if path in mine and mine[path] != value:
                text = f'conflict with "{name}" using {live["apiVersion"]}'
                causes.append(FieldError("".join(path), "FieldManagerConflict", text))
                told.setdefault(text, []).append("".join(path))
    if not causes:
        return
    if len(causes) == 1:
        text = f"{causes[0].message}: {causes[0].field}"
    elif len(told) == 1:
        [(who, paths)] = told.items()
        text = f"{who}:\n" + "\n".join(f"- {p}" for p in paths)
    else:
        text = "\n".join(f"{who}:\n" + "\n".join(f"- {p}" for p in paths) for who, paths in told.items())
    plural = "conflict" if len(causes) == 1 else "conflicts"
    raise Conflicts(f"Apply failed with {len(causes)} {plural}: {text}", tuple(causes))


def _without_differing(theirs: Any, mine: Any, of: Schema | None) -> Any:
    """What another manager still owns after mine has been written: not what mine says otherwise."""
    if isinstance(theirs, Mapping) and isinstance(mine, Mapping) and not _atomic(of):
        out = {}
        for key, value in theirs.items():
            if key not in mine:
                out[key] = value
            elif isinstance(value, Mapping) or _keys(_field(of, key)) is not None:
                out[key] = _without_differing(value, mine[key], _field(of, key))
            elif value == mine[key]:
                out[key] = value
        return out
    keys = _keys(of)
    if isinstance(theirs, list) and isinstance(mine, list) and keys is not None:
        own = {_item_key(i, keys, of): i for i in mine}
        items = (of or {}).get("items")
        return [_without_differing(i, own.get(_item_key(i, keys, of), {}), items) for i in theirs]
    return theirs
