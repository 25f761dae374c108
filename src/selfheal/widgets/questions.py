"""What the reader's settings make of a scenario: the questions that a monitor can ask.

The same rules stand in ``monitor.js`` (``compose``, ``agreed``); a test holds the two together.

A switch does not turn at the very moment of the click. It turns at the *agreed second* of the
interval of the probe that looks at it: half a period (rounded up) into the interval, the first one
at or after the playhead. So the same flip is the same question for everyone, never lies in the
reader's past, and the answers to all single flips can be stored with the page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

PROBES = ("startup", "readiness", "liveness")

KNOBS: dict[str, int] = {
    "initialDelaySeconds": 0,
    "periodSeconds": 10,
    "timeoutSeconds": 1,
    "failureThreshold": 3,
    "successThreshold": 1,
}
"""The numbers of a probe and their defaults (pkg/apis/core/v1/defaults.go SetDefaults_Probe)."""

Data = Mapping[str, Any]
"""What a monitor is made of, as its page stores it."""

Question = dict[str, Any]
"""A scenario in canonical form."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A switch that is turned ``at`` a second."""

    at: int
    switch: str
    value: str


FAULTS: dict[str, tuple[str, bool]] = {
    "kill": ("pod", False),
    "crash": ("pod", True),
    "hang": ("pod", True),
    "slow": ("pod", True),
    "leak": ("pod", False),
    "stopNode": ("node", False),
    "startNode": ("node", False),
    "partition": ("node", True),
    "loseHeartbeats": ("node", True),
}
"""What the reader can do besides: to what it is done, and whether it can last a while."""


@dataclass(frozen=True, slots=True)
class Deed:
    """A fault of :data:`FAULTS` ``at`` a second, to the watched pod or to ``node``, for a while (0: to the end)."""

    at: int
    fault: str
    node: str = ""
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Setting:
    """What the reader has set: the numbers of each probe (None: no such probe), the app's habits, flips and deeds."""

    probes: Mapping[str, Mapping[str, int] | None]
    habits: Mapping[str, str]
    flips: tuple[Flip | Deed, ...] = field(default=())


def language_of(data: Data) -> str:
    """The language in which a monitor's answers say why."""
    return str(data.get("language", "en"))


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces; a whole number of seconds is written without a fraction."""
    return json.dumps(plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def plain(value: Any) -> Any:
    """Whole floats as integers: what JSON then says is the same in every language."""
    if isinstance(value, str | int):  # most of them
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def pod_spec_of(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """The pod spec in a Pod or in a pod template."""
    spec: Mapping[str, Any] = manifest["spec"]
    template = spec.get("template")
    return template["spec"] if template else spec


def containers_of(data: Data, question: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The containers whose probes the knobs turn: the watched one, and those of its name in other manifests."""
    return [pod_spec_of(question["manifests"][m])["containers"][c] for m, c in data["at"]["places"]]


def setting_of(data: Data) -> Setting:
    """What the scenario itself sets."""
    container = containers_of(data, data["base"])[0]
    probes: dict[str, Mapping[str, int] | None] = {}
    for probe in PROBES:
        given = container.get(f"{probe}Probe")
        probes[probe] = None if given is None else {knob: given.get(knob) or KNOBS[knob] for knob in KNOBS}
    args: Sequence[str] = container.get("args") or ()
    habits = {
        h["name"]: args[args.index(h["arg"]) + 1] if h["arg"] in args else h["values"][0][0] for h in data["habits"]
    }
    return Setting(probes, habits)


def preset_of(data: Data, preset: Mapping[str, Any]) -> Setting:
    """The setting that a preset stands for."""
    given = setting_of(data)
    probes = dict(given.probes)
    for probe, numbers in (preset.get("probes") or {}).items():
        probes[probe] = None if numbers is None else {**KNOBS, **(probes[probe] or {}), **numbers}
    return Setting(probes, {**given.habits, **(preset.get("habits") or {})})


def compose(data: Data, setting: Setting, belief: str | None = None) -> Question:
    """The base scenario with what the reader has set."""
    question: Question = deepcopy(dict(data["base"]))
    given = setting_of(data)
    for container in containers_of(data, question):
        _set_up(container, data, setting, given)
    actions = [{"at": flip.at, **_action(data["at"], flip)} for flip in setting.flips]
    question["actions"] = sorted([*question["actions"], *actions], key=lambda action: float(action["at"]))
    if belief is not None:
        question["belief"] = belief
    return question


def _action(at: Mapping[str, Any], flip: Flip | Deed) -> dict[str, Any]:
    """The verb of a flip or a deed, with its arguments."""
    if isinstance(flip, Flip):
        path = f"/switch?{flip.switch}={flip.value}"
        return {"http": {"method": "POST", "path": path, "pod": at["pod"], "port": at["port"]}}
    if flip.fault == "kill":
        return {"kill": {"container": at["name"], "pod": at["pod"]}}
    if flip.fault in ("stopNode", "startNode"):
        return {flip.fault: flip.node}
    pod = f"pod/{at['pod']}" if isinstance(at["pod"], str) else at["pod"]
    lasting = {"for": flip.seconds} if flip.seconds else {}
    return {"fault": {"kind": flip.fault, "target": f"node/{flip.node}" if flip.node else pod, **lasting}}


def _set_up(container: dict[str, Any], data: Data, setting: Setting, given: Setting) -> None:
    """What differs from the scenario's own settings is written into a container."""
    for probe in PROBES:
        key, wanted, known = f"{probe}Probe", setting.probes[probe], given.probes[probe]
        if wanted is None:
            container.pop(key, None)
            continue
        if key not in container:
            container[key] = deepcopy(data["handlers"][probe])
        for knob, value in wanted.items():
            if value != (known or KNOBS)[knob]:
                container[key][knob] = value
    for habit in data["habits"]:
        value_wanted = setting.habits[habit["name"]]
        if value_wanted == given.habits[habit["name"]]:
            continue
        args = container.setdefault("args", [])
        if habit["arg"] in args:
            args[args.index(habit["arg"]) + 1] = value_wanted
        else:
            args += [habit["arg"], value_wanted]


def period(setting: Setting, switch: Mapping[str, Any]) -> int:
    """The shortest period of the probes that look at a switch, in seconds; 10 if none does."""
    found = [numbers["periodSeconds"] for p in switch["probes"] if (numbers := setting.probes.get(p)) is not None]
    return min(found, default=10)


def agreed_seconds(setting: Setting, switch: Mapping[str, Any], until: float) -> Iterator[int]:
    """The seconds at which a switch can turn."""
    every = period(setting, switch)
    at = -(-every // 2)
    while at <= until:
        yield at
        at += every


def flipped(setting: Setting, *flips: Flip | Deed) -> Setting:
    """The setting with further flips or deeds."""
    return replace(setting, flips=(*setting.flips, *flips))
