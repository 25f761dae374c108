"""The answers that are stored with a page, so that a widget answers its first flips before any Python has loaded.

For the widget's own scenario, always: no flip; no flip at each preset; and for each switch at the given numbers one
flip, to whatever it can stand at, and off and on again within ``failureThreshold`` + 1 probe intervals. (Off is what
the scenario itself speaks of, 500 if it speaks of nothing.) Then, as far as there is room: the beliefs beside them;
each fault that is offered, where the playhead stands at first and every ten seconds; hanging and on again; one flip
with another habit. At most :data:`MOST` answers and :data:`LIMIT` bytes gzipped; what no longer fits is left to Python.

A bank is one classic script, ``banks/<name>.js``: browsers forbid modules and ``fetch`` on ``file://``, so a page
opened from disk can load nothing else. Its answers share their records: one table of bodies, and for each
answer the times at which they occur. ``mount.js`` unpacks it.

    python -m selfheal.widgets.bank book            writes what the notebooks under book/ need, where it changed
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import sys
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate, islice
from math import ceil, inf
from pathlib import Path
from typing import Any

from selfheal.widgets.answers import Answer, answer
from selfheal.widgets.questions import (
    Data,
    Deed,
    Flip,
    Question,
    Setting,
    agreed_seconds,
    canonical,
    compose,
    flipped,
    language_of,
    period,
    plain,
    preset_of,
    setting_of,
)
from selfheal.words import LANGUAGES, language, speaking, words

MOST = 300
LIMIT = 59_000

REASONS = ("deeds", "explain", "rules", "values")
"""Parts of the words that answers say why in."""

DATA = re.compile(r'data-bank="(\w+)"[^>]*>\s*<script type="application/json">(.*?)</script>', re.DOTALL)
"""A monitor as a notebook stores it."""


def name_of(data: Data) -> str:
    """The bank's name: it changes with the scenario and with all that can be set."""
    return hashlib.sha256(canonical(data).encode()).hexdigest()[:16]


def key(question: Question) -> str:
    """A question's key in the bank: FNV-1a over its canonical form, twice 32 bits."""
    text = canonical(question).encode()
    return f"{_fnv1a(text, 0x811C9DC5):08x}{_fnv1a(text, 0x01234567):08x}"


def _fnv1a(data: bytes, state: int) -> int:
    for byte in data:
        state = ((state ^ byte) * 0x01000193) & 0xFFFFFFFF
    return state


# ---- which questions


def questions(data: Data) -> Iterator[tuple[Question, Answer]]:
    """Each question worth storing with its answer, the most important first; no question twice."""
    seen: set[str] = set()
    for question in (*promised(data), *_more(data)):
        text = canonical(question)
        if text not in seen:
            seen.add(text)
            yield question, _answer(text)


def promised(data: Data) -> Iterator[Question]:
    """What every bank holds: it is what a reader tries first."""
    given = setting_of(data)
    for setting in (given, *(preset_of(data, preset) for preset in data["presets"]), *_habits(data, given)):
        yield compose(data, setting)
    for rank in _ranks(data):
        for setting in _singles(data, given, rank):
            yield compose(data, setting)
    if _alone(data, given):
        for setting in _pairs(data, given, 1):
            yield compose(data, setting)


def _more(data: Data) -> Iterator[Question]:
    """What is stored besides, as far as there is room."""
    given, beliefs = setting_of(data), [belief["key"] for belief in data["beliefs"]]
    habits = _habits(data, given)
    for belief in beliefs:
        for setting in (given, *(preset_of(data, preset) for preset in data["presets"]), *habits):
            yield compose(data, setting, belief)
    for setting in _deeds(data, given):
        yield compose(data, setting)
    for belief in beliefs:
        for setting in _singles(data, given, 1):
            yield compose(data, setting, belief)
    for rank in _ranks(data):
        for setting in _pairs(data, given, rank):
            yield compose(data, setting)
    for habit in habits:
        for setting in _singles(data, habit, 1):
            yield compose(data, setting)


def _alone(data: Data, given: Setting) -> bool:
    """Whether there is one pod: among several nobody begins with off and on again, and each answer is longer."""
    lines = _answer(canonical(compose(data, given)))["timeline"][1:]
    return len({record["object"] for record in lines if record["kind"] == "Pod"}) == 1


def _ranks(data: Data) -> range:
    return range(max((len(switch["values"]) for switch in data["switches"]), default=0))


def _habits(data: Data, given: Setting) -> list[Setting]:
    """The app with one habit changed."""
    return [
        Setting(given.probes, {**given.habits, habit["name"]: value})
        for habit in data["habits"]
        for value, _ in habit["values"]
        if value != given.habits[habit["name"]]
    ]


def ticks(data: Data) -> dict[str, list[int]]:
    """The agreed seconds at which each switch turns at the given numbers."""
    given, until = setting_of(data), data["base"]["until"]
    return {switch["name"]: list(agreed_seconds(given, switch, until)) for switch in data["switches"]}


def _deeds(data: Data, setting: Setting) -> Iterator[Setting]:
    """One fault, to the end: where the playhead stands at first, and every ten seconds."""
    told = _answer(canonical(compose(data, setting)))
    until = int(data["base"]["until"])
    start = data["start"] if data["start"] is not None else first_breath(data, told)
    for fault in data.get("faults", ()):
        for at in sorted({ceil(start), *range(10, until, 10)} - {until}):
            node = _node(told, _pod(data, told, at), at)
            if fault["name"] != "startNode" and runs(data, told, at, settled=0):
                yield flipped(setting, Deed(at, fault["name"], node if fault["on"] == "node" else ""))


def _singles(data: Data, setting: Setting, rank: int) -> Iterator[Setting]:
    """One flip: each switch to its value number ``rank``, at each agreed second at which that changes something."""
    told = _answer(canonical(compose(data, setting)))
    for switch in data["switches"]:
        if rank < len(switch["values"]):
            value = switch["values"][rank][0]
            for at in agreed_seconds(setting, switch, data["base"]["until"]):
                if runs(data, told, at) and stands(data, told, switch, at) != value:
                    yield flipped(setting, Flip(at, switch["name"], value))


def _pairs(data: Data, setting: Setting, rank: int) -> Iterator[Setting]:
    """Off and on again, within failureThreshold + 1 intervals."""
    for single in _singles(data, setting, rank):
        off = single.flips[-1]
        if not isinstance(off, Flip):
            continue
        switch = next(one for one in data["switches"] if one["name"] == off.switch)
        well = switch["values"][0][0]
        if off.value == well:
            continue
        told = _answer(canonical(compose(data, single)))
        every = period(setting, switch)
        thresholds = [numbers["failureThreshold"] for p in switch["probes"] if (numbers := setting.probes.get(p))]
        for later in range(1, max(thresholds, default=3) + 2):
            at = off.at + later * every
            if at <= data["base"]["until"] and runs(data, told, at) and stands(data, told, switch, at) != well:
                yield flipped(single, Flip(at, switch["name"], well))


def _answer(question: str) -> Answer:
    return _told(question, language())


@cache
def _told(question: str, _language: str) -> Answer:
    return answer(json.loads(question))


def first_breath(data: Data, told: Answer) -> int:
    """The second at which the playhead stands at first where no chapter says: every pod lives, if it does so soon."""
    lives: dict[str, float] = {}
    for record in told["timeline"][1:]:
        if record["kind"] == "Pod":
            lives.setdefault(record["object"], inf)
            watched = [c for c in record["containers"] if c["name"] == data["at"]["name"]]
            if watched and watched[0]["state"] == "running":
                lives[record["object"]] = min(lives[record["object"]], record["t"])
    last = max(lives.values(), default=inf)
    return ceil(last + 0.2) if last < 5 else 0


def _node(told: Answer, pod: str, at: float) -> str:
    """The node that a pod is on at a moment."""
    node = ""
    for record in told["timeline"][1:]:
        if record["t"] <= at and record.get("object") == pod:
            node = record.get("node") or node
    return node


def runs(data: Data, told: Answer, at: float, settled: float = 0.5) -> bool:
    """Whether the container can be reached at a moment: ``settled`` seconds after its start, until its end."""
    since: float | None = None
    pod = _pod(data, told, at)
    for record in told["timeline"][1:]:
        if record["t"] > at:
            break
        if record["kind"] == "Pod" and record["object"] == pod:
            for container in record["containers"]:
                if container["name"] == data["at"]["name"]:
                    running = container["state"] == "running" and not record.get("deleted")
                    since = (since if since is not None else record["t"]) if running else None
    return since is not None and since + settled <= at


def stands(data: Data, told: Answer, switch: Mapping[str, Any], at: float) -> str:
    """What a switch stands at just before a moment, as the app itself reports."""
    text = ""
    pod = _pod(data, told, at)
    for record in told["timeline"][1:]:
        if record["t"] >= at:
            break
        if record.get("object") != pod:
            continue
        if record["kind"] == "App" and record["container"] == data["at"]["name"]:
            text = "" if record["healthy"] else record["text"]
    for part in text.split(", "):
        name, _, value = part.partition(" ")
        if name == switch["name"]:
            return value
    default: str = switch["values"][0][0]
    return default


def _pod(data: Data, told: Answer, at: float) -> str:
    """The pod that flips go to, as a timeline names it: by name, or by its place among its siblings then."""
    wanted = data["at"]["pod"]
    if isinstance(wanted, str):
        return f"Pod/{wanted}"
    alive: dict[str, bool] = {}
    for record in told["timeline"][1:]:
        if record["t"] > at:
            break
        if record["kind"] == "Pod":
            alive[record["object"]] = not (record.get("deleted") or record.get("terminating"))
    names = sorted(name for name, here in alive.items() if here)
    return names[wanted["index"]] if wanted["index"] < len(names) else ""


# ---- packing


def pack(answers: Sequence[tuple[Question, Answer]], ticks: Mapping[str, Sequence[int]]) -> bytes:
    """Answers as gzipped JSON, in which nothing stands twice.

    ``ticks`` are the seconds at which each switch turns. ``bodies`` holds each record once, without time and id;
    ``steps`` each cause once, without its time; ``chains`` each chain of causes as ``[the chain without its last step,
    that step, gap]``. An answer is ``[header, pairs, whys]``: for each record milliseconds since the one before and
    body; and for each record its chain and anchor. Anchor and gap say *when*, mostly in records, since causes are
    records too: the first timed step stands ``anchor`` records before the explained one, each other ``gap`` records
    after the timed step before it; ``[milliseconds]`` where no record has that time, null for a step without one.
    """
    tables: dict[str, dict[Any, int]] = {"headers": {}, "bodies": {}, "steps": {}, "chains": {None: 0}}

    def number(table: str, value: Any) -> int:
        known = tables[table]
        return known.setdefault(value, len(known))

    packed: dict[str, list[Any]] = {}
    for question, told in answers:
        header, *records = told["timeline"]
        times = [_ms(record["t"]) for record in records]
        pairs: list[int] = []
        whys: list[Any] = []
        for id, record in enumerate(records):
            body = {k: v for k, v in record.items() if k not in ("t", "id")}
            pairs += [times[id] - (times[id - 1] if id else 0), number("bodies", json.dumps(body, ensure_ascii=False))]
            chain, anchor, before = 0, None, None
            for step in told["why"].get(str(id), ()):
                gap: Any = None
                if step["t"] is not None:
                    moment = _ms(step["t"])
                    place = _place(times, moment)
                    if before is None:
                        anchor, gap = (id - place if place is not None else (times[id] - moment,)), 0
                    elif place is not None and before[1] is not None:
                        gap = place - before[1]
                    else:
                        gap = (moment - before[0],)
                    before = (moment, place)
                chain = number(
                    "chains", (chain, number("steps", (step["text"], step["source"], step["function"])), gap)
                )
            whys += [chain, anchor]
        packed[key(question)] = [number("headers", json.dumps(header, ensure_ascii=False)), pairs, whys]
    book: dict[str, Any] = {name: [json.loads(text) for text in tables[name]] for name in ("headers", "bodies")}
    book.update({"steps": list(tables["steps"]), "chains": list(tables["chains"]), "answers": packed})
    book["ticks"] = dict(ticks)
    text = json.dumps(book, ensure_ascii=False, separators=(",", ":"))
    return gzipped(text.encode())


def gzipped(data: bytes) -> bytes:
    """The same data, the same bytes, whatever Python: some name the system in the ninth byte, and others do not."""
    out = bytearray(gzip.compress(data, 9, mtime=0))
    out[9] = 255
    return bytes(out)


def unpack(packed: bytes) -> dict[str, Answer]:
    """The inverse of :func:`pack`, as ``mount.js`` does it."""
    book = json.loads(gzip.decompress(packed))
    out: dict[str, Answer] = {}
    for name, (header, pairs, whys) in book["answers"].items():
        times = list(accumulate(pairs[::2]))
        timeline: list[dict[str, Any]] = [book["headers"][header]]
        why: dict[str, list[dict[str, Any]]] = {}
        for id, moment in enumerate(times):
            timeline.append({"t": plain(moment / 1000), **book["bodies"][pairs[2 * id + 1]], "id": id})
            chain, anchor = whys[2 * id], whys[2 * id + 1]
            nodes: list[Any] = []
            while chain:
                nodes.append(book["chains"][chain])
                chain = nodes[-1][0]
            place, now, steps = id, moment, []
            for _, step, gap in reversed(nodes):
                if gap is not None:
                    if gap == 0 and anchor is not None:
                        gap, anchor = ([-anchor[0]] if isinstance(anchor, list) else -anchor), None
                    if isinstance(gap, list):
                        place, now = bisect_left(times, now + gap[0]), now + gap[0]
                    else:
                        place, now = place + gap, times[place + gap]
                text, source, function = book["steps"][step]
                seconds = None if gap is None else plain(now / 1000)
                steps.append({"t": seconds, "text": text, "source": source, "function": function})
            if steps:
                why[str(id)] = steps
        out[name] = {"timeline": timeline, "why": why}
    return out


def _ms(t: float) -> int:
    return round(t * 1000)


def _place(times: Sequence[int], moment: int) -> int | None:
    """The first record of a moment, if there is one."""
    place = bisect_left(times, moment)
    return place if place < len(times) and times[place] == moment else None


def build(data: Data) -> tuple[bytes, int]:
    """(the packed bank of a monitor, how many answers it holds)."""
    with speaking(language_of(data)):
        kept = list(islice(questions(data), MOST))
    packed = pack(kept, ticks(data))
    while len(packed) > LIMIT and len(kept) > 1:
        del kept[max(1, int(0.97 * len(kept) * LIMIT / len(packed))) :]
        packed = pack(kept, ticks(data))
    _told.cache_clear()
    return packed, len(kept)


def script(name: str, packed: bytes, made_by: str) -> str:
    """A bank as a classic script. ``made_by``: what the answers were computed by, to tell when they are out of date."""
    coded = base64.b64encode(packed).decode()
    return f"// {made_by}\n(globalThis.selfhealBanks ??= {{}})[{json.dumps(name)}] = {json.dumps(coded)};\n"


# ---- a book's banks


BESIDE = ("cli.py", "clinic", "labs", "lessons", "patient", "plot", "printers", "probers", "server", "testing.py")
"""What the engine knows nothing of: it can change as it likes without an answer becoming another."""


@cache
def engine() -> str:
    """What answers depend on, besides the question: the engine's own source, and the words of its reasons."""
    digest = hashlib.sha256()
    root = Path(__file__).parents[1]
    for path in sorted(root.rglob("*.py")):
        place = path.relative_to(root)
        ours = place.parts[0] != "widgets" or path.stem in ("answers", "bank", "questions")
        if ours and place.parts[0] not in BESIDE:
            digest.update(place.as_posix().encode() + b"\0" + path.read_bytes())
    digest.update(json.dumps([words(part, spoken) for spoken in LANGUAGES for part in REASONS]).encode())
    return digest.hexdigest()[:16]


def monitors(notebook: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(bank's name, data) of each monitor in a notebook's stored outputs."""
    for cell in json.loads(notebook.read_text(encoding="utf-8")).get("cells", ()):
        for output in cell.get("outputs", ()):
            for found in DATA.finditer("".join((output.get("data") or {}).get("text/html", ""))):
                yield found[1], json.loads(found[2])


def write(folder: Path, into: Path) -> list[tuple[str, int, int, float]]:
    """Write the banks of the notebooks under ``folder``; (name, answers, bytes, seconds) of those made anew."""
    into.mkdir(parents=True, exist_ok=True)
    notebooks = [path for path in sorted(folder.rglob("*.ipynb")) if ".ipynb_checkpoints" not in path.parts]
    wanted = {name: data for notebook in notebooks for name, data in monitors(notebook)}
    stale = {name: data for name, data in wanted.items() if _first_line(into / f"{name}.js") != f"// {engine()}"}
    made = []
    for name, (packed, count, seconds) in zip(stale, _built(list(stale.values())), strict=True):
        whole = into / f"{name}.js.new"
        whole.write_text(script(name, packed, engine()), encoding="utf-8")
        whole.replace(into / f"{name}.js")
        made.append((name, count, len(packed), seconds))
    for old in into.glob("*.js"):
        if old.stem not in wanted:
            old.unlink()
    return made


def _built(all_data: Sequence[Data]) -> Iterator[tuple[bytes, int, float]]:
    """(packed bank, answers, seconds) of each monitor, by as many processes as there are processors."""
    if len(all_data) < 2:
        yield from map(_timed, all_data)
        return
    from concurrent.futures import ProcessPoolExecutor  # a page, which never builds, has none

    with ProcessPoolExecutor() as workers:
        yield from workers.map(_timed, all_data)


def _timed(data: Data) -> tuple[bytes, int, float]:
    began = time.perf_counter()
    return *build(data), time.perf_counter() - began


def _first_line(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n")[0] if path.exists() else ""


def main(arguments: Sequence[str]) -> int:
    """``python -m selfheal.widgets.bank [FOLDER]``"""
    folder = Path(arguments[0] if arguments else "book")
    for name, count, size, seconds in write(folder, folder / "_static" / "banks"):
        sys.stdout.write(f"{name}: {count} answers, {size / 1000:.1f} kB, {seconds:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
