"""Exercises as data: typical wrong answers get their own words, and cases of the battery can be asked."""

from __future__ import annotations

from importlib import import_module, resources

import pytest
import yaml

from selfheal.lessons.exercises import Exercise, data
from selfheal.lessons.exercises.data import parse
from tests.book.chapters import all_exercises

FOLDER = resources.files("selfheal.lessons.exercises")
EXERCISES: list[Exercise] = [data.load(f.name[:-5]) for f in FOLDER.iterdir() if f.name.endswith(".yaml")]


def test_every_exercise_that_is_data_is_a_chapters_and_so_are_its_wrong_ways() -> None:
    assert {exercise.name for exercise in EXERCISES} <= {chapter.exercise.name for chapter in all_exercises()}


TOLD = {
    "drained": ("LIMIT",),
    "fleet": ("AWAY", "LIMIT"),
    "friday": ("LOADS", "REPORTED", "WELL"),
    "held_up": ("LIMIT", "NOTICED", "WORK"),
    "lost_orders": ("LIMIT",),
    "rarely": ("LIMIT",),
    "silent_node": ("LIMIT", "GLITCH"),
}


@pytest.mark.parametrize("called", TOLD)
def test_a_task_tells_the_seconds_that_its_check_holds_an_answer_to(called: str) -> None:
    module = import_module(f"selfheal.lessons.exercises.examine.{called}")
    for constant in TOLD[called]:
        assert f"{getattr(module, constant)} s" in data.load(called).task


MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: corp.example/web:1
        livenessProbe: {httpGet: {path: /healthz, port: 8080}}
"""
DATA = """\
name: Slow on Mondays
symptom: It is restarted when there is much to do.
task: Make it stand that.
allowed: ["spec.template.spec.containers[0].livenessProbe"]
keep: {"spec.template.spec.containers[0].livenessProbe": Keep the probe.}
hints: [one, two]
solution: {change: {"spec.template.spec.containers[0].livenessProbe.timeoutSeconds": 4}}
wrong:
- way: a little
  change: {"spec.template.spec.containers[0].livenessProbe.timeoutSeconds": 2}
  says: killed
- way: enormous
  change: {"spec.template.spec.containers[0].livenessProbe.failureThreshold": 1000}
  says: does not heal in time
checks:
- case: slow
  app: {slow: 3}
  seeds: 2
  because:
  - {when: {livenessProbe.timeoutSeconds: "< 3"}, says: "How long does an answer take?"}
- {case: deadlock, seeds: 1}
"""


def test_a_case_of_the_battery_is_a_check() -> None:
    exercise = parse({**yaml.safe_load(DATA), "manifest": MANIFEST})
    assert exercise.check(exercise.solution).passed
    start = repr(exercise.check(MANIFEST))
    assert "✗ When for 60 s every answer takes 3 s, containers that a restart cannot help are killed" in start
    assert start.count("How long does an answer take?") == 1
    for wrong in exercise.wrong:
        assert wrong.says in repr(exercise.check(wrong.answer))


def test_a_check_can_have_variants_and_the_first_that_does_not_hold_is_told() -> None:
    check = """\
- each:
  - {answer: "200", code: fine}
  - {answer: "500", code: not so fine}
  at: 20
  do:
  - {at: 0, http: {pod: {index: 0, selector: app=web}, port: 8080, path: "/switch?healthz={answer}", method: POST}}
  lasts: 60
  ask:
  - expect: {kills: 0}
    held: never
    failed: "With {answer}, which is {code}, it was killed. {because}"
    because:
    - {when: {unhealthy: ~refused}, says: never}
    - {when: {unhealthy: ~500}, says: The event tells the code.}
"""
    manifest = MANIFEST.replace("corp.example/web:1", "selfheal/patient:1")
    exercise = parse({**yaml.safe_load(DATA), "manifest": manifest, "checks": yaml.safe_load(check), "wrong": []})
    assert "✗ With 500, which is not so fine, it was killed. The event tells the code." in repr(
        exercise.check(manifest)
    )


def test_a_text_to_replace_must_be_in_the_manifest() -> None:
    data = {**yaml.safe_load(DATA), "manifest": MANIFEST, "solution": {"replace": {"nowhere": "x"}}}
    with pytest.raises(ValueError, match="'nowhere' is not in the manifest"):
        parse(data)
