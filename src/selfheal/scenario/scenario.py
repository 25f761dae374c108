"""A scenario: manifests, and what is done to the cluster that they make. It is the question that a run answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from selfheal import manifests
from selfheal.manifests import Source, documents
from selfheal.manifests.names import nearest
from selfheal.manifests.plain import BadManifest, Plain, Unreadable, plain
from selfheal.objects import Object
from selfheal.rules import BELIEFS
from selfheal.scenario.actions import Action, BadScenario, action, name, seconds, whole

MOST_NODES = 1000
FASTEST = 100_000
"""Requests a second that users may send to one Service."""

ActionSource = str | bytes | Path | Sequence[Any] | None
"""A path, a text or a list of entries in the format of actions."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is to be run. Two equal scenarios have the same :meth:`question`, and so the same answer."""

    manifests: tuple[Object, ...] = ()
    """As they were written, before defaults; a cluster would take them."""
    actions: tuple[Action, ...] = ()
    """By time; at the same time, in the order in which they were written."""
    seed: int = 0
    nodes: int = 1
    """How many, if the manifests hold no Node."""
    second: int | None = None
    """The second of the minute at which the cluster starts; None: drawn from the seed."""
    until: float = 120
    """Seconds after which the run ends."""
    belief: str | None = None
    """A common wrong idea to try out (:data:`selfheal.rules.BELIEFS`)."""
    traffic: tuple[tuple[str, float], ...] = ()
    """(Service, requests a second) that users send."""
    name: str = field(default="", compare=False)
    """What it is called; of no consequence."""

    @staticmethod
    def load(
        source: Source = (),
        actions: ActionSource = None,
        *,
        seed: int = 0,
        nodes: int = 1,
        second: int | None = None,
        until: float = 120,
        belief: str | None = None,
        traffic: Iterable[tuple[str, float]] | Mapping[str, float] = (),
        name: str | None = None,
    ) -> Scenario:
        """Read and check a scenario. Raises :class:`~selfheal.errors.ApiError`, for the first thing that is wrong.

        ``source`` is a path, a text, an object, or a list of these; a file that an action applies lies beside
        the actions' own file.
        """
        found = _manifests(source)
        return Scenario(
            found,
            _actions(actions),
            _seed(seed),
            whole(nodes, "nodes", 1, MOST_NODES),
            _second(second),
            seconds(until, "until"),
            _belief(belief),
            _traffic(traffic),
            _name(source) if name is None else name,
        )

    def canonical(self) -> dict[str, Any]:
        """The scenario as JSON can carry it, all of it: no file is needed to read it again."""
        return {
            "scenario": 1,
            "manifests": list(self.manifests),
            "actions": [a.canonical() for a in self.actions],
            "seed": self.seed,
            "nodes": self.nodes,
            "second": self.second,
            "until": self.until,
            "belief": self.belief,
            "traffic": [list(t) for t in self.traffic],
        }

    def question(self) -> str:
        """The canonical form as one text: keys sorted, no blanks, whole numbers without a fraction."""
        return json.dumps(self.canonical(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_canonical(question: str | Mapping[str, Any]) -> Scenario:
        """The scenario of a question; what it does not say has its default. Raises BadScenario."""
        if isinstance(question, str):
            try:
                [question] = documents.documents(question, "the question")  # type: ignore[assignment]
            except (BadManifest, ValueError) as error:
                raise BadScenario(f"the question cannot be read: {error}") from None
        given = _plain(question, "the question")
        if not isinstance(given, dict):
            raise BadScenario("the question must be a mapping")
        known = ("manifests", "actions", "seed", "nodes", "second", "until", "belief", "traffic")
        for key in given:
            if key not in known and key != "scenario":
                guess = nearest(key, known)
                raise BadScenario(f'unknown field "{key}"' + (f'; did you mean "{guess}"?' if guess else ""))
        if given.get("scenario", 1) != 1:
            raise BadScenario(f"this package reads scenarios of format 1, not {json.dumps(given['scenario'])}")
        for key in ("manifests", "actions"):
            if not isinstance(given.get(key, []), list):
                raise BadScenario(f"{key}: must be a list")
        return Scenario.load(
            given.get("manifests", []),
            given.get("actions", []),
            **{key: given[key] for key in known[2:] if key in given},
        )


def _manifests(source: Source) -> tuple[Object, ...]:
    """The manifests as written; a scenario may have none."""
    if isinstance(source, list | tuple) and not source:
        return ()
    found = manifests.read(source)
    manifests.admitted(found)
    return tuple(m.object for m in found)


def _actions(source: ActionSource) -> tuple[Action, ...]:
    """All actions, by time."""
    folder = None
    entries: Plain | Sequence[Any]
    if source is None:
        return ()
    if isinstance(source, list | tuple):
        if all(isinstance(a, Action) for a in source):
            source = [a.canonical() for a in source]
        entries = _plain(source, "actions")
    else:
        text: str | bytes | Path = source  # type: ignore[assignment]
        if isinstance(text, Path) or (isinstance(text, str) and "\n" not in text and text.endswith(documents.SUFFIXES)):
            path = documents.files(Path(text))[0]
            folder, text = path.parent, documents.contents(path)
        if not isinstance(text, str | bytes):
            raise BadScenario(f"actions: must be a list, not a {type(text).__name__}")
        found = documents.documents(text, "the actions")
        if len(found) > 1:
            raise BadScenario("actions: must be one list, in one document")
        entries = found[0] if found else []
    if not isinstance(entries, list):
        raise BadScenario("actions: must be a list, each entry with `at` and one verb")
    read = [action(entry, f"actions[{i}]", folder) for i, entry in enumerate(entries)]
    return tuple(sorted(read, key=lambda a: a.at))


def _plain(value: object, what: str) -> Plain:
    try:
        return plain(value)
    except Unreadable as wrong:
        raise BadScenario(f"{what} cannot be read: {wrong.text}") from None


def _seed(seed: object) -> int:
    return whole(seed, "seed", 0, 2**53)


def _second(second: object) -> int | None:
    return None if second is None else whole(second, "second", 0, 59)


def _belief(belief: object) -> str | None:
    if belief is None:
        return None
    if not isinstance(belief, str):
        raise BadScenario(f"belief: must be one of {', '.join(BELIEFS)}")
    if belief not in BELIEFS:
        guess = nearest(belief, BELIEFS)
        raise BadScenario(f'belief: unknown belief "{belief}"' + (f'; did you mean "{guess}"?' if guess else ""))
    return belief


def _traffic(traffic: object) -> tuple[tuple[str, float], ...]:
    pairs = list(traffic.items()) if isinstance(traffic, Mapping) else traffic
    if not isinstance(pairs, list | tuple):
        raise BadScenario("traffic: must be a list of [Service, requests a second]")
    found = []
    for i, pair in enumerate(pairs):
        where = f"traffic[{i}]"
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise BadScenario(f"{where}: must be [Service, requests a second]")
        rate = seconds(pair[1], f"{where}[1]")
        if not 0 < rate <= FASTEST:
            raise BadScenario(f"{where}[1]: must be above 0 and at most {FASTEST} requests a second, not {rate:g}")
        found.append((name(pair[0], f"{where}[0]", "Service"), rate))
    return tuple(found)


def _name(source: object) -> str:
    """A scenario is called after its last file, or the file's folder if the file is just called "manifest"."""
    if isinstance(source, list | tuple) and source:
        source = source[-1]
    if not isinstance(source, str | Path) or "\n" in str(source):
        return ""
    path = Path(source)
    return path.resolve().parent.name if path.stem == "manifest" else path.stem
