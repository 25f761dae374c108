"""Scenarios: loading, canonical form, questions."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal.errors import ApiError
from selfheal.objects import matches
from selfheal.scenario import BadScenario, Scenario, selector

RECORDINGS = Path(__file__).parent.parent / "recordings"
FOLDERS = sorted(p.parent for p in RECORDINGS.glob("*/actions.yaml"))
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a"},
    "spec": {"containers": [{"name": "a", "image": "b:1"}]},
}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_a_recorded_scenario_is_read_and_its_question_holds_all_of_it(folder: Path) -> None:
    scenario = Scenario.load([RECORDINGS / "cluster.yaml", folder / "manifest.yaml"], folder / "actions.yaml", seed=3)
    assert scenario.name == folder.name
    assert [m["kind"] for m in scenario.manifests[:3]] == ["Node", "Node", "Node"]
    for again in (Scenario.from_canonical(scenario.question()), Scenario.from_canonical(scenario.canonical())):
        assert again == scenario
        assert again.question() == scenario.question()


def test_a_question_is_one_text_however_the_scenario_was_written() -> None:
    shuffled = {key: POD[key] for key in reversed(POD)}
    yaml = "kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - image: b:1\n    name: a\nmetadata:\n  name: a\n"
    questions = {
        Scenario.load(source, actions, until=until, traffic=traffic).question()
        for source, actions, until, traffic in (
            (POD, [{"at": 5, "delete": "pod/a"}], 60, [("web", 5)]),
            (shuffled, [{"delete": "pod/a", "at": 5.0}], 60.0, {"web": 5.0}),
            (yaml, "- delete: pod/a\n  at: 5e0\n", 60.0000001, [["web", 5.0]]),
            (json.dumps(POD), b'[{"at": 5.0, "delete": "pod/a"}]', 6e1, (("web", 5),)),
        )
    }
    [question] = questions
    assert json.loads(question)["actions"] == [{"at": 5, "delete": "pod/a"}]
    assert ": " not in question


def test_the_canonical_form_has_these_keys() -> None:
    assert Scenario.load(POD).canonical() == {
        "scenario": 1,
        "manifests": [POD],
        "actions": [],
        "seed": 0,
        "nodes": 1,
        "second": None,
        "until": 120,
        "belief": None,
        "traffic": [],
    }


def test_a_question_may_leave_out_what_it_does_not_set() -> None:
    assert Scenario.from_canonical({"manifests": [POD]}) == Scenario.load(POD)
    assert Scenario.from_canonical("{}") == Scenario()


def test_manifests_stand_as_they_were_written() -> None:
    assert Scenario.load(POD).manifests == (POD,)


def test_the_name_is_that_of_the_last_file_and_of_no_consequence(tmp_path: Path) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(json.dumps(POD))
    assert Scenario.load(path).name == "web"
    assert Scenario.load(POD).name == ""
    assert Scenario.load(path) == Scenario.load(POD, name="other")
    assert Scenario.load(path).question() == Scenario.load(POD).question()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seed": -1}, "seed: must be between 0 and 9007199254740992, not -1"),
        ({"seed": "x"}, 'seed: must be a whole number, not "x"'),
        ({"nodes": 0}, "nodes: must be between 1 and 1000, not 0"),
        ({"nodes": 2.5}, "nodes: must be a whole number, not 2.5"),
        ({"until": "long"}, 'until: must be a number of seconds, not "long"'),
        ({"until": -1}, "until: must be between 0 and 1e+08 seconds, not -1"),
        ({"until": float("nan")}, "until: must be between 0 and 1e+08 seconds, not nan"),
        ({"until": float("inf")}, "until: must be between 0 and 1e+08 seconds, not inf"),
        ({"second": 40.5}, "second: must be a whole number, not 40.5"),
        ({"second": 60}, "second: must be between 0 and 59, not 60"),
        ({"second": -1}, "second: must be between 0 and 59, not -1"),
        (
            {"belief": "readiness-restart"},
            'belief: unknown belief "readiness-restart"; did you mean "readiness-restarts"?',
        ),
        ({"traffic": [("web",)]}, "traffic[0]: must be [Service, requests a second]"),
        ({"traffic": [("web", 0)]}, "traffic[0][1]: must be above 0 and at most 100000 requests a second, not 0"),
        ({"traffic": "web=5"}, "traffic: must be a list of [Service, requests a second]"),
        ({"actions": {"at": 5}}, "actions: must be a list, not a dict"),
        ({"actions": "one line"}, "actions: must be a list, each entry with `at` and one verb"),
        ({"actions": "a: b\n"}, "actions: must be a list, each entry with `at` and one verb"),
        ({"actions": "- {}\n---\n- {}\n"}, "actions: must be one list, in one document"),
    ],
)
def test_a_mistake_is_told_in_one_line(given: dict[str, Any], message: str) -> None:
    with pytest.raises(BadScenario) as refused:
        Scenario.load(POD, given.pop("actions", None), **given)
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("[]", "the question must be a mapping"),
        ("", "the question cannot be read: "),
        ("{", "the question cannot be read: error parsing the question: "),
        ({"scenario": 2}, "this package reads scenarios of format 1, not 2"),
        ({"manifest": []}, 'unknown field "manifest"; did you mean "manifests"?'),
        ({"manifests": "/etc/passwd"}, "manifests: must be a list"),
        ({"actions": "x.yaml"}, "actions: must be a list"),
        ({"x": float("nan")}, "the question cannot be read: json: unsupported value: NaN"),
    ],
)
def test_a_broken_question_is_told(question: Any, message: str) -> None:
    with pytest.raises(BadScenario) as refused:
        Scenario.from_canonical(question)
    assert refused.value.message.startswith(message)


def test_a_bad_manifest_is_told_when_the_scenario_is_read() -> None:
    with pytest.raises(ApiError, match=r'^Pod "a" is invalid: spec.containers: Required value$'):
        Scenario.load({**POD, "spec": {}})


@pytest.mark.parametrize(
    ("text", "labels", "selected"),
    [
        ("app=web", {"app": "web"}, True),
        ("app==web", {"app": "api"}, False),
        ("app!=web", {}, True),
        ("app", {"app": ""}, True),
        ("!app", {"app": "x"}, False),
        ("tier=front,!app", {"tier": "front"}, True),
        ("app in (web, api),tier notin (back)", {"app": "api", "tier": "front"}, True),
        ("app in (web,api)", {"app": "db"}, False),
        (" app = web , tier ", {"app": "web", "tier": "x"}, True),
        ("app=", {"app": ""}, True),
        ("", {}, True),
    ],
)
def test_a_selector_reads_as_in_kubectl(text: str, labels: dict[str, str], selected: bool) -> None:
    assert matches(selector(text), labels) is selected


@pytest.mark.parametrize(
    "text", ["a=b=c", "a in (", "a in b", "=b", ",", "a,,b", "a in ()x", "a b", "!", "a=b c", "é", "a=(", "a" * 300]
)
def test_a_broken_selector_is_told(text: str) -> None:
    with pytest.raises(ApiError, match=r"^unable to parse the label selector"):
        selector(text)


NAMES = st.sampled_from(["a", "web", "node-1", "x.y"])
TIMES = st.one_of(st.integers(0, 500), st.floats(0, 500))
ENTRIES = st.one_of(
    st.fixed_dictionaries({"at": TIMES, "cordon": NAMES}),
    st.fixed_dictionaries(
        {
            "at": TIMES,
            "kill": st.fixed_dictionaries(
                {"pod": NAMES}, optional={"signal": st.sampled_from(["TERM", "SIGKILL", "int"])}
            ),
        }
    ),
    st.fixed_dictionaries(
        {
            "at": TIMES,
            "scale": st.dictionaries(
                st.sampled_from(["deployment/web", "rs/a"]), st.integers(0, 9), min_size=1, max_size=1
            ),
        }
    ),
    st.fixed_dictionaries(
        {
            "at": TIMES,
            "exec": st.fixed_dictionaries(
                {"pod": NAMES, "command": st.lists(st.text(max_size=9), min_size=1, max_size=3)}
            ),
        }
    ),
    st.fixed_dictionaries({"at": TIMES, "apply": st.just(json.dumps(POD) + "\n")}),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(ENTRIES, max_size=4),
    st.integers(0, 2**53),
    st.integers(1, 5),
    st.one_of(st.none(), st.integers(0, 59)),
    st.floats(0, 1e6),
    st.lists(st.tuples(NAMES, st.floats(0.01, 1000)), max_size=2),
    st.dictionaries(st.text(max_size=6), st.text(max_size=6), max_size=3),
)
def test_a_question_comes_back_as_the_same_scenario(
    entries: list[dict[str, Any]],
    seed: int,
    nodes: int,
    second: int | None,
    until: float,
    traffic: list[tuple[str, float]],
    data: dict[str, str],
) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c"},
        "data": {f"k{i}": v for i, v in enumerate(data.values())},
    }
    scenario = Scenario.load(
        [POD, config], entries, seed=seed, nodes=nodes, second=second, until=until, traffic=traffic
    )
    question = scenario.question()
    again = Scenario.from_canonical(question)
    assert again == scenario
    assert again.question() == question
    assert Scenario.from_canonical(json.loads(question)) == scenario
    assert json.loads(question) == scenario.canonical()


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["at", "kill", "pod", "exec", "apply", "scale", "selector", "x"]), inner, max_size=3
            )
        ),
        max_leaves=12,
    )
)
def test_any_actions_give_a_scenario_or_one_error(junk: Any) -> None:
    try:
        Scenario.load([], [junk])
        Scenario.from_canonical({"actions": [junk], "seed": junk})
    except ApiError as error:
        told = error.message
    else:
        return
    assert told
