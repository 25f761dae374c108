"""How fast somebody may go: so much at once, then one after another.

Follows staging/src/k8s.io/client-go/util/flowcontrol/throttle.go.
"""

from __future__ import annotations

from selfheal.clock import SECOND


class TokenBucket:
    """``burst`` at once, then one per ``refill`` µs."""

    __slots__ = ("_at", "_capacity", "_filled", "_refill")

    def __init__(self, burst: int, refill: int, now: int) -> None:
        self._refill = refill
        self._capacity = burst * refill
        self._filled = self._capacity
        self._at = now

    def tokens(self, now: int) -> int:
        """How many there are."""
        self._filled = min(self._capacity, self._filled + now - self._at)
        self._at = now
        return max(0, self._filled // self._refill)

    def accept(self, now: int) -> bool:
        """Take a token if there is one."""
        if self.tokens(now) == 0:
            return False
        self._filled -= self._refill
        return True

    def take(self, now: int) -> None:
        """Take a token, if need be one that will only come."""
        self.tokens(now)
        self._filled -= self._refill


class Client(TokenBucket):
    """What a controller sends to the API server: 30 requests at once, then 20 a second.

    KubeAPIQPS and KubeAPIBurst of the controller manager (staging/src/k8s.io/controller-manager/config/v1alpha1). Only
    the pods that it makes and deletes are counted, since nothing else of its is ever so much.
    """

    __slots__ = ()
    BURST = 30
    EACH = SECOND // 20
    SOME = 10
    """So many requests who lacks tokens waits for, where a real one goes on with each."""

    def __init__(self, now: int) -> None:
        super().__init__(self.BURST, self.EACH, now)

    def wait(self, now: int) -> int:
        """How long (µs) until there are some tokens again."""
        self.tokens(now)
        return max(0, self.SOME * self.EACH - self._filled)
