"""The command line, as somebody at a prompt meets it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from selfheal.cli import BAD_INPUT, DIFFERENT, EXAMPLES, OK, main
from selfheal.rules import BELIEFS
from selfheal.timeline import Timeline
from selfheal.verdict import COLUMNS
from tests.engine.scenarios import SERVICE

RECORDINGS = Path(__file__).parents[1] / "recordings"

POD = """
apiVersion: v1
kind: Pod
metadata: {name: pod}
spec:
  containers:
  - name: app
    image: selfheal/patient:1
    ports: [{containerPort: 8080}]
    livenessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 5}
"""
ACTIONS = '[{at: 22.5, http: {pod: pod, port: 8080, path: "/switch?healthz=500", method: POST}}]'
NODES = "{apiVersion: v1, kind: Node, metadata: {name: big}}"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the examples of --help speak of."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("pod.yaml", POD), ("web.yaml", SERVICE), ("actions.yaml", ACTIONS), ("nodes.yaml", NODES)):
        (tmp_path / name).write_text(text)
    return tmp_path


class Outcome:
    """What a command printed and returned."""

    def __init__(self, line: str, capsys: pytest.CaptureFixture[str]) -> None:
        capsys.readouterr()
        try:
            self.code = main(shlex.split(line))
        except SystemExit as end:
            self.code = end.code if isinstance(end.code, int) else 1
        self.out, self.err = capsys.readouterr()


@pytest.fixture
def selfheal(here: Path, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    return lambda line: Outcome(line, capsys)


def test_help_shows_examples_that_work(selfheal) -> None:  # type: ignore[no-untyped-def]
    shown = selfheal("--help")
    assert shown.code == OK
    assert EXAMPLES in shown.out
    examples = [re.split(r" {2,}", line.strip())[0] for line in EXAMPLES.splitlines()[1:]]
    assert len(examples) == 7
    selfheal("run pod.yaml --quiet --record real.jsonl")
    for example in examples:
        done = selfheal(example.removeprefix("selfheal "))
        assert (done.code, done.err) == (OK, ""), example
        assert done.out


def test_each_command_has_help_and_beliefs_are_told_in_full(selfheal) -> None:  # type: ignore[no-untyped-def]
    assert "usage: selfheal compare" in selfheal("compare --help").out
    told = selfheal("run --help").out
    for belief in BELIEFS.values():
        assert belief.key in told
        assert belief.says in told


def test_no_command_is_answered_with_help(selfheal) -> None:  # type: ignore[no-untyped-def]
    done = selfheal("")
    assert done.code == BAD_INPUT
    assert done.out.startswith("usage: selfheal")


def test_as_a_program(here: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "selfheal.cli", *words]
        return subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)

    assert re.fullmatch(r"selfheal \d+\.\d+\S*\n", run("--version").stdout)
    bad = run("run", "nosuch.yaml")
    assert (bad.returncode, bad.stdout) == (BAD_INPUT, "")
    assert bad.stderr == 'selfheal: the path "nosuch.yaml" does not exist\n'


def test_a_reader_who_has_seen_enough_is_no_error(here: Path) -> None:
    command = f"{shlex.quote(sys.executable)} -m selfheal.cli run web.yaml | head -2"
    done = subprocess.run(command, shell=True, cwd=here, capture_output=True, text=True, check=False)
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == ""


MISTAKES = {
    "run nosuch.yaml": 'selfheal: the path "nosuch.yaml" does not exist',
    "run broken.yaml": "selfheal: error parsing broken.yaml: error converting YAML to JSON: yaml: line 2",
    "run binary.yaml": "selfheal: ",
    "run unknown.yaml": 'strict decoding error: unknown field "spec.containers[0].livenesProbe"',
    "run pod.yaml --do nosuch.yaml": "nosuch.yaml",
    "run pod.yaml --do verb.yaml": 'unknown verb "explode"',
    "run pod.yaml --seed three": "selfheal run: argument --seed: three is not a whole number (see selfheal run --help)",
    "run pod.yaml --until nan": "argument --until: nan is not between 0 and 100000000 seconds",
    "run pod.yaml --until inf": "argument --until: inf is not between 0 and 100000000 seconds",
    "run pod.yaml --until -1": "argument --until: -1 is not between 0 and 100000000 seconds",
    "run pod.yaml --until soon": "argument --until: soon is not a number of seconds",
    "run pod.yaml --nodes 0": "argument --nodes: 0 is not between 1 and 5000",
    "run pod.yaml --second 61": "argument --second: 61 is not between 0 and 59",
    "run pod.yaml --belief ghosts": 'no belief "ghosts"; there are readiness-restarts, ',
    "run pod.yaml --traffic web": "selfheal: --traffic web: write SERVICE=RATE, for instance web=20",
    "run pod.yaml --traffic web=nan": "write SERVICE=RATE",
    "run pod.yaml --traffic web=5": 'selfheal: --traffic web: no Service "web" in the manifests',
    "run pod.yaml --record nosuch/out.jsonl": "nosuch/out.jsonl: No such file or directory",
    "run pod.yaml --record-all .": ".: Is a directory",
    "run": "the following arguments are required: PATH",
    "fly": "invalid choice: 'fly'",
    "compare nosuch.jsonl --with nosuch.jsonl": "selfheal: nosuch.jsonl: No such file or directory",
    "compare pod.yaml --with pod.yaml": "selfheal: pod.yaml: line 2 is not JSON",
    "compare a.jsonl": "the following arguments are required: --with",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_told_in_one_line(line: str, here: Path, selfheal) -> None:  # type: ignore[no-untyped-def]
    (here / "broken.yaml").write_text("a: [1,\nb: 2")
    (here / "binary.yaml").write_bytes(b"\xff\xfe\x00\x01")
    (here / "unknown.yaml").write_text(POD.replace("livenessProbe", "livenesProbe"))
    (here / "verb.yaml").write_text("[{at: 1, explode: pod}]")
    done = selfheal(line)
    assert done.code == BAD_INPUT
    assert done.out == ""
    assert len(done.err.splitlines()) == 1
    assert MISTAKES[line] in done.err
    assert not (here / "out.jsonl").exists()


# ---- run


def test_a_run_prints_what_happens_and_a_verdict(selfheal) -> None:  # type: ignore[no-untyped-def]
    done = selfheal("run pod.yaml --do actions.yaml --until 60")
    assert done.code == OK
    told, verdict = done.out.split("\n\n")
    lines = told.splitlines()
    assert "   22.50 s  ▶ POST /switch?healthz=500 to port 8080 of pod pod" in lines
    assert any(
        re.fullmatch(r" +3\d\.\d\d s  Pod/pod  Killing: Container app failed liveness probe, .*", x) for x in lines
    )
    assert all(re.match(r" {0,6}\d+\.\d\d s  ", line) for line in lines)
    assert not any(a.split("s  ", 1)[1] == b.split("s  ", 1)[1] for a, b in pairwise(lines))
    assert re.fullmatch(
        r"POD   PHASE     READY   RESTARTS   KILLED BY PROBES   READY AFTER   THEN UNREADY FOR\n"
        r"pod   Running   1/1     1          1                  \d\.\d s         \d\.\d s\n",
        verdict,
    )


def test_a_deployment_with_users(selfheal, here: Path) -> None:  # type: ignore[no-untyped-def]
    (here / "do.yaml").write_text(
        """
- {at: 20, http: {pod: {selector: app=web, index: 0}, port: 8080, path: "/switch?healthz=hang", method: POST}}
- {at: 40, delete: {pod: {selector: app=web, index: 1}}}
- {at: 50, delete: pod/nosuch}
- {at: 55, label: {pod: {selector: app=none}, labels: a=b}}
"""
    )
    done = selfheal("run web.yaml --nodes 2 --do do.yaml --traffic web=20 --until 60 --quiet")
    assert (done.code, done.err) == (OK, "")
    head, *rows, traffic, refused, unknown = done.out.splitlines()
    assert re.split(r" {2,}", head) == list(COLUMNS)
    assert len(rows) == 4, "three pods, and one that took a deleted one's place"
    columns = [re.split(r" {2,}", row) for row in rows]
    assert sorted(row[1] for row in columns) == ["(gone)", "Running", "Running", "Running"]
    assert sorted(row[3] for row in columns) == ["0", "0", "0", "1"]
    assert sorted(row[4] for row in columns) == ["0", "0", "0", "1"], "a deletion is no kill by a probe"
    told = re.fullmatch(r"Service/web: 1200 requests, (\d+) lost \((\d+\.\d)%\)", traffic)
    assert told is not None
    assert int(told[1]) / 12 == pytest.approx(float(told[2]), abs=0.05)
    assert refused == 'At 50 s `delete pod/nosuch` was refused: pods "nosuch" not found'
    assert "no pod number 0 with label app=none" in unknown


def test_a_belief_is_named_at_the_end(selfheal) -> None:  # type: ignore[no-untyped-def]
    done = selfheal("run pod.yaml --until 5 --belief restart-is-instant")
    believed, truth = done.out.splitlines()[-2:]
    assert believed == "This was a run on the belief: A failed liveness probe restarts the container at once."
    assert truth.startswith("In truth: The container is stopped first, and stopping may take the whole grace period.")
    assert truth.endswith("(pkg/kubelet/kuberuntime/kuberuntime_container.go killContainer)")


def test_a_manifest_that_is_given_twice_is_applied_once_more(selfheal) -> None:  # type: ignore[no-untyped-def]
    done = selfheal("run pod.yaml pod.yaml --until 10 --quiet")
    assert (done.code, done.err) == (OK, "")
    assert done.out.splitlines()[1].split()[:3] == ["pod", "Running", "1/1"]


def test_nodes_alone_make_no_table(selfheal) -> None:  # type: ignore[no-untyped-def]
    assert selfheal("run nodes.yaml --until 5 --quiet").out == "No pods.\n"


def test_the_same_command_prints_the_same(selfheal) -> None:  # type: ignore[no-untyped-def]
    line = "run web.yaml --seed 7 --until 30 --traffic web=9"
    assert selfheal(line).out == selfheal(line).out
    assert selfheal(line).out != selfheal(line.replace("7", "8")).out


# ---- timelines


def test_what_a_run_records_can_be_read_and_compared(selfheal, here: Path) -> None:  # type: ignore[no-untyped-def]
    line = "run pod.yaml --do actions.yaml --until 60 --quiet --second 5 --seed"
    assert selfheal(f"{line} 1 --record real.jsonl --record-all all.jsonl").code == OK
    for seed in range(2, 8):
        selfheal(f"{line} {seed} --record {seed}.jsonl")
    seen, everything = Timeline.load(here / "real.jsonl"), Timeline.load(here / "all.jsonl")
    assert not seen.select(kind="Probe")
    assert everything.select(kind="Probe")
    assert seen.header["until"] == 60
    done = selfheal("compare real.jsonl --with 2.jsonl 3.jsonl 4.jsonl 5.jsonl 6.jsonl 7.jsonl")
    assert (done.code, done.err) == (OK, "")


def test_compare_tells_a_wrong_rule_by_its_exit_code(selfheal) -> None:  # type: ignore[no-untyped-def]
    line = "run pod.yaml --do actions.yaml --until 60 --quiet --second 5"
    selfheal(f"{line} --record real.jsonl")
    others = []
    for seed in range(2, 8):
        selfheal(f"{line} --seed {seed} --belief threshold-plus-one --record {seed}.jsonl")
        others.append(f"{seed}.jsonl")
    done = selfheal(f"compare real.jsonl --with {' '.join(others)}")
    assert done.code == DIFFERENT
    assert "DIFFERENT" in done.out


def test_a_recording_of_a_real_cluster_compares_with_runs_of_its_scenario(selfheal) -> None:  # type: ignore[no-untyped-def]
    folder = RECORDINGS / "liveness-exec"
    out = []
    for seed in range(8):
        name = f"{seed}.jsonl"
        second = Timeline.load(folder / "timeline.jsonl").header.get("second")
        at = "" if second is None else f"--second {int(second)}"
        line = f"run {RECORDINGS / 'cluster.yaml'} {folder / 'manifest.yaml'} --do {folder / 'actions.yaml'} --quiet"
        assert selfheal(f"{line} {at} --seed {seed} --until 200 --record {name}").code == OK
        out.append(name)
    done = selfheal(f"compare {folder / 'timeline.jsonl'} {folder / 'timeline-2.jsonl'} --with {' '.join(out)}")
    assert done.code == OK, done.out
    assert done.out.startswith("liveness-exec: same (2 recordings, 8 seeds)")
