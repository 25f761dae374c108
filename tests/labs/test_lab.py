"""A lab from its prediction to its clean-up, on the emulator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from selfheal.labs import Lab, LabError
from selfheal.labs.api import Api
from selfheal.labs.errors import Unreachable
from selfheal.labs.namespaces import OWNED, OWNER, PROCESS, Namespace, left_over, sweep
from selfheal.labs.recording import Recording
from selfheal.scenario import Scenario
from selfheal.timeline.compare import compare

LABS = Path(__file__).parents[2] / "labs"
HTTP = LABS / "manifests" / "liveness-http.yaml"


def namespaces(api: Api) -> list[str]:
    return [o["metadata"]["name"] for o in api.list("Namespace", selector=f"{OWNED}={OWNER}")["items"]]


@pytest.mark.slow
def test_predict_run_compare_clean(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    lab = Lab("liveness", HTTP, until=30)
    assert "runs on context selfheal at https://127.0.0.1:" in capsys.readouterr().out
    assert "liveness-http: restarted 1×" in str(lab.predict())
    timeline = lab.run(live=False)
    assert timeline.header["until"] == 30
    assert {r["namespace"] for r in timeline if "namespace" in r} == {"default"}
    assert "lab-liveness" not in timeline.to_jsonl()
    assert timeline[0]["t"] == 0
    compared = lab.compare()
    assert str(compared).splitlines() == [
        "liveness-http: restarted 1×, killed by a probe 1×, Running at the end, Ready at least once, as predicted",
    ]
    assert compared.plot().svg.startswith("<svg")
    assert "intervals as predicted" in compared.why()
    assert len(namespaces(api)) == 1
    lab.clean()
    assert namespaces(api) == []
    assert "and in it Pod/liveness-http." in capsys.readouterr().out
    lab.clean()


SHOP: list[dict[str, Any]] = [
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "nginx:1.27", "ports": [{"containerPort": 80}]}]},
            },
        },
    },
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    },
]
ACTIONS: list[dict[str, Any]] = [
    {"at": 7, "kill": {"pod": {"selector": "app=web", "index": 1}}},
    {"at": 7.5, "fault": {"kind": "partition", "target": {"selector": "app=web", "index": 1}, "for": 1}},
    {"at": 8, "http": {"pod": {"selector": "app=web", "index": 0}, "port": 80, "path": "/"}},
    {"at": 10, "delete": {"pod": {"selector": "app=web", "index": 0}}},
    {"at": 16, "scale": {"deployment/web": 3}},
    {"at": 24, "label": {"pod": {"selector": "app=web", "index": 0}, "labels": "tier=front"}},
    {"at": 26, "rollout": {"restart": "deployment/web"}},
    {"at": 36, "delete": "deployment/gone"},
    {"at": 37, "forceDelete": {"pod": {"selector": "app=web", "index": 9}}},
]


@pytest.mark.slow
def test_actions_are_done_as_kubectl_does_them(api: Api) -> None:
    scenario = Scenario.load(SHOP, ACTIONS, until=40)
    made = Namespace.make(api, "shop")
    made.furnished()
    timeline = Recording(api, made.name, scenario).run()
    made.remove()
    actions = timeline.select(kind="Action")
    assert [a["verb"] for a in actions] == [next(k for k in a if k != "at") for a in ACTIONS]
    assert all(0 <= a["t"] - wanted["at"] < 5 for a, wanted in zip(actions, ACTIONS, strict=True))
    assert [a["result"] for a in actions[:2]] == ["ok", "ok"]
    killed = f"Pod/{actions[0]['args']['pod']}"
    assert max(r["containers"][0]["restartCount"] for r in timeline.select(kind="Pod", object=killed)) == 1
    results = [a["result"] for a in actions[2:]]
    assert results[0] == "200"
    assert results[1] == f'pod "{actions[3]["args"].removeprefix("pod/")}" deleted from default namespace'
    assert results[2] == "deployment.apps/web scaled"
    assert results[3] == f"pod/{actions[5]['args']['pod']} labeled"
    assert results[4] == "deployment.apps/web restarted"
    assert results[5] == 'deployments.apps "gone" not found'
    assert results[6] == "no pod number 9 with label app=web: there are 3"
    assert timeline.select(kind="Deployment")[-1]["ready"] == 3
    assert len(timeline.objects("Pod")) == 7


@pytest.mark.parametrize(
    ("manifest", "actions", "says"),
    [
        (SHOP, [{"at": 1, "fault": {"kind": "hang", "target": "pod/web"}}], "nobody can do that to a real cluster"),
        (SHOP, [{"at": 1, "stopNode": "node-1"}], "LAB_NODE_FAULT names a command"),
        (SHOP, [{"at": 1, "drain": {"node": "node-1"}}], "needs a podSelector"),
        ([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}], [], "belongs to the whole cluster"),
        ([{**SHOP[1], "metadata": {"name": "web", "namespace": "kube-system"}}], [], "a lab has one of its own"),
    ],
)
def test_what_a_cluster_cannot_do_is_refused_before_anything_is_made(
    api: Api, monkeypatch: pytest.MonkeyPatch, manifest: Any, actions: Any, says: str
) -> None:
    monkeypatch.setattr("selfheal.labs.context.EMULATOR", "another")  # so that it counts as named
    monkeypatch.setenv("LAB_CONTEXT", "selfheal")
    with pytest.raises(LabError, match=says):
        Lab("refused", manifest, actions).run(live=False)
    assert namespaces(api) == []


@pytest.mark.parametrize("problem", [KeyboardInterrupt(), ValueError("a slip")])
def test_the_namespace_goes_whatever_happens(api: Api, monkeypatch: pytest.MonkeyPatch, problem: BaseException) -> None:
    def tick(self: Any, run: Any) -> None:
        assert len(namespaces(api)) == 1
        raise problem

    monkeypatch.setattr(Recording, "run", tick)
    with pytest.raises(type(problem)):
        Lab("interrupted", HTTP).run(live=False)
    assert namespaces(api) == []


@pytest.mark.parametrize("problem", [KeyboardInterrupt(), Unreachable("it went silent")])
def test_a_lab_that_is_cut_off_while_its_namespace_is_made_leaves_nothing(
    api: Api, monkeypatch: pytest.MonkeyPatch, problem: BaseException
) -> None:
    def furnished(self: Namespace) -> None:
        assert namespaces(api) == [self.name]
        raise problem

    monkeypatch.setattr(Namespace, "furnished", furnished)
    with pytest.raises(type(problem)):
        Lab("cut-off", HTTP).run(live=False)
    assert namespaces(api) == []


def test_a_cell_that_is_run_again_leaves_nothing_of_its_last_run(api: Api) -> None:
    first = Lab("again", HTTP).namespace
    second = Lab("again", HTTP)
    assert namespaces(api) == [first]
    assert second.namespace != first
    assert namespaces(api) == [second.namespace]
    other = Lab("another", HTTP)
    assert {second.namespace, other.namespace} == set(namespaces(api))
    second.clean()
    other.clean()


def test_a_namespace_that_was_there_is_never_removed(api: Api) -> None:
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lab-mine"}})
    made = Namespace.make(api, "mine")
    theirs = api.get("Namespace", "lab-mine")
    stranger = Namespace(api, {"metadata": {"name": "lab-mine", "uid": made.uid}})  # of that name, but not that one
    stranger.remove(wait=False)
    assert api.get("Namespace", "lab-mine")["metadata"]["uid"] == theirs["metadata"]["uid"]
    assert "deletionTimestamp" not in api.get("Namespace", "lab-mine")["metadata"]
    made.remove()
    assert sweep(api) == []


def test_what_a_lab_left_behind_is_offered(
    api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Namespace.make(api, "left")
    assert left_over(api) == []  # this very process still runs
    monkeypatch.setattr("selfheal.labs.namespaces.os.getpid", lambda: 2**22 + 1)
    stale = Namespace.make(api, "stale")
    monkeypatch.undo()
    assert [o["metadata"]["name"] for o in left_over(api)] == [stale.name]
    assert api.get("Namespace", stale.name)["metadata"]["annotations"][PROCESS].endswith(str(2**22 + 1))
    assert sweep(api) == [stale.name]
    made.remove()


@pytest.mark.nightly
def test_a_recording_fits_the_simulator(api: Api) -> None:
    scenario = Scenario.load(HTTP, until=40, nodes=3)
    made = Namespace.make(api, "fits")
    made.furnished()
    timeline = Recording(api, made.name, scenario).run()
    made.remove()
    lab = Lab("fits", HTTP, until=40)
    lab.predict(seeds=12)
    result = compare([timeline], lab.predicted)
    assert result, result.report()
