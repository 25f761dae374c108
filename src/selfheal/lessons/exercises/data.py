"""Exercises as data: ``NAME.yaml`` beside this module holds symptom, manifest, checks, hints, solution and wrong ways.

A check is a run and what is asked of it. Times in ``do`` and in the fields of texts count from ``at``, the moment at
which something goes wrong; the run ends ``lasts`` seconds after it::

    checks:
    - at: 100                     # or {spread: liveness, times: 6}: at so many moments of one period of that probe
      do:                         # actions, as in an actions.yaml
      - {at: 0, http: {pod: shop, port: 8080, path: "/switch?healthz=hang", method: POST}}
      lasts: 60
      traffic: {shop: 10}         # requests a second
      ask:                        # one line of the report each
      - expect: {restarts: ">= 1"}
        held: "A deadlock leads to a restart after {after_restart:.1f} s."
        failed: "A deadlock had led to no restart 60 s later. {because}"
        because:                  # the first whose `when` holds explains the mistake
        - {when: {livenessProbe.tcpSocket: present}, says: "A port stays open."}
        - {says: "It takes too long."}

    - each: [{answer: hang}, {answer: "500"}]   # variants: what is given stands in `do`, `with` and in texts
      with: {"spec.containers[0].args": [--start, "150"]}   # what is different on that day
      …

    - case: slow                  # or a case of the clinic's battery, with its own demand and words
      seeds: 3

Where that does not suffice, ``checks: NAME`` names a module of :mod:`selfheal.lessons.exercises.examine`.

A ``when`` asks for paths of the first container, or for what is known of the run (``unhealthy: ~errored``). ``wrong``
lists typical wrong answers as changes of the manifest, or of the solution (``of: solution``), each with a part of what
is said to it; a test holds each exercise to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module, resources
from typing import Any

import yaml

from selfheal import manifests
from selfheal.clinic import paths
from selfheal.lessons.exercises.checks import Checks
from selfheal.lessons.exercises.exercise import Check, Exercise, Wrong
from selfheal.words import language


def load(called: str) -> Exercise:
    """The exercise in ``CALLED.yaml``, with the texts of the language that is spoken, as far as there are some."""
    return _load(called, language())


@cache
def _load(called: str, language: str) -> Exercise:
    folder = resources.files(__package__)
    data = yaml.safe_load(folder.joinpath(f"{called}.yaml").read_text(encoding="utf-8"))
    told = folder.joinpath(language, f"{called}.yaml")
    return parse(_over(data, yaml.safe_load(told.read_text(encoding="utf-8"))) if told.is_file() else data)


def _over(data: Any, told: Any) -> Any:
    """Data with the texts of a translation in their places; its lists are as long as those that they translate."""
    if isinstance(told, dict):
        return {**data, **{key: _over(data[key], value) for key, value in told.items()}}
    if isinstance(told, list):
        return [_over(one, text) for one, text in zip(data, told, strict=True)]
    return told


def parse(data: Mapping[str, Any]) -> Exercise:
    """An exercise from its data. KeyError if something is missing that every exercise has."""
    manifest = data["manifest"]
    starts = {"manifest": manifest, "solution": _answer(manifest, data["solution"])}
    return Exercise(
        name=data["name"],
        symptom=data["symptom"].strip(),
        task=data["task"].strip(),
        manifest=manifest,
        allowed=tuple(data["allowed"]),
        keep=data["keep"],
        examine=_check(data["checks"]),
        hints=tuple(data["hints"]),
        solution=starts["solution"],
        wrong=tuple(Wrong(w["way"], _answer(starts[w.get("of", "manifest")], w), w["says"]) for w in data["wrong"]),
    )


def _check(how: Any) -> Check:
    """A list of runs and questions, or the module that knows more."""
    if isinstance(how, str):
        examine: Check = import_module(f"{__package__}.examine.{how}").examine
        return examine
    return Checks(how)


def _answer(manifest: str, way: Any) -> str:
    """An answer: a whole manifest, or the given one with some texts or some places changed."""
    if isinstance(way, str):
        return way
    for old, new in (way.get("replace") or {}).items():
        if old not in manifest:
            raise ValueError(f"{old!r} is not in the manifest")
        manifest = manifest.replace(old, new)
    if "change" in way:
        objects = [m.object for m in manifests.read(manifest)]
        for path, value in way["change"].items():
            objects[0] = paths.put(objects[0], path, value)
        manifest = yaml.safe_dump_all(objects, sort_keys=False)
    return manifest
