"""Whether simulated runs do what a real cluster did.

A real cluster differs from itself: start latencies, the phase of the clock, the back-off's jitter and
generated names are drawn anew in each run. So a recording is never compared with one simulated
run but with a *set of seeds*, and not as a whole but object by object:

1. **Names.** Generated names, addresses and the scheduler's free choices are replaced by roles
   that are the same in each run (:mod:`~selfheal.timeline.roles`). Both sides must know the same objects.

2. **Order.** Each object's facts are taken apart into steps (:mod:`~selfheal.timeline.steps`). For each object
   there must be *one seed at least* that has the same steps, none missing and none too many, and in no other order.
   Steps less than 0.1 s apart have no order, since several watches are read side by side; nor have
   events of different probes. What lives less than 0.1 s may be missing, and for up to 1 s also what a busy machine
   merges: a pod's states before it first runs, and ``terminated`` before an immediate restart.

3. **Time.** Each step is measured *from its cause*, not from zero, since delays add up along a chain:
   a restart from the kill, a failing probe from the one before (the table stands in
   :mod:`~selfheal.timeline.podsteps`). That interval must lie between the shortest and the longest of the seeds, ± 1 s.
   A pod's own start may come up to 5 s late; a restart that was held back may take any time that
   its back-off allows (10 s: 10–16 s … 300 s: 300–335 s; which back-off it is, the seeds say).

4. **Not comparable**, hence left out: ``FailedMount`` and the node's own start events, the wording of the container
   runtime's errors, repeats of ``FailedScheduling``, how many ``BackOff`` events come in one wait (± 1), a probe that
   hits a container in the second of its exit, events beyond the spam filter's 25 for one object and type, and what
   one side would only have seen after its end.

The *envelopes*, longest minus shortest interval of the seeds, are reported: a wide one proves nothing. Hold ranges
are listed apart. Use a dozen seeds or more; with fewer the envelope of what is drawn is too narrow for an honest
recording.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from selfheal.timeline.log import Timeline
from selfheal.timeline.steps import SIDE_BY_SIDE, Step
from selfheal.timeline.story import Story

TOLERANCE = 1.0
"""Seconds that an interval may lie outside the seeds' envelope."""
LATE = 5.0
"""Seconds that a pod's own start may be late."""
CUT = 2.0
"""A step that one side would have seen less than this (s) before its end, or later, may be missing there."""
SAME_AGE = 15.0
"""Failures of a probe are the same only if they come at about the same age of the container (s)."""
SPAM = 25
"""Events that pass for one object and type at once; later ones come by the clock, so which ones is chance."""
HOLDS = {10: 16, 20: 31, 40: 61, 80: 91, 160: 183, 300: 335}
"""How long a restart is held back at most, by back-off (s): the kubelet looks again only after the rest × [1, 1.5),
at most 60 s × [1, 1.5) at a time, plus a second of polling (pkg/kubelet/util/queue/work_queue.go, pod_workers.go)."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One step of an object, and what the seeds say about when it comes."""

    object: str
    step: str
    cause: str
    seconds: float
    """In the recording, from its cause."""
    low: float
    high: float
    hold: bool = False

    @property
    def width(self) -> float:
        return self.high - self.low


@dataclass(slots=True)
class Verdict:
    """One object of one recording."""

    recording: int
    object: str
    seed: int | None = None
    """The first seed that has the same facts in the same order."""
    problems: list[str] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)


@dataclass(slots=True)
class Comparison:
    """The result: true if every object of every recording is as the seeds have it."""

    scenario: str
    seeds: int
    verdicts: list[Verdict]

    def __bool__(self) -> bool:
        return not self.problems

    @property
    def problems(self) -> list[str]:
        """What does not fit, in words."""
        several = len({v.recording for v in self.verdicts}) > 1
        return [
            (f"take {v.recording + 1}: " if several else "") + problem for v in self.verdicts for problem in v.problems
        ]

    @property
    def envelopes(self) -> list[Envelope]:
        return [e for v in self.verdicts for e in v.envelopes]

    def widths(self) -> tuple[float, float]:
        """(median, longest) width of the envelopes in seconds, held-back restarts left out."""
        widths = [e.width for e in self.envelopes if not e.hold]
        return (median(widths), max(widths)) if widths else (0.0, 0.0)

    def report(self) -> str:
        """The result as text."""
        middle, most = self.widths()
        intervals = [e for e in self.envelopes if not e.hold]
        widest = sorted(intervals, key=lambda e: -e.width)[:3]
        takes = len({v.recording for v in self.verdicts})
        against = f"{takes} recording{'s' * (takes != 1)}, {self.seeds} seed{'s' * (self.seeds != 1)}"
        count = f"{len({v.object for v in self.verdicts})} objects, {len(intervals)} intervals"
        lines = [
            f"{self.scenario}: {'same' if self else 'DIFFERENT'} ({against})",
            f"  {count}; envelopes {middle:.2f} s wide (median), {most:.2f} s at most",
        ]
        lines += [
            f"  {e.width:.2f} s: {e.object}: {e.step} after {e.cause}, {e.low:.2f} … {e.high:.2f} s"
            for e in widest
            if e.width > TOLERANCE
        ]
        lines += [
            f"  {e.object}: {e.step} held back {e.seconds:.1f} s; {e.low:.0f} … {e.high:.0f} s allowed"
            for e in self.envelopes
            if e.hold
        ]
        lines += [f"  ✕ {problem}" for problem in self.problems]
        return "\n".join(lines)


def compare(recordings: Sequence[Timeline], simulated: Sequence[Timeline]) -> Comparison:
    """Compare recordings of one scenario with simulated runs of it, one per seed."""
    if not recordings or not simulated:
        raise ValueError("nothing to compare: needs at least one recording and one simulated timeline")
    seeds = [Story(t) for t in simulated]
    verdicts: list[Verdict] = []
    for number, recording in enumerate(recordings):
        real = Story(recording)
        matches = [Match(real, seed) for seed in seeds]
        verdicts += _judge(number, real, matches)
    return Comparison(str(recordings[0].header.get("scenario", "")), len(simulated), verdicts)


def _judge(number: int, real: Story, matches: list[Match]) -> Iterator[Verdict]:
    if all(m.other_actions for m in matches):
        yield Verdict(number, "actions", problems=["other actions were done to the two clusters"])
    for role, rows in real.rows.items():
        verdict = Verdict(number, role)
        having = [m for m in matches if role in m.problems]
        if not having:
            verdict.problems.append(f"{role} is in the recording only")
        else:
            best = min(having, key=lambda m: len(m.problems[role]))
            if best.problems[role]:
                verdict.problems += _few(role, best.problems[role], f"as in seed {matches.index(best)}")
            else:
                verdict.seed = matches.index(best)
            late = [problem for facet in rows.values() for s in facet for problem in _when(s, having, verdict)]
            verdict.problems += _few(role, late, "")
        yield verdict
    mentioned = {role.partition("/")[0] for role in real.rows}
    for role in matches[0].seed.rows:
        if role.partition("/")[0] in mentioned and all(role in m.seed.rows for m in matches) and role not in real.rows:
            yield Verdict(number, role, problems=[f"{role} is in the simulation only"])


def _few(role: str, problems: list[str], whose: str, at_most: int = 6) -> list[str]:
    more = len(problems) - at_most
    words = [f"{role}: {problem}" for problem in problems[:at_most]]
    return words + ([f"{role}: … and {more} more {whose}".rstrip()] if more > 0 else [])


# ---- order


class Match:
    """A recording laid over one seed: which step is which, and what differs in order."""

    def __init__(self, real: Story, seed: Story) -> None:
        self.real, self.seed = real, seed
        self.pair: dict[Step, Step] = {}
        """Step of the recording → the same step of the seed."""
        self.problems: dict[str, list[str]] = {}
        """Object that both have → in what its facts differ."""
        self.other_actions = [a.value for a in real.actions] != [a.value for a in seed.actions]
        if not self.other_actions:
            self.pair.update(zip(real.actions, seed.actions, strict=True))
        unmatched: dict[str, tuple[list[Step], list[Step]]] = {}
        for role, rows in real.rows.items():
            if role in seed.rows:
                unmatched[role] = self._align(rows, seed.rows[role])
        for role, (missing, extra) in unmatched.items():
            self.problems[role] = [
                *(f"{s.words} at {s.t:.2f} s is missing in the simulation" for s in missing),
                *(f"{s.words} at {s.t:.2f} s is in the simulation only" for s in extra),
                *(self._order(real.rows[role]) if role.startswith("Pod/") else ()),
                *self._counts(real.rows[role], seed.rows[role]),
            ]

    def _align(self, real: dict[str, list[Step]], seed: dict[str, list[Step]]) -> tuple[list[Step], list[Step]]:
        """Find the pairs of one object's steps; return those that have no partner and need one."""
        missing: list[Step] = []
        extra: list[Step] = []
        for facet in dict.fromkeys([*real, *seed]):
            a, b = real.get(facet, []), seed.get(facet, [])
            pairs, excused = align(a, b)
            self.pair.update(pairs)
            met = set(pairs.values()) | excused
            less = [s for s in a if s not in pairs and s not in excused]
            more = [s for s in b if s not in met]
            if facet.startswith("event BackOff"):
                less, more = _but_one_a_wait(less), _but_one_a_wait(more)
            missing += less
            extra += more
        back = {s: r for r, s in self.pair.items()}
        missing = _visible(missing, real, seed, self.pair, self.seed.end)
        extra = _visible(extra, seed, real, back, self.real.end)
        return missing, extra

    def _order(self, rows: dict[str, list[Step]]) -> Iterator[str]:
        """Pairs of steps that come the other way round in the seed."""
        steps = [s for row in rows.values() for s in row if s in self.pair and s.timed]
        steps.sort(key=lambda s: s.t)
        for i, second in enumerate(steps):
            theirs = self.pair[second].t + SIDE_BY_SIDE
            for first in steps[:i]:
                if second.t - first.t < SIDE_BY_SIDE:
                    break
                if self.pair[first].t > theirs and _ordered(first, second):
                    yield (
                        f"{first.words} ({first.t:.2f} s) comes before {second.words} ({second.t:.2f} s), "
                        f"in the simulation after it ({self.pair[first].t:.2f} and {self.pair[second].t:.2f} s)"
                    )
                    break
            paired = [self.pair[c] for c in second.causes if c in self.pair]
            if second.direct and paired:
                other = self.pair[second].causes
                if not any(c in other for c in paired):
                    cause = second.causes[0]
                    theirs_was = f"with {other[0].words} at {other[0].t:.2f} s" if other else "without"
                    yield (
                        f"{second.words} at {second.t:.2f} s came with {cause.words} at {cause.t:.2f} s, "
                        f"in the simulation {theirs_was}"
                    )

    def _counts(self, real: dict[str, list[Step]], seed: dict[str, list[Step]]) -> Iterator[str]:
        """Events whose count differs by more than the events that may differ."""
        events, theirs = (
            [s for facet, row in rows.items() if facet.startswith("event ") for s in row] for rows in (real, seed)
        )
        met = sum(1 for s in events if s in self.pair)
        slack = len(events) + len(theirs) - 2 * met
        for s in events:
            if s in self.pair and s.count and self.pair[s].count:
                allowed = slack + (s.life if s.facet.startswith("event BackOff") else 0)
                if abs(self.pair[s].count - s.count) > allowed:
                    yield f"{s.words} at {s.t:.2f} s has count {s.count}, in the simulation {self.pair[s].count}"
                    return


def align(a: list[Step], b: list[Step]) -> tuple[dict[Step, Step], set[Step]]:
    """The cheapest way to lay two rows of steps over each other, in order.

    Returns the pairs and the steps without a partner that need none: fleeting ones, and the return from a fleeting
    one to the value before it (ready, for an instant not ready, ready again: whoever misses the dip misses both).
    """
    rows, columns = len(a), len(b)
    best: list[list[tuple[float, int, int]]] = [[(0.0, 0, 0)] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows, -1, -1):
        for j in range(columns, -1, -1):
            ways: list[tuple[float, int, int]] = []  # (cost, steps of a, steps of b)
            if i < rows and j < columns and a[i].value == b[j].value:
                ways.append((best[i + 1][j + 1][0] + _apart(a[i], b[j]), 1, 1))
            if i < rows:
                ways.append((best[i + 1][j][0] + (0.01 if a[i].fleeting else 1.0), 1, 0))
            if j < columns:
                ways.append((best[i][j + 1][0] + (0.01 if b[j].fleeting else 1.0), 0, 1))
            if _dip(a, i):
                ways.append((best[i + 2][j][0] + 0.02, 2, 0))
            if _dip(b, j):
                ways.append((best[i][j + 2][0] + 0.02, 0, 2))
            if ways:
                best[i][j] = min(ways, key=lambda way: way[0])
    pairs: dict[Step, Step] = {}
    excused: set[Step] = set()
    i = j = 0
    while i < rows or j < columns:
        _, of_a, of_b = best[i][j]
        if of_a and of_b:
            pairs[a[i]] = b[j]
        else:
            alone = [*a[i : i + of_a], *b[j : j + of_b]]
            excused.update(s for s in alone if s.fleeting or len(alone) == 2)
        i, j = i + of_a, j + of_b
    return pairs, excused


def _dip(row: list[Step], i: int) -> bool:
    """Whether step ``i`` is a fleeting one, after which the row returns to the value it had."""
    return 0 < i < len(row) - 1 and row[i].fleeting and row[i - 1].value == row[i + 1].value


def _apart(a: Step, b: Step) -> float:
    """Among equal steps the nearest in time go together; of a probe's failures those of about the same age."""
    if a.probe:
        apart = abs(a.age - b.age)
        return 0.02 * apart if apart < SAME_AGE else 3.0  # dearer than to leave both out
    return 1e-6 * min(abs(a.t - b.t), 1000.0)


def _but_one_a_wait(steps: list[Step]) -> list[Step]:
    """``BackOff`` events that are too many: one more or less in each wait is chance."""
    waits: set[int] = set()
    out = []
    for s in steps:
        if s.life in waits:
            out.append(s)
        waits.add(s.life)
    return out


def _visible(
    steps: list[Step],
    own: dict[str, list[Step]],
    other: dict[str, list[Step]],
    pair: dict[Step, Step],
    end: float,
) -> list[Step]:
    """Those of the unpaired steps that the other side would have seen, before its end and through its spam filter."""
    met = sorted((s for row in own.values() for s in row if s in pair), key=lambda s: s.t)
    out: list[Step] = []
    for s in sorted(steps, key=lambda s: s.t):
        before = [m for m in met if m.t <= s.t]
        shift = pair[before[-1]].t - before[-1].t if before else 0.0
        slack = CUT
        if s.hold and s.causes:
            slack += 0.5 * (s.t - s.causes[0].t)
        if s.t + shift >= end - slack:
            break  # from here on the other side had ended
        if s.facet.startswith("event ") and _beyond_spam_filter(s, own, other):
            continue
        out.append(s)
    return out


def _beyond_spam_filter(s: Step, own: dict[str, list[Step]], other: dict[str, list[Step]]) -> bool:
    """Whether so many events came before it that the other side may have dropped it (BackOffs may differ by some)."""
    kind = s.facet.split(" ")[2]
    few = SPAM - 1 - s.life
    ours = sum(1 for f, row in own.items() if _of_type(f, kind) for x in row if x.t <= s.t)
    theirs = sum(1 for f, row in other.items() if _of_type(f, kind) for _ in row)
    return ours > few and theirs >= SPAM


def _of_type(facet: str, kind: str) -> bool:
    return facet.startswith("event ") and facet.split(" ")[2] == kind


def _ordered(first: Step, second: Step) -> bool:
    """Whether the order of two steps of one object means anything."""
    if first.late and second.late:
        return first.facet.startswith("event ") == second.facet.startswith("event ")
    if first.container and second.container and first.container != second.container:
        return False
    one, other = _aspect(first), _aspect(second)
    return one == other or not one or not other


def _aspect(s: Step) -> str:
    """The probe that a step depends on; different probes tick on their own."""
    if s.probe:
        return s.probe
    if s.facet.startswith(("ready ", "condition Ready", "condition ContainersReady")):
        return "readiness"
    if s.facet.startswith("started "):
        return "startup"
    if s.facet.startswith("event Killing"):
        return next((p for p in ("liveness", "startup") if f"failed {p} probe" in s.facet), "")
    return ""


# ---- time


def _when(s: Step, matches: list[Match], verdict: Verdict) -> list[str]:
    """Judge when a step of the recording came; notes the envelope in the verdict."""
    met = [(m, m.pair[s]) for m in matches if s in m.pair]
    if not s.timed or not met:
        return []  # where no seed has it, the order has told already
    same = [(m, seed) for m, seed in met if seed.hold == s.hold]
    if not same:
        return [f"{s.words} at {s.t:.2f} s was {'' if s.hold else 'not '}held back, unlike in the seeds"]
    if not s.causes:
        theirs = [seed.since for _, seed in same if seed.since is not None]
        trials = [_trial(s, "what set it off", s.since, theirs, verdict)] if theirs and s.since is not None else []
    else:
        trials = []
        for cause in s.causes:
            theirs = [seed.t - m.pair[cause].t for m, seed in same if m.pair.get(cause) in seed.causes]
            if theirs:
                trials.append(_trial(s, cause.words, s.t - cause.t, theirs, verdict))
    if s.choose == "any" and trials:
        narrow = 2 * min(t.envelope.width for t in trials) + TOLERANCE
        proving = [t for t in trials if t.envelope.width <= narrow]
        trials = [next((t for t in proving if not t.problem), proving[0])]
    elif s.choose == "first":
        trials = trials[:1]
    verdict.envelopes += [t.envelope for t in trials]
    return [t.problem for t in trials if t.problem]


@dataclass(frozen=True, slots=True)
class _Trial:
    """A step measured from one of its causes."""

    envelope: Envelope
    problem: str


def _trial(s: Step, cause: str, seconds: float, theirs: list[float], verdict: Verdict) -> _Trial:
    low, high = min(theirs), max(theirs)
    below, above = low - TOLERANCE, high + (LATE if s.late else TOLERANCE)
    if s.hold:
        low, high = _hold(low, high)
        below, above = low - TOLERANCE, high + TOLERANCE
    envelope = Envelope(verdict.object, s.words, cause, seconds, low, high, s.hold)
    if below - 1e-6 <= seconds <= above + 1e-6:
        return _Trial(envelope, "")
    says = f"{low:.1f} s" if high - low < 0.05 else f"{low:.1f} … {high:.1f} s"
    who = "its back-off allows" if s.hold else "the seeds say"
    return _Trial(envelope, f"{s.words} at {s.t:.2f} s came {seconds:.1f} s after {cause}; {who} {says}")


def _hold(low: float, high: float) -> tuple[float, float]:
    """The range of the back-off that the seeds' holds belong to."""
    for back_off, most in reversed(HOLDS.items()):
        if back_off - TOLERANCE <= low:
            if high <= most + TOLERANCE:
                return float(back_off), float(most)
            break
    return low, 1.5 * high + 1  # only the rest of a back-off was waited for
