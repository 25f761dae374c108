"""Has the cache seen what was written last? If not, a sync would do its work twice.

A controller's cache trails the API server by some milliseconds. After each write for an object it notes the version
that came back; as long as the cache has not seen that version, the object is not synced.

Follows pkg/controller/util/consistency/consistency.go (gates StaleControllerConsistency…, 1.36).
"""

from __future__ import annotations

from selfheal.informers import Informers
from selfheal.objects import Key, Object
from selfheal.watches import WatchEvent


class OwnWrites:
    """The last versions written, by the key of the object for whose sake; begin it before the other handlers."""

    def __init__(self, informers: Informers, *kinds: str) -> None:
        self._seen = dict.fromkeys(kinds, 0)
        self._written: dict[Key, dict[str, int]] = {}
        for kind in kinds:
            informers[kind].handle(self._changed)

    def _changed(self, event: WatchEvent) -> None:
        kind = event.object["kind"]
        self._seen[kind] = max(self._seen[kind], event.version)

    def wrote(self, key: Key, obj: Object) -> None:
        """``obj`` is what the API server answered."""
        versions = self._written.setdefault(key, {})
        versions[obj["kind"]] = max(versions.get(obj["kind"], 0), int(obj["metadata"]["resourceVersion"]))

    def seen(self, key: Key) -> bool:
        """Whether the cache knows all that was written for the key (EnsureReady)."""
        return all(self._seen[kind] >= version for kind, version in self._written.get(key, {}).items())

    def forget(self, key: Key) -> None:
        self._written.pop(key, None)
