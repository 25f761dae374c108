"""Actions: what is done to a cluster from outside, and when; read and checked.

One format for all that can run a scenario, the simulator and a real cluster: a list whose entries have ``at``
(seconds after the first apply) and one verb. Every mistake is told in one line: ``actions[2]: unknown verb "kil"``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from selfheal import manifests
from selfheal.errors import ApiError, BadRequest
from selfheal.kinds import kind_named
from selfheal.manifests import names
from selfheal.manifests.documents import STDIN
from selfheal.manifests.plain import Plain
from selfheal.objects import Object
from selfheal.scenario.selectors import selector

LATEST = 1e8
"""No scenario is longer, in seconds (three years)."""


class BadScenario(BadRequest):
    """A scenario that nobody could run."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something done to the cluster at a moment."""

    at: float
    """Seconds after the first object of the manifest appeared."""
    verb: str
    args: Any
    """As in the format: a text, or a dict of plain values."""
    manifests: tuple[Object, ...] = ()
    """What an ``apply`` applies, as it was written; ``args`` is the file's name."""

    def canonical(self) -> dict[str, Any]:
        """The action in the format, with an ``apply``'s manifests beside the name of their file."""
        out = {"at": self.at, self.verb: self.args}
        return {**out, "manifests": list(self.manifests)} if self.verb == "apply" else out


def action(entry: Plain, where: str, folder: Path | None) -> Action:
    """One entry of a list of actions. ``folder`` is where the files lie that it applies. Raises BadScenario."""
    if not isinstance(entry, dict):
        raise BadScenario(f"{where}: must be a mapping with `at` and one verb, not {_shown(entry)}")
    if "at" not in entry:
        raise BadScenario(f"{where}: `at` is missing: seconds after the first apply")
    at = seconds(entry["at"], f"{where}.at")
    verbs = [key for key in entry if key != "at" and not (key == "manifests" and "apply" in entry)]
    for verb in verbs:
        if verb not in _VERBS:
            raise BadScenario(f'{where}: unknown verb "{verb}"{_guess(verb, _VERBS)}')
    if len(verbs) != 1:
        raise BadScenario(f"{where}: must have one verb, not {len(verbs)}: {', '.join(verbs)}".removesuffix(": "))
    verb = verbs[0]
    where = f"{where}.{verb}"
    if verb == "apply":
        return replace(_apply(entry, where, folder), at=at)
    return Action(at, verb, _VERBS[verb](entry[verb], where))


def seconds(value: object, where: str, *, least: float = 0) -> float:
    """A number of seconds, to the microsecond; whole ones are integers. Raises BadScenario."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadScenario(f"{where}: must be a number of seconds, not {_shown(value)}")
    if not least <= value <= LATEST:  # NaN is in no range
        raise BadScenario(f"{where}: must be between {least:g} and {LATEST:g} seconds, not {_shown(value)}")
    rounded = round(float(value), 6)
    return int(rounded) if rounded.is_integer() else rounded


def whole(value: object, where: str, least: int, most: int) -> int:
    """A whole number in a range. Raises BadScenario."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadScenario(f"{where}: must be a whole number, not {_shown(value)}")
    if not least <= value <= most:
        raise BadScenario(f"{where}: must be between {least} and {most}, not {_shown(value)}")
    return value


def name(value: object, where: str, what: str = "name") -> str:
    """The name of an object. Raises BadScenario."""
    if not isinstance(value, str):
        raise BadScenario(f"{where}: must be a {what}, not {_shown(value)}")
    wrong = names.dns_subdomain(value)
    if wrong:
        raise BadScenario(f"{where}: {_shown(value)} is no {what}: {wrong[0]}")
    return value


# ---- the verbs


def _exec(args: Plain, where: str) -> Plain:
    found = _fields(args, where, pod=_pod, command=_command, container=_name)
    return _needs(found, where, "pod", "command")


def _kill(args: Plain, where: str) -> Plain:
    found = _fields(args, where, pod=_pod, container=_name, signal=_signal)
    return _needs(found, where, "pod")


def _http(args: Plain, where: str) -> Plain:
    found = _fields(args, where, pod=_pod, port=_port, path=_path, method=_text)
    return _needs(found, where, "pod", "port", "path")


def _delete(args: Plain, where: str) -> Plain:
    if isinstance(args, dict):
        return _needs(_fields(args, where, pod=_pod), where, "pod")
    return _object(args, where)


def _scale(args: Plain, where: str) -> Plain:
    scalable = ("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet")
    if not isinstance(args, dict) or len(args) != 1:
        raise BadScenario(f"{where}: must be {{KIND/NAME: replicas}}, not {_shown(args)}")
    [(what, replicas)] = args.items()
    return {_object(what, where, scalable): whole(replicas, f"{where}.{what}", 0, 100_000)}


def _apply(entry: Mapping[str, Plain], where: str, folder: Path | None) -> Action:
    """``apply: FILE``; in canonical form the file's manifests stand beside its name."""
    args: Any = entry["apply"]
    source: Any = args
    if "manifests" in entry:
        source = entry["manifests"]
        if not isinstance(args, str) or not isinstance(source, list):
            raise BadScenario(f"{where}: must be the name of a file, with `manifests` a list")
    elif isinstance(args, str) and "\n" not in args:
        path = Path(args)
        source = path if folder is None or path.is_absolute() else folder / path
    elif isinstance(args, str | dict | list):
        args = STDIN
    else:
        raise BadScenario(f"{where}: must be the name of a file, not {_shown(args)}")
    return Action(0, "apply", args, checked(source, where))


def checked(source: manifests.Source, where: str) -> tuple[Object, ...]:
    """The manifests of a source as they were written, once it is clear that a cluster would take them."""
    try:
        found = manifests.read(source)
        manifests.admitted(found)
    except ApiError as error:
        told = BadScenario(f"{where}: {error.message}", error.causes)
        for note in getattr(error, "__notes__", ()):
            told.add_note(note)
        raise told from None
    return tuple(m.object for m in found)


def _rollout(args: Plain, where: str) -> Plain:
    found = _fields(args, where, undo=_rolled, restart=_rolled)
    if len(found) != 1:
        raise BadScenario(f"{where}: must be {{undo: KIND/NAME}} or {{restart: KIND/NAME}}")
    return found


def _label(args: Plain, where: str) -> Plain:
    found = _fields(args, where, pod=_pod, node=_node, labels=_labels)
    if ("pod" in found) == ("node" in found):
        raise BadScenario(f"{where}: must name a `pod` or a `node`")
    return _needs(found, where, "labels")


def _condition(args: Plain, where: str) -> Plain:
    found = _fields(args, where, pod=_pod, type=_qualified, status=_status)
    return _needs(found, where, "pod", "type", "status")


def _drain(args: Plain, where: str) -> Plain:
    found = _fields(args, where, node=_node, podSelector=_selector, timeout=seconds)
    return _needs(found, where, "node")


FAULTS = ("hang", "slow", "crash", "leak", "partition", "loseHeartbeats", "apiDown", "slowPull", "refusePull")


def _fault(args: Plain, where: str) -> Plain:
    found = _fields(args, where, kind=_fault_kind, target=_target, **{"for": seconds})
    return _needs(found, where, "kind")


# ---- their arguments


Reader = Callable[[Any, str], Any]


def _fields(args: Plain, where: str, **readers: Reader) -> dict[str, Any]:
    """A dict with no other keys than these, each checked by its reader."""
    if not isinstance(args, dict):
        raise BadScenario(f"{where}: must be a mapping of {', '.join(readers)}, not {_shown(args)}")
    for key in args:
        if key not in readers:
            raise BadScenario(f'{where}: unknown field "{key}"{_guess(key, readers)}')
    return {key: readers[key](value, f"{where}.{key}") for key, value in args.items()}


def _needs(found: dict[str, Any], where: str, *keys: str) -> dict[str, Any]:
    for key in keys:
        if key not in found:
            raise BadScenario(f"{where}: `{key}` is missing")
    return found


def _name(value: Any, where: str) -> str:
    return name(value, where)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise BadScenario(f"{where}: must be a text, not {_shown(value)}")
    return value


def _pod(value: Any, where: str) -> Any:
    """A pod's name, or ``{selector: app=web, index: 0}``."""
    if not isinstance(value, dict):
        return name(value, where)
    found = _fields(value, where, selector=_selector, index=_index)
    return _needs(found, where, "selector")


def _node(value: Any, where: str) -> Any:
    """A node's name, or ``{pod: POD}`` for the one where a pod runs (:mod:`selfheal.scenario.nodes`)."""
    if not isinstance(value, dict):
        return name(value, where)
    return _needs(_fields(value, where, pod=_pod), where, "pod")


def _index(value: Any, where: str) -> int:
    return whole(value, where, 0, 100_000)


def _selector(value: Any, where: str) -> str:
    try:
        selector(_text(value, where))
    except BadScenario:
        raise
    except BadRequest as error:
        raise BadScenario(f"{where}: {error}") from None
    return str(value)


def _object(value: Any, where: str, kinds: tuple[str, ...] = ()) -> str:
    """``KIND/NAME``."""
    kind, slash, rest = value.partition("/") if isinstance(value, str) else ("", "", "")
    if not slash:
        raise BadScenario(f"{where}: must be KIND/NAME, not {_shown(value)}")
    known = kind_named(kind)
    if known is None:
        raise BadScenario(f'{where}: the server doesn\'t have a resource type "{kind}"')
    if kinds and known not in kinds:
        raise BadScenario(f"{where}: cannot be done to a {known}, only to a {', '.join(kinds)}")
    name(rest, where)
    return str(value)


def _rolled(value: Any, where: str) -> str:
    return _object(value, where, ("Deployment", "StatefulSet", "DaemonSet"))


def _command(value: Any, where: str) -> Any:
    """A list of words; one text is for ``sh -c``."""
    if isinstance(value, str) and value:
        return value
    if not isinstance(value, list) or not value or not all(isinstance(word, str) for word in value):
        raise BadScenario(f"{where}: must be a list of words, not {_shown(value)}")
    return value


SIGNALS = ("HUP", "INT", "QUIT", "ABRT", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "CHLD", "CONT", "STOP")


def _signal(value: Any, where: str) -> str:
    plain = value.upper().removeprefix("SIG") if isinstance(value, str) else ""
    if plain not in SIGNALS:
        raise BadScenario(f"{where}: unknown signal {_shown(value)}{_guess(plain, SIGNALS)}")
    return plain


def _port(value: Any, where: str) -> int:
    return whole(value, where, 1, 65535)


def _path(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.startswith("/"):
        raise BadScenario(f"{where}: must begin with a slash, not be {_shown(value)}")
    return value


def _labels(value: Any, where: str) -> str:
    """``a=b c-``: sets one label and takes another away."""
    words = _text(value, where).split()
    for word in words:
        key, equals, new = word.partition("=")
        if not equals:
            key, hyphen = key.removesuffix("-"), key.endswith("-")
            if not hyphen:
                raise BadScenario(f'{where}: must be like "a=b" or "a-", not {_shown(word)}')
        wrong = [*names.qualified(key), *names.label_value(new)]
        if wrong:
            raise BadScenario(f"{where}: {_shown(word)}: {wrong[0]}")
    if not words:
        raise BadScenario(f"{where}: at least one label is needed")
    return " ".join(words)


def _qualified(value: Any, where: str) -> str:
    wrong = names.qualified(_text(value, where))
    if wrong:
        raise BadScenario(f"{where}: {_shown(value)}: {wrong[0]}")
    return str(value)


def _status(value: Any, where: str) -> str:
    if isinstance(value, bool):  # YAML takes an unquoted True for a boolean
        value = str(value)
    if value not in ("True", "False", "Unknown"):
        raise BadScenario(f"{where}: must be True, False or Unknown, not {_shown(value)}")
    return str(value)


def _fault_kind(value: Any, where: str) -> str:
    if value not in FAULTS:
        guess = _guess(value, FAULTS) if isinstance(value, str) else ""
        raise BadScenario(f"{where}: unknown fault {_shown(value)}{guess}")
    return str(value)


def _target(value: Any, where: str) -> Any:
    """``pod/NAME``, ``node/NAME``, a registry's host, ``{selector: app=web, index: 0}`` or ``{node: {pod: POD}}``."""
    if isinstance(value, dict) and "node" in value:
        return _fields(value, where, node=_node)
    if isinstance(value, dict):
        return _pod(value, where)
    kind, slash, rest = _text(value, where).partition("/")
    if slash and kind not in ("pod", "node"):
        raise BadScenario(f"{where}: must be pod/NAME, node/NAME or the host of a registry, not {_shown(value)}")
    name((rest if slash else kind).partition(":")[0], where)
    return str(value)


_VERBS: dict[str, Reader] = {
    "exec": _exec,
    "kill": _kill,
    "http": _http,
    "delete": _delete,
    "forceDelete": _delete,
    "scale": _scale,
    "apply": _text,  # read apart, see action()
    "rollout": _rollout,
    "label": _label,
    "condition": _condition,
    "cordon": _node,
    "uncordon": _node,
    "drain": _drain,
    "stopNode": _node,
    "startNode": _node,
    "fault": _fault,
}

VERBS = tuple(_VERBS)
"""What can be done. ``fault`` only in a simulator."""


def _guess(word: str, known: Any) -> str:
    guess = names.nearest(word, known)
    return f'; did you mean "{guess}"?' if guess else ""


def _shown(value: object) -> str:
    """A value in a message, cut short."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= 60 else f"{text[:60]}…"
