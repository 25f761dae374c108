"""Sets of completion indexes, and how a Job's status writes them: ``0,2``, ``0-4,7``.

Follows pkg/controller/job/indexed_job_utils.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator


class Indexes:
    """Some indexes, as ranges in order."""

    __slots__ = ("_ranges",)

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._ranges: list[range] = []
        for n in sorted(numbers):
            self._add(range(n, n + 1))

    @classmethod
    def parse(cls, text: str, completions: int) -> Indexes:
        """What a status says; what it cannot mean is left out (parseIndexesFromString)."""
        found = cls()
        for part in text.split(",") if text else ():
            first, hyphen, last = part.partition("-")
            if first.isdecimal() and (not hyphen or last.isdecimal()) and int(first) < completions:
                found._add(range(int(first), min(int(last or first), completions - 1) + 1))
        return found

    def _add(self, more: range) -> None:
        """``more`` begins no earlier than all that is there."""
        if self._ranges and more.start <= self._ranges[-1].stop:
            last = self._ranges.pop()
            more = range(last.start, max(last.stop, more.stop))
        self._ranges.append(more)

    def __or__(self, other: Indexes) -> Indexes:
        both = Indexes()
        for some in sorted([*self._ranges, *other._ranges], key=lambda r: r.start):
            both._add(some)
        return both

    def __and__(self, other: Indexes) -> Indexes:
        both = Indexes()
        for a in self._ranges:
            for b in other._ranges:
                if a.start < b.stop and b.start < a.stop:
                    both._add(range(max(a.start, b.start), min(a.stop, b.stop)))
        return both

    def __contains__(self, number: object) -> bool:
        return any(number in r for r in self._ranges)

    def __len__(self) -> int:
        return sum(len(r) for r in self._ranges)

    def __str__(self) -> str:
        """Three or more in a row are written as a span."""
        out = []
        for r in self._ranges:
            if len(r) == 1:
                out.append(str(r.start))
            else:
                out.append(f"{r.start}{',' if len(r) == 2 else '-'}{r.stop - 1}")
        return ",".join(out)

    def missing(self, completions: int) -> Iterator[int]:
        """The indexes below ``completions`` that are not there, in order (firstPendingIndexes)."""
        at = 0
        for r in self._ranges:
            yield from range(at, min(r.start, completions))
            at = max(at, r.stop)
        yield from range(at, completions)
