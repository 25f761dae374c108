"""From lanes to shapes: where everything stands.

One time axis for all; per pod, from top to bottom: what the app is, what each probe saw, what the
kubelet did with the container, whether the pod was Ready and in its Service. Above them the controllers' counts,
below them the users' requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from selfheal.plot.scene import LEFT, RIGHT, WIDTH, Bar, Bars, Cross, Dot, Line, Scene, Shape, Text, width_of
from selfheal.plot.words import alt_text, between, seconds
from selfheal.timeline.lanes import Lanes
from selfheal.words import words as spoken

NAMES = LEFT - 12
"""Where names of lanes end."""
_STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)


def layout(lanes: Lanes, ghost: Lanes | None, title: str, ghost_name: str) -> Scene:
    """Place everything; ``ghost`` is another timeline's lanes, drawn as what somebody believed."""
    return _Layout(lanes, ghost, title, ghost_name).scene


class _Layout:
    def __init__(self, lanes: Lanes, ghost: Lanes | None, title: str, ghost_name: str) -> None:
        self.lanes = lanes
        self.say: dict[str, Any] = spoken("plot")
        self.until = max(float(lanes["until"]), 0.001)
        self.scale = (WIDTH - LEFT - RIGHT) / self.until
        self.names: list[Shape] = []
        self.marks: list[Shape] = []
        self.used: dict[str, None] = {}
        self.y = 6.0
        if title:
            self.y += 15
            self.marks.append(Text(0, self.y, title, "title"))
            self.y += 11
        self.blocks: dict[str, tuple[float, float]] = {}
        flags = self._flags()
        top = self.y
        for controller in lanes["controllers"]:
            self._controller(controller)
        others = {pod["name"]: pod for pod in ghost["pods"]} if ghost else {}
        spare = list(ghost["pods"]) if ghost else []
        for number, pod in enumerate(lanes["pods"]):
            other = others.get(pod["name"]) or (spare[number] if number < len(spare) else None)
            self._pod(pod, other, ghost_name)
        for traffic in lanes["traffic"]:
            self._traffic(traffic)
        bottom = self.y + 2
        grid = list(self._axis(top, bottom))
        self.y = bottom + 18
        self._legend()
        lines, banners = flags(bottom)
        marks = [*grid, *lines, *self.marks, *banners]
        self.scene = Scene(self.y + 4, (top, bottom), title, alt_text(lanes, title), self.names, marks)

    def x(self, t: float) -> float:
        return LEFT + min(max(t, 0.0), self.until) * self.scale

    # ---- axis, flags, legend

    def _axis(self, top: float, bottom: float) -> Iterator[Shape]:
        step = next((s for s in _STEPS if s * self.scale >= 44), _STEPS[-1])
        times = range(0, int(self.until + 1e-9) + 1, step)
        for t in times:
            x = self.x(t)
            yield Line(x, top, x, bottom, "grid")
            words = self.say["s"].format(t=t) if t == times[-1] else f"{t}"
            yield Text(min(x, WIDTH - width_of(words) / 2), bottom + 14, words, "tick", "middle")

    def _flags(self) -> Any:
        """What was done to the cluster: flags above the lanes. Returns what draws them once the height is known."""
        rows: list[float] = []
        placed: list[tuple[Lanes, int]] = []
        for action in self.lanes["actions"]:
            x = self.x(action["t"])
            width = width_of(action["text"], bold=True) + 10
            begin = min(x, WIDTH - 2 - width)
            row = next((i for i, end in enumerate(rows) if end < begin - 3), len(rows))
            if row >= 3:
                row = min(range(3), key=lambda i: rows[i])
                placed.append((action, -1))
                continue
            if row == len(rows):
                rows.append(0.0)
            rows[row] = begin + width
            placed.append((action, row))
        top = self.y
        self.y += 19 * len(rows)

        def draw(bottom: float) -> tuple[list[Shape], list[Shape]]:
            lines: list[Shape] = []
            banners: list[Shape] = []
            for action, row in placed:
                x, words = self.x(action["t"]), self.say["at"].format(t=seconds(action["t"]), what=action["text"])
                begin, end = self.blocks.get(action["pod"] or "", (bottom, bottom))
                y = top + 8 if row < 0 else top + row * 19 + 15
                lines.append(Line(x, y, x, begin, "far" if action["pod"] else "action", words))
                lines.append(Line(x, begin, x, end, "action", words))
                if row >= 0:
                    width = width_of(action["text"], bold=True) + 10
                    left = min(x, WIDTH - 2 - width)
                    banners.append(Bar(left, top + row * 19, width, 16, "flag", words, 3))
                    banners.append(Text(left + 5, top + row * 19 + 12, action["text"], "flagtext"))
            return lines, banners

        return draw

    def _legend(self) -> None:
        """What the marks mean, of those that were used."""
        items = [(style, words) for style, words in self.say["legend"].items() if style in self.used]
        if not items:
            return
        x, self.y = LEFT, self.y + 18
        for style, words in items:
            width = 18 + width_of(words) + 12
            if x + width > WIDTH:
                x, self.y = LEFT, self.y + 17
            self.marks += _sample(style, x + 6, self.y - 4)
            self.marks.append(Text(x + 17, self.y, words, "note"))
            x += width
        self.y += 6

    # ---- lanes

    def _name(self, text: str, y: float, style: str = "lane") -> None:
        while width_of(text, 12) > NAMES and len(text) > 4:
            text = text[:-2].rstrip("… .-") + "…"
        self.names.append(Text(NAMES, y, text, style, "end"))

    def _bar(
        self, a: float, b: float, y: float, h: float, style: str, title: str, label: str = "", rx: float = 4
    ) -> None:
        x, w = self.x(a), max(self.x(b) - self.x(a), 1.2)
        self.used.setdefault(style)
        self.marks.append(Bar(x, y, w, h, style, title, min(rx, w / 3)))
        if label and width_of(label) + 4 <= w:
            self.marks.append(Text(x + w / 2, y + h / 2 + 4.2, label, "in", "middle"))

    def _controller(self, controller: Lanes) -> None:
        y = self.y
        kind, _, name = controller["object"].partition("/")
        whole = f"{kind} {name}"
        self._name(whole if width_of(whole, 12) <= NAMES else name, y + 13)
        for s in controller["spans"]:
            full = s["ready"] >= s["desired"]
            label = f"{s['ready']}/{s['desired']}"
            words = self._when(s, self.say["of"].format(ready=s["ready"], desired=s["desired"]))
            self._bar(s["from"], s["to"], y + 1, 16, "full" if full else "short", words, label)
        self.y += 24

    def _pod(self, pod: Lanes, other: Lanes | None, ghost_name: str) -> None:
        top, head = self.y, pod["name"]
        where = self.say["on"].format(node=pod["node"]) if pod["node"] else self.say["on.none"]
        if width_of(head, 13, bold=True) > LEFT - 10:
            where = f"{head} {where}"
            while width_of(head, 13, bold=True) > LEFT - 14:
                head = "…" + head.lstrip("…")[1:]
        self.names.append(Text(0, self.y + 14, head, "head"))
        self.marks.append(Text(LEFT, self.y + 14, where, "node"))
        self.names.append(Line(0, self.y - 1, LEFT, self.y - 1, "rule"))
        self.marks.append(Line(LEFT, self.y - 1, WIDTH, self.y - 1, "rule"))
        self.y += 20
        several = len(pod["containers"]) > 1
        others = {c["name"]: c for c in other["containers"]} if other else {}
        for c in pod["containers"]:
            label = self.say["container"]
            if several:
                label = c["name"] + (" (init)" if c["init"] else "")
                if c["app"] or c["probes"]:
                    self._name(label, self.y + 12, "node")
                    self.y += 14
                    label = self.say["container"]
            self._container(c, others.get(c["name"]), ghost_name, label, pod["deleted"])
        ready = self.say["ready.always" if not _probed(pod, "readiness") else "ready.true"]
        y = self.y
        self._name(self.say["ready"], y + 9)
        for s in pod["ready"]:
            self._bar(s["from"], s["to"], y, 10, "ready", self._when(s, ready), rx=5)
        self.y += 18
        if pod["service"]:
            self._service(pod)
        self.blocks[pod["name"]] = (top, self.y)
        self.y += 6

    def _service(self, pod: Lanes) -> None:
        y = self.y
        self._name(self.say["service"], y + 9)
        for s in pod["service"]:
            if s["ready"]:
                words = self._when(s, self.say["service.gets"].format(service=s["service"]))
                self._bar(s["from"], s["to"], y, 10, "ready", words, rx=5)
            else:
                style = "leaving" if s["terminating"] else "listed"
                words = self._when(s, self.say[f"service.{style}"])
                self.marks.append(Line(self.x(s["from"]), y + 5, self.x(s["to"]), y + 5, style, words))
                self.used.setdefault(style)
        self.y += 18

    def _container(self, c: Lanes, other: Lanes | None, ghost_name: str, name: str, gone: bool) -> None:
        if c["app"]:
            y = self.y
            self._name(self.say["app"], y + 13)
            for s in c["app"]:
                short = self.say["app.healthy" if s["healthy"] else "app.sick"]
                words = spoken("values").get(s["text"], s["text"]) or short
                plain = s["healthy"] or words.startswith(("sick", short))
                label = words if plain else self.say["app.sick.text"].format(text=words)
                if width_of(label) + 4 > (s["to"] - s["from"]) * self.scale:
                    label = short
                style = "ok" if s["healthy"] else "sick"
                self._bar(s["from"], s["to"], y, 18, style, self._when(s, words), label, 5)
            self.y += 24
        for row in c["probes"]:
            self._probe(row)
        self._lives(c, name, gone)
        if other is not None:
            self._ghost(c, other, ghost_name)

    def _probe(self, row: Lanes) -> None:
        y = self.y + 18
        self._name(row["probe"], y + 4)
        labels: list[tuple[float, int]] = []
        for s in row["ticks"]:
            times = s["times"]
            if s["every"]:
                times = min(times, int((self.until - s["t"]) / s["every"] + 1e-6) + 1)
            apart = s["every"] * self.scale if times > 1 else 99.0
            result = s["result"]
            if times > 1 and apart < 5:
                style = {"success": "passes", "warning": "passes", "failure": "fails"}.get(result, "skips")
                end = s["t"] + s["every"] * (times - 1)
                told = self.say["times"].format(what=self._words(s), n=times)
                words = self._when({"from": s["t"], "to": end}, told)
                self.marks.append(Line(self.x(s["t"]), y, self.x(end) + 2, y, style, words))
                self.used.setdefault({"passes": "pass", "fails": "fail", "skips": "skip"}[style])
                if result == "failure" and s["run"]:
                    labels.append((self.x(end), s["run"]))
                continue
            r = min(4.4, max(1.8, apart * 0.42))
            for k in range(times):
                t = s["t"] + k * s["every"]
                run = (s["run"] or 0) - (s["times"] - 1 - k)
                self._tick(t, y, r, s, run)
                if result == "failure" and run > 0:
                    labels.append((self.x(t), run))
        self._runs(labels, y - 7)
        self.y += 28

    def _runs(self, labels: list[tuple[float, int]], y: float) -> None:
        """How long each run of failures is by then: counted through where there is room, else its end alone."""
        free = WIDTH + 9.0
        chosen: list[Shape] = []
        end = len(labels)
        while end:
            begin = end - 1
            while begin and labels[begin - 1][1] < labels[begin][1]:
                begin -= 1
            run = [(x, str(n), width_of(str(n), bold=True) / 2) for x, n in labels[begin:end]]
            places = [(x - half, x + half) for x, _, half in run]
            if not all(right + 3 < left for (_, right), (left, _) in pairwise([*places, (free, free)])):
                before = labels[begin - 1][0] if begin else 0.0
                run = [r for r in run[-1:] if r[0] + 3 < free and r[0] - before > 3]
            for x, said, half in reversed(run):
                chosen.append(Text(x, y, said, "bad", "middle"))
                free = x - half
            end = begin
        self.marks += reversed(chosen)

    def _tick(self, t: float, y: float, r: float, s: Lanes, run: int) -> None:
        x = self.x(t)
        words = self.say["at"].format(t=seconds(t), what=self._words(s))
        if s["result"] == "failure" and run > 0:
            words += self.say["run"].format(n=run)
        if s.get("output"):
            words += self.say["output"].format(text=s["output"])
        style = {"success": "pass", "warning": "warn", "failure": "fail", "unknown": "unknown"}.get(s["result"], "skip")
        self.used.setdefault(style)
        if style == "fail":
            self.marks.append(Cross(x, y, r, style, words))
        elif style == "unknown":
            self.marks.append(Text(x, y + 4, "?", style, "middle"))
        else:
            self.marks.append(Dot(x, y, r if style == "pass" else r * 0.76, style, words))

    def _lives(self, c: Lanes, name: str, gone: bool) -> None:
        if c["restarts"]:
            self._restarts(c)
        y = self.y
        self._name(name, y + 13)
        for s in c["spans"]:
            if s["is"] == "running":
                words = self.say["life"].format(n=s["life"])
                if s["exitCode"] is not None:
                    words = self.say["life.ended"].format(life=words, code=s["exitCode"], reason=s["reason"])
                self._bar(s["from"], s["to"], y, 18, "run", self._when(s, words), s["label"], 5)
            elif s["is"] == "stopping":
                room = (s["to"] - s["from"]) * self.scale - 6
                label = next((words for words in _shorter(s["label"]) if width_of(words) <= room), "")
                self._bar(s["from"], s["to"], y, 18, "term", self._when(s, f"{s['text']}; {s['label']}"), label, 5)
            else:
                style = "begin" if s["is"] == "starting" else "waits"
                words = s["label"] or self.say[s["is"]]
                x1, x2 = self.x(s["from"]) + 3, self.x(s["to"]) - 3
                room = x2 - x1
                shown = words if width_of(words) + 10 <= room else words.rpartition(" · ")[2]
                shown = shown if width_of(shown) + 10 <= room else ""
                if s["is"] == "ended":
                    words += self.say["gone"] if gone else ""
                    if x1 + 3 + width_of(words) < WIDTH:
                        self.marks.append(Text(x1 + 3, y + 13, words, "note"))
                    continue
                self.used.setdefault(style)
                if room > 1:
                    half = (width_of(shown) / 2 + 5) if shown else 0
                    middle = (x1 + x2) / 2
                    for a, b in ((x1, middle - half), (middle + half, x2)) if shown else ((x1, x2),):
                        if b - a > 1:
                            self.marks.append(Line(a, y + 9, b, y + 9, style, self._when(s, words)))
                if shown:
                    self.marks.append(Text((x1 + x2) / 2, y + 13, shown, "note", "middle"))
        for r in c["restarts"]:
            x = self.x(r["t"])
            self.marks.append(Line(x, y - 4, x, y + 22, "restart", self._restart_words(r)))
        self.y += 28

    def _restarts(self, c: Lanes) -> None:
        """Names of the restarts, in the row above the lives: as long as there is room for."""
        self.y += 12
        rows = c["restarts"]
        for i, r in enumerate(rows):
            x = self.x(r["t"])
            room = (self.x(rows[i + 1]["t"]) if i + 1 < len(rows) else WIDTH) - x - 6
            for words in (self._restart_words(r), self.say["restart"].format(n=r["n"]), f"{r['n']}"):
                if width_of(words) <= room:
                    self.marks.append(Text(x + 3, self.y - 3, words, "note"))
                    break
        self.y += 2

    def _ghost(self, c: Lanes, other: Lanes, name: str) -> None:
        y = self.y - 4
        self._name(name, y + 12, "ghosttext")
        for s in other["spans"]:
            if s["is"] in ("running", "stopping") and s["from"] < self.until:
                label = s["label"] if s["is"] == "running" else "TERM"
                x, w = self.x(s["from"]), max(self.x(s["to"]) - self.x(s["from"]), 1.2)
                words = self.say["at"].format(t=name, what=self._when(s, s["label"]))
                self.marks.append(Bar(x, y, w, 16, "ghost", words, min(5, w / 2)))
                if width_of(label) + 4 <= w:
                    self.marks.append(Text(x + w / 2, y + 12, label, "ghosttext", "middle"))
        self.used.setdefault("ghost")
        self.y += 18
        pairs = [(a["t"], b["t"]) for a, b in zip(other["restarts"], c["restarts"], strict=False)]
        first = next(((a, b) for a, b in pairs if abs(a - b) >= 0.5), None)
        if first:
            believed, was = (self.x(t) for t in first)
            late = first[1] - first[0]
            words = self.say["later" if late > 0 else "earlier"].format(t=seconds(abs(late)))
            self.marks.append(Line(believed, y + 24, was, y + 24, "diff", words, arrow=True))
            right = max(believed, was) + 5
            if right + width_of(words) < WIDTH:
                self.marks.append(Text(right, y + 28, words, "ghosttext"))
            else:
                self.marks.append(Text(min(believed, was) - 5, y + 28, words, "ghosttext", "end"))
            self.y += 14
        self.y += 4

    def _traffic(self, traffic: Lanes) -> None:
        """Requests: the served ones above the line, the lost ones below it."""
        bucket = next((s for s in _STEPS if s * self.scale >= 4), _STEPS[-1])
        count = int(self.until / bucket) + 1
        served, lost = [0.0] * count, [0.0] * count
        for s in traffic["stretches"]:
            for k in range(s["times"]):
                t = s["t"] + k * s["every"]
                if t <= self.until:
                    served[int(t / bucket)] += s["served"]
                    lost[int(t / bucket)] += s["lost"]
        most = max([*served, *lost, 1.0])
        up, down = 26.0, (20.0 if any(lost) else 0.0)
        base = self.y + up + 4
        several = len(self.lanes["traffic"]) > 1
        self._name(self.say["requests.to"].format(name=traffic["name"]) if several else self.say["requests"], base - 5)
        total, bad = sum(served) + sum(lost), sum(lost)
        width = bucket * self.scale - 1.1
        for values, size, sign, style in ((served, up, -1, "served"), (lost, down, 1, "lost")):
            rects = []
            for i, value in enumerate(values):
                h = value / most * size
                if h:
                    rects.append((self.x(i * bucket) + 0.5, base - h if sign < 0 else base, max(width, 1.0), h))
            if rects:
                words = self.say[f"requests.{style}"].format(
                    n=f"{sum(values):.0f}", total=f"{total:.0f}", name=traffic["name"]
                )
                self.marks.append(Bars(tuple(rects), style, words))
                self.used.setdefault(style)
        self.marks.append(Line(LEFT, base, self.x(self.until), base, "base"))
        if bad:
            runs = [i for i in range(count) if lost[i]]
            x = (self.x(runs[0] * bucket) + self.x((runs[-1] + 1) * bucket)) / 2
            words = self.say["lost"].format(n=f"{bad:.0f}")
            half = width_of(words) / 2
            x = min(max(x, LEFT + half), WIDTH - half)
            self.marks.append(Text(x, base + down + 12, words, "bad", "middle"))
            down += 12
        self.y = base + down + 8

    # ---- words

    def _when(self, span: Lanes, what: str) -> str:
        """``10.2 s to 40.4 s: …``"""
        return str(self.say["at"]).format(t=between(span["from"], span["to"]), what=what)

    def _words(self, tick: Lanes) -> str:
        if tick["result"] != "skipped":
            return str(self.say["tick"].get(tick["result"], tick["result"]))
        why = str(tick.get("why") or "")
        return str(self.say["tick"]["why" if why else "skipped"]).format(why=spoken("values").get(why, why))

    def _restart_words(self, r: Lanes) -> str:
        how = "restart.once" if r["waited"] < 2 else "restart.after"
        return str(self.say[how]).format(n=r["n"], s=f"{r['waited']:.0f}")


def _sample(style: str, x: float, y: float) -> list[Shape]:
    if style in ("pass", "warn", "skip"):
        return [Dot(x, y, 4.4 if style == "pass" else 3.4, style)]
    if style == "fail":
        return [Cross(x, y, 4, style)]
    if style == "unknown":
        return [Text(x, y + 4, "?", style, "middle")]
    if style in ("waits", "listed", "leaving"):
        return [Line(x - 6, y, x + 7, y, style)]
    if style in ("served", "lost"):
        return [Bar(x - 4, y - 5, 3, 10, style, rx=0), Bar(x, y - 3, 3, 8, style, rx=0)]
    return [Bar(x - 6, y - 5, 13, 10, style, rx=3)]


def _probed(pod: Lanes, probe: str) -> bool:
    return any(p["probe"] == probe for c in pod["containers"] for p in c["probes"])


def _shorter(label: str) -> tuple[str, ...]:
    """``TERM, KILL after 30 s``, then shorter."""
    first, _, second = label.partition(spoken("punctuation")["clause"])
    return label, second or first, first
