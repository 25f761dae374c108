"""What anybody can rely on when reading, writing and watching the API server's storage."""

from __future__ import annotations

import pytest

from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.errors import AlreadyExists, Conflict, Gone, Invalid, NotFound
from selfheal.objects import Object, replace
from selfheal.rules import ACTION, Cause
from selfheal.store import Store, WatchEvent


@pytest.fixture
def clock() -> Clock:
    return Clock(40, 250_000)


@pytest.fixture
def store(clock: Clock) -> Store:
    return Store(clock, Chance(7))


def pod(name: str = "web", **spec: object) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "app", "image": "busybox"}], **spec},
    }


def config(name: str = "c", **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def deployment(name: str = "web") -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": 1},
    }


def running(store: Store, name: str = "web", node: str = "node-1", **spec: object) -> Object:
    made = store.create(pod(name, **spec))
    store.bind("default", made["metadata"]["name"], node)
    return store.patch("Pod", "default", name, lambda p: replace(p, "status.phase", "Running"), status=True)


class TestCreate:
    def test_the_server_gives_uid_version_time_and_generation(self, store: Store) -> None:
        made = store.create(pod())
        meta = made["metadata"]
        assert meta["namespace"] == "default"
        assert meta["resourceVersion"] == "1"
        assert meta["generation"] == 1
        assert meta["creationTimestamp"] == "2026-01-01T08:00:40Z"
        assert len(meta["uid"]) == 36

    def test_kinds_without_a_generation_get_none(self, store: Store) -> None:
        assert "generation" not in store.create(config())["metadata"]

    def test_the_same_name_again_is_refused(self, store: Store) -> None:
        store.create(deployment())
        with pytest.raises(AlreadyExists, match=r'^deployments\.apps "web" already exists$'):
            store.create(deployment())

    def test_a_name_may_be_used_again_once_it_is_free_and_is_another_object(self, store: Store) -> None:
        first = store.create(config())
        store.delete("ConfigMap", "default", "c")
        assert store.create(config())["metadata"]["uid"] != first["metadata"]["uid"]

    def test_without_a_name_nothing_is_made(self, store: Store) -> None:
        nameless = {**config(), "metadata": {}}
        with pytest.raises(Invalid, match=r"metadata\.name: Required value: name or generateName is required"):
            store.create(nameless)
        assert store.version == 0

    def test_generated_names_have_five_harmless_letters_and_follow_the_seed(self, store: Store) -> None:
        wanted = {**config(), "metadata": {"generateName": "web-"}}
        names = [store.create(wanted)["metadata"]["name"] for _ in range(5)]
        assert len(set(names)) == 5
        assert all(set(n[4:]) <= set("bcdfghjklmnpqrstvwxz2456789") and len(n) == 9 for n in names)
        other = Store(Clock(), Chance(7))
        other.create(config("in-between"))
        assert [other.create(wanted)["metadata"]["name"] for _ in range(5)] == names

    def test_long_generated_names_are_cut(self, store: Store) -> None:
        made = store.create({**config(), "metadata": {"generateName": "x" * 80}})
        assert len(made["metadata"]["name"]) == 63

    def test_a_pod_begins_pending_and_tolerates_a_lost_node_for_five_minutes(self, store: Store) -> None:
        made = store.create({**pod(), "status": {"phase": "Running"}})
        assert made["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
        assert [(t["key"], t["tolerationSeconds"]) for t in made["spec"]["tolerations"]] == [
            ("node.kubernetes.io/not-ready", 300),
            ("node.kubernetes.io/unreachable", 300),
        ]

    def test_a_pod_keeps_its_own_word_on_lost_nodes(self, store: Store) -> None:
        own = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "tolerationSeconds": 5}
        made = store.create(pod(tolerations=[own]))
        assert made["spec"]["tolerations"][0] == own
        assert [t["key"] for t in made["spec"]["tolerations"]].count("node.kubernetes.io/unreachable") == 1

    @pytest.mark.parametrize(
        ("resources", "expected"),
        [
            ({}, "BestEffort"),
            ({"requests": {"cpu": "1"}}, "Burstable"),
            ({"limits": {"memory": "1Gi"}}, "Burstable"),
            ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
            ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
        ],
    )
    def test_quality_of_service_follows_requests_and_limits(
        self, store: Store, resources: Object, expected: str
    ) -> None:
        made = store.create(pod(containers=[{"name": "app", "image": "busybox", "resources": resources}]))
        assert made["status"]["qosClass"] == expected

    def test_services_get_addresses_of_their_own(self, store: Store) -> None:
        made = [
            store.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"s{i}"}, "spec": {}})
            for i in range(50)
        ]
        addresses = [s["spec"]["clusterIP"] for s in made]
        assert len(set(addresses)) == 50
        assert all(a.startswith("10.96.") for a in addresses)

    def test_a_headless_service_stays_headless(self, store: Store) -> None:
        wanted = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"}, "spec": {"clusterIP": "None"}}
        assert store.create(wanted)["spec"]["clusterIP"] == "None"

    def test_a_node_port_service_gets_a_port_of_every_node(self, store: Store) -> None:
        spec = {"type": "NodePort", "ports": [{"port": 80}, {"port": 81}]}
        made = store.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": spec})
        ports = [p["nodePort"] for p in made["spec"]["ports"]]
        assert len(set(ports)) == 2
        assert all(30000 <= p < 32768 for p in ports)


class TestUpdate:
    def test_an_update_from_an_old_version_is_a_conflict(self, store: Store) -> None:
        old = store.create(deployment())
        store.patch("Deployment", "default", "web", lambda d: replace(d, "spec.replicas", 2))
        with pytest.raises(Conflict) as refused:
            store.update(replace(old, "spec.replicas", 3))
        assert str(refused.value) == (
            'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; '
            "please apply your changes to the latest version and try again"
        )
        assert store.get("Deployment", "default", "web")["spec"]["replicas"] == 2  # type: ignore[index]

    def test_an_update_without_a_version_goes_through(self, store: Store) -> None:
        store.create(config(a="1"))
        assert store.update(config(a="2"))["data"] == {"a": "2"}

    def test_an_update_of_nothing_is_not_found(self, store: Store) -> None:
        with pytest.raises(NotFound, match=r'^configmaps "c" not found$'):
            store.update(config())

    def test_a_write_that_changes_nothing_is_no_write(self, store: Store) -> None:
        made = store.create(deployment())
        seen: list[WatchEvent] = []
        store.watch("Deployment", seen.append, since=store.version, immediate=True)
        assert store.update(deployment() | {"metadata": made["metadata"]}) is made
        assert store.patch("Deployment", "default", "web", dict) is made
        assert store.update_status(made) is made
        assert (store.version, seen) == (1, [])

    def test_the_generation_counts_changes_of_the_spec_and_not_of_the_status(self, store: Store) -> None:
        store.create(deployment())
        changed = store.patch("Deployment", "default", "web", lambda d: replace(d, "spec.replicas", 2))
        assert changed["metadata"]["generation"] == 2
        status = replace(changed, "status.replicas", 2)
        assert store.update_status(status)["metadata"]["generation"] == 2

    def test_a_deployments_generation_counts_its_annotations_too(self, store: Store) -> None:
        store.create(deployment())
        noted = store.patch("Deployment", "default", "web", lambda d: replace(d, "metadata.annotations", {"a": "b"}))
        assert noted["metadata"]["generation"] == 2
        labelled = store.patch("Deployment", "default", "web", lambda d: replace(d, "metadata.labels", {"a": "b"}))
        assert labelled["metadata"]["generation"] == 2

    def test_an_update_leaves_the_status_and_a_status_update_all_else(self, store: Store) -> None:
        running(store)
        both = {"status": {"phase": "Failed"}, "spec": {"containers": []}}
        after = store.patch("Pod", "default", "web", lambda p: {**p, **both})
        assert after["status"]["phase"] == "Running"
        assert after["spec"] == {"containers": []}
        after = store.patch(
            "Pod", "default", "web", lambda p: {**p, "spec": {}, "status": {"phase": "Failed"}}, status=True
        )
        assert after["status"]["phase"] == "Failed"
        assert after["spec"] == {"containers": []}

    def test_nobody_can_change_what_the_server_owns(self, store: Store) -> None:
        made = store.create(deployment())
        forged = {
            **made,
            "metadata": {**made["metadata"], "generation": 99, "creationTimestamp": "x", "labels": {"a": "b"}},
        }
        after = store.update(forged)["metadata"]
        assert (after["generation"], after["creationTimestamp"]) == (1, made["metadata"]["creationTimestamp"])

    def test_a_binding_sets_node_and_condition_in_one_write_and_no_generation(self, store: Store) -> None:
        store.create(pod())
        bound = store.bind("default", "web", "node-1")
        assert store.version == 2
        assert bound["spec"]["nodeName"] == "node-1"
        assert [(c["type"], c["status"]) for c in bound["status"]["conditions"]] == [("PodScheduled", "True")]
        assert bound["metadata"]["generation"] == 1
        with pytest.raises(Conflict, match='pod web is already assigned to node "node-1"'):
            store.bind("default", "web", "node-2")

    def test_replicas_on_one_node_share_one_spec(self, store: Store) -> None:
        spec = pod()["spec"]
        for name in ("a", "b"):
            store.create({**pod(name), "spec": spec})
            store.bind("default", name, "node-1")
        a, b = store.list("Pod")
        assert a["spec"] is b["spec"]


class TestDelete:
    def test_an_object_is_gone_at_once(self, store: Store) -> None:
        store.create(config())
        store.delete("ConfigMap", "default", "c")
        assert store.get("ConfigMap", "default", "c") is None
        with pytest.raises(NotFound):
            store.delete("ConfigMap", "default", "c")

    def test_a_running_pod_is_marked_with_its_grace(self, store: Store) -> None:
        running(store, terminationGracePeriodSeconds=7)
        meta = store.delete("Pod", "default", "web")["metadata"]
        assert meta["deletionTimestamp"] == "2026-01-01T08:00:47Z"
        assert meta["deletionGracePeriodSeconds"] == 7
        assert meta["generation"] == 2

    def test_a_pod_without_a_node_is_gone_at_once(self, store: Store) -> None:
        store.create(pod())
        store.delete("Pod", "default", "web")
        assert store.list("Pod") == []

    @pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
    def test_a_pod_that_has_ended_is_gone_at_once(self, store: Store, phase: str) -> None:
        running(store)
        store.patch("Pod", "default", "web", lambda p: replace(p, "status.phase", phase), status=True)
        store.delete("Pod", "default", "web")
        assert store.list("Pod") == []
        assert store.pods_on("node-1") == []

    def test_who_watches_sees_the_mark_even_of_a_pod_that_goes_at_once(self, store: Store) -> None:
        store.create(pod())
        seen: list[tuple[str, bool]] = []
        store.watch(
            "Pod",
            lambda e: seen.append((e.type, "deletionTimestamp" in e.object["metadata"])),
            since=store.version,
            immediate=True,
        )
        store.delete("Pod", "default", "web")
        assert seen == [("MODIFIED", True), ("DELETED", True)]

    def test_grace_zero_removes_a_running_pod_at_once(self, store: Store) -> None:
        running(store)
        store.delete("Pod", "default", "web", grace=0)
        assert store.list("Pod") == []

    def test_a_negative_grace_counts_as_one_second(self, store: Store) -> None:
        running(store, terminationGracePeriodSeconds=-1)
        assert store.delete("Pod", "default", "web")["metadata"]["deletionGracePeriodSeconds"] == 1

    def test_a_second_delete_can_only_shorten_and_counts_from_the_first(self, store: Store, clock: Clock) -> None:
        running(store)
        store.delete("Pod", "default", "web", grace=60)
        version = store.version
        clock.run(5 * SECOND)
        for later in (None, 60, 90):
            meta = store.delete("Pod", "default", "web", grace=later)["metadata"]
            assert (meta["deletionGracePeriodSeconds"], store.version) == (60, version)
        meta = store.delete("Pod", "default", "web", grace=20)["metadata"]
        assert (meta["deletionGracePeriodSeconds"], meta["deletionTimestamp"]) == (20, "2026-01-01T08:01:00Z")
        assert meta["generation"] == 2

    def test_a_delete_meant_for_another_object_of_that_name_is_a_conflict(self, store: Store) -> None:
        store.create(config())
        with pytest.raises(Conflict, match="Precondition failed: UID in precondition: other, UID in object meta:"):
            store.delete("ConfigMap", "default", "c", uid="other")

    def test_finalizers_keep_an_object_until_the_last_is_gone(self, store: Store) -> None:
        store.create({**deployment(), "metadata": {"name": "web", "finalizers": ["a/x", "b/y"]}})
        meta = store.delete("Deployment", "default", "web")["metadata"]
        assert (meta["deletionGracePeriodSeconds"], meta["generation"]) == (0, 2)
        store.patch("Deployment", "default", "web", lambda d: replace(d, "metadata.finalizers", ["b/y"]))
        assert store.get("Deployment", "default", "web") is not None
        store.patch("Deployment", "default", "web", lambda d: replace(d, "metadata.finalizers", []))
        assert store.get("Deployment", "default", "web") is None

    def test_a_pods_finalizer_outlives_its_containers(self, store: Store) -> None:
        running(store)
        store.patch(
            "Pod", "default", "web", lambda p: replace(p, "metadata.finalizers", ["batch.kubernetes.io/job-tracking"])
        )
        store.delete("Pod", "default", "web")
        store.delete("Pod", "default", "web", grace=0)
        assert store.get("Pod", "default", "web")["metadata"]["deletionGracePeriodSeconds"] == 0  # type: ignore[index]
        store.patch("Pod", "default", "web", lambda p: replace(p, "metadata.finalizers", []))
        assert store.get("Pod", "default", "web") is None

    @pytest.mark.parametrize(("propagation", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")])
    def test_foreground_and_orphan_leave_the_garbage_collector_a_finalizer(
        self, store: Store, propagation: str, finalizer: str
    ) -> None:
        store.create(deployment())
        assert store.delete("Deployment", "default", "web", propagation=propagation)["metadata"]["finalizers"] == [
            finalizer
        ]


class TestWatch:
    def test_what_exists_comes_first_then_every_change_in_order(self, store: Store, clock: Clock) -> None:
        store.create(config("a"))
        seen: list[tuple[str, str]] = []
        store.watch("ConfigMap", lambda e: seen.append((e.type, e.object["metadata"]["name"])))
        store.create(config("b"))
        store.update(config("a", x="y"))
        store.delete("ConfigMap", "default", "b")
        assert seen == [], "a watch takes its time"
        clock.run(SECOND)
        assert seen == [("ADDED", "a"), ("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "b")]

    def test_a_watcher_gets_old_new_and_why(self, store: Store) -> None:
        first = store.create(config())
        seen: list[WatchEvent] = []
        store.watch("ConfigMap", seen.append, since=store.version, immediate=True)
        why = Cause(ACTION, what="test")
        second = store.update(config(a="b"), cause=why)
        assert [(e.type, e.old, e.object, e.cause) for e in seen] == [("MODIFIED", first, second, why)]
        gone = store.delete("ConfigMap", "default", "c")
        assert seen[-1].object == gone
        assert int(gone["metadata"]["resourceVersion"]) == store.version

    def test_watching_from_a_version_gives_what_came_after(self, store: Store, clock: Clock) -> None:
        for name in "abc":
            store.create(config(name))
        seen: list[str] = []
        store.watch("ConfigMap", lambda e: seen.append(e.object["metadata"]["name"]), since=1)
        clock.run(SECOND)
        assert seen == ["b", "c"]

    def test_a_version_that_is_too_old_is_gone(self, clock: Clock) -> None:
        store = Store(clock, Chance(), history=3)
        for name in "abcdef":
            store.create(config(name))
        with pytest.raises(Gone, match=r"^too old resource version: 2 \(3\)$"):
            store.watch("ConfigMap", lambda _: None, since=2)
        store.watch("ConfigMap", lambda _: None, since=3)

    def test_a_stopped_watch_hears_nothing_of_what_is_on_its_way(self, store: Store, clock: Clock) -> None:
        seen: list[WatchEvent] = []
        watch = store.watch("ConfigMap", seen.append)
        store.create(config())
        watch.stop()
        watch.stop()
        clock.run(SECOND)
        assert seen == []

    def test_a_node_hears_only_of_its_own_pods_and_new_ones_are_added(self, store: Store, clock: Clock) -> None:
        seen: list[tuple[str, str]] = []
        store.watch("Pod", lambda e: seen.append((e.type, e.object["metadata"]["name"])), node="node-1")
        for name, node in (("a", "node-1"), ("b", "node-2")):
            store.create(pod(name))
            store.bind("default", name, node)
        clock.run(SECOND)
        store.delete("Pod", "default", "a")
        store.delete("Pod", "default", "b", grace=0)
        clock.run(2 * SECOND)
        assert seen == [("ADDED", "a"), ("MODIFIED", "a")]
        assert [p["metadata"]["name"] for p in store.pods_on("node-1")] == ["a"]

    def test_a_write_costs_one_simulation_step_however_many_watch(self, store: Store, clock: Clock) -> None:
        for _ in range(20):
            store.watch("ConfigMap", lambda _: None)
        store.create(config())
        clock.run(SECOND)
        assert clock.steps == 1

    def test_a_write_costs_nothing_if_only_a_recorder_listens(self, store: Store, clock: Clock) -> None:
        seen: list[WatchEvent] = []
        store.watch(None, seen.append, immediate=True)
        store.watch("Pod", seen.append)
        store.create(config())
        clock.run(SECOND)
        assert (clock.steps, len(seen)) == (0, 1)


class TestEventsExpire:
    def test_an_event_is_forgotten_an_hour_after_its_last_write(self, store: Store, clock: Clock) -> None:
        def event(name: str) -> Object:
            return {"apiVersion": "v1", "kind": "Event", "metadata": {"name": name}, "count": 1}

        store.create(event("a"))
        store.create(event("b"))
        clock.run(1800 * SECOND)
        store.patch("Event", "default", "b", lambda e: {**e, "count": 2})
        clock.run(3600 * SECOND)
        assert [e["metadata"]["name"] for e in store.list("Event")] == ["b"]
        assert store.get("Event", "default", "a") is None
        seen: list[tuple[str, str]] = []
        store.watch(
            "Event", lambda e: seen.append((e.type, e.object["metadata"]["name"])), since=store.version, immediate=True
        )
        store.create(event("a"))
        assert seen == [("DELETED", "a"), ("ADDED", "a")]
        assert clock.steps == 0


class TestDryRun:
    def test_it_says_what_would_be_and_writes_nothing(self, store: Store) -> None:
        made = store.create({"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}})
        seen: list[object] = []
        store.watch("ConfigMap", seen.append, since=store.version, immediate=True)
        with store.dry_run():
            assert store.update({**made, "data": {"a": "2"}})["data"] == {"a": "2"}
            assert store.create({"kind": "ConfigMap", "metadata": {"name": "d"}})["metadata"]["uid"]
            assert store.delete("ConfigMap", "default", "c")["metadata"]["name"] == "c"
            with pytest.raises(AlreadyExists):
                store.create({"kind": "ConfigMap", "metadata": {"name": "c"}})
        assert store.list("ConfigMap") == [made]
        assert seen == []
