"""How a controller makes and removes its pods, and tells of it.

Follows pkg/controller/controller_utils.go RealPodControl and slowStartBatch (pkg/controller/replicaset).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

import simpy

from selfheal.clock import Clock
from selfheal.errors import ApiError, NotFound
from selfheal.events import EventRecorder
from selfheal.flowcontrol import Client
from selfheal.objects import Object, key, name, namespace, owner_reference, uid
from selfheal.rules import Cause
from selfheal.store import Store

Started = Generator[simpy.Event, Any, tuple[int, ApiError | None]]
"""How often it succeeded, and the first error, after the time that it took."""


class PodControl:
    """Creates and deletes pods in the name of one kind of controller."""

    def __init__(self, store: Store, recorder: EventRecorder, clock: Clock) -> None:
        self._store = store
        self._recorder = recorder
        self._clock = clock
        self._client = Client(clock.now)

    def allowed(self, count: int, wait: Callable[[int], object]) -> int:
        """How many of ``count`` requests may be sent now; ``wait`` is told in how many µs there may be more."""
        now = self._clock.now
        found = min(count, self._client.tokens(now))
        if found < count:
            wait(self._client.wait(now))
        return found

    def create(
        self, template: Object, owner: Object, cause: Cause | None, *, generate_name: str | None = None
    ) -> Object:
        """A pod from a template, owned by ``owner`` and named after it. Raises ApiError."""
        meta = {
            k: v for k, v in (template.get("metadata") or {}).items() if k in ("labels", "annotations", "finalizers")
        }
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "generateName": generate_name or f"{name(owner)}-",
                "namespace": namespace(owner),
                **meta,
                "ownerReferences": [owner_reference(owner)],
            },
            "spec": template["spec"],
        }
        self._client.take(self._clock.now)
        try:
            made = self._store.create(pod, cause=cause)
        except ApiError as error:
            self._recorder.event(owner, "Warning", "FailedCreate", f"Error creating: {error}", cause=cause)
            raise
        self._recorder.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {name(made)}", cause=cause)
        return made

    def delete(self, pod: Object, owner: Object, cause: Cause | None) -> None:
        """Begin to delete a pod. Raises ApiError (NotFound if it is gone already)."""
        self._client.take(self._clock.now)
        try:
            self._store.delete("Pod", *key(pod), uid=uid(pod), cause=cause)
        except NotFound:
            raise
        except ApiError as error:
            self._recorder.event(owner, "Warning", "FailedDelete", f"Error deleting: {error}", cause=cause)
            raise
        self._recorder.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {name(pod)}", cause=cause)


def batches(count: int) -> Iterator[int]:
    """``count`` in batches of 1, 2, 4 …"""
    batch = 1
    while count > 0:
        yield min(batch, count)
        count -= batch
        batch *= 2


def slow_start(count: int, do: Callable[[], object]) -> tuple[int, ApiError | None]:
    """Do something ``count`` times, in batches; after a batch with an error, no more.

    So a controller that cannot succeed (a quota, a broken template) fails once and not five hundred
    times. Returns how often it succeeded, and the first error.
    """
    succeeded = 0
    for batch in batches(count):
        done, error = attempt(batch, do)
        succeeded += done
        if error is not None:
            return succeeded, error
    return succeeded, None


def slow_start_in_time(count: int, do: Callable[[], object], request: Callable[[], simpy.Event]) -> Started:
    """:func:`slow_start`, with the time that a ``request`` to the API server takes after each batch."""
    succeeded, error = 0, None
    for batch in batches(count):
        done, error = attempt(batch, do)
        succeeded += done
        yield request()
        if error is not None:
            break
    return succeeded, error


def attempt(count: int, do: Callable[[], object]) -> tuple[int, ApiError | None]:
    """Do something ``count`` times at once. Returns how often it succeeded, and the first error."""
    succeeded, first_error = 0, None
    for _ in range(count):
        try:
            do()
            succeeded += 1
        except ApiError as error:
            first_error = first_error or error
    return succeeded, first_error
