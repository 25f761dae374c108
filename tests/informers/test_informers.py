"""The caches and queues through which controllers see the cluster."""

from __future__ import annotations

from itertools import pairwise

import pytest

from selfheal.chance import Chance
from selfheal.clock import MILLISECOND, SECOND, Clock
from selfheal.errors import Conflict
from selfheal.informers import Backoff, Informers, WorkQueue, controller_uid
from selfheal.objects import Key, Object
from selfheal.rules import ACTION, Cause
from selfheal.store import Store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Store:
    return Store(clock, Chance(3))


def pod(name: str, owner: str | None = None) -> Object:
    meta: Object = {"name": name}
    if owner:
        meta["ownerReferences"] = [{"kind": "ReplicaSet", "name": owner, "uid": owner, "controller": True}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {}}


class TestInformer:
    def test_the_cache_trails_the_truth_by_a_few_milliseconds(self, store: Store, clock: Clock) -> None:
        cache = Informers(store)["Pod"]
        store.create(pod("a"))
        assert cache.list() == []
        clock.run(20 * MILLISECOND)
        assert cache.list() == store.list("Pod")
        store.delete("Pod", "default", "a")
        assert cache.get("default", "a") is not None
        clock.run(40 * MILLISECOND)
        assert cache.get("default", "a") is None

    def test_all_share_one_cache_and_one_watch(self, store: Store, clock: Clock) -> None:
        informers = Informers(store)
        assert informers["Pod"] is informers["Pod"]
        for _ in range(10):
            informers["Pod"].handle(lambda _: None)
        store.create(pod("a"))
        clock.run(SECOND)
        assert clock.steps == 1

    def test_handlers_find_the_change_in_the_cache(self, store: Store, clock: Clock) -> None:
        cache = Informers(store)["Pod"]
        seen: list[bool] = []
        cache.handle(lambda e: seen.append(cache.get("default", "a") is e.object))
        store.create(pod("a"))
        clock.run(SECOND)
        assert seen == [True]

    def test_who_comes_late_is_told_what_is_there(self, store: Store, clock: Clock) -> None:
        cache = Informers(store)["Pod"]
        store.create(pod("a"))
        clock.run(SECOND)
        seen: list[str] = []
        cache.handle(lambda e: seen.append(f"{e.type} {e.object['metadata']['name']}"))
        assert seen == ["ADDED a"]

    def test_an_index_follows_every_change(self, store: Store, clock: Clock) -> None:
        cache = Informers(store)["Pod"]
        cache.index("controller", controller_uid)
        for name in ("b", "a"):
            store.create(pod(name, "rs"))
        store.create(pod("c"))
        clock.run(SECOND)
        assert [p["metadata"]["name"] for p in cache.by("controller", "rs")] == ["a", "b"]
        store.update(pod("a"))
        store.delete("Pod", "default", "b")
        clock.run(2 * SECOND)
        assert cache.by("controller", "rs") == []
        assert len(cache.list("default")) == 2


class Worker:
    """Notes what it is asked to sync; fails as often as it is told to."""

    def __init__(self, clock: Clock, failures: int = 0, retries: int | None = None) -> None:
        self.clock = clock
        self.failures = failures
        self.done: list[tuple[int, Key, Cause | None]] = []
        self.queue = WorkQueue(clock, Chance(3), "test", self.sync, retries=retries)

    def sync(self, key: Key, cause: Cause | None) -> None:
        self.done.append((self.clock.now, key, cause))
        if self.failures > 0:
            self.failures -= 1
            raise Conflict("again")


A = ("default", "a")


class TestWorkQueue:
    def test_a_key_added_often_is_synced_once_with_the_last_cause(self, clock: Clock) -> None:
        worker = Worker(clock)
        causes = [Cause(ACTION, what=str(i)) for i in range(3)]
        for cause in causes:
            worker.queue.add(A, cause)
        clock.run(SECOND)
        assert [(key, cause) for _, key, cause in worker.done] == [(A, causes[-1])]
        assert clock.steps == 1

    def test_a_failed_key_comes_back_after_5_10_20_milliseconds(self, clock: Clock) -> None:
        worker = Worker(clock, failures=4)
        worker.queue.add(A)
        clock.run(SECOND)
        times = [at for at, _, _ in worker.done]
        waits = [later - earlier for earlier, later in pairwise(times)]
        for wait, least in zip(waits, (5, 10, 20, 40), strict=True):
            # The back-off, and the time that each sync takes.
            assert least * MILLISECOND < wait <= (least + 20) * MILLISECOND

    def test_success_forgets_the_failures(self, clock: Clock) -> None:
        worker = Worker(clock, failures=6)
        worker.queue.add(A)
        clock.run(10 * SECOND)
        worker.failures = 1
        worker.queue.add(A)
        clock.run(20 * SECOND)
        times = [at for at, _, _ in worker.done]
        assert times[-1] - times[-2] <= 25 * MILLISECOND

    def test_after_the_last_retry_the_key_is_left_alone(self, clock: Clock) -> None:
        worker = Worker(clock, failures=1000, retries=15)
        worker.queue.add(A)
        clock.run(3600 * SECOND)
        assert len(worker.done) == 16

    def test_of_several_delays_the_earliest_counts(self, clock: Clock) -> None:
        worker = Worker(clock)
        for delay in (30, 10, 20):
            worker.queue.add_after(A, delay * SECOND)
        clock.run(100 * SECOND)
        ((at, _, _),) = worker.done
        assert 10 * SECOND < at < 11 * SECOND


class TestBackoff:
    def test_it_doubles_up_to_a_thousand_seconds(self) -> None:
        backoff = Backoff()
        waits = [backoff.when(A, now=i * 2000 * SECOND) for i in range(25)]
        assert waits[:4] == [5000, 10_000, 20_000, 40_000]
        assert waits[-1] == 1000 * SECOND
        backoff.forget(A)
        assert backoff.when(A, now=10**12) == 5000

    def test_over_all_keys_a_hundred_at_once_then_ten_a_second(self) -> None:
        backoff = Backoff()
        waits = [backoff.when(("default", str(i)), now=0) for i in range(130)]
        assert max(waits[:100]) == 5000
        assert waits[100:] == [(i + 1) * SECOND // 10 for i in range(30)]
