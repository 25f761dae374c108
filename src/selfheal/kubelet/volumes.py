"""A pod's volumes: its containers wait until all are mounted (pkg/kubelet/volumemanager/volume_manager.go).

Of the volumes that are simulated only those from a ConfigMap or a Secret can fail to mount: as long as that object, or
a key of it that the volume asks for, does not exist. Each failed try leaves an event and doubles the wait until the
next (pkg/util/goroutinemap/exponentialbackoff), whatever the pod's syncs do meanwhile.
"""

from __future__ import annotations

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
from selfheal.kubelet.projected import Payload, directory, merged, payload, texts, token_mode
from selfheal.objects import Object, namespace, uid
from selfheal.programs.filesystem import Node
from selfheal.rules import Cause
from selfheal.spec import PodSpec
from selfheal.store import Store
from selfheal.tokens import claims

HOUR = 3600
POLL = 300 * MILLISECOND
"""A pod's volumes are looked at once, then each 300 ms (volume_manager.go podAttachAndMountRetryInterval)."""
PATIENCE = 123 * SECOND
"""So long one sync waits for them (volume_manager.go podAttachAndMountTimeout)."""
FIRST_RETRY = 500 * MILLISECOND
LONGEST_RETRY = 122 * SECOND
"""Waits between two tries (exponential_backoff.go initialDurationBeforeRetry, maxDurationBeforeRetry)."""

SOURCES = {"configMap": ("ConfigMap", "name"), "secret": ("Secret", "secretName")}
"""Kind of volume → the kind of object that it shows, and the field with the object's name."""
PROJECTED = {"configMap": ("ConfigMap", "name"), "secret": ("Secret", "name")}
"""The same within a projected volume."""
CERTIFICATE = "kube-root-ca.crt"
"""Every namespace has it, or will have it in a moment."""


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
        if spec.volumes:  # nearly every pod has one: the token of its service account
            late = latencies.happens("second volume poll", self._chance.fresh(pod_uid, "volumes"), 0)
            yield clock.sleep((2 if late else 1) * POLL) | cancelled
        return {v["name"]: node for v in spec.volumes if (node := self._shown(pod, v)) is not None}

    def _shown(self, pod: Object, volume: Mapping[str, Any]) -> Node | None:
        """What a volume shows from its first moment on; None: nothing yet."""
        if "hostPath" in volume:
            return self._on_host(volume)
        for kind in ("downwardAPI", "configMap", "secret", "projected"):
            if kind in volume:
                wanted = volume[kind] or {}
                parts = wanted.get("sources") or () if kind == "projected" else ({kind: wanted},)
                known = PROJECTED if kind == "projected" else SOURCES
                return directory(wanted, pod["spec"], merged([self._part(pod, part, known) for part in parts]))
        return None

    def _part(
        self, pod: Object, part: Mapping[str, Any], known: Mapping[str, tuple[str, str]]
    ) -> Callable[[], Payload]:
        """What one source of a volume shows, as of now."""
        if "downwardAPI" in part:
            told = self._told(pod, (part["downwardAPI"] or {}).get("items") or ())
            return lambda: told
        if "serviceAccountToken" in part:
            return self._token(pod, part["serviceAccountToken"])
        source = self._source(pod, part, known)
        return dict if source is None else lambda: payload(*source)

    def _token(self, pod: Object, wanted: Mapping[str, Any]) -> Callable[[], Payload]:
        """The token that the kubelet asks for (pkg/kubelet/token/token_manager.go)."""
        account = self._store.get("ServiceAccount", namespace(pod), pod["spec"].get("serviceAccountName") or "default")
        if account is None:
            return dict
        node = self._store.get("Node", "", pod["spec"]["nodeName"])
        seconds, audience = wanted.get("expirationSeconds") or HOUR, wanted.get("audience")
        audiences, now = [audience] if audience else [], self._clock.now

        def found() -> Payload:
            said = claims(self._clock, self._chance, account, seconds, at=now, audiences=audiences, pod=pod, node=node)
            return {wanted["path"]: (self._store.sign(said), token_mode(pod["spec"]))}

        return found

    def _on_host(self, volume: Mapping[str, Any]) -> Node:
        """Raises ConfigError if there is something else."""
        return self._mounts.on_host(volume["hostPath"]["path"], volume["hostPath"].get("type") or "")

    def _told(self, pod: Object, items: Iterable[Mapping[str, Any]]) -> Payload:
        """What the pod is told of itself (pkg/volume/downwardapi/downwardapi.go CollectData)."""
        fields, out = self._fields(pod), dict[str, tuple[str, int | None]]()
        for item in items:
            ref = item.get("fieldRef")
            path = "" if ref is None else ref["fieldPath"]
            if ref is None:
                text = fieldpath.resource(pod, item.get("resourceFieldRef") or {}, fields)
            else:
                text = fields[path] if path in fields else fieldpath.value(pod, path)
            out[item["path"]] = text, item.get("mode")
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
            projected = "projected" in volume
            for part in (volume["projected"] or {}).get("sources") or () if projected else (volume,):
                why = self._lacking(pod, part, PROJECTED if projected else SOURCES)
                if why:
                    out.setdefault(volume["name"], why)
        return out

    def _lacking(self, pod: Object, part: Mapping[str, Any], known: Mapping[str, tuple[str, str]]) -> str:
        """Why a source cannot be shown; '' if it can."""
        source = self._source(pod, part, known)
        if source is None or source[0].get("optional"):
            return ""
        wanted, obj = source
        kind, field = next(known[key] for key in known if key in part)
        called = wanted.get(field, "")
        if obj is None:
            return "" if called == CERTIFICATE else f'{kind.lower()} "{called}" not found'
        missing = [item["key"] for item in wanted.get("items") or () if item["key"] not in texts(obj)]
        return f"references non-existent {kind.lower()} key: {missing[0]}" if missing else ""

    def _source(
        self, pod: Object, part: Mapping[str, Any], known: Mapping[str, tuple[str, str]]
    ) -> tuple[Mapping[str, Any], Object | None] | None:
        """(what the volume says of its object, the object); None for a volume of another kind."""
        for key, (kind, field) in known.items():
            if key in part:
                wanted = part[key] or {}
                return wanted, self._store.get(kind, namespace(pod), wanted.get(field, ""))
        return None

    def _tell(self, pod: Object, message: str, cause: Cause | None) -> None:
        self._events.event(pod, "Warning", "FailedMount", message, cause=cause)
