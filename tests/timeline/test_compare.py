"""Comparing with a real cluster: two takes of it agree, and a wrong rule is found out.

The seeds here are the two takes themselves. A copy of a take in which one rule is broken
must fail against them, and so must a simulator that has the rule wrong.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from selfheal.timeline import Timeline
from selfheal.timeline.compare import Comparison, compare
from selfheal.timeline.roles import Roles

RECORDINGS = Path(__file__).parent.parent / "recordings"
NAMES = sorted(p.parent.name for p in RECORDINGS.glob("*/timeline.jsonl"))
Records = list[dict[str, Any]]


def takes(name: str) -> list[Timeline]:
    return [Timeline.load(path) for path in sorted((RECORDINGS / name).glob("timeline*.jsonl"), reverse=True)]


def distorted(timeline: Timeline, distort: Callable[[Records], Records]) -> Timeline:
    out = Timeline(timeline.header)
    for r in distort(copy.deepcopy(timeline.records)):
        out.append(r)
    return out


def fails(name: str, distort: Callable[[Records], Records]) -> Comparison:
    """Both takes, distorted, against both takes as they are, and the other way round: each must fail."""
    real = takes(name)
    wrong = [distorted(take, distort) for take in real]
    results = [compare([take], real) for take in wrong]
    assert not any(results), "a wrong rule went unnoticed"
    assert not compare(real, wrong), "a simulator with a wrong rule went unnoticed"
    return results[0]


# ---- the real cluster against itself


@pytest.mark.parametrize("name", NAMES)
def test_a_take_is_the_same_as_itself(name: str) -> None:
    real = takes(name)
    result = compare(real, real)
    assert result.problems == []
    assert result.seeds == len(real)


UNDERSTOOD = {
    # after a restart that was held back, the tick falls somewhere else in the new life
    "liveness-http": r"Unhealthy \(liveness probe of liveness\) at 1\d\d.* after Started liveness \(restart 4\)",
    "startup-never": r"Unhealthy \(startup probe of app\) at 90.* after Started app \(restart 4\)",
    # the phase of a readiness probe decides whether it sees the first and the last instant of an outage
    "readiness-flip": r"Unhealthy \(readiness probe of web\)",
    # the second take's pods started up to 3 s later, and a busy kubelet wrote no first status
    "crash-loop": r"Started app at 1.17 s came 1.2 s after created",
    "restart-policies": r"after created|Ready False \(ContainersNotReady\) at 0\.",
    "replicaset-heal": r"after created|deleted at 1\d.* after web terminated",
}
"""In what a take alone, as the only seed, differs from the other one."""
TWICE = (*UNDERSTOOD, "liveness-exec", "startup-slow")


@pytest.mark.parametrize("name", TWICE)
def test_one_take_differs_from_the_other_only_in_what_is_understood(name: str) -> None:
    first, second = takes(name)
    problems = compare([first], [second]).problems + compare([second], [first]).problems
    chance = re.compile(UNDERSTOOD.get(name, "nothing") + r"|after created|and \d+ more")
    assert [p for p in problems if not chance.search(p)] == []


def test_the_report_tells_envelopes_holds_and_problems() -> None:
    first, second = takes("crash-loop")
    result = compare([first], [first, second])
    text = result.report()
    assert text.startswith("crash-loop: same (1 recording, 2 seeds)")
    assert "restart 3" in text
    assert "20 … 31 s allowed" in text
    middle, most = result.widths()
    assert 0 <= middle < 0.5 < most < 3


# ---- broken rules


def later(records: Records, since: float, seconds: float) -> Records:
    """Everything after ``since`` happens ``seconds`` later."""
    for r in records:
        if r["t"] > since:
            r["t"] = round(r["t"] + seconds, 2)
    return records


def is_event(r: dict[str, Any], reason: str, text: str = "") -> bool:
    return r["kind"] == "Event" and r["reason"] == reason and text in r["message"]


def period_plus_one(records: Records) -> Records:
    """Each failure after the first comes a second later, and with it everything after it."""
    last: dict[tuple[str, str], float] = {}
    shift = 0.0
    for r in records:
        if is_event(r, "Unhealthy"):
            key = (r["object"], r["message"][:5])
            if key in last and r["t"] - last[key] < 7:
                shift += 1
            last[key] = r["t"]
        r["t"] = round(r["t"] + shift, 2)
    return records


def threshold_minus_one(records: Records) -> Records:
    """Each kill comes one failure early."""
    out: Records = []
    dropped = 0
    for r in records:
        if is_event(r, "Killing", "failed"):
            last = max(i for i, x in enumerate(out) if is_event(x, "Unhealthy"))
            del out[last]
            dropped += 1
        if is_event(r, "Unhealthy"):
            r["count"] -= dropped
        out.append(r)
    return out


def threshold_plus_one(records: Records) -> Records:
    """Each kill comes one failure late."""
    kills = [r for r in records if is_event(r, "Killing", "failed")]
    for number, kill in enumerate(kills):
        before = [r for r in records if is_event(r, "Unhealthy") and r["t"] <= kill["t"] + number]
        last, previous = before[-1], before[-2]
        period = last["t"] - previous["t"]
        later(records, last["t"], period)
        extra = {**copy.deepcopy(last), "t": round(last["t"] + period, 2)}
        place = records.index(last) + 1
        records.insert(place, extra)
        for r in records[place:]:
            if is_event(r, "Unhealthy"):
                r["count"] += 1
    return sorted(records, key=lambda r: r["t"])


def double_back_off(records: Records) -> Records:
    """What was held back is held back twice as long."""
    waits: list[tuple[float, float]] = []
    pods = [r for r in records if r["kind"] == "Pod"]
    for pod in dict.fromkeys(r["object"] for r in pods):
        mine = [r for r in pods if r["object"] == pod]
        running = [r for r in mine if r["containers"][0]["state"] == "running"]
        for r in mine:
            again = next((x["t"] for x in running if x["t"] > r["t"]), None)
            if r["containers"][0]["state"] != "running" and r["t"] > 2 and again and again - r["t"] > 9:
                waits.append((r["t"], again - r["t"]))
                break
    for since, wait in waits[:1]:
        later(records, since + 1, wait)
    return records


def first_restart_waits(records: Records) -> Records:
    """The first restart waits 10 s, as many believe."""
    first = next(r for r in records if is_event(r, "Pulled") and r["count"] == 2)
    return later(records, first["t"] - 0.01, 10)


PROBED = ["liveness-exec", "liveness-http", "startup-never", "startup-slow"]


@pytest.mark.parametrize("name", [*PROBED, "readiness-flip"])
def test_a_period_one_second_too_long_fails(name: str) -> None:
    fails(name, period_plus_one)


@pytest.mark.parametrize("name", PROBED)
def test_a_threshold_one_too_low_fails(name: str) -> None:
    fails(name, threshold_minus_one)


@pytest.mark.parametrize("name", PROBED)
def test_a_threshold_one_too_high_fails(name: str) -> None:
    fails(name, threshold_plus_one)


@pytest.mark.parametrize("name", ["crash-loop", "liveness-http", "startup-never", "restart-policies"])
def test_a_back_off_twice_as_long_fails(name: str) -> None:
    result = fails(name, double_back_off)
    assert any("its back-off allows" in problem for problem in result.problems)


@pytest.mark.parametrize("name", ["liveness-exec", "crash-loop", "startup-never", "restart-policies"])
def test_a_first_restart_that_waits_fails(name: str) -> None:
    fails(name, first_restart_waits)


def test_a_problem_is_told_in_words_that_help() -> None:
    result = fails("crash-loop", double_back_off)
    assert any(
        re.fullmatch(
            r"Pod/crash: Pulled app \(restart 2\) at \d+\.\d+ s came 2\d\.\d s after "
            r"app terminated \(Error\) with code 1; its back-off allows 10\.0 … 16\.0 s",
            problem,
        )
        for problem in result.problems
    )


def test_a_grace_period_ten_seconds_short_fails() -> None:
    def short(records: Records) -> Records:
        kill = next(r for r in records if is_event(r, "Killing"))
        return later(records, kill["t"], -10)

    assert "Killing" in fails("liveness-exec", short).problems[0]


def test_a_wrong_exit_code_fails() -> None:
    def other(records: Records) -> Records:
        for r in records:
            for c in r["containers"] if r["kind"] == "Pod" else ():
                if c.get("last"):
                    c["last"]["exitCode"] = 143
        return records

    fails("liveness-exec", other)


def test_a_wrong_text_fails() -> None:
    def other(records: Records) -> Records:
        for r in records:
            if is_event(r, "Unhealthy"):
                r["message"] = r["message"].replace("statuscode: 500", "statuscode 500")
        return records

    fails("liveness-http", other)


def test_an_event_counted_wrongly_fails() -> None:
    def other(records: Records) -> Records:
        for r in records:
            if is_event(r, "Killing"):
                r["count"] = 1
        return records

    assert "count" in fails("liveness-http", other).problems[0]


def test_a_restart_that_is_not_counted_fails() -> None:
    def other(records: Records) -> Records:
        for r in records:
            for c in r["containers"] if r["kind"] == "Pod" else ():
                c["restartCount"] = min(c["restartCount"], 1)
        return records

    fails("liveness-exec", other)


def test_readiness_that_is_never_lost_fails() -> None:
    def other(records: Records) -> Records:
        return [r for r in records if r["t"] < 20 or r["kind"] in ("Event", "Action")]

    result = fails("readiness-flip", other)
    assert any("EndpointSlice/web" in p for p in result.problems)
    assert any("Ready False" in p for p in result.problems)


def test_a_readiness_threshold_one_too_high_fails() -> None:
    def other(records: Records) -> Records:
        out = []
        for r in records:
            if r["t"] > 20 and r["kind"] != "Event" and r["kind"] != "Action":
                r["t"] = round(r["t"] + 2, 2)
            out.append(r)
        return sorted(out, key=lambda r: r["t"])

    fails("readiness-flip", other)


def test_endpoints_that_follow_too_late_fail() -> None:
    def other(records: Records) -> Records:
        for r in records:
            if r["kind"] == "EndpointSlice" and r["t"] > 20:
                r["t"] = round(r["t"] + 2.5, 2)
        return sorted(records, key=lambda r: r["t"])

    assert all("EndpointSlice" in p for p in fails("readiness-flip", other).problems)


def test_a_deleted_pod_that_is_not_replaced_fails() -> None:
    def other(records: Records) -> Records:
        new = next(r["object"] for r in records if r["kind"] == "Pod" and 15 < r["t"] < 17 and r["phase"] == "Pending")
        return [r for r in records if r.get("object") != new]

    fails("replicaset-heal", other)


def test_an_object_nobody_made_fails() -> None:
    first, second = takes("liveness-exec")
    more = distorted(second, lambda rs: [*rs, {**copy.deepcopy(rs[0]), "t": 239.0, "object": "Pod/other"}])
    result = compare([first], [more])
    assert result.problems == ["Pod/other is in the simulation only"]
    result = compare([more], [first])
    assert result.problems == ["Pod/other is in the recording only"]


def test_other_actions_fail() -> None:
    first, second = takes("readiness-flip")
    fewer = distorted(second, lambda rs: [r for r in rs if not (r["kind"] == "Action" and r["t"] > 70)])
    assert "other actions were done to the two clusters" in compare([first], [fewer]).problems


# ---- what may differ


def test_a_pod_that_starts_four_seconds_late_passes_and_six_fail() -> None:
    first, second = takes("crash-loop")
    started = next(r["t"] for r in first if is_event(r, "Pulled"))
    for seconds, passes in ((4, True), (6, False)):
        late = distorted(first, lambda rs, s=seconds: later(rs, started - 0.01, s))  # type: ignore[misc]
        assert bool(compare([late], [first, second])) is passes


def test_generated_names_addresses_and_nodes_do_not_matter() -> None:
    def other(records: Records) -> Records:
        names = {n: f"web-{i:05d}" for i, n in enumerate(dict.fromkeys(re.findall(r"web-\w{5}\b", str(records))))}
        text = str(records).replace("10.88.", "10.99.").replace("node-1", "node-9")
        for old, new in names.items():
            text = text.replace(old, new)
        return eval(text)  # type: ignore[no-any-return]

    first, _ = takes("replicaset-heal")
    assert compare([distorted(first, other)], [first]).problems == []


def test_roles_follow_the_actions_and_not_the_order_of_names() -> None:
    first, second = takes("replicaset-heal")
    for take in (first, second):
        roles = Roles(take)
        deleted = next(r["args"] for r in take if r["kind"] == "Action" and r["verb"] == "delete")
        assert roles.role("Pod/" + deleted.partition("/")[2]) == "Pod/web #1 (delete at 15 s)"
        assert "EndpointSlice/web" in roles.of.values()
    assert sorted(Roles(first).of.values()) == sorted(Roles(second).of.values())
