"""The parity table: what holds between this simulator and Kubernetes, case by case and recording by recording.

``python tools/parity.py`` runs every test that carries a case's number, compares every recording, and writes the
results to tests/parity.json and to the page book/parity.md. ``python tools/parity.py emulator`` does so on the emulator
alone, and keeps what is stored of the simulator; ``python tools/parity.py page`` writes the page alone.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "conformance" / "cases.tsv"
"""The cases: number, section, title, and the file of kubernetes/kubernetes that says so."""
RESULTS = ROOT / "tests" / "parity.json"
PAGE = ROOT / "book" / "parity.md"
RUNNERS = ("simulator", "emulator", "kind")
"""What a case or recording can be run on; a result that is missing was not run there."""
PASSED, FAILED, UNLIKE = "passed", "failed", "unlike"

HEAD = """\
# What is proven

The lessons say: what you see here is what a real cluster does. This page says how far that has been checked.
It is made by `tools/parity.py` from `tests/parity.json`; the tests themselves run with every change.

The *simulator* is the package as the lessons use it. The *emulator* is the same cluster behind a real API
(`selfheal up`): a recording passes there if its manifests and actions, sent over HTTP, come to the simulator's own run
of the same seed, record for record; a case, if its test passes with everything that it applies, reads, scales or
deletes asked of the API server. A case that asks nothing of a cluster, being about one function, has a dash there.

"""
RECORDINGS_HEAD = """\
## Recordings of a real cluster

Kubernetes 1.36.2 on three nodes, each scenario but one recorded twice. A recording passes if every object goes through
the same facts in the same order as in a simulated run, and every interval from its cause lies within the envelope of a
set of simulated runs (seeds), ± 1 s; a pod's own start may be 5 s late on a busy machine. *Envelope* is the width of
those envelopes, median and widest: a wide one proves little. *Largest error* is how far an interval of the recording
lies outside its envelope, at most. Held-back restarts have ranges of their own and are left out of these figures.

"""
CASES_HEAD = """\
## Cases

What Kubernetes' own end-to-end and unit tests assert, and what follows from its code, each retold as a test that
carries its number. Times are asserted within the windows that the case gives, over several seeds where chance matters.

"""


def cases() -> list[dict[str, str]]:
    """The rows of the table of cases."""
    with CASES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def numbers(name: str) -> set[int]:
    """The cases that a test is about, by its name: ``test_C115_C116_…[C115-5]`` is about C115."""
    function, _, given = name.rpartition("::")[2].partition("[")
    if not re.match(r"test_C\d", function):
        return set()
    own = {int(n) for n in re.findall(r"\bC(\d+)\b", given)}
    if own:
        return own
    spans = [range(int(a), int(b) + 1) for a, b in re.findall(r"C(\d+)_to_C(\d+)", function)]
    return {int(n) for n in re.findall(r"C(\d+)(?=_|$)", function)}.union(*spans)


class Collector:
    """A pytest plugin: runs the tests of cases and nothing else, and notes how each ended."""

    def __init__(self) -> None:
        self.ended: dict[str, str] = {}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = [item for item in items if numbers(item.nodeid)]

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" or report.outcome != PASSED:
            self.ended[report.nodeid] = PASSED if report.passed else FAILED


def run_cases(*plugins: Any) -> dict[int, dict[str, str]]:
    """Case → test → how it ended."""
    import pytest

    collector = Collector()
    files = [str(p) for p in sorted((ROOT / "tests").glob("*/test_*.py")) if "def test_C" in p.read_text("utf-8")]
    pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", *files], plugins=[collector, *plugins])
    found: dict[int, dict[str, str]] = {}
    for test, outcome in collector.ended.items():
        for number in numbers(test):
            found.setdefault(number, {})[test] = outcome
    return found


def compare_recordings() -> list[dict[str, Any]]:
    """Each recording, take by take."""
    sys.path.insert(0, str(ROOT))
    from selfheal.timeline.compare import compare
    from tests.recordings.simulate import SCENARIOS, runs, takes
    from tests.recordings.test_recordings import UNLIKE as REASONS

    rows = []
    for name in SCENARIOS:
        seeds, recorded = runs(name), takes(name)
        middle, widest = compare(recorded, seeds).widths()
        row: dict[str, Any] = {"recording": name, "seeds": len(seeds), "median": middle, "widest": widest, "takes": []}
        for number, take in enumerate(recorded, 1):
            comparison = compare([take], seeds)
            errors = [max(0, e.low - e.seconds, e.seconds - e.high) for e in comparison.envelopes if not e.hold]
            why = REASONS.get((name, number))
            outcome = PASSED if comparison else UNLIKE if why else FAILED
            row["takes"].append({"simulator": outcome, "error": round(max(errors, default=0), 2), "why": why or ""})
        row |= {"median": round(middle, 2), "widest": round(widest, 2)}
        rows.append(row)
        print(name, [take["simulator"] for take in row["takes"]])
    return rows


def results() -> dict[str, Any]:
    """Run everything."""
    ended = run_cases()
    rows = []
    for case in cases():
        tests = ended.get(int(case["case"][1:]), {})
        outcome = PASSED if tests and set(tests.values()) == {PASSED} else FAILED
        where = sorted({test.partition("[")[0] for test in tests})
        rows.append({**case, "tests": len(tests), "where": where, "simulator": outcome})
    return {"cases": rows, "recordings": compare_recordings()}


def on_the_emulator(found: dict[str, Any]) -> None:
    """Run everything that makes sense there, and add how it ended to the simulator's results."""
    sys.path.insert(0, str(ROOT))
    from tests.conformance import over_http
    from tests.recordings.simulate import scenario_of, simulate
    from tests.server.test_recordings import records, replay

    ended = run_cases(over_http)
    for case in found["cases"]:
        tests = {test: how for test, how in ended.get(int(case["case"][1:]), {}).items() if over_http.asked[test]}
        case.pop("emulator", None)
        if tests:
            case["emulator"] = PASSED if set(tests.values()) == {PASSED} else FAILED
    for row in found["recordings"]:
        with tempfile.TemporaryDirectory() as folder:
            played = replay(scenario_of(row["recording"], seed=SEED), Path(folder))
        same = played == records(simulate(row["recording"], seed=SEED).to_jsonl(record_all=True))
        for take in row["takes"]:
            take["emulator"] = take["simulator"] if same else FAILED
        print(row["recording"], "on the emulator:", "the same" if same else "another run")


SEED = 1
"""Of the runs over HTTP: what one seed gives is the same to the letter, and so is what the others give."""


def sign(outcome: str | None, runner: str) -> str:
    missing = "–" if runner == "emulator" else "not run"
    return (
        missing if outcome is None else {PASSED: "passed", FAILED: "**failed**", UNLIKE: "no seed is like it"}[outcome]
    )


def page(found: dict[str, Any]) -> str:
    """The page of the book."""
    rows, recordings = found["cases"], found["recordings"]
    all_takes = [take for r in recordings for take in r["takes"]]
    passed = sum(case["simulator"] == PASSED for case in rows)
    alike = sum(take["simulator"] == PASSED for take in all_takes)
    asked = [case for case in rows if "emulator" in case]
    over = sum(case["emulator"] == PASSED for case in asked)
    there = sum(take.get("emulator") == PASSED for take in all_takes)
    takes = f"{alike} of {len(all_takes)} takes of {len(recordings)} recordings"
    out = [
        HEAD,
        f"On the simulator {passed} of {len(rows)} cases pass, and {takes}; ",
        f"on the emulator {over} of the {len(asked)} cases that ask something of a cluster, and {there} of the takes. ",
        "On kind nothing has been run yet.\n\n",
        RECORDINGS_HEAD,
        "| recording | seeds | envelope (s) | take | simulator | emulator | kind | largest error (s) |\n",
        "| --- | ---: | ---: | ---: | --- | --- | --- | ---: |\n",
    ]
    for r in recordings:
        for number, take in enumerate(r["takes"], 1):
            widths = f"{r['median']:.2f}, {r['widest']:.2f}"
            runs = " | ".join(sign(take.get(runner), runner) for runner in RUNNERS)
            out.append(f"| {r['recording']} | {r['seeds']} | {widths} | {number} | {runs} | {take['error']:.2f} |\n")
    reasons = [
        f"- {r['recording']}, take {number}: {take['why']}.\n"
        for r in recordings
        for number, take in enumerate(r["takes"], 1)
        if take["why"]
    ]
    if reasons:
        out += ["\nTakes that no seed is like, and why:\n\n", *reasons]
    out += ["\n", CASES_HEAD]
    section = None
    for case in rows:
        if case["section"] != section:
            section = case["section"]
            out += [f"\n### {section}\n\n" if section != rows[0]["section"] else f"### {section}\n\n"]
            out += ["| case | what | tests | simulator | emulator | kind | source |\n"]
            out += ["| --- | --- | ---: | --- | --- | --- | --- |\n"]
        runs = " | ".join(sign(case.get(runner), runner) for runner in RUNNERS)
        out.append(f"| {case['case']} | {case['title']} | {case['tests']} | {runs} | `{case['source']}` |\n")
    return "".join(out)


def main() -> int:
    found = json.loads(RESULTS.read_text("utf-8")) if sys.argv[1:] in (["page"], ["emulator"]) else results()
    if sys.argv[1:] != ["page"]:
        on_the_emulator(found)
        RESULTS.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
    PAGE.write_text(page(found), "utf-8")
    wrong = [case["case"] for case in found["cases"] if case["simulator"] != PASSED]
    wrong += [case["case"] for case in found["cases"] if case.get("emulator") == FAILED]
    wrong += [r["recording"] for r in found["recordings"] if any(FAILED in t.values() for t in r["takes"])]
    print(f"book/parity.md is written; not passed: {', '.join(wrong) or 'none'}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
