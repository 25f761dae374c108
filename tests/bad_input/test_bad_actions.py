"""Broken actions and scenarios: one clear message each, and no run begins."""

from pathlib import Path
from typing import Any

import pytest

from selfheal.errors import ApiError
from selfheal.scenario import Scenario


def deep() -> list[Any]:
    value: list[Any] = []
    for _ in range(5000):
        value = [value]
    return value


def cyclic() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


KILL = {"at": 5, "kill": {"pod": "a"}}
BROKEN: dict[str, tuple[Any, str]] = {
    "a scalar": ("kill everything\n", "actions: must be a list"),
    "a mapping": ("at: 5\nkill: {pod: a}\n", "actions: must be a list"),
    "a number": (5, "actions: must be a list, not a int"),
    "an entry that is a number": ([5], "actions[0]: must be a mapping"),
    "an entry that is null": ([None], "actions[0]: must be a mapping"),
    "no time": ([{"kill": {"pod": "a"}}], "actions[0]: `at` is missing"),
    "no verb": ([{"at": 5}], "actions[0]: must have one verb, not 0"),
    "two verbs": ([{"at": 5, "cordon": "a", "delete": "pod/a"}], "actions[0]: must have one verb, not 2"),
    "an unknown verb": ([KILL, KILL, {"at": 5, "kil": {}}], 'actions[2]: unknown verb "kil"; did you mean "kill"?'),
    "a verb in another script": ([{"at": 5, "убить": "a"}], 'actions[0]: unknown verb "убить"'),
    "a verb that is a number": ([{"at": 5, 7: "a"}], 'actions[0]: unknown verb "7"'),
    "a time that is text": ([{**KILL, "at": "5"}], 'actions[0].at: must be a number of seconds, not "5"'),
    "a time that is null": ([{**KILL, "at": None}], "actions[0].at: must be a number of seconds, not null"),
    "a time before the beginning": ([{**KILL, "at": -0.5}], "actions[0].at: must be between 0 and 1e+08 seconds"),
    "a time that never comes": ([{**KILL, "at": float("inf")}], "json: unsupported value: +Inf"),
    "a time that is no number": ("- {at: .nan, cordon: a}\n", "json: unsupported value: NaN"),
    "a time far away": ([{**KILL, "at": 1e300}], "actions[0].at: must be between 0 and 1e+08 seconds, not 1e+300"),
    "a time of a thousand digits": ([{**KILL, "at": 10**1000}], "an integer of more than 300 digits"),
    "tabs": ("- at: 5\n\tcordon: a\n", "found a tab character that violates indentation"),
    "duplicate keys": ("- at: 5\n  at: 6\n  cordon: a\n", 'line 2: key "at" already set in map'),
    "no UTF-8": (b"- at: \xff\n", "invalid leading UTF-8 octet"),
    "a cyclic alias": ("- &a {at: 5, kill: *a}\n", "anchor 'a' value contains itself"),
    "a cyclic list": (cyclic(), "the object contains itself"),
    "deep lists": (deep(), "exceeded max depth of 100"),
    "a python object": ("- !!python/object/apply:os.system ['true']\n", "actions[0]: must be a mapping"),
    "a target without a kind": ([{"at": 5, "delete": "web"}], 'actions[0].delete: must be KIND/NAME, not "web"'),
    "a target with too many slashes": ([{"at": 5, "delete": "pod/a/b"}], 'actions[0].delete: "a/b" is no name'),
    "a target that is a list": ([{"at": 5, "delete": ["pod/a"]}], "actions[0].delete: must be KIND/NAME"),
    "negative replicas": ([{"at": 5, "scale": {"deployment/a": -1}}], "must be between 0 and 100000, not -1"),
    "a million replicas": ([{"at": 5, "scale": {"deployment/a": 10**6}}], "must be between 0 and 100000"),
    "a port that is text": ([{"at": 5, "http": {"pod": "a", "port": "x", "path": "/"}}], "must be a whole number"),
    "a file that is not there": ([{"at": 5, "apply": "no.yaml"}], 'the path "no.yaml" does not exist'),
    "a manifest that is bad": ([{"at": 5, "apply": "kind: Pod\napiVersion: v1\n"}], "metadata.name: Required value"),
    "two documents": ("- {at: 5, cordon: a}\n---\n- {at: 5, cordon: a}\n", "actions: must be one list"),
    "a path that is not there": ("no/actions.yaml", 'the path "no/actions.yaml" does not exist'),
    "a path that is not there, as a path": (Path("no"), 'the path "no" does not exist'),
}


@pytest.mark.parametrize(("source", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_actions_get_one_clear_message(source: Any, message: str) -> None:
    with pytest.raises(ApiError) as refused:
        Scenario.load([], source)
    assert message in refused.value.message
    assert "\n" not in refused.value.message


def test_there_are_enough_of_them() -> None:
    assert len(BROKEN) > 30
