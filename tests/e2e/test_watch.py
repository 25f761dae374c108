"""[sig-api-machinery] Watchers"""

from __future__ import annotations

import contextlib
import random

from tests.e2e.api import Client, Object

CM = "ConfigMap"


def config_map(name: str, value: str) -> Object:
    return {"kind": CM, "metadata": {"name": name, "labels": {"watch-this-configmap": value}}}


def mutate(e2e: Client, name: str, number: int) -> Object:
    return e2e.retry(CM, name, lambda c: c.update(data={"mutation": str(number)}))


def told(event: Object) -> tuple[str, str | None]:
    """(type, what the ConfigMap says)"""
    return event["type"], event["object"].get("data", {}).get("mutation")


def version(e2e: Client) -> str:
    found: str = e2e.ask("GET", e2e.path(CM))["metadata"]["resourceVersion"]
    return found


def test_each_watch_sees_what_its_selector_means(e2e: Client) -> None:
    now = version(e2e)
    with (
        e2e.watch(CM, "watch-this-configmap=A", now) as first,
        e2e.watch(CM, "watch-this-configmap=B", now) as second,
        e2e.watch(CM, "watch-this-configmap in (A,B)", now) as both,
    ):
        e2e.create(config_map("a", "A"))
        mutate(e2e, "a", 1)
        mutate(e2e, "a", 2)
        e2e.delete(CM, "a")
        for watch in (first, both):
            assert [told(watch.next()) for _ in range(4)] == [
                ("ADDED", None),
                ("MODIFIED", "1"),
                ("MODIFIED", "2"),
                ("DELETED", "2"),
            ]
        assert second.quiet()
        e2e.create(config_map("b", "B"))
        e2e.delete(CM, "b")
        for watch in (second, both):
            assert [watch.next()["type"] for _ in range(2)] == ["ADDED", "DELETED"]
        assert first.quiet()


def test_a_watch_begins_at_a_version(e2e: Client) -> None:
    e2e.create(config_map("from", "from-resource-version"))
    first = mutate(e2e, "from", 1)
    mutate(e2e, "from", 2)
    e2e.delete(CM, "from")
    with e2e.watch(CM, "watch-this-configmap=from-resource-version", first["metadata"]["resourceVersion"]) as watch:
        assert [told(watch.next()) for _ in range(2)] == [("MODIFIED", "2"), ("DELETED", "2")]


def test_a_watch_goes_on_where_the_last_one_ended(e2e: Client) -> None:
    selector = "watch-this-configmap=watch-closed-and-restarted"
    with e2e.watch(CM, selector, version(e2e)) as watch:
        e2e.create(config_map("restarted", "watch-closed-and-restarted"))
        mutate(e2e, "restarted", 1)
        assert told(watch.next()) == ("ADDED", None)
        last = watch.next()
        assert told(last) == ("MODIFIED", "1")
    mutate(e2e, "restarted", 2)
    with e2e.watch(CM, selector, last["object"]["metadata"]["resourceVersion"]) as again:
        e2e.delete(CM, "restarted")
        assert [told(again.next()) for _ in range(2)] == [("MODIFIED", "2"), ("DELETED", "2")]


def test_what_leaves_the_selector_is_deleted_for_the_watch(e2e: Client) -> None:
    mark = "label-changed-and-restored"
    with e2e.watch(CM, f"watch-this-configmap={mark}", version(e2e)) as watch:
        e2e.create(config_map("changed", mark))
        mutate(e2e, "changed", 1)
        e2e.retry(CM, "changed", lambda c: c["metadata"]["labels"].update({"watch-this-configmap": "wrong-value"}))
        assert [told(watch.next()) for _ in range(3)] == [("ADDED", None), ("MODIFIED", "1"), ("DELETED", "1")]
        mutate(e2e, "changed", 2)
        assert watch.quiet()
        e2e.retry(CM, "changed", lambda c: c["metadata"]["labels"].update({"watch-this-configmap": mark}))
        mutate(e2e, "changed", 3)
        e2e.delete(CM, "changed")
        assert [told(watch.next()) for _ in range(3)] == [("ADDED", "2"), ("MODIFIED", "3"), ("DELETED", "3")]


def test_all_watches_see_one_order(e2e: Client) -> None:
    """A hundred writes; a watch begins after each of the first ones, at the version that it made."""
    chance, there, versions = random.Random(1), list[str](), list[str]()
    before = version(e2e)
    for number in range(100):
        choice = chance.random()
        if not there or choice < 0.4:
            made = e2e.create(config_map(f"cm-{number}", "order"))
            there.append(made["metadata"]["name"])
            versions.append(made["metadata"]["resourceVersion"])
        elif choice < 0.8:
            versions.append(mutate(e2e, chance.choice(there), number)["metadata"]["resourceVersion"])
        else:
            e2e.delete(CM, there.pop(chance.randrange(len(there))))

    def seen(since: str, count: int) -> list[str]:
        with e2e.watch(CM, "watch-this-configmap=order", since) as watch:
            return [watch.next()["object"]["metadata"]["resourceVersion"] for _ in range(count)]

    order = seen(before, 100)
    assert order == sorted(order, key=int)
    with contextlib.ExitStack() as stack:
        since = versions[:20]
        watches = [stack.enter_context(e2e.watch(CM, "watch-this-configmap=order", v)) for v in since]
        for start, watch in zip(since, watches, strict=True):
            wanted = order[order.index(start) + 1 :]
            assert [watch.next()["object"]["metadata"]["resourceVersion"] for _ in wanted] == wanted
