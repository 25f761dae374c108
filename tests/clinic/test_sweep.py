"""``selfheal sweep``: the trade-off over a grid, the choice, what is as good; the same bytes whoever runs it."""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from selfheal.cli import main
from selfheal.clinic import App, Point, Sweep, sweep
from selfheal.clinic import grid as grids
from selfheal.clinic.grid import Task, measure
from selfheal.clinic.runners import pool
from selfheal.errors import ApiError
from tests.clinic.manifests import GOOD, C, subject

APP = App(pause=8, slow=0.5)
"""Pauses of 8 s, as in the first chapter's exercise; the load is harmless."""
PERIOD, THRESHOLD = "livenessProbe.periodSeconds", "livenessProbe.failureThreshold"
VARY = {PERIOD: (2, 5, 10), THRESHOLD: (1, 3, 5)}
FLAGS = [
    "--pause",
    "8",
    "--slow",
    "0.5",
    "--seeds",
    "2",
    "--vary",
    f"{PERIOD}=2,5,10",
    "--vary",
    f"{THRESHOLD}=1..5..2",
]


@pytest.fixture(scope="module")
def swept() -> Sweep:
    return sweep(GOOD, VARY, app=APP, seeds=2)


def test_every_choice_of_the_grid_is_tried_in_its_order(swept: Sweep) -> None:
    assert [p.values for p in swept.points] == [(p, f) for p in (2, 5, 10) for f in (1, 3, 5)]
    assert swept.paths == (f"{C}.{PERIOD}", f"{C}.{THRESHOLD}")
    assert swept.missing == 0


def test_a_pause_that_is_forgiven_for_certain_leads_to_no_restart(swept: Sweep) -> None:
    """(F − 1) × P is at least 8."""
    for point in swept.points:
        period, threshold = point.values
        if (threshold - 1) * period >= 8:
            assert point.needless == 0, swept.told(point)
    assert any(p.needless for p in swept.points)


def test_the_choice_kills_nobody_for_nothing_and_is_the_quickest_of_those(swept: Sweep) -> None:
    best = swept.best
    assert best.values == (2, 5)
    assert best.needless == 0
    assert all(p.heal is not None and p.heal >= (best.heal or 0) for p in swept.points if not p.needless)
    assert best in swept.as_good
    assert all(not p.needless for p in swept.as_good)


def test_the_front_trades_restarts_for_time(swept: Sweep) -> None:
    front = swept.front
    assert front[-1].needless == 0
    for a, b in pairwise(front):
        assert swept.cost(a) <= swept.cost(b)
        assert a.needless > b.needless


def test_the_picture_shows_choice_region_and_what_stands_in_the_manifest(swept: Sweep) -> None:
    plot = swept.plot()
    root = ET.fromstring(plot.svg)
    titles = [t.text or "" for t in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles.count(swept.told(swept.best)) >= 2, "in the trade-off and on the map"
    assert any(t.startswith("as it is now: periodSeconds 10, failureThreshold 3") for t in titles)
    assert swept.told(swept.best) in plot.alt
    assert plot.svg == swept.plot().svg
    figure: Any = swept.plot(backend="matplotlib")
    assert figure.axes


def test_one_path_alone_and_a_case_without_a_time_to_heal_can_be_swept() -> None:
    found = sweep(GOOD, {"spec.replicas": [1, 2, 3]}, cases=["crash"], seeds=1)
    assert [p.lost > 20 for p in found.points] == [True, False, False]
    assert "heals" not in found.told(found.best)
    assert "requests lost" in found.plot().svg


def test_a_choice_that_the_api_server_refuses_is_told_not_raised() -> None:
    found = sweep(GOOD, {PERIOD: [0, 10], "livenessProbe.successThreshold": [1, 2]}, cases=["crash"], seeds=1)
    assert found.best.values[1] == 1
    refused = [p for p in found.points if p.refused]
    assert {p.values[1] for p in refused} == {2}
    assert "must be 1" in found.told(refused[0])


def test_numbers_with_which_it_never_gets_ready_are_the_worst_choice() -> None:
    """Nothing is lost and nobody is killed for nothing while nothing ever runs."""
    found = sweep(subject(startupProbe=None), {PERIOD: [1, 10], THRESHOLD: [1, 3]}, cases=["deadlock"], seeds=1)
    assert found.points[0].heal is None
    assert found.best.values[0] == 10


def test_all_cores_give_the_same_bytes_as_one_process(swept: Sweep) -> None:
    seen: list[tuple[int, int]] = []
    runner = pool(2, lambda done, total, _: seen.append((done, total)))
    assert sweep(GOOD, VARY, app=APP, seeds=2, runner=runner).json() == swept.json()
    assert seen == [(n, 9) for n in range(1, 10)]


def test_a_stop_gives_what_is_known_by_then(monkeypatch: pytest.MonkeyPatch) -> None:
    known: list[Point] = []

    def stopped(task: Task) -> Point:
        if len(known) == 2:
            raise KeyboardInterrupt
        known.append(measure(task))
        return known[-1]

    monkeypatch.setattr(grids, "measure", stopped)
    found = sweep(GOOD, {PERIOD: [5, 10, 20]}, app=APP, seeds=1)
    assert (len(found.points), found.missing) == (2, 1)
    assert found.best in known


# ---- the command


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "web.yaml").write_text(GOOD, "utf-8")
    return tmp_path


def test_the_command_tells_choice_region_and_trade_off_and_draws_them(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", "web.yaml", *FLAGS, "--plot", "web.svg"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("chosen    periodSeconds 2, failureThreshold 5: heals in ")
    assert "now       periodSeconds 10, failureThreshold 3: heals in " in out
    assert re.search(r"as good   \d of 9 choices; livenessProbe.periodSeconds ", out)
    assert ET.parse(here / "web.svg").getroot().tag.endswith("svg")


def test_json_is_the_sweep_s_own(here: Path, capsys: pytest.CaptureFixture[str], swept: Sweep) -> None:
    assert main(["sweep", "web.yaml", *FLAGS, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == {**json.loads(swept.json()), "file": "web.yaml"}


def test_the_dots_for_the_way_to_the_probe_may_be_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--vary", f"…{PERIOD}=10", "--case", "crash", "--seeds", "1", "--workers", "1"]
    assert main(["sweep", "web.yaml", *words, "--format", "json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["vary"]) == [f"{C}.{PERIOD}"]


BAD: list[tuple[Sequence[str], str]] = [
    (["--vary", f"{PERIOD}=9..3"], "write PATH=1..30, PATH=1..30..2 or PATH=1,2,5"),
    (["--vary", "livenessProbe.perodSeconds=1..3"], "perodSeconds"),
    (["--vary", f"{PERIOD}=1..3", "--vary", f"{PERIOD}=5"], "one path is given twice"),
    (
        ["--vary", f"{PERIOD}=1..300", "--vary", f"{THRESHOLD}=1..300"],
        "the grid has 90000 points",
    ),
    (["--vary", f"{PERIOD}=1..3", "--plot", "web.bmp"], "write to a .svg, .png or .pdf"),
    (["--vary", f"{PERIOD}=1..3", "--object", "Deployment/api"], "there is Deployment/web"),
]


@pytest.mark.parametrize(("words", "says"), BAD, ids=[says[:20] for _, says in BAD])
def test_bad_input_is_told_in_one_line(
    words: list[str], says: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(["sweep", "web.yaml", *words])
    except SystemExit as error:
        code = int(error.code or 0)
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_without_dask_the_command_says_what_to_install(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["sweep", "web.yaml", *FLAGS, "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert capsys.readouterr().err == 'selfheal: --scheduler needs dask: pip install "selfheal[scale]"\n'


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore")
def test_two_dask_workers_give_the_same_bytes(swept: Sweep) -> None:
    from distributed import LocalCluster

    from selfheal.clinic.runners import dask

    seen: list[int] = []
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as cluster:
        runner = dask(cluster.scheduler_address, lambda done, *_: seen.append(done))
        assert sweep(GOOD, VARY, app=APP, seeds=2, runner=runner).json() == swept.json()
    assert seen == list(range(1, 10))


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_is_not_there_is_told(swept: Sweep) -> None:
    from selfheal.clinic.runners import dask

    with pytest.raises(ApiError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        sweep(GOOD, VARY, app=APP, seeds=1, runner=dask("tcp://127.0.0.1:9"))
