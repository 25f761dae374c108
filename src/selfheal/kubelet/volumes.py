"""A pod's volumes: its containers wait until all are mounted (pkg/kubelet/volumemanager/volume_manager.go).

Of the volumes that are simulated only those from a ConfigMap or a Secret can fail to mount: as long as that object, or
a key of it that the volume asks for, does not exist. Each failed try leaves an event and doubles the wait until the
next (pkg/util/goroutinemap/exponentialbackoff), whatever the pod's syncs do meanwhile.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any

import simpy

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import MILLISECOND, SECOND, Clock
from selfheal.events import EventRecorder
from selfheal.kubelet import fieldpath
from selfheal.kubelet.fieldpath import ConfigError
from selfheal.kubelet.mounts import Mounts
from selfheal.objects import Object, namespace, uid
from selfheal.programs.filesystem import Directory, Node
from selfheal.rules import Cause
from selfheal.spec import PodSpec
from selfheal.store import Store

POLL = 300 * MILLISECOND
"""A pod's volumes are looked at once, then each 300 ms (volume_manager.go podAttachAndMountRetryInterval)."""
PATIENCE = 123 * SECOND
"""So long one sync waits for them (volume_manager.go podAttachAndMountTimeout)."""
FIRST_RETRY = 500 * MILLISECOND
LONGEST_RETRY = 122 * SECOND
"""Waits between two tries (exponential_backoff.go initialDurationBeforeRetry, maxDurationBeforeRetry)."""

SOURCES = {"configMap": ("ConfigMap", "name"), "secret": ("Secret", "secretName")}
"""Kind of volume → the kind of object that it shows, and the field with the object's name."""


class VolumeManager:
    """Waits for the volumes of one node's pods."""

    def __init__(
        self,
        clock: Clock,
        chance: Chance,
        store: Store,
        events: EventRecorder,
        mounts: Mounts,
        fields: Callable[[Object], dict[str, str]],
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._store = store
        self._events = events
        self._mounts = mounts
        self._fields = fields
        self._tries: dict[str, tuple[int, int]] = {}  # pod uid -> (next try, wait after it), in µs

    def wait(
        self, pod: Object, spec: PodSpec, cancelled: simpy.Event, cause: Cause | None
    ) -> Generator[simpy.Event, Any, dict[str, Node] | None]:
        """Wait until every volume is mounted (WaitForAttachAndMount).

        Volume → what it shows, of those that show an object; None if they were not mounted in time, or the pod is
        being stopped.
        """
        clock, pod_uid = self._clock, uid(pod)
        end = clock.now + PATIENCE
        while missing := self._missing(pod, spec):
            due, pause = self._tries.get(pod_uid, (clock.now, FIRST_RETRY))
            if clock.now >= due:
                for volume, error in missing.items():
                    self._tell(pod, f'MountVolume.SetUp failed for volume "{volume}" : {error}', cause)
                due = clock.now + pause
                self._tries[pod_uid] = (due, min(2 * pause, LONGEST_RETRY))
            yield clock.sleep(min(due, end) - clock.now) | cancelled
            if cancelled.triggered:
                return None
            if clock.now >= end:
                left = " ".join(missing)
                text = f"unmounted volumes=[{left}], unattached volumes=[], failed to process volumes=[]"
                self._tell(pod, f"Unable to attach or mount volumes: {text}: context deadline exceeded", cause)
                return None
        self._tries.pop(pod_uid, None)
        # Nearly every pod has a volume: the token of its service account.
        if spec.automount_service_account_token or spec.volumes:
            late = latencies.happens("second volume poll", self._chance.fresh(pod_uid, "volumes"), 0)
            yield clock.sleep((2 if late else 1) * POLL) | cancelled
        return {v["name"]: node for v in spec.volumes if (node := self._shown(pod, v)) is not None}

    def _shown(self, pod: Object, volume: Mapping[str, Any]) -> Node | None:
        """What a volume shows from its first moment on; None: nothing yet."""
        if "hostPath" in volume:
            return self._on_host(volume)
        if "downwardAPI" in volume:
            return Directory(self._told(pod, volume["downwardAPI"].get("items") or ()))
        found = self._source(pod, volume)
        return None if found is None else Directory(_files(*found))

    def _on_host(self, volume: Mapping[str, Any]) -> Node:
        """Raises ConfigError if there is something else."""
        return self._mounts.on_host(volume["hostPath"]["path"], volume["hostPath"].get("type") or "")

    def _told(self, pod: Object, items: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        """File name → what the pod is told of itself (pkg/volume/downwardapi/downwardapi.go CollectData)."""
        fields, out = self._fields(pod), {}
        for item in items:
            ref = item.get("fieldRef")
            path = "" if ref is None else ref["fieldPath"]
            if ref is None:
                out[item["path"]] = fieldpath.resource(pod, item.get("resourceFieldRef") or {}, fields)
            else:
                out[item["path"]] = fields[path] if path in fields else fieldpath.value(pod, path)
        return out

    def forget(self, pod_uid: str) -> None:
        """The pod is gone."""
        self._tries.pop(pod_uid, None)

    def _missing(self, pod: Object, spec: PodSpec) -> dict[str, str]:
        """Volume → why it cannot be mounted."""
        out = {}
        for volume in spec.volumes:
            if "hostPath" in volume:
                try:
                    self._on_host(volume)
                except ConfigError as error:
                    out[volume["name"]] = str(error)
            source = self._source(pod, volume)
            if source is None or source[0].get("optional"):
                continue
            wanted, obj = source
            kind, field = next(SOURCES[key] for key in SOURCES if key in volume)
            if obj is None:
                out[volume["name"]] = f'{kind.lower()} "{wanted.get(field, "")}" not found'
            elif any(item["key"] not in texts(obj) for item in wanted.get("items") or ()):
                key = next(item["key"] for item in wanted["items"] if item["key"] not in texts(obj))
                out[volume["name"]] = f"references non-existent {kind.lower()} key: {key}"
        return out

    def _source(self, pod: Object, volume: Mapping[str, Any]) -> tuple[Mapping[str, Any], Object | None] | None:
        """(what the volume says of its object, the object); None for a volume of another kind."""
        for key, (kind, field) in SOURCES.items():
            if key in volume:
                wanted = volume[key] or {}
                return wanted, self._store.get(kind, namespace(pod), wanted.get(field, ""))
        return None

    def _tell(self, pod: Object, message: str, cause: Cause | None) -> None:
        self._events.event(pod, "Warning", "FailedMount", message, cause=cause)


def texts(obj: Object) -> dict[str, str]:
    """The texts of a ConfigMap, or of a Secret as its containers see them."""
    if obj["kind"] == "ConfigMap":
        return dict(obj.get("data") or {})
    return {k: base64.b64decode(v).decode(errors="replace") for k, v in (obj.get("data") or {}).items()}


def _files(wanted: Mapping[str, Any], obj: Object | None) -> dict[str, Any]:
    """File name → text."""
    data = {} if obj is None else texts(obj)
    if items := wanted.get("items"):
        return {item["path"]: data[item["key"]] for item in items if item["key"] in data}
    return dict(sorted(data.items()))
