"""What all exercises share: the manifest, what may be changed in it, and the report."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from typing import Any

from selfheal import manifests, runs
from selfheal.clinic import paths
from selfheal.cluster import Cluster
from selfheal.errors import ApiError
from selfheal.objects import Object
from selfheal.runs import Step
from selfheal.spec import PROBES, Container, PodSpec, pod_spec
from selfheal.words import marked, words

SEEDS = 20
"""Seeds that an answer must stand before nobody asks any more."""
NEVER = 600
"""Seconds after which nobody waits for a probe's verdict any more."""
MOST = 100
"""Characters of a finding that are told while runs go on."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found out about an answer."""

    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was found out, in order.

    ``stopped``: before everything was run. ``further``: more runs of an answer that passed, for whoever asks for them.
    """

    findings: tuple[Finding, ...]
    stopped: bool = False
    further: Callable[[], Iterator[Step]] | None = field(default=None, repr=False, compare=False)

    @property
    def passed(self) -> bool:
        return not self.stopped and all(finding.ok for finding in self.findings)

    @property
    def verdict(self) -> str:
        say = words("report")
        if self.passed:
            return str(say["solved"])
        if self.stopped:
            return str(say["cut"].format(n=len(self.findings)))
        left = sum(not finding.ok for finding in self.findings)
        return str(say["left.one" if left == 1 else "left"].format(left=left, all=len(self.findings)))

    def __repr__(self) -> str:
        return "\n".join((self.verdict, *(f"  {'✓' if f.ok else '✗'} {f.text}" for f in self.findings)))

    def _repr_html_(self) -> str:
        wrong = f"<strong>{words('report')['no']}</strong> "
        lines = "\n".join(
            f'<li style="list-style:none;padding-left:1.6em;text-indent:-1.6em;margin:.4em 0">'
            f"<strong>{'✓' if f.ok else '✗'}</strong>&ensp;{'' if f.ok else wrong}"
            f"{html.escape(f.text, quote=False)}</li>"
            for f in self.findings
        )
        return (
            f'<div class="selfheal-report"{marked()} role="status">\n<p><strong>{self.verdict}</strong></p>\n'
            f'<ul style="padding-left:0">\n{lines}\n</ul>\n</div>'
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/plain": repr(self), "text/html": self._repr_html_()}
        if self.further is not None and runs.listened():
            bundle = {**runs.view(self._repr_html_(), self.further()), **bundle}
        return bundle


@dataclass(frozen=True, slots=True)
class Trial:
    """An answer that the API server takes, ready to be run. Each ``seed`` meets the probes at other moments."""

    objects: tuple[Object, ...]
    seed: int = 1

    @property
    def workload(self) -> Object:
        """The Pod or Deployment."""
        return next(obj for obj in self.objects if obj["kind"] in ("Pod", "Deployment"))

    @property
    def pod(self) -> PodSpec:
        """Its pods, as the kubelet reads them."""
        obj = self.workload
        return pod_spec(obj if obj["kind"] == "Pod" else obj["spec"]["template"])

    @property
    def container(self) -> Container:
        """Their first container."""
        return self.pod.containers[0]

    def cluster(self, nodes: int = 1, until: float = 0) -> Cluster:
        """A new cluster to which the answer has been applied, run until so many seconds."""
        cluster = Cluster(seed=self.seed, nodes=nodes)
        cluster.apply(list(self.objects))
        return cluster.run(until=until) if until else cluster


@dataclass(frozen=True, slots=True)
class Wrong:
    """A typical wrong answer, and a part of what is said to it."""

    way: str
    answer: str
    says: str


Check = Callable[[Trial], Iterator[Finding]]


@dataclass(frozen=True)
class Exercise:
    """A symptom, a task, and a manifest to change.

    ``allowed``: paths below which a change is welcome. ``keep``: paths that must be there, and what is said if one is
    not. ``hints``: from the first nudge to nearly everything. ``solution``: a manifest that passes. ``wrong``: answers
    that do not, each with its own explanation. Most exercises are data (:mod:`selfheal.lessons.exercises.data`).
    """

    name: str
    symptom: str
    task: str
    manifest: str
    allowed: tuple[str, ...]
    keep: Mapping[str, str]
    examine: Check
    hints: tuple[str, ...]
    solution: str = field(repr=False)
    wrong: tuple[Wrong, ...] = field(default=(), repr=False)

    def check(self, answer: str | Any) -> Report:
        """Run an answer (YAML text, dict or list) and report. Interrupted, it reports what is known by then."""
        found: list[Finding] = []
        try:
            found.extend(self.findings(answer))
        except KeyboardInterrupt:
            return Report(tuple(found), stopped=True)
        report = Report(tuple(found))
        return replace(report, further=partial(self.further, answer, report)) if report.passed else report

    def findings(self, answer: str | Any, seed: int = 1) -> Iterator[Finding]:
        """One thing after the other that is found out about an answer."""
        say = words("report")
        try:
            # an answer is a text, also one of a single line: never the name of a file
            objects = manifests.load(f"{answer}\n" if isinstance(answer, str) else answer)
        except ApiError as error:
            yield Finding(False, say["refused"].format(error=error))
            return
        lost = [text for path, text in self.keep.items() if not any(paths.has(obj, path) for obj in objects)]
        strayed = "" if lost else _strayed(manifests.load(self.manifest), objects, self.allowed)
        if lost or strayed:
            yield from (Finding(False, text) for text in (*lost, strayed) if text)
            return
        trial, well = Trial(tuple(objects), seed), True
        for finding in self.examine(trial):
            well = well and finding.ok
            yield finding
        if well:  # what passes by saying nothing at all does not pass
            yield from (Finding(False, text) for text in _asleep(trial))

    def further(self, answer: str | Any, report: Report) -> Iterator[Step]:
        """The checks of an answer that passed, with more seeds, until one does not hold."""
        say, each = words("runs"), len(report.findings)
        done, total = 0, each * (SEEDS - 1)
        for seed in range(2, SEEDS + 1):
            for finding in self.findings(answer, seed):
                done += 1
                count = {"done": done, "total": total, "seed": seed}
                if not finding.ok:
                    proof = Finding(False, say["with"].format(seed=seed, says=finding.text))
                    html = Report((*report.findings, proof))._repr_html_()
                    yield Step(done, total, say["failed"].format(**count), html, over=True)
                    return
                says = finding.text if len(finding.text) <= MOST else f"{finding.text[:MOST]}…"
                if done < total:
                    yield Step(done, total, say["at"].format(**count, says=says))
        yield Step(total, total, say["held"].format(total=done, seeds=SEEDS - 1), over=True)

    def hint(self, number: int = 1) -> str:
        """A hint; the higher the number, the more it gives away."""
        if not 1 <= number <= len(self.hints):
            raise ValueError(words("report")["hints"].format(n=len(self.hints)))
        return self.hints[number - 1]

    def __repr__(self) -> str:
        say = words("report")
        lines = ((say["symptom"], self.symptom), (say["task"], self.task), (say["allowed"], ", ".join(self.allowed)))
        return "\n".join((self.name, "", *(f"{what}{words('punctuation')['colon']}{text}" for what, text in lines)))

    def _repr_html_(self) -> str:
        say = words("report")
        places = ", ".join(f"<code>{html.escape(path)}</code>" for path in self.allowed)
        return (
            f'<div class="selfheal-exercise"{marked()}>\n'
            f"<p><strong>{say['symptom.head']}</strong> {html.escape(self.symptom, quote=False)}</p>\n"
            f"<p><strong>{say['task.head']}</strong> {html.escape(self.task, quote=False)}</p>\n"
            f"<p><strong>{say['allowed.head']}</strong> {places}</p>\n</div>"
        )


def _asleep(trial: Trial) -> Iterator[str]:
    """Probes with numbers so large that nobody will ever hear of them."""
    for container, name in product(trial.pod.containers, PROBES):
        probe = container.probe(name)
        if probe is not None:
            late = probe.initial_delay_seconds + probe.failure_threshold * max(
                probe.period_seconds, probe.timeout_seconds
            )
            if late > NEVER:
                yield words("report")["asleep"].format(probe=f"{name}Probe", seconds=late)


def _strayed(before: list[Object], after: list[Object], allowed: Iterable[str]) -> str:
    """What was changed that should not be, in a sentence; empty if nothing."""
    say, roots = words("report"), tuple(allowed)
    only = say["and"].join(roots)
    named = [{f"{o['kind']}/{o['metadata']['name']}": o for o in objects} for objects in (before, after)]
    if list(named[0]) != list(named[1]):
        found = ", ".join(named[1]) or say["nothing"]
        return str(say["missing"].format(wanted=", ".join(named[0]), found=found, allowed=only))
    changed = [
        path
        for what, obj in named[0].items()
        for path in paths.differences(obj, named[1][what])
        if not any(path == root or path.startswith((f"{root}.", f"{root}[")) for root in roots)
    ]
    return str(say["strayed"].format(paths=", ".join(changed), allowed=only)) if changed else ""
