"""The timeline as a list, its questions and its file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfheal.rules import Cause
from selfheal.timeline import Timeline
from selfheal.timeline.log import TimelineError

RECORDINGS = Path(__file__).parent.parent / "recordings"
TAKES = sorted(RECORDINGS.glob("*/timeline*.jsonl"))


def pod(t: float, state: str, restarts: int = 0, ready: str = "True", **more: object) -> dict[str, object]:
    container = {"name": "app", "state": state, "restartCount": restarts, "ready": ready == "True"}
    return {
        "t": t,
        "kind": "Pod",
        "namespace": "default",
        "object": "Pod/web",
        "phase": "Running",
        "conditions": {"Ready": ready},
        "containers": [container],
        **more,
    }


def event(t: float, reason: str) -> dict[str, object]:
    about = {"namespace": "default", "object": "Pod/web", "reason": reason, "field": "spec.containers{app}"}
    return {"t": t, "kind": "Event", **about}


def small() -> Timeline:
    timeline = Timeline({"source": "test", "scenario": "small", "until": 60})
    timeline.append(pod(0.5, "running"))
    timeline.append(event(20.0, "Killing"))
    timeline.append(pod(30.0, "terminated", ready="False"))
    timeline.append(pod(31.0, "running", 1))
    return timeline


@pytest.mark.parametrize("path", TAKES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_recording_is_saved_as_it_was_read(path: Path) -> None:
    assert Timeline.load(path).to_jsonl() == path.read_text()


def test_starts_restarts_kills_and_ready_times_can_be_asked_for() -> None:
    timeline = small()
    assert timeline.starts("web") == [0.5, 31.0]
    assert timeline.restarts("pod/web", "app") == [31.0]
    assert timeline.restarts("Pod/web", "other") == []
    assert timeline.kills("web") == timeline.kills("web", "app") == [20.0]
    assert timeline.kills("web", "other") == []
    assert timeline.ready_intervals("web") == [(0.5, 30.0), (31.0, 60.0)]


def test_a_restart_whose_exit_nobody_saw_is_still_a_restart() -> None:
    timeline = Timeline()
    timeline.append(pod(0.5, "running"))
    timeline.append(pod(75.0, "running", 1))
    assert timeline.restarts("web") == [75.0]


def test_at_gives_the_state_of_things_at_a_moment() -> None:
    timeline = small()
    assert timeline.at(0.4) == {}
    assert timeline.at(30.5)["Pod/web"]["containers"][0]["state"] == "terminated"
    timeline.append(pod(40.0, "terminated", 1, ready="False", deleted=True))
    assert "Pod/web" in timeline.at(39.9)
    assert timeline.at(40.0) == {}


def test_select_matches_any_key() -> None:
    timeline = small()
    assert [r["t"] for r in timeline.select(kind="Event", reason="Killing")] == [20.0]
    assert [r["t"] for r in timeline.select(object="Pod/web", since=20, until=30)] == [20.0, 30.0]
    assert timeline.objects() == ["Pod/web"]


def test_ids_are_places_in_the_list_and_subscribers_hear_each_record() -> None:
    timeline, heard = Timeline(), []
    stop = timeline.subscribe(heard.append)
    first = timeline.append(pod(0.5, "running"))
    stop()
    second = timeline.append(event(1.0, "Killing"))
    assert (first["id"], second["id"]) == (0, 1)
    assert heard == [first]
    assert timeline[1] is second


def test_open_stretches_are_brought_up_to_date_before_anything_is_read() -> None:
    timeline = Timeline()
    probe = timeline.append({"t": 5.0, "kind": "Probe", "object": "Pod/web", "every": 5, "times": 1})
    timeline.settle.append(lambda: probe.update(times=7, seen=len(timeline.records)))
    assert timeline.records[0]["times"] == 7
    assert probe["seen"] == 1


def test_what_a_recorder_cannot_see_is_left_out_of_the_file_unless_asked_for() -> None:
    timeline = small()
    timeline.append({"t": 40.0, "kind": "Probe", "namespace": "default", "object": "Pod/web", "times": 3})
    timeline.append({"t": 41.0, "kind": "App", "namespace": "default", "object": "Pod/web", "healthy": False})
    plain = [json.loads(line) for line in timeline.to_jsonl().splitlines()]
    assert [r["kind"] for r in plain[1:]] == ["Pod", "Event", "Pod", "Pod"]
    assert all("id" not in r and "cause" not in r for r in plain)
    everything = [json.loads(line) for line in timeline.to_jsonl(record_all=True).splitlines()]
    assert [r["kind"] for r in everything[-2:]] == ["Probe", "App"]
    assert [r["id"] for r in everything[1:]] == list(range(6))


def test_a_chain_of_causes_survives_the_file() -> None:
    timeline = Timeline()
    action = Cause("action", what="kubectl delete pod web")
    silent = Cause("grace", action, at=3_000_000, seconds=30)
    exit = Cause("exit", silent, code=137)
    deletion = timeline.append({"t": 1.0, "kind": "Action", "verb": "delete", "args": "pod/web"}, action)
    seen = timeline.append(pod(1.1, "running", terminating=True), action)
    end = timeline.append(pod(31.0, "terminated", ready="False"), exit)
    assert timeline.caused_by(deletion) is None
    assert timeline.caused_by(seen) is deletion
    assert timeline.caused_by(end) is deletion

    again = Timeline.from_lines(timeline.to_jsonl(record_all=True).splitlines())
    assert again.to_jsonl(record_all=True) == timeline.to_jsonl(record_all=True)
    cause = again.cause(again[2])
    chain = []
    while cause is not None:
        chain.append((cause.rule, cause.inputs))
        cause = cause.parent
    assert chain == [
        ("exit", {"code": 137}),
        ("grace", {"seconds": 30}),
        ("action", {"what": "kubectl delete pod web"}),
    ]
    assert again.cause(again[1]) is again.cause(again[0])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("{", "line 1 is not JSON"),
        ('{"t": 1}\n', "the first line must be a header"),
        ('{"timeline": 1}\n{"t": "x", "kind": "Pod"}', 'line 2: t must be seconds, not "x"'),
        ('{"timeline": 1}\n{"t": NaN, "kind": "Pod"}', "line 2: t must be seconds, not NaN"),
        ('{"timeline": 1}\n[]', "line 2: a record must be a JSON object"),
        ('{"timeline": 1}\n{"t": 1, "kind": "Pod"}', "line 2: Pod without object"),
        ('{"timeline": 1}\n{"t": 1, "kind": 7}', "line 2: kind must be text, not 7"),
        ('{"timeline": 1}\n{"t": 1, "kind": "Pod", "object": "Pod/x"}', "Pod without conditions or containers"),
        ('{"timeline": 1}\n' + "[" * 100_000, "line 2 is not JSON"),
    ],
)
def test_a_file_that_is_no_timeline_is_refused_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text(text)
    with pytest.raises(TimelineError, match=r"broken\.jsonl") as error:
        Timeline.load(path)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin.jsonl"
    path.write_bytes(b'{"timeline": 1}\n{"t": 1, "kind": "Pod", "object": "\xe9"}\n')
    with pytest.raises(TimelineError, match="is not UTF-8"):
        Timeline.load(path)
