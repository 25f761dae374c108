"""Every random value, as a function of what it is for.

A value is drawn from *(seed, names, counter)* and never from the order of calls:
the third restart of ``web-0`` draws the same start latency whether or not another
pod was created in between. So a fault, a changed rule or a skipped probe changes
what it causes and nothing else, and two timelines can be laid over each other.

    delay = chance.stream("web-0", "start").uniform(3)
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15

SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Letters of generated names (staging/src/k8s.io/apimachinery/pkg/util/rand/rand.go)."""


def _mix(z: int) -> int:
    """splitmix64's finalizer: neighbouring inputs give unrelated outputs."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


class Stream:
    """Random values for one purpose, each found by its number."""

    __slots__ = ("_key", "_next")

    def __init__(self, key: int) -> None:
        self._key = key
        self._next = 0

    def bits(self, n: int) -> int:
        """64 random bits, the ``n``-th of this stream."""
        return _mix((self._key + (n + 1) * _GOLDEN) & _MASK)

    def uniform(self, n: int) -> float:
        """A number in [0, 1)."""
        return (self.bits(n) >> 11) * (1.0 / (1 << 53))

    def between(self, n: int, low: int, high: int) -> int:
        """A whole number in [low, high)."""
        return low + int(self.uniform(n) * (high - low))

    def choice(self, n: int, options: Sequence[T]) -> T:
        """One of ``options``."""
        return options[int(self.uniform(n) * len(options))]

    def letters(self, n: int, length: int = 5, alphabet: str = SAFE_ALPHABET) -> str:
        """A generated name's suffix."""
        bits, out = self.bits(n), []
        for _ in range(length):
            bits, index = divmod(bits, len(alphabet))
            out.append(alphabet[index])
        return "".join(out)

    def hex(self, n: int, length: int) -> str:
        """``length`` hexadecimal digits."""
        out = ""
        for block in range((length + 15) // 16):
            out += f"{_mix(self.bits(n) ^ _mix(block + 1)):016x}"
        return out[:length]

    def uid(self, n: int) -> str:
        """A version 4 UUID."""
        h = self.hex(n, 32)
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{'89ab'[int(h[16], 16) % 4]}{h[17:20]}-{h[20:32]}"

    def next(self) -> int:
        """The stream's own counter: 0, 1, 2 … for purposes that happen one after another."""
        n = self._next
        self._next += 1
        return n


class Chance:
    """The source of all random values of one cluster."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._streams: dict[tuple[str, ...], Stream] = {}

    def stream(self, *purpose: str) -> Stream:
        """The stream for a purpose, for instance ``stream(pod_uid, "sandbox")``."""
        found = self._streams.get(purpose)
        if found is None:
            found = self._streams[purpose] = self.fresh(*purpose)
        return found

    def fresh(self, *purpose: str) -> Stream:
        """The same stream, not remembered: for whoever keeps it, or numbers its draws."""
        text = "\x00".join((str(self.seed), *purpose)).encode()
        return Stream(int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big"))
