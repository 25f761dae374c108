"""Whatever is written in whatever order: what holds of the storage all the same."""

from __future__ import annotations

import copy
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal.chance import Chance
from selfheal.clock import MILLISECOND, Clock
from selfheal.errors import ApiError
from selfheal.objects import Object, key, replace
from selfheal.store import Store, WatchEvent

NAMES = st.sampled_from("abc")
KINDS = st.sampled_from(["Pod", "ConfigMap", "Deployment"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), KINDS, NAMES, st.integers(0, 2)),
        st.tuples(st.just("update"), KINDS, NAMES, st.integers(0, 2)),
        st.tuples(st.just("status"), KINDS, NAMES, st.integers(0, 2)),
        st.tuples(st.just("bind"), st.just("Pod"), NAMES, st.integers(0, 1)),
        st.tuples(st.just("finalizer"), KINDS, NAMES, st.integers(0, 1)),
        st.tuples(st.just("delete"), KINDS, NAMES, st.integers(0, 2)),
        st.tuples(st.just("wait"), KINDS, NAMES, st.integers(0, 20)),
    ),
    max_size=40,
)


def do(store: Store, step: tuple[str, str, str, int]) -> None:
    """One step; refusals are part of life."""
    what, kind, name, n = step
    changes: dict[str, Callable[[Object], Object]] = {
        "update": lambda o: replace(o, "spec.replicas" if kind != "ConfigMap" else "data.n", n or None),
        "finalizer": lambda o: replace(o, "metadata.finalizers", ["a/b"] if n else []),
        "status": lambda o: replace(o, "status.phase", ("Pending", "Running", "Failed")[n]),
    }
    try:
        if what == "create":
            obj: Object = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": {"n": str(n)}}}
            if kind != "ConfigMap":
                obj["spec"] = {"replicas": n}
            store.create(obj)
        elif what == "bind":
            store.bind("default", name, f"node-{n}")
        elif what == "delete":
            store.delete(kind, "default", name, grace=(None, 0, 5)[n])
        elif what == "wait":
            store.clock.run(store.clock.now + n * MILLISECOND)
        else:
            store.patch(kind, "default", name, changes[what], status=what == "status")
    except ApiError:
        pass


def applied(state: dict[tuple[str, ...], Object], event: WatchEvent) -> None:
    """A client's copy of the world, brought up to date."""
    where = (event.object["kind"], *key(event.object))
    if event.type == "DELETED":
        del state[where]
    else:
        assert (event.type == "ADDED") == (where not in state)
        state[where] = event.object


@settings(max_examples=150, deadline=None)
@given(STEPS, st.data())
def test_a_watch_replayed_from_any_version_gives_the_list(
    steps: list[tuple[str, str, str, int]], data: st.DataObject
) -> None:
    clock = Clock()
    store = Store(clock, Chance())
    states: list[tuple[int, dict[tuple[str, ...], Object]]] = []
    frozen: list[tuple[Object, Object]] = []
    versions: list[int] = []

    def record(event: WatchEvent) -> None:
        versions.append(event.version)
        assert int(event.object["metadata"]["resourceVersion"]) == event.version
        frozen.append((event.object, copy.deepcopy(event.object)))

    def everything() -> dict[tuple[str, ...], Object]:
        return {(k, *key(o)): o for k in store.kinds() for o in store.list(k)}

    store.watch(None, record, immediate=True)
    late: dict[tuple[str, ...], Object] = {}
    store.watch(None, lambda e: applied(late, e))
    for step in steps:
        states.append((store.version, everything()))
        do(store, step)
    assert versions == sorted(set(versions)), "versions only grow"
    assert all(now == then for now, then in frozen), "nothing is ever changed in place"

    clock.run(clock.now + 1000 * MILLISECOND)
    assert late == everything(), "who listens late hears the same"
    if states:
        since, state = data.draw(st.sampled_from(states))
        store.watch(None, lambda e: applied(state, e), since=since, immediate=True)
        assert state == everything()


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_lists_are_sorted_and_nodes_know_their_pods(steps: list[tuple[str, str, str, int]]) -> None:
    store = Store(Clock(), Chance())
    for step in steps:
        do(store, step)
        pods = store.list("Pod")
        assert [key(p) for p in pods] == sorted(key(p) for p in pods)
        for node in ("node-0", "node-1"):
            assert store.pods_on(node) == [p for p in pods if p["spec"].get("nodeName") == node]


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_generations_follow_the_spec(steps: list[tuple[str, str, str, int]]) -> None:
    store = Store(Clock(), Chance())

    def check(event: WatchEvent) -> None:
        if event.type != "MODIFIED" or event.old is None or "generation" not in event.old["metadata"]:
            return
        before, after = event.old["metadata"], event.object["metadata"]
        spec = {k: v for k, v in event.object["spec"].items() if k != "nodeName"}
        was = {k: v for k, v in event.old["spec"].items() if k != "nodeName"}
        marked = "deletionTimestamp" in after and "deletionTimestamp" not in before
        assert after["generation"] - before["generation"] == int(spec != was or marked)

    store.watch(None, check, immediate=True)
    for step in steps:
        do(store, step)
