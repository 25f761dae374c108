"""A diagnosis for people (text), for programs (JSON), and for code hosts that show it beside the lines (SARIF)."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from selfheal import runs
from selfheal.clinic.app import App
from selfheal.clinic.cases import BATTERY
from selfheal.clinic.findings import Examination, Finding, felt
from selfheal.clinic.places import line
from selfheal.clinic.unknown import Unknown
from selfheal.runs import Step
from selfheal.words import words
from selfheal.words.width import padded, wrapped

WIDTH = 110
SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(repr=False)
class Diagnosis:
    """What was found out about some workloads."""

    version: str
    app: App
    flags: list[str]
    """Those of the command line that a replay needs."""
    examinations: list[Examination] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unknown: dict[str, list[Unknown]] = field(default_factory=dict)
    """By workload."""
    passed: list[str] = field(default_factory=list)
    """What was passed over, and why."""
    texts: dict[str, str] = field(default_factory=dict)
    """The files, by name."""
    stopped: bool = False
    further: Callable[[], Iterator[Step]] | None = None
    """More runs, for whoever asks for them."""

    def __repr__(self) -> str:
        return text(self)

    def _repr_html_(self) -> str:
        style = "white-space:pre-wrap;overflow-wrap:anywhere"
        return f'<pre class="selfheal-diagnosis" role="status" style="{style}">{escape(text(self), quote=False)}</pre>'

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/plain": repr(self), "text/html": self._repr_html_()}
        if self.further is not None and runs.listened():
            bundle = {**runs.view(self._repr_html_(), self.further()), **bundle}
        return bundle

    def ranked(self) -> list[Finding]:
        return sorted(self.findings, key=lambda f: f.harm, reverse=True)

    def replay(self, finding: Finding) -> str:
        """The command that shows the worst run again."""
        what = f"{finding.subject.ref}:{finding.case.name}:{finding.outcome.seed}"
        return shlex.join(["selfheal", "diagnose", finding.subject.source, *self.flags, "--replay", what])

    def line(self, finding: Finding) -> int:
        """Where in the file it stands."""
        subject, path = finding.subject, finding.place
        kind, name = subject.kind, subject.name
        if " " in path:
            ref, _, path = path.partition(" ")
            kind, _, name = ref.partition("/")
        return line(self.texts.get(subject.source, ""), kind, name, path)

    def held(self, examination: Examination) -> list[str]:
        """The cases of a workload that held with every seed."""
        wrong = {o.case for o in examination.outcomes if o.wrong}
        return [name for name in dict.fromkeys(o.case for o in examination.outcomes) if name not in wrong]


# ---- for people


def text(diagnosis: Diagnosis) -> str:
    return "\n".join(_lines(diagnosis)) + "\n"


def _lines(d: Diagnosis) -> Iterator[str]:
    ranked, say, between = d.ranked(), words("clinic")["report"], words("punctuation")
    comma = between["comma"]
    for number, finding in enumerate(ranked, 1):
        yield f"{number}. {finding.subject.ref}{between['colon']}{finding.title}"
        yield from _row(
            say["felt"],
            say["failed"].format(felt=felt(finding.outcome), failed=finding.failed, tried=finding.tried),
        )
        yield from _row(say["cause"], finding.cause)
        yield from _row(say["place"], f"{_where(d, finding)}{finding.place}")
        for change in finding.changes:
            yield from _row(
                say["change"],
                f"{change.of and change.of + ' '}{change.path}{between['colon']}{_shown(change.value, change.now)}",
            )
        if finding.then is not None:
            yield from _row(say["then"], felt(finding.then))
        elif finding.searched:
            yield from _row(say["change"], say["nothing.helps"])
        if finding.subject.source in d.texts:
            yield from _row(say["replay"], d.replay(finding), broken=False)
        yield ""
    for examination in d.examinations:
        held = d.held(examination)
        runs = len(examination.outcomes)
        cases = comma.join(held) or say["held.none"]
        yield say["held"].format(object=examination.subject.ref, cases=cases, runs=runs)
        moot = list(dict.fromkeys(o.case for o in examination.outcomes if o.wrong == "start" and o.case != "start"))
        if moot:
            yield say["moot"].format(cases=comma.join(moot))
        unknown = d.unknown.get(examination.subject.ref, [])
        if unknown:
            yield say["unknown"]
        for u in unknown:
            stands = f"{between['semicolon']}{u.stands}" if u.stands else ""
            yield f"    {f'--{u.flag}':<10} {u.what}{between['colon']}{u.assumed}{stands}"
    for passed in d.passed:
        yield say["passed"].format(what=passed)
    if d.stopped:
        yield say["stopped"]
    if not ranked and d.examinations and not d.stopped:
        yield say["nothing"]


def _where(d: Diagnosis, finding: Finding) -> str:
    """File and line, if there is a file."""
    source = finding.subject.source
    return f"{source}:{d.line(finding)}  " if source in d.texts else ""


def _row(what: str, told: str, broken: bool = True) -> list[str]:
    lines = wrapped(told, WIDTH - 12, whole=True) if broken else [told]
    return [f"   {padded('' if n else what, 8)} {one}" for n, one in enumerate(lines or [""])]


def _shown(value: Any, now: Any) -> str:
    say = words("clinic")["report"]
    new = json.dumps(value, ensure_ascii=False) if value is not None else say["removed"]
    return str(say["yet"]).format(value=new) if now is None else f"{json.dumps(now, ensure_ascii=False)} → {new}"


# ---- for programs


def as_json(d: Diagnosis) -> str:
    found = {
        "selfheal": d.version,
        "assumed": {key: getattr(d.app, key) for key in ("starts", "slow", "pause", "depends", "term")},
        "findings": [{**f.json(), "line": d.line(f), "replay": d.replay(f)} for f in d.ranked()],
        "workloads": [
            {
                "object": e.subject.ref,
                "file": e.subject.source,
                "replicas": e.subject.replicas,
                "runs": len(e.outcomes),
                "held": d.held(e),
                "unknown": [u.json() for u in d.unknown.get(e.subject.ref, [])],
            }
            for e in d.examinations
        ],
        "passed over": d.passed,
        "stopped": d.stopped,
    }
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"


def sarif(d: Diagnosis) -> str:
    """Static Analysis Results Interchange Format 2.1.0 (OASIS)."""
    rules = [
        {
            "id": case.name,
            "shortDescription": {"text": words("clinic")["report"]["case"].format(told=case.told(d.app))},
            "properties": {"tags": ["reliability"]},
        }
        for case in BATTERY.values()
    ]
    results = [_result(d, f) for f in d.ranked()]
    driver = {"name": "selfheal", "version": d.version, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": results}
    return json.dumps({"$schema": SARIF, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2) + "\n"


def _result(d: Diagnosis, f: Finding) -> dict[str, Any]:
    say, between = words("clinic")["report"], words("punctuation")
    changes = between["semicolon"].join(f"{c.path}{between['colon']}{_shown(c.value, c.now)}" for c in f.changes)
    told = say["result"].format(object=f.subject.ref, title=f.title, felt=felt(f.outcome), cause=f.cause)
    told += say["helps"].format(changes=changes) if changes else ""
    where: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": f"{f.subject.ref} {f.place}"}]}
    if f.subject.source in d.texts:
        region = {"startLine": d.line(f)}
        uri = Path(f.subject.source).as_posix()
        where["physicalLocation"] = {"artifactLocation": {"uri": uri}, "region": region}
    return {
        "ruleId": f.case.name,
        "ruleIndex": list(BATTERY).index(f.case.name),
        "level": "error" if f.outcome.lost or f.outcome.wrong in ("start", "heal", "blocked") else "warning",
        "message": {"text": told},
        "locations": [where],
        "partialFingerprints": {"case/v1": f"{f.subject.ref}:{f.case.name}:{f.outcome.wrong}"},
        "properties": {"replay": d.replay(f)},
    }


FORMATS = {"text": text, "json": as_json, "sarif": sarif}
