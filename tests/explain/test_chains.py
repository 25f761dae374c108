"""Every record says why: a chain of sentences, back to an action or to what somebody or something did by itself."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from selfheal import Cluster
from selfheal.explain import Explanation, explain
from selfheal.headlines import deed, headline
from selfheal.rules import RULES
from selfheal.timeline import Timeline
from tests.engine.scenarios import ALL, SERVICE
from tests.engine.worlds import World, worlds

LONGEST = 160
"""Characters of a sentence."""


def problems(timeline: Timeline) -> list[str]:
    """What is wrong with the reasons that a timeline gives."""
    found = []
    for record in timeline:
        steps = explain(timeline, record).steps
        where = f"{headline(record)[:80]}: "
        if not steps:
            found.append(f"{where}no cause")
            continue
        if steps[-1].source:
            found.append(f"{where}ends in {steps[-1].rule}, which is no beginning")
        for step in steps:
            if "<" in step.text.replace("<none>", "") or "None" in step.text:
                found.append(f"{where}{step.text!r} lacks a value")
            if not re.fullmatch(r"[A-Z`a-z0-9].*[.)…]|….*…", step.text, re.DOTALL) or len(step.text) > LONGEST:
                found.append(f"{where}{step.text!r} is no short sentence")
        times = [step.t for step in steps if step.t is not None]
        if any(later < earlier - 0.001 for later, earlier in pairwise(times)):
            found.append(f"{where}an effect comes before its cause: {times}")
    return found


@pytest.mark.parametrize("name", ALL)
def test_every_record_of_a_run_goes_back_to_a_beginning(name: str) -> None:
    assert problems(ALL[name](2).timeline) == []


@settings(max_examples=25, deadline=None, suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large))
@given(worlds(traffic=True))
def test_every_record_of_small_random_worlds_goes_back_to_a_beginning(world: World) -> None:
    assert problems(world.play().timeline) == []


def test_rules_name_a_file_and_a_function_of_kubernetes_or_neither() -> None:
    for key, rule in RULES.items():
        assert bool(rule.source) == bool(rule.function), key
        if rule.source:
            assert re.fullmatch(r"(pkg|plugin|staging/src/k8s\.io)/[\w./-]+\.(go|proto)", rule.source), key
            assert re.fullmatch(r"\w+", rule.function), key


# ---- chains that matter, in words


def why(cluster: Cluster, **wanted: object) -> Explanation:
    """Why the first record came about that is as wanted."""
    return cluster.explain(cluster.timeline.select(**wanted)[0])  # type: ignore[arg-type]


def texts(explanation: Explanation) -> list[str]:
    return [step.text for step in explanation.steps]


def test_the_liveness_example_of_the_documentation() -> None:
    cluster = ALL["liveness-exec"](1)
    killing = why(cluster, reason="Killing")
    assert texts(killing) == [
        "Container liveness is asked to end by SIGTERM; if it has not in 30 s, SIGKILL ends it.",
        "The liveness result is Failure, so container liveness is killed.",
        "The liveness result is new, so the pod's worker was asked for a sync.",
        "That reaches the threshold: the liveness result of container liveness becomes Failure.",
        "The liveness probe failed, 3 in a row; failureThreshold is 3.",
        "The liveness probe failed, 2 in a row; failureThreshold is 3.",
        "The liveness probe failed, 1 in a row; failureThreshold is 3.",
        "Container liveness changed by itself: `rm -f /tmp/healthy` ran in it.",
    ]
    began = killing.steps[-1].t
    assert began is not None
    assert 30 <= began - cluster.timeline.starts("liveness-exec")[0] <= 30.2
    failures = [step.t for step in killing.steps if step.rule == "probe.failed"]
    assert [round(a - b) for a, b in pairwise(failures)] == [5, 5]  # type: ignore[operator]
    assert {step.function for step in killing.steps} == {
        "killContainer",
        "computePodActions",
        "syncLoopIteration",
        "doProbe",
        "",
    }


def test_its_restart_tells_of_the_thirty_seconds_that_nobody_expects() -> None:
    restart = why(ALL["liveness-exec"](1), kind="Pod", since=50.0)
    words = texts(restart)
    assert words[1].endswith("showed container liveness exited.")
    assert words[2] == "Container liveness did not end within 30 s of SIGTERM, so SIGKILL ended it."
    assert words[-1] == "Container liveness changed by itself: `rm -f /tmp/healthy` ran in it."


def test_agnhosts_own_change_is_where_its_restart_begins() -> None:
    cluster = ALL["liveness-http"](1)
    second = cluster.timeline.select(kind="Event", reason="Started")[1]
    words = texts(cluster.explain(second))
    assert words[0] == "No back-off is in force for container liveness: start number 2 comes at once."
    assert words[-1] == "The app in container liveness says of itself: 10 seconds are over: /healthz answers 500."


def test_an_app_that_was_switched_goes_back_to_who_switched_it() -> None:
    cluster = ALL["traffic"](1)
    pod = next(r for r in cluster.timeline.select(kind="App") if "hang" in r["text"])["object"]
    switched = f"POST /switch?healthz=hang was sent to port 8080 of {pod.replace('Pod/', 'pod ')}."
    for reason, count in (("Unhealthy", 0), ("Killing", 0), ("Started", 1)):
        record = cluster.timeline.select(kind="Event", object=pod, reason=reason)[count]
        assert texts(cluster.explain(record))[-2:] == ["The app in container app was switched: healthz hang.", switched]
    lost = next(r for r in cluster.timeline.select(kind="Traffic", since=40) if r["lost"])
    assert texts(cluster.explain(lost)) == [
        f"{pod.removeprefix('Pod/')} gets requests of web and does not answer them well.",
        "The app in container app was switched: healthz hang.",
        switched,
    ]


def test_a_start_that_is_held_back_and_one_that_comes_when_it_is_over() -> None:
    cluster = ALL["crash-loop"](1)
    held = cluster.timeline.select(kind="Event", reason="BackOff")[-1]
    words = texts(cluster.explain(held))
    assert re.fullmatch(
        r"Instance \d of container app ended less than [\dm]+s ago, so its next start is held back\.", words[0]
    )
    assert words[-1] == "The process of container app ended by itself, with exit code 1."
    last = cluster.timeline.select(kind="Event", reason="Started")[-1]
    rules = [step.rule for step in cluster.explain(last).steps]
    assert rules[:3] == ["backoff.start", "queue.due", "backoff.held"]
    assert rules[-2:] == ["pleg.relist", "process exit"]


def test_a_pod_that_leaves_its_service() -> None:
    cluster = ALL["traffic"](1)
    slice_ = next(
        r
        for r in cluster.timeline.select(kind="EndpointSlice", since=20)
        if any(not e["ready"] for e in r["endpoints"])
    )
    assert texts(cluster.explain(slice_)) == [
        "Service web stands for 3 pods with an address, 2 of them ready.",
        "That reaches the threshold: the readiness result of container app becomes Failure.",
        "The readiness probe failed, 1 in a row; failureThreshold is 1.",
        "The app in container app was switched: readyz 503.",
        f"POST /switch?readyz=503 was sent to port 8080 of pod {slice_['endpoints'][0]['pod']}.",
    ]


def test_a_pod_that_takes_the_place_of_a_deleted_one() -> None:
    cluster = ALL["replicaset-heal"](1)
    [deletion] = [r for r in cluster.timeline.select(kind="Action") if r["verb"] == "delete"]
    new = next(r for r in cluster.timeline.select(kind="Pod", since=deletion["t"]) if "node" not in r)
    assert texts(cluster.explain(new)) == [
        "web has 2 active pods and wants 3: 1 more are created.",
        f"{deletion['args']} was deleted.",
    ]


def test_a_probe_that_never_succeeded_goes_back_to_the_manifest() -> None:
    cluster = ALL["startup-never"](1)
    words = texts(why(cluster, kind="Event", reason="Unhealthy"))
    assert re.fullmatch(r"Container app has answered so since it started at \d\.\d s\.", words[1])
    assert words[2] == "The startup worker asks every 3 s, counted from this moment."
    assert words[-1] == "The manifests were applied."


def test_a_probe_that_is_not_asked_says_why() -> None:
    skipped = why(ALL["startup-slow"](1), kind="Probe", probe="readiness", why="not started")
    assert texts(skipped)[0] == "The readiness probe was due and not asked: the startup probe has not succeeded yet."


def test_a_pod_that_was_evicted_from_a_dead_node() -> None:
    cluster = Cluster(nodes=2, seed=1, nodes_in_timeline=True)
    cluster.apply(SERVICE)
    cluster.run(until=30)
    cluster.node("node-1").stop()
    cluster.run(until=420)
    assert problems(cluster.timeline) == []
    new = next(r for r in cluster.timeline.select(kind="Pod", since=300) if "node" not in r)
    chain = cluster.explain(new).steps
    assert [step.function for step in chain] == [
        "manageReplicas",
        "processPodOnNode",
        "doNoExecuteTaintingPass",
        "tryUpdateNodeHealth",
        "",
    ]
    assert chain[-1].text == "node-1 lost its power."
    assert chain[1].t is not None
    assert chain[2].t is not None
    assert chain[1].t - chain[2].t == pytest.approx(300, abs=1)


# ---- how it is told


def test_of_many_failures_in_a_row_three_are_told() -> None:
    cluster = Cluster(seed=1)
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "pod"},
            "spec": {
                "containers": [
                    {
                        "name": "app",
                        "image": "busybox",
                        "command": ["sleep", "3600"],
                        "livenessProbe": {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 30},
                    }
                ]
            },
        }
    )
    cluster.run(until=60)
    told = [step.text for step in why(cluster, reason="Killing").steps if step.rule == "probe.failed"]
    assert [re.sub(r"\D+", " ", text).split() for text in told] == [["30", "30"], ["29", "30"], ["27"], ["1", "30"]]


def test_reasons_survive_a_file(tmp_path: Path) -> None:
    timeline = ALL["traffic"](1).timeline
    timeline.save(tmp_path / "t.jsonl", record_all=True)
    again = Timeline.load(tmp_path / "t.jsonl")
    for mine, theirs in zip(timeline, again, strict=True):
        before, after = explain(timeline, mine).steps, explain(again, theirs).steps
        assert [(s.text, s.source, s.function) for s in before] == [(s.text, s.source, s.function) for s in after]
        assert [s.t for s in before] == pytest.approx([s.t for s in after], abs=0.001)


def test_an_explanation_prints_as_text() -> None:
    printed = str(why(ALL["liveness-exec"](1), reason="Unhealthy"))
    lines = printed.splitlines()
    assert lines[0].endswith(
        "Unhealthy: Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory"
    )
    assert lines[1].startswith("  because  ")
    assert lines[2].strip() == "pkg/kubelet/prober/worker.go doProbe"


@pytest.mark.parametrize("name", ALL)
def test_each_record_has_a_headline_of_one_line(name: str) -> None:
    for record in ALL[name](1).timeline:
        assert "\n" not in headline(record)
        assert len(headline(record)) < 400
        assert "{" not in headline(record)
        assert "None" not in headline(record)


@pytest.mark.parametrize(
    ("verb", "args", "sentence"),
    [
        ("exec", {"pod": "a", "command": ["sh", "-c", "rm x; sleep 1"]}, "`rm x; sleep 1` was run in pod a."),
        ("exec", {"pod": "a", "command": ["cat", "a b"]}, "`cat 'a b'` was run in pod a."),
        ("kill", {"pod": "a"}, "SIGKILL was sent to pod a."),
        ("kill", {"pod": "a", "signal": "TERM"}, "SIGTERM was sent to pod a."),
        ("delete", "pod/a", "pod/a was deleted."),
        ("scale", {"deployment/web": 3}, "deployment/web was scaled to 3."),
        ("label", "pod/a x=y", "pod/a was labelled x=y."),
        ("label", {"pod": "a", "labels": "x=y z-"}, "pod a was labelled x=y z-."),
        ("stopNode", "node-1", "node-1 lost its power."),
        ("fault", {"kind": "hang", "target": "pod/a"}, "The app of pod/a was frozen."),
    ],
)
def test_deeds_are_told_in_a_sentence(verb: str, args: object, sentence: str) -> None:
    assert deed(verb, args) == sentence
