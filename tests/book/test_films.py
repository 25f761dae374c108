"""Films of a run, the trainer for describe, predictions laid over recordings: what is stored is true and whole."""

from __future__ import annotations

import importlib
import re
import shutil
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from selfheal import Cluster, words
from selfheal.lessons import describes, nodemap, overlay, routes, stories, witness
from selfheal.lessons.describes import Sick
from selfheal.lessons.film import Film
from selfheal.lessons.nodemap import Nodes, NodeSeen
from selfheal.lessons.overlay import moments
from selfheal.lessons.questions import Answer, Question
from selfheal.lessons.routes import Routes
from selfheal.objects import ref
from tests.book.notebooks import BOOK, cells, source
from tests.recordings.simulate import runs, takes

WEB = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: apps/v1
kind: KIND
metadata: {name: web}
spec:
  SERVICE
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: selfheal/patient:1
        readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 2}
"""
ASKED = Question("What is next?", (Answer("this", "no", False), Answer("that", "yes", True)))


def manifest(kind: str, version: int = 1) -> str:
    """Two copies behind a Service, owned by a Deployment or a StatefulSet."""
    name = "serviceName: web" if kind == "StatefulSet" else ""
    return WEB.replace("KIND", kind).replace("SERVICE", name).replace(":1", f":{version}")


def begun(kind: str = "Deployment") -> Cluster:
    cluster = Cluster(nodes=2, seed=1)
    cluster.apply(manifest(kind))
    return cluster.run(until=30)


def nodes_of(film: Film, at: float) -> dict[str, NodeSeen]:
    """The map as it stands at a second."""
    view = [frame.view for frame in film.frames if frame.t <= at][-1]
    assert isinstance(view, Nodes)
    return {node.name: node for node in view.nodes}


# ---- the map of a failing node


def test_a_power_cut_is_seen_on_one_side_at_once_and_on_the_other_after_heartbeats_have_stayed_away() -> None:
    cluster = begun()
    film = nodemap(cluster, 400, do={31: lambda c: c.node("node-1").stop()})
    before, after, noticed, evicted = (nodes_of(film, t)["node-1"] for t in (30, 31, 100, 400))
    assert before.runs
    assert before.powered
    assert before.ready == "True"
    assert after.runs == ()
    assert not after.powered
    assert after.pods == before.pods
    assert after.pods[0].ready == "True"
    assert after.pods[0].listed
    assert noticed.ready == "Unknown"
    assert noticed.silent
    assert (noticed.pods[0].status, noticed.pods[0].ready, noticed.pods[0].listed) == ("Running", "False", False)
    assert "unreachable:NoExecute" in noticed.taints
    assert evicted.pods[0].status == "Terminating"
    [unknown] = [frame for frame in film.frames if any("Ready Unknown" in text for text in frame.says)]
    truth = Cluster(nodes=2, seed=1, nodes_in_timeline=True)
    truth.apply(manifest("Deployment"))
    truth.run(until=31).node("node-1").stop()
    records = truth.run(until=120).timeline.select(kind="Node", object="Node/node-1")
    seen = next(r["t"] for r in records if r["conditions"].get("Ready") == "Unknown")
    assert unknown.t == pytest.approx(seen, abs=0.01)


def test_a_film_has_a_picture_at_each_event_and_they_add_up_to_what_happened() -> None:
    cluster = begun()
    film = nodemap(cluster, 40, do={31: lambda c: c.delete(ref(c.get("pods")[0]))})
    records = cluster.timeline.select(kind="Pod", since=31)
    pictures = [frame.t for frame in film.frames]
    assert len({record["t"] for record in records}) >= 4
    assert all(any(abs(record["t"] - t) <= 0.01 for t in pictures) for record in records)
    assert all(frame.says for frame in film.frames), "a picture that is not told"


def test_a_cut_cable_leaves_two_of_one_name_after_force_and_the_map_shows_both_sides() -> None:
    cluster, cable = begun("StatefulSet"), []
    cut = cluster.get("pod", "web-0")["spec"]["nodeName"]
    film = nodemap(
        cluster,
        150,
        do={
            31: lambda c: cable.append(c.fault("partition", f"node/{cut}")),
            100: lambda c: c.delete("pod/web-0", grace=0),
            120: lambda c: cable.pop().heal(),
        },
    )
    lost = nodes_of(film, 90)[cut]
    assert lost.cut
    assert lost.powered
    assert "web-0" in lost.runs
    assert lost.ready == "Unknown"
    forced = nodes_of(film, 119)
    assert sum("web-0" in node.runs for node in forced.values()) == 2
    assert sum(pod.name == "web-0" for node in forced.values() for pod in node.pods) == 1
    assert sum("web-0" in node.runs for node in nodes_of(film, 150).values()) == 1
    assert "web-0 no longer runs on" in repr(film)


def test_without_a_script_each_picture_opens_and_a_question_stands_before_the_next_one() -> None:
    film = nodemap(begun(), 100, do={31: lambda c: c.node("node-1").stop()}, ask={60: ASKED})
    text = film._repr_html_()
    assert "<script" not in text
    assert text.count('<details class="frame">') == len(film.frames) == text.count("<li ")
    [gated] = [frame for frame in film.frames if frame.ask]
    assert gated.t > 60
    assert text.index("What is next?") < text.index("Ready Unknown")
    assert [frame.t for frame in film.frames] == sorted(frame.t for frame in film.frames)


def test_names_of_machines_stay_text() -> None:
    evil = NodeSeen("<i>", "True", ("<u>",), 3, False, (), True, False, ("<s>",))
    assert not re.search(r"<(i|u|s)>", Nodes((evil,)).html())


# ---- where requests go


def test_the_film_of_a_rollout_counts_what_the_timeline_counts_and_sends_only_to_listed_endpoints() -> None:
    cluster = begun()
    users = cluster.traffic("web", rate=30)
    film = routes(
        cluster,
        users,
        60,
        do={35: lambda c: c.apply(manifest("Deployment", 2))},
    )
    views = [frame.view for frame in film.frames]
    assert all(isinstance(view, Routes) for view in views)
    last = views[-1]
    assert isinstance(last, Routes)
    assert last.total == sum(r["lost"] * r["times"] for r in cluster.timeline.select(kind="Traffic"))
    assert len(film.frames) >= 4
    for view in views:
        assert isinstance(view, Routes)
        assert sum(backend.share for backend in view.backends) == pytest.approx(30, abs=0.2)
        assert all(backend.share == 0 for backend in view.backends if backend.endpoint == "unready")
    assert "is made." in repr(film)
    assert "is gone." in repr(film)


def test_an_unready_pod_stays_in_the_slice_and_gets_nothing() -> None:
    cluster = begun()
    pod = cluster.get("pods")[0]["metadata"]["name"]
    film = routes(
        cluster,
        cluster.traffic("web", rate=10),
        60,
        do={32: lambda c: c.http(pod, "/switch?readyz=503", method="POST")},
    )
    view = film.frames[-1].view
    assert isinstance(view, Routes)
    [out] = [backend for backend in view.backends if backend.pod == pod]
    assert (out.status, out.endpoint, out.share) == ("Running", "unready", 0)
    assert {backend.share for backend in view.backends} == {0, 10}


# ---- the trainer


@pytest.fixture(params=words.LANGUAGES)
def spoken(request: pytest.FixtureRequest) -> Iterator[str]:
    words.use(request.param)
    yield request.param
    words._chosen.clear()


def test_every_line_that_can_be_chosen_says_why_and_each_patient_has_its_cause(spoken: str) -> None:
    for sick in describes().cases:
        lines = list(sick.lines)
        assert "\n".join(line.text for line in lines) == sick.described
        right = [line for line in lines if line.right]
        assert right
        assert {line.reply for line in right} == {sick.given["found"]}
        assert len({line.text for line in right}) == 1, "one fact tells the cause"
        assert all(line.reply for line in lines if re.search(r":\s+\S", line.text) and "IPs" not in line.text)
        replies = {line.reply for line in lines}
        assert set(sick.given["lines"].values()) <= replies, "own words that no line has"
        assert [bool(answer.get("right")) for answer in sick.given["answers"]].count(True) == 1
        assert all(answer["reply"] for answer in sick.given["answers"])
    said = "".join(sick.described for sick in describes().cases)
    assert [key for key in words.words("describe")["lines"] if key.removeprefix("event ") not in said] == []


def test_the_trainer_speaks_chinese_and_keeps_the_same_cases() -> None:
    english = {sick.key: [bool(a.get("right")) for a in sick.given["answers"]] for sick in describes().cases}
    words.use("zh-TW")
    try:
        chinese = {sick.key: [bool(a.get("right")) for a in sick.given["answers"]] for sick in describes().cases}
        text = describes("memory")._repr_html_()
    finally:
        words._chosen.clear()
    assert chinese == english
    assert ' lang="zh-TW"' in text
    assert "原因寫在哪一行？" in text
    assert "OOMKilled" in text
    assert "Not this one" not in text


def test_what_is_said_of_the_patients_is_so() -> None:
    text = {sick.key: sick.described for sick in describes().cases}
    assert re.search(r"Port: +8080/TCP", text["port"])
    assert ":8081: connect: connection refused" in text["port"]
    assert "OOMKilled" in text["memory"]
    assert "Exit Code:    137" in text["memory"]
    assert "Killing" not in text["memory"]
    assert "Unhealthy" not in text["alone"]
    assert "Killing" not in text["alone"]
    assert "Started " not in text["image"]
    assert "Scheduled" in text["image"]
    assert "Insufficient cpu" in text["nowhere"]
    assert re.search(r"Node: +<none>", text["nowhere"])


def test_a_describe_without_a_script_opens_line_by_line_and_markup_in_it_stays_text() -> None:
    text = describes("port")._repr_html_()
    assert "<script" not in text
    assert text.count("<details") == text.count("</details>") > 40
    assert text.count(" data-right") == 2, "the line and the diagnosis"
    given = {**describes("port").cases[0].given, "complaint": "<img src=x>", "found": "<b>"}
    assert not re.search(r"<img|<b>", Sick("port", given).html())
    with pytest.raises(KeyError):
        describes("nobody")


# ---- laid over each other


def test_a_recording_lies_within_what_the_seeds_say_and_the_back_off_is_what_the_formula_forgets() -> None:
    real, seeds = takes("liveness-http")[0], runs("liveness-http")
    found = moments(real, seeds, "liveness-http", {"kill": [18, 36, 54, 72, 90]})
    for moment in found:
        assert moment.real is not None
        assert min(moment.simulated) - 1 <= moment.real <= max(moment.simulated) + 1
    assert [abs(m.real - m.predicted) < 1 for m in found if m.real and m.predicted] == [True] * 4 + [False]
    text = overlay("x", real, seeds, "liveness-http", {"kill": [18, 90]})._repr_html_()
    assert text.count('class="said"') == text.count('class="band"') == text.count('class="was"') == 4, (
        "one each, and all"
    )
    assert "+0.3 s" in text


def test_what_never_came_is_said_and_what_cannot_be_compared_is_refused() -> None:
    real = takes("liveness-http")[0]
    [late] = moments(real, [], "liveness-http", {"restart": [18]})[:1]
    assert late.range == "never"
    gone = moments(real, [real], "liveness-http", {"kill": [1] * 9})[-1]
    assert (gone.real, gone.range, gone.off) == (None, "never", "")
    with pytest.raises(ValueError, match="start, kill, restart, ready, unready, deletion, gone, not about 'wedding'"):
        moments(real, [], "liveness-http", {"wedding": [1]})


# ---- the chapters


def stored(page: str, cell_id: str) -> str:
    """What a chapter stores of a cell, as text."""
    (cell,) = (cell for cell in cells(page, "code") if cell["id"] == cell_id)
    data = (o["data"]["text/plain"] if "data" in o else o["text"] for o in cell["outputs"])
    return "".join("".join(text) for text in data)


def seconds(told: str, what: str) -> float:
    """When a film tells of something."""
    return next(float(line.split()[0]) for line in told.splitlines()[1:] if what in line)


def test_the_dead_node_is_noticed_within_a_minute_and_given_up_five_minutes_later() -> None:
    told = stored("15-node-failure.ipynb", "film-power")
    dark, unknown, evicted = (seconds(told, what) for what in ("loses its power", "Ready Unknown", "Terminating"))
    assert 30 < unknown - dark < 60
    assert 299 <= evicted - unknown <= 301
    between = [line for line in told.splitlines()[1:] if unknown + 0.1 < float(line.split()[0]) < evicted]
    assert between == [], "nothing happens in between"


def test_behind_a_cut_cable_the_forced_pod_runs_twice_until_the_cable_is_whole() -> None:
    told = stored("15-node-failure.ipynb", "film-cut")
    order = ("is gone from the API", "db-0 runs on", "reaches the API server again", "db-0 no longer runs")
    places = [told.index(what) for what in order]
    assert places == sorted(places)


def test_the_film_of_the_rollout_loses_what_the_chapter_has_counted() -> None:
    told = stored("14-shutdown.ipynb", "film")
    lost = [int(n) for n in re.findall(r"lost any more: (\d+) were", told)]
    assert f"{lost[-1]} requests lost" in stored("14-shutdown.ipynb", "incident")
    shares = [float(n) for n in re.findall(r"gets ([\d.]+) requests", told)]
    assert {round(50 / share) for share in shares} == {3, 4}, "a third of all, but for the moment of four"
    each = [now - before for before, now in pairwise([0, *lost])]
    assert len(each) == 3
    assert all(0.5 < one / max(shares) < 1.5 for one in each), "about a second of one pod's share"


def test_the_landing_page_predicts_the_kills_of_the_real_cluster_to_half_a_second() -> None:
    told = stored("index.ipynb", "overlay")
    real = [float(t) for t in re.findall(r"at ([\d.]+) s", told)]
    assert [abs(t - n) < 0.5 for t, n in zip(real, (45, 120, 195), strict=True)] == [True] * 3


def test_a_busy_pod_costs_what_the_answer_of_chapter_3_says() -> None:
    told = stored("03-readiness.ipynb", "film")
    (lost,) = (int(n) for n in re.findall(r"lost any more: (\d+) were", told))
    assert 100 <= lost <= 150
    assert 20 <= seconds(told, "Endpoint of ledger-a: not ready") - 33 <= 31


# ---- the real cluster as a witness

WITNESSES = {
    ("02-liveness.ipynb", "witness-overlay"): "liveness-http",
    ("04-startup.ipynb", "witness-overlay"): "startup-slow",
    ("08-should-you-probe.ipynb", "witness-overlay"): "two-probes-one-endpoint",
    ("12-back-off.ipynb", "witness-overlay"): "crash-loop",
    ("14-shutdown.ipynb", "witness-overlay"): "grace",
    ("14-shutdown.ipynb", "witness-deleted"): "grace",
    ("15-node-failure.ipynb", "witness-overlay"): "node-failure",
}


def told_by(page: str, cell_id: str) -> list[tuple[float, float, float, float]]:
    """Of each moment of a stored overlay: predicted, the first and the last of the seeds, real."""
    (cell,) = (cell for cell in cells(page, "code") if cell["id"] == cell_id)
    said = re.findall(r"Predicted ([^<]+)\.</p>", "".join(cell["outputs"][0]["data"]["text/html"]))
    found = [list(map(float, re.findall(r"[\d.]+(?= s| …)", one))) for one in said]
    return [(one[0], one[1], one[-2], one[-1]) for one in found]


@pytest.mark.parametrize(("page", "cell_id"), WITNESSES, ids=lambda value: value)
def test_the_real_cluster_lies_among_the_seeds_of_each_chapter_that_calls_it(page: str, cell_id: str) -> None:
    for _, low, high, real in told_by(page, cell_id):
        assert low - 0.2 <= real <= high + 0.2


def test_what_chapters_say_of_the_witness_is_so() -> None:
    def off(page: str, cell_id: str = "witness-overlay") -> list[float]:
        return [real - predicted for predicted, _, _, real in told_by(page, cell_id)]

    *four, fifth = off("02-liveness.ipynb")
    assert max(four) < 0.5
    _, low, high, _ = told_by("02-liveness.ipynb", "witness-overlay")[-1]
    assert fifth > 20
    assert 2 < high - low < 10, "some seconds among themselves"
    for page in ("04-startup.ipynb", "08-should-you-probe.ipynb"):
        assert all(0 <= one < 1 for one in off(page)), "within a second"
    starts = told_by("12-back-off.ipynb", "witness-overlay")
    assert all(one >= 0 for one in off("12-back-off.ipynb"))
    assert all(one > 2 for one in off("12-back-off.ipynb")[2:])
    widths = [high - low for _, low, high, _ in starts]
    assert widths[1] < widths[2] < widths[3] < widths[4]
    assert abs(off("14-shutdown.ipynb", "witness-overlay")[1]) < 1
    assert 0.5 < off("14-shutdown.ipynb", "witness-deleted")[0] < 1.5
    silence, mark = told_by("15-node-failure.ipynb", "witness-overlay")
    assert silence[2] - silence[1] == pytest.approx(10, abs=1), "ten seconds apart"
    assert 0 < silence[3] - 20 - 50 < 1, "a little more than 50 s"
    for after, before in zip(mark[1:], silence[1:], strict=True):
        assert after - before == pytest.approx(30, abs=0.2)


def test_a_witness_shows_the_manifest_of_each_of_its_pods() -> None:
    seen = witness("grace", seeds=1)
    assert seen.manifest("deleted").startswith("apiVersion: v1\nkind: Pod\nmetadata: {name: deleted")
    assert "obeys" not in seen.manifest("deleted")
    with pytest.raises(KeyError):
        seen.manifest("nobody")
    with pytest.raises(FileNotFoundError):
        witness("a-wedding")
    [gone] = moments(seen.real, seen.runs, "deleted", {"gone": [75]})
    assert gone.name == "gone", "no number where there is only one"
    assert gone.real == pytest.approx(76, abs=1)


def test_the_recordings_that_chapters_call_are_in_the_wheel_and_in_the_pages() -> None:
    root = BOOK.parent
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    put = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    read = yaml.safe_load((root / "_config.yml").read_text("utf-8"))["sphinx"]["config"]["live_files"]
    for name in ("cluster.yaml", "liveness-exec", *WITNESSES.values()):
        assert put[f"tests/recordings/{name}"] == f"selfheal/lessons/recordings/{name}"
        assert f"tests/recordings/{name}" in {path.removesuffix("/*") for path in read}


def test_no_notebook_reads_what_lies_only_in_a_clone() -> None:
    read = [
        path.name
        for path in BOOK.glob("**/*.ipynb")
        for cell in cells(path.relative_to(BOOK).as_posix(), "code")
        if re.search(r'"(\.\./)+(tests|labs)\b', source(cell))
    ]
    assert read == []
    put = tomllib.loads((BOOK.parent / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]
    told = "".join(source(cell) for cell in cells("where-the-usual-story-differs.ipynb", "code"))
    for name in re.findall(r'recorded\("([^"]+)"\)', told):
        assert f"tests/recordings/{name}" in put["wheel"]["force-include"]
    assert put["wheel"]["force-include"]["labs/manifests/story"] == "selfheal/lessons/story"
    assert (stories() / "delays.yaml").is_file()


def test_a_page_finds_its_recordings_above_the_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recordings = importlib.import_module("selfheal.lessons.witness")
    monkeypatch.setattr(recordings, "__file__", str(tmp_path / "lib/selfheal/lessons/witness.py"))
    (tmp_path / "course/book").mkdir(parents=True)
    (tmp_path / "course/tests").mkdir()
    shutil.copytree(BOOK.parent / "tests/recordings/crash-loop", tmp_path / "course/tests/recordings/crash-loop")
    shutil.copy(BOOK.parent / "tests/recordings/cluster.yaml", tmp_path / "course/tests/recordings")
    monkeypatch.chdir(tmp_path / "course/book")
    assert recordings.witness("crash-loop", seeds=0).real.starts("crash")
