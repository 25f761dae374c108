"""The picture of a timeline: what one sees, reads and hears in it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from selfheal.plot import Plot, plot
from selfheal.plot.scene import WIDTH
from selfheal.plot.style import DARK, LIGHT, STYLES
from selfheal.timeline import Timeline
from tests.timeline.test_lanes import simulated

RECORDINGS = Path(__file__).parent.parent / "recordings"
NAMES = sorted(p.parent.name for p in RECORDINGS.glob("*/timeline.jsonl"))
SVG = "{http://www.w3.org/2000/svg}"


def recorded(name: str, take: str = "timeline") -> Timeline:
    return Timeline.load(RECORDINGS / name / f"{take}.jsonl")


def tree(picture: Plot) -> ET.Element:
    return ET.fromstring(picture.svg)


def texts(picture: Plot) -> list[str]:
    return [t.text or "" for t in tree(picture).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", NAMES)
def test_every_recording_can_be_drawn_within_its_frame(name: str) -> None:
    root = tree(plot(recorded(name)))
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for shape in root.iter():
        if shape.tag in (f"{SVG}rect", f"{SVG}text") and "x" in shape.attrib:
            assert 0 <= float(shape.attrib["x"]) <= width
            assert 0 <= float(shape.attrib["y"]) <= height
        if shape.tag == f"{SVG}rect" and shape.attrib.get("class") != "hatchground":
            assert float(shape.attrib.get("x", 0)) + float(shape.attrib["width"]) <= width + 0.01


def test_the_story_of_a_killed_container_stands_in_the_picture() -> None:
    picture = plot(recorded("liveness-exec"), until=130)
    words = texts(picture)
    for expected in ("liveness-exec", "on node-1", "liveness", "container", "Ready", "life 1", "restart 1, at once"):
        assert expected in words
    assert words.count("3") == 2  # the threshold, at each kill
    tips = [t.text for t in tree(picture).iter(f"{SVG}title")]
    assert any("40.4 s: failed, 2 in a row: cat: can't open" in (t or "") for t in tips)
    assert any("will be restarted; TERM, KILL after 30 s" in (t or "") for t in tips)


def test_a_picture_can_be_heard() -> None:
    picture = plot(recorded("liveness-exec"), until=120)
    root = tree(picture)
    assert root.attrib["role"] == "img"
    named = root.attrib["aria-labelledby"].split()
    by_id = {e.attrib["id"]: e.text for e in root.iter() if "id" in e.attrib}
    assert by_id[named[0]] == "liveness-exec"
    assert by_id[named[1]] == picture.alt == str(picture)
    assert picture.alt == (
        "Timeline of liveness-exec, 120 seconds. Pod liveness-exec starts at 0.8 s. Its liveness probe fails at "
        "35.4 s, 40.4 s, 45.4 s, 110.4 s and 115.4 s. It is stopped from 45.4 to 75.4 s. It is restarted at 75.5 s. "
        "Ready from 0.8 to 120.0 s."
    )


def test_what_only_the_simulator_knows_is_drawn_and_told() -> None:
    picture = plot(simulated(), title="shop")
    words = texts(picture)
    assert "sick" in " ".join(words)
    assert "580 lost" in words
    assert "app is" in words
    assert "requests" in words
    assert "The app is sick from 31.0 to 40.0 s." in picture.alt
    assert "Requests to shop: 620 served, 580 lost." in picture.alt
    classes = {e.attrib.get("class") for e in tree(picture).iter()}
    assert {"ok", "sick", "pass", "fail", "skip", "served", "lost", "run", "ready"} <= classes


def test_sick_is_hatched_and_stopping_dashed_so_that_colour_never_stands_alone() -> None:
    assert STYLES["sick"].hatched
    assert STYLES["term"].dash
    assert STYLES["ghost"].dash
    picture = plot(simulated())
    pattern = next(tree(picture).iter(f"{SVG}pattern")).attrib["id"]
    assert f".sick{{fill:url(#{pattern})" in picture.svg


def test_another_timeline_beside_it_is_a_ghost_with_the_difference_in_seconds() -> None:
    real = recorded("liveness-exec")
    believed = Timeline(real.header)
    for r in recorded("liveness-exec"):
        shifted = {k: v for k, v in r.items() if k != "id"}
        if r["t"] > 46:
            shifted["t"] = round(r["t"] - 30, 2)
        believed.append(shifted)
    picture = plot(real, beside=believed, beside_name="you believed")
    assert "you believed" in texts(picture)
    assert "30.0 s later" in texts(picture)
    assert "ghost" in {e.attrib.get("class") for e in tree(picture).iter()}


def test_the_same_timeline_gives_the_same_bytes_and_another_one_other_ids() -> None:
    first = plot(recorded("liveness-exec")).svg
    assert plot(recorded("liveness-exec")).svg == first
    second = plot(recorded("liveness-exec", "timeline-2")).svg
    ids = [set(re.findall(r'id="([^"]+)"', text)) for text in (first, second)]
    assert not ids[0] & ids[1]
    scope = re.search(r'class="(sh\w+)"', first)
    assert scope
    style = first[first.index("<style>") + 7 : first.index("</style>")]
    for selector in re.findall(r"(?:^|[}\n,{])\s*([^{}@,]+?)\s*(?=\{[^{])", style):
        assert f".{scope[1]}" in selector, f"{selector} reaches beyond its picture"


def test_names_from_outside_stay_text() -> None:
    timeline = Timeline({"scenario": "<script>alert(1)</script>", "until": 10})
    evil = '"><img src=x onerror=alert(1)>&'
    container = {"name": evil, "state": "running", "reason": None, "exitCode": None, "restartCount": 0, "ready": True}
    record = {"t": 1.0, "kind": "Pod", "namespace": "default", "object": f"Pod/{evil}", "phase": "Running"}
    timeline.append({**record, "conditions": {"Ready": "True"}, "containers": [container], "node": evil})
    timeline.append(
        {"t": 2.0, "kind": "Action", "verb": "exec", "args": {"pod": evil, "command": ["<b>", "]]>\x1b\x00"]}}
    )
    picture = plot(timeline, title=evil)
    tree(picture)  # well-formed
    assert "<img" not in picture.svg
    assert "<img" not in picture.html
    assert "<script" not in plot(timeline).html
    assert "onerror=alert(1)>" not in re.sub(r"<(title|desc|text)[^>]*>[^<]*<", "<", picture.svg)


def test_no_text_is_smaller_than_11_pixels_at_720() -> None:
    texts_used = {name: s for name, s in STYLES.items() if s.fill in ("ink", "soft", "sick", "ghost", "bg")}
    for name, style in texts_used.items():
        assert style.size * 720 / WIDTH >= 11, name


def contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    a, b = sorted((light(one), light(other)))
    return (b + 0.05) / (a + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_in_light_and_dark(palette: dict[str, str]) -> None:
    pairs = [(text, "bg") for text in ("ink", "soft", "ok", "sick", "wait", "info", "ghost")]
    pairs += [("ink", ground) for ground in ("okb", "sickb", "waitb", "infob")]
    for text, ground in pairs:
        assert contrast(palette[text], palette[ground]) >= 4.5, (text, ground)


def test_a_notebook_shows_it_and_it_can_be_saved(tmp_path: Path) -> None:
    picture = plot(recorded("liveness-exec"))
    assert picture._repr_svg_() == picture.svg
    html = picture._repr_html_()
    assert html.count("<svg") == 2
    assert 'aria-hidden="true"' in html
    assert "overflow-x:auto" in html
    picture.save(tmp_path / "picture.svg")
    assert (tmp_path / "picture.svg").read_text() == picture.svg


def test_dark_follows_the_reader_and_the_page() -> None:
    style = plot(recorded("liveness-exec")).svg
    for condition in (
        "prefers-color-scheme:dark",
        '[data-theme="dark"]',
        '[data-jp-theme-light="false"]',
        ".vscode-dark",
    ):
        assert condition in style


def test_a_probe_ticking_a_thousand_times_is_a_line_and_not_a_thousand_dots() -> None:
    timeline = simulated()
    about = {"namespace": "default", "object": "Pod/shop", "container": "app", "probe": "readiness"}
    timeline.append({"t": 0.0, "kind": "Probe", **about, "result": "success", "run": 3000, "every": 1, "times": 3000})
    picture = plot(timeline, until=3000)
    assert len(picture.svg) < 30_000
    assert "3000 times" in picture.svg


def test_an_empty_timeline_is_an_empty_axis() -> None:
    assert "0 seconds" in plot(Timeline()).alt
    tree(plot(Timeline()))


def test_matplotlib_draws_the_same_and_is_imported_only_then() -> None:
    pytest.importorskip("matplotlib")
    figure = plot(recorded("replicaset-heal"), backend="matplotlib")
    words = [t.get_text() for t in figure.axes[0].texts]
    assert "in Service" in words
    assert "kill -TERM" in words
    code = "import sys, selfheal.plot; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_another_backend_is_refused() -> None:
    with pytest.raises(ValueError, match="backend must be 'svg' or 'matplotlib', not 'gnuplot'"):
        plot(Timeline(), backend="gnuplot")
