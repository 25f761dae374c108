"""``metadata.managedFields``: who wants which fields; and server-side apply, which is made of it.

What a manager applies holds, what it no longer applies goes unless another wants it, what others want otherwise is a
conflict. Who writes without applying owns what the write has changed. A set is kept by manager, operation and
subresource.

staging/src/k8s.io/apimachinery/pkg/util/managedfields/internal, sigs.k8s.io/structured-merge-diff/merge/update.go
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from selfheal.errors import BadRequest, FieldError
from selfheal.objects import Object, replace
from selfheal.server import fieldsets
from selfheal.server.fieldsets import Fields, Path, below, item_word, keys_of, parts
from selfheal.server.patches import Schema
from selfheal.server.statuses import Conflicts

APPLY, UPDATE = "Apply", "Update"
FIRST = "before-first-apply"
"""Who has written an object of which nobody is told."""

_META = ("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink")
NOBODYS = {("f:apiVersion",), ("f:kind",), ("f:metadata",), (), *((("f:metadata", f"f:{f}")) for f in _META)}
"""What nobody can own (stripmeta.go)."""


@dataclass(frozen=True, slots=True)
class Manager:
    """Somebody who writes, in one way."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""

    def applies_as(self, who: Manager) -> bool:
        """Whether it is the same who applies, whatever the version of what is applied (BuildManagerIdentifier)."""
        return (self.name, self.operation, self.subresource) == (who.name, who.operation, who.subresource)

    def told(self) -> str:
        """As conflicts name it."""
        text = f'"{self.name}"' + (f' with subresource "{self.subresource}"' if self.subresource else "")
        return f"{text} using {self.api_version}" if self.operation == UPDATE else text


Managers = dict[Manager, tuple[Fields, str]]
"""Who owns what, and since when."""


def read(obj: Object) -> Managers:
    """The managers of an object. Raises BadRequest."""
    found: Managers = {}
    given = obj["metadata"].get("managedFields") or ()
    for entry in given if isinstance(given, list | tuple) else given.wire():
        try:
            who = Manager(
                str(entry.get("manager", "")),
                entry["operation"],
                entry["apiVersion"],
                str(entry.get("subresource", "")),
            )
            found[who] = set(fieldsets.from_wire(entry.get("fieldsV1") or {})), str(entry.get("time") or "")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BadRequest(f"metadata.managedFields: {error}") from None
    return found


def plain(obj: Object) -> Object:
    """The object with its managers worked out."""
    given = obj["metadata"].get("managedFields")
    return obj if given is None or isinstance(given, list) else replace(obj, "metadata.managedFields", given.wire())


def noted(obj: Object, managers: Managers) -> Object:
    """The object with its managers written down."""
    return replace(obj, "metadata.managedFields", entries(managers) or None)


def entries(managers: Managers, more: Mapping[Manager, Object] = MappingProxyType({})) -> list[Object]:
    """Managers as they are written down; ``more``: what else they own, written down already."""
    out = []
    for who in sorted(managers, key=lambda m: (m.operation, managers[m][1], m.name, m.subresource)):
        owned, since = managers[who]
        fields = {**more.get(who, {}), **fieldsets.to_wire(owned)}
        if not fields:
            continue
        entry: Object = {"manager": who.name, "operation": who.operation, "apiVersion": who.api_version, "time": since}
        entry |= {"fieldsType": "FieldsV1", "fieldsV1": {word: fields[word] for word in sorted(fields)}}
        out.append({**entry, "subresource": who.subresource} if who.subresource else entry)
    return out


def _ownable(found: Fields, subresource: str) -> Fields:
    """What can be owned at all: a status by who writes the status, a spec by who does not (GetResetFields)."""
    others = "f:spec" if subresource == "status" else "f:status"
    return {p for p in found if p not in NOBODYS and p[0] != others}


def updated(old: Object | None, new: Object, who: Manager, time: str, of: Schema | None) -> Object:
    """``new`` with its managers, after a write that was no apply. ``of``: the schema of its kind."""
    managers = read(new if "managedFields" in new["metadata"] else old or new)
    if "managedFields" in new["metadata"] and not new["metadata"]["managedFields"]:
        managers = {}
    return noted(new, after(managers, old or {}, new, who, time, of))


def after(managers: Managers, old: Object, new: Object, who: Manager, time: str, of: Schema | None) -> Managers:
    """Managers after a write. Who changes anything has written then, also what was its own before."""
    different = _ownable(set(fieldsets.changed(old, new, of)), who.subresource)
    left = set(fieldsets.everything(new, of)) if any(owned for owned, _ in managers.values()) else set()
    out = {m: ((owned & left) - (set() if m == who else different), since) for m, (owned, since) in managers.items()}
    if different:
        mine, _ = out.get(who, (set[Path](), ""))
        out[who] = mine | different, time
    return out


def applied(live: Object | None, intent: Object, who: Manager, time: str, of: Schema | None, *, force: bool) -> Object:
    """The object as somebody who applies wants it, with its managers. Raises Conflicts."""
    wanted = _ownable(set(fieldsets.fields(intent, of)), who.subresource)
    if live is None:
        return noted(intent, {who: (wanted, time)})
    managers = read(live)
    if not managers:
        owned = _ownable(set(fieldsets.fields(live, of)), "")
        managers[Manager(FIRST, UPDATE, intent["apiVersion"])] = owned, live["metadata"]["creationTimestamp"]
    last, since = set[Path](), time
    for same in [m for m in managers if m.applies_as(who)]:
        before, since = managers.pop(same)
        last |= before
    others = set[Path]().union(*(owned for owned, _ in managers.values()))
    merged = _pruned(_merged(live, intent, of), of, last - wanted - others, others | wanted)
    different = _ownable(set(fieldsets.changed(live, merged, of)), who.subresource)
    conflicts = [(m, p) for m, (owned, _) in managers.items() for p in sorted(owned & different)]
    if conflicts and not force:
        raise refusal(conflicts)
    left = set(fieldsets.everything(merged, of))
    managers = {m: ((owned & left) - different, t) for m, (owned, t) in managers.items()}
    return noted(merged, {**managers, who: (wanted, since if last == wanted else time)})


def refusal(conflicts: list[tuple[Manager, Path]]) -> Conflicts:
    """What the server says of conflicts (conflict.go)."""
    causes = [
        FieldError(fieldsets.written(p), "FieldManagerConflict", f"conflict with {m.told()}") for m, p in conflicts
    ]
    if len(causes) == 1:
        return Conflicts(f"Apply failed with 1 conflict: {causes[0].message}: {causes[0].field}", tuple(causes))
    lines = []
    for manager in sorted({m.told() for m, _ in conflicts}):
        lines.append(f"conflicts with {manager}:")
        lines += [f"- {fieldsets.written(p)}" for m, p in conflicts if m.told() == manager]
    return Conflicts(f"Apply failed with {len(causes)} conflicts: " + "\n".join(lines), tuple(causes))


def _merged(live: Any, new: Any, of: Schema | None) -> Any:
    """``live`` with what ``new`` says."""
    found = parts(new, of)
    if found is None or live is None:
        return new
    if isinstance(new, Mapping):
        old = live if isinstance(live, Mapping) else {}
        return {**old, **{key: _merged(old.get(key), value, below(of, key)) for key, value in new.items()}}
    old_parts = parts(live, of) or {}
    return [
        _merged(old_parts.get(word, (None, None))[0], *found[word]) if word in found else old_parts[word][0]
        for word in _order(old_parts, found)
    ]


def _order(old: Iterable[str], new: Iterable[str]) -> list[str]:
    """The items of two lists as one: in the order of ``new``, and those of ``old`` alone where they stood.

    sigs.k8s.io/structured-merge-diff/typed/merge.go visitListItems
    """
    left, right = deque(old), deque(new)
    both, out = set(left) & set(right), dict[str, None]()
    shared = deque(word for word in right if word in both)
    while left or right:
        if left and left[0] in out:
            left.popleft()
        elif left and left[0] not in both:
            out[left.popleft()] = None
        elif left and left[0] not in (right[0], shared[0]):
            left.popleft()  # it is in both, but another's turn
        else:
            if shared and right[0] == shared[0]:
                shared.popleft()
            out[right.popleft()] = None
    return list(out)


def _pruned(value: Any, of: Schema | None, dropped: Fields, kept: Fields, path: Path = ()) -> Any:
    """A value without the fields that nobody wants any more; what they leave empty goes with them."""
    if not any(p[: len(path)] == path for p in dropped):
        return value
    keys = keys_of(of)
    out: list[tuple[Any, Any]] = []
    for word, (item, schema_) in (parts(value, of) or {}).items():
        here = (*path, word)
        wanted_below = any(p[: len(here)] == here for p in kept)
        if here in dropped and not wanted_below:
            continue
        new = _pruned(item, schema_, dropped, kept, here)
        if new is item or new or wanted_below:
            out.append((word, new))
        elif keys is not None:
            out.append((word, {k: v for k, v in item.items() if k in keys}))
    if isinstance(value, Mapping):
        return {word[2:]: item for word, item in out}
    return [item for _, item in out]


__all__ = ["APPLY", "UPDATE", "Manager", "applied", "item_word", "updated"]
