"""What becomes of the events that components tell of: counted, merged, rationed."""

from __future__ import annotations

import pytest

from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.events import EventRecorder, SeriesRecorder
from selfheal.objects import Object, replace
from selfheal.store import Store, WatchEvent


class World:
    def __init__(self) -> None:
        self.clock = Clock(40, 250_000)
        self.chance = Chance(7)
        self.store = Store(self.clock, self.chance)
        self.recorder = EventRecorder(self.store, self.clock, self.chance, "kubelet", "node-1")
        self.pod = self.store.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {}})
        self.written: list[Object] = []
        self.store.watch("Event", self._on_write, immediate=True)

    def _on_write(self, event: WatchEvent) -> None:
        self.written.append(event.object)

    def warn(self, message: str = "no", reason: str = "Unhealthy", field: str | None = None) -> None:
        self.recorder.event(self.pod, "Warning", reason, message, field=field)

    def wait(self, seconds: float) -> None:
        self.clock.run(self.clock.now + round(seconds * SECOND))

    def events(self) -> list[tuple[int, str]]:
        """(count, message) of all events."""
        self.wait(1)
        return [(e["count"], e["message"]) for e in self.store.list("Event")]


@pytest.fixture
def world() -> World:
    return World()


def test_an_event_says_who_what_where_and_when(world: World) -> None:
    world.recorder.event(world.pod, "Normal", "Started", "Container started", field="spec.containers{app}")
    world.wait(1)
    (event,) = world.store.list("Event")
    assert event["metadata"]["namespace"] == "default"
    assert event["metadata"]["name"].startswith("web.")
    assert event["involvedObject"] == {
        "kind": "Pod",
        "namespace": "default",
        "name": "web",
        "uid": world.pod["metadata"]["uid"],
        "apiVersion": "v1",
        "resourceVersion": "1",
        "fieldPath": "spec.containers{app}",
    }
    assert event["source"] == {"component": "kubelet", "host": "node-1"}
    assert (event["reportingComponent"], event["reportingInstance"]) == ("kubelet", "node-1")
    assert event["firstTimestamp"] == event["lastTimestamp"] == "2026-01-01T08:00:40Z"
    assert (event["type"], event["reason"], event["count"], event["eventTime"]) == ("Normal", "Started", 1, None)


def test_an_event_that_cannot_be_written_is_tried_twelve_times_while_the_others_wait(world: World) -> None:
    """client-go tools/record/event.go recordToSink: again after up to 10 s, then each 10 s, one after another."""
    world.store.stop()
    for message in ("first", "second", "third"):
        world.warn(message)
    world.wait(111)  # the first is given up 100 to 110 s later, and the second's turn comes
    world.store.start()
    assert world.store.list("Event") == []
    world.wait(10)
    assert sorted(world.events()) == [(1, "second"), (1, "third")]
    world.store.stop()
    world.warn("fourth")
    world.wait(99)
    world.store.start()
    world.wait(10)
    assert sorted(world.events()) == [(1, "fourth"), (1, "second"), (1, "third")]


def test_events_about_nodes_are_in_the_default_namespace(world: World) -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1", "uid": "node-1"}}
    world.recorder.event(node, "Normal", "NodeReady", "Node node-1 status is now: NodeReady")
    world.wait(1)
    assert [e["metadata"]["namespace"] for e in world.store.list("Event")] == ["default"]
    assert "namespace" not in world.store.list("Event")[0]["involvedObject"]


def test_the_same_words_again_raise_the_count_of_one_event(world: World) -> None:
    for _ in range(3):
        world.warn()
        world.wait(10)
    (event,) = world.store.list("Event")
    assert event["count"] == 3
    assert event["firstTimestamp"] == "2026-01-01T08:00:40Z"
    assert event["lastTimestamp"] == "2026-01-01T08:01:00Z"
    assert [e["count"] for e in world.written] == [1, 2, 3]


def test_other_words_another_field_or_another_reason_are_another_event(world: World) -> None:
    world.warn("a")
    world.warn("b")
    world.warn("a", field="spec.containers{x}")
    world.warn("a", reason="BackOff")
    assert sorted(world.events()) == [(1, "a"), (1, "a"), (1, "a"), (1, "b")]


def test_the_tenth_text_is_merged_into_one_event_for_all_further_ones(world: World) -> None:
    for i in range(12):
        world.warn(f"text {i}")
    world.wait(1)
    assert [e["message"] for e in world.written] == [
        *(f"text {i}" for i in range(9)),
        *(f"(combined from similar events): text {i}" for i in (9, 10, 11)),
    ]
    assert [e["count"] for e in world.written][8:] == [1, 1, 2, 3]
    assert len(world.store.list("Event")) == 10


def test_a_remembered_text_still_passes_on_its_own(world: World) -> None:
    for i in range(9):
        world.warn(f"text {i}")
    world.warn("text 4")
    assert (2, "text 4") in world.events()


def test_one_text_is_forgotten_for_each_merged_event(world: World) -> None:
    for i in range(10):
        world.warn(f"text {i}")
    # Of ten texts nine are remembered. The forgotten one, when it comes again, is a tenth: it is merged.
    for i in range(10):
        world.warn(f"text {i}")
    merged = [e for e in world.store.list("Event") if e["message"].startswith("(combined")]
    world.wait(1)
    assert len(merged) <= 1
    assert any(e["message"].startswith("(combined") and e["count"] > 1 for e in world.written)


def test_ten_minutes_of_silence_forget_the_texts(world: World) -> None:
    for i in range(9):
        world.warn(f"text {i}")
    world.wait(601)
    world.warn("text 9")
    assert (1, "text 9") in world.events()


def test_fields_do_not_matter_for_merging(world: World) -> None:
    for i in range(10):
        world.warn(f"text {i}", field=f"spec.containers{{c{i}}}")
    assert any(message.startswith("(combined") for _, message in world.events())


def test_25_events_of_one_type_pass_then_one_each_five_minutes(world: World) -> None:
    for _ in range(120):
        world.warn()
        world.wait(10)
    # 25 at once, and one for each 5 minutes of the 1,190 s that the telling took.
    counts = [e["count"] for e in world.written]
    assert len(counts) == 25 + 1190 // 300
    assert counts[:25] == list(range(1, 26))


def test_what_is_held_back_is_counted_so_the_count_jumps(world: World) -> None:
    for _ in range(40):
        world.warn()
    world.wait(301)
    world.warn()
    world.wait(1)
    assert [e["count"] for e in world.written][-2:] == [25, 41]


def test_normal_and_warning_are_rationed_apart_but_all_reasons_together(world: World) -> None:
    for i in range(30):
        world.warn(reason=("Unhealthy", "BackOff", "Failed")[i % 3])
        world.recorder.event(world.pod, "Normal", "Pulled", "there")
    world.wait(1)
    by_type = [e["type"] for e in world.written]
    assert (by_type.count("Warning"), by_type.count("Normal")) == (25, 25)


def test_each_object_and_each_component_has_a_ration_of_its_own(world: World) -> None:
    other = EventRecorder(world.store, world.clock, world.chance, "default-scheduler")
    another = world.store.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db"}, "spec": {}})
    for _ in range(30):
        world.warn()
        other.event(world.pod, "Warning", "FailedScheduling", "no")
        world.recorder.event(another, "Warning", "Unhealthy", "no")
    world.wait(1)
    assert len(world.written) == 75


def test_an_event_that_has_expired_is_made_again_with_its_full_count(world: World) -> None:
    world.warn()
    world.wait(3700)
    world.warn()
    assert world.events() == [(2, "no")]


def test_events_are_written_in_the_order_of_their_telling(world: World) -> None:
    for i in range(9):
        world.warn(f"text {i}")
    world.wait(1)
    assert [e["message"] for e in world.written] == [f"text {i}" for i in range(9)]
    names = [e["metadata"]["name"] for e in world.written]
    assert len(set(names)) == 9, "also if they came in the same microsecond"


class TestSeries:
    """The scheduler's events, of the newer kind."""

    def tell(self, world: World, recorder: SeriesRecorder, pod: Object) -> None:
        recorder.event(pod, "Warning", "FailedScheduling", "no room", action="Scheduling")
        world.wait(1)

    def test_it_has_a_time_an_action_and_no_count(self, world: World) -> None:
        recorder = SeriesRecorder(world.store, world.clock, world.chance, "default-scheduler")
        self.tell(world, recorder, world.pod)
        (event,) = world.store.list("Event")
        assert event["eventTime"] == "2026-01-01T08:00:40.250000Z"
        assert (event["action"], event["reportingComponent"]) == ("Scheduling", "default-scheduler")
        assert "count" not in event
        assert (event["firstTimestamp"], event["lastTimestamp"]) == (None, None)

    def test_a_repetition_about_the_same_version_becomes_a_series_and_further_ones_are_only_counted(
        self, world: World
    ) -> None:
        recorder = SeriesRecorder(world.store, world.clock, world.chance, "default-scheduler")
        for _ in range(4):
            self.tell(world, recorder, world.pod)
        (event,) = world.store.list("Event")
        assert event["series"]["count"] == 2
        assert len(world.written) == 2

    def test_a_new_version_of_the_pod_begins_a_new_event(self, world: World) -> None:
        """So a pod that waits shows the event twice with count 1: its condition was written in between."""
        recorder = SeriesRecorder(world.store, world.clock, world.chance, "default-scheduler")
        self.tell(world, recorder, world.pod)
        later = world.store.patch("Pod", "default", "web", lambda p: replace(p, "status.x", 1), status=True)
        self.tell(world, recorder, later)
        self.tell(world, recorder, later)
        assert [e.get("series", {}).get("count", 1) for e in world.written] == [1, 1, 2]
