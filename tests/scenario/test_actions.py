"""Actions: every verb of the format, and what is said of mistakes."""

from pathlib import Path
from typing import Any

import pytest

from selfheal.scenario import VERBS, BadScenario, Scenario

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: late}\nspec: {containers: [{name: a, image: b:1}]}\n"


def actions(*entries: Any) -> list[tuple[float, str, Any]]:
    return [(a.at, a.verb, a.args) for a in Scenario.load([], list(entries)).actions]


def refusal(*entries: Any) -> str:
    with pytest.raises(BadScenario) as refused:
        Scenario.load([], list(entries))
    assert "\n" not in refused.value.message
    return refused.value.message


CHOSEN = {"selector": "app=web", "index": 1}


@pytest.mark.parametrize(
    "entry",
    [
        {"exec": {"pod": "web", "command": ["rm", "/tmp/ok"], "container": "app"}},
        {"exec": {"pod": "web", "command": "rm /tmp/ok"}},
        {"exec": {"pod": CHOSEN, "command": ["true"]}},
        {"kill": {"pod": "web"}},
        {"kill": {"pod": CHOSEN, "container": "app", "signal": "TERM"}},
        {"http": {"pod": "web", "port": 8080, "path": "/switch?healthz=500", "method": "POST"}},
        {"delete": "pod/web"},
        {"delete": "deploy/web"},
        {"delete": {"pod": CHOSEN}},
        {"forceDelete": "pod/web"},
        {"scale": {"deployment/web": 5}},
        {"scale": {"statefulset/db": 0}},
        {"rollout": {"undo": "deployment/web"}},
        {"rollout": {"restart": "daemonset/agent"}},
        {"label": {"pod": {"selector": "tier=front,!app", "index": 0}, "labels": "app=web old-"}},
        {"label": {"node": "node-2", "labels": "agent=off"}},
        {"condition": {"pod": "gated", "type": "example.com/balanced", "status": "True"}},
        {"cordon": "node-1"},
        {"uncordon": "node-1"},
        {"drain": {"node": "node-1", "podSelector": "app in (shop,web)", "timeout": 23}},
        {"stopNode": "node-1"},
        {"stopNode": {"pod": CHOSEN}},
        {"drain": {"node": {"pod": "web"}, "podSelector": "app=web"}},
        {"fault": {"kind": "partition", "target": {"node": {"pod": CHOSEN}}}},
        {"startNode": "node-1"},
        {"fault": {"kind": "hang", "target": "pod/web", "for": 20}},
        {"fault": {"kind": "hang", "target": {"selector": "app=web", "index": 1}}},
        {"fault": {"kind": "refusePull", "target": "registry.example:5000"}},
        {"fault": {"kind": "apiDown", "for": 2.5}},
    ],
    ids=str,
)
def test_every_verb_is_kept_as_it_was_written(entry: dict[str, Any]) -> None:
    [(verb, args)] = entry.items()
    assert actions({"at": 5, **entry}) == [(5, verb, args)]


def test_the_list_above_has_all_verbs_but_apply() -> None:
    [mark] = test_every_verb_is_kept_as_it_was_written.pytestmark  # type: ignore[attr-defined]
    assert {verb for entry in mark.args[1] for verb in entry} == set(VERBS) - {"apply"}


def test_actions_are_sorted_and_those_of_one_moment_stay_in_order() -> None:
    found = actions(
        {"at": 9, "cordon": "c"}, {"at": 3.5, "cordon": "a"}, {"at": 9.0, "cordon": "d"}, {"at": 3.5, "cordon": "b"}
    )
    assert [(at, args) for at, _, args in found] == [(3.5, "a"), (3.5, "b"), (9, "c"), (9, "d")]


def test_what_can_be_written_in_two_ways_is_kept_in_one() -> None:
    assert actions({"at": 1, "kill": {"pod": "a", "signal": "SIGTERM"}}) == actions(
        {"at": 1.0, "kill": {"pod": "a", "signal": "term"}}
    )
    assert actions({"at": 1, "condition": {"pod": "a", "type": "x", "status": True}})[0][2]["status"] == "True"
    assert actions({"at": 1, "label": {"pod": "a", "labels": " a=b   c- "}})[0][2]["labels"] == "a=b c-"
    assert actions({"at": 0.1234567, "cordon": "a"})[0][0] == 0.123457


def test_apply_holds_the_manifests_of_a_file_beside_the_actions(tmp_path: Path) -> None:
    (tmp_path / "late.yaml").write_text(POD)
    (tmp_path / "actions.yaml").write_text("- {at: 5, apply: late.yaml}\n")
    [action] = Scenario.load([], tmp_path / "actions.yaml").actions
    assert action.args == "late.yaml"
    assert [m["metadata"]["name"] for m in action.manifests] == ["late"]
    assert [m["metadata"]["name"] for m in Scenario.load([], str(tmp_path / "actions.yaml")).actions[0].manifests] == [
        "late"
    ]


def test_apply_takes_a_text_too() -> None:
    [action] = Scenario.load([], [{"at": 5, "apply": POD}]).actions
    assert (action.args, action.manifests[0]["metadata"]["name"]) == ("STDIN", "late")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"at": 5, "kil": {"pod": "a"}}, 'actions[0]: unknown verb "kil"; did you mean "kill"?'),
        ({"at": 5, "stopnode": "a"}, 'actions[0]: unknown verb "stopnode"; did you mean "stopNode"?'),
        ({"at": 5, "xyzzy": 1}, 'actions[0]: unknown verb "xyzzy"'),
        ({"at": 5}, "actions[0]: must have one verb, not 0"),
        ({"at": 5, "cordon": "a", "uncordon": "a"}, "actions[0]: must have one verb, not 2: cordon, uncordon"),
        ({"cordon": "a"}, "actions[0]: `at` is missing: seconds after the first apply"),
        ("cordon", 'actions[0]: must be a mapping with `at` and one verb, not "cordon"'),
        ({"at": "soon", "cordon": "a"}, 'actions[0].at: must be a number of seconds, not "soon"'),
        ({"at": True, "cordon": "a"}, "actions[0].at: must be a number of seconds, not true"),
        ({"at": -1, "cordon": "a"}, "actions[0].at: must be between 0 and 1e+08 seconds, not -1"),
        ({"at": 1e9, "cordon": "a"}, "actions[0].at: must be between 0 and 1e+08 seconds, not 1000000000"),
        ({"at": 5, "cordon": ["a"]}, 'actions[0].cordon: must be a name, not ["a"]'),
        ({"at": 5, "kill": "a"}, 'actions[0].kill: must be a mapping of pod, container, signal, not "a"'),
        ({"at": 5, "kill": {}}, "actions[0].kill: `pod` is missing"),
        ({"at": 5, "kill": {"pod": "a", "sig": 9}}, 'actions[0].kill: unknown field "sig"'),
        (
            {"at": 5, "kill": {"pod": "a", "signal": "TREM"}},
            'actions[0].kill.signal: unknown signal "TREM"; did you mean "TERM"?',
        ),
        ({"at": 5, "kill": {"pod": "a", "signal": 9}}, "actions[0].kill.signal: unknown signal 9"),
        ({"at": 5, "kill": {"pod": {"index": 0}}}, "actions[0].kill.pod: `selector` is missing"),
        (
            {"at": 5, "kill": {"pod": {"selector": "a=(b", "index": 0}}},
            'actions[0].kill.pod.selector: unable to parse the label selector "a=(b"',
        ),
        (
            {"at": 5, "kill": {"pod": {"selector": "a=b", "index": -1}}},
            "actions[0].kill.pod.index: must be between 0 and 100000, not -1",
        ),
        ({"at": 5, "exec": {"pod": "a"}}, "actions[0].exec: `command` is missing"),
        ({"at": 5, "exec": {"pod": "a", "command": []}}, "actions[0].exec.command: must be a list of words, not []"),
        (
            {"at": 5, "exec": {"pod": "a", "command": ["a", 1]}},
            'actions[0].exec.command: must be a list of words, not ["a", 1]',
        ),
        (
            {"at": 5, "http": {"pod": "a", "port": 0, "path": "/"}},
            "actions[0].http.port: must be between 1 and 65535, not 0",
        ),
        (
            {"at": 5, "http": {"pod": "a", "port": "80", "path": "/"}},
            'actions[0].http.port: must be a whole number, not "80"',
        ),
        (
            {"at": 5, "http": {"pod": "a", "port": 80, "path": "x"}},
            'actions[0].http.path: must begin with a slash, not be "x"',
        ),
        ({"at": 5, "delete": "web"}, 'actions[0].delete: must be KIND/NAME, not "web"'),
        ({"at": 5, "delete": "pid/web"}, 'actions[0].delete: the server doesn\'t have a resource type "pid"'),
        (
            {"at": 5, "scale": {"pod/web": 3}},
            (
                "actions[0].scale: cannot be done to a Pod, only to a Deployment, ReplicaSet, "
                "ReplicationController, StatefulSet"
            ),
        ),
        (
            {"at": 5, "scale": {"deployment/web": -1}},
            "actions[0].scale.deployment/web: must be between 0 and 100000, not -1",
        ),
        (
            {"at": 5, "scale": {"deployment/web": 1.5}},
            "actions[0].scale.deployment/web: must be a whole number, not 1.5",
        ),
        ({"at": 5, "scale": "deployment/web"}, 'actions[0].scale: must be {KIND/NAME: replicas}, not "deployment/web"'),
        ({"at": 5, "rollout": {}}, "actions[0].rollout: must be {undo: KIND/NAME} or {restart: KIND/NAME}"),
        (
            {"at": 5, "rollout": {"undo": "pod/web"}},
            "actions[0].rollout.undo: cannot be done to a Pod, only to a Deployment, StatefulSet, DaemonSet",
        ),
        ({"at": 5, "label": {"labels": "a=b"}}, "actions[0].label: must name a `pod` or a `node`"),
        (
            {"at": 5, "label": {"pod": "a", "labels": "b"}},
            'actions[0].label.labels: must be like "a=b" or "a-", not "b"',
        ),
        (
            {"at": 5, "condition": {"pod": "a", "type": "x", "status": "yes"}},
            'actions[0].condition.status: must be True, False or Unknown, not "yes"',
        ),
        (
            {"at": 5, "drain": {"node": "a", "timeout": -3}},
            "actions[0].drain.timeout: must be between 0 and 1e+08 seconds, not -3",
        ),
        ({"at": 5, "fault": {"kind": "hung"}}, 'actions[0].fault.kind: unknown fault "hung"; did you mean "hang"?'),
        (
            {"at": 5, "fault": {"kind": "hang", "target": "svc/a"}},
            'actions[0].fault.target: must be pod/NAME, node/NAME or the host of a registry, not "svc/a"',
        ),
        ({"at": 5, "apply": 3}, "actions[0].apply: must be the name of a file, not 3"),
        ({"at": 5, "apply": "nowhere.yaml"}, 'actions[0].apply: the path "nowhere.yaml" does not exist'),
        (
            {"at": 5, "apply": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}},
            'actions[0].apply: Pod "a" is invalid: spec.containers: Required value',
        ),
    ],
    ids=lambda value: value[:50] if isinstance(value, str) else "",
)
def test_a_mistake_is_told_in_one_line_with_its_place(entry: Any, message: str) -> None:
    assert refusal(entry) == message


def test_the_place_of_a_mistake_is_its_number_in_the_list() -> None:
    good = {"at": 5, "cordon": "a"}
    assert refusal(good, good, {"at": 1, "kil": 1}).startswith('actions[2]: unknown verb "kil"')


@pytest.mark.parametrize("name", ["", "A", "a b", "-", "ü", "a" * 300, "a/b"])
def test_names_must_be_names(name: str) -> None:
    assert refusal({"at": 5, "cordon": name}).startswith("actions[0].cordon: ")
