"""``kubectl drain``: empty a node, politely.

The node is cordoned, then every pod on it is evicted, all at once. A pod whose budget refuses is asked for
again each five seconds, until the timeout. Daemon pods stay: their controller would put them back. What was done
is not undone if the drain gives up; the node stays cordoned.

Follows staging/src/k8s.io/kubectl/pkg/drain/drain.go and filters.go, with ``--ignore-daemonsets
--delete-emptydir-data --force``.
"""

from __future__ import annotations

from collections.abc import Callable

from selfheal import latencies
from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock, Process, micros
from selfheal.errors import ApiError, NotFound, TooManyRequests
from selfheal.eviction import Eviction
from selfheal.objects import Object, controller_of, key, labels, matches, name, namespace, uid
from selfheal.rules import Cause
from selfheal.store import Store

AGAIN = 5 * SECOND
"""A refused eviction is tried again after this time, in µs."""
WAIT = 1 * SECOND
"""How often it looks whether an evicted pod is gone."""

MIRROR = "kubernetes.io/config.mirror"


class Drain:
    """One drain of one node; ``done(text)`` is called with what kubectl printed. Raises NotFound."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        chance: Chance,
        node: str,
        *,
        selector: Object | None = None,
        timeout: float = 0,
        cause: Cause | None = None,
        done: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._eviction = Eviction(store, clock, chance)
        self._stream = chance.stream("drain", node)
        self._node = node
        self._selector = selector
        self._timeout = timeout
        self._deadline = clock.now + micros(timeout) if timeout else None
        self._cause = cause
        self._done = done
        self._out: list[str] = []
        self._errors: list[str] = []
        self._failed: list[str] = []
        found = store.get("Node", "", node)
        if found is None:
            raise NotFound(f'nodes "{node}" not found')
        clock.process(self._run(found))

    def pods(self) -> list[Object]:
        """Whom to evict (filters.go makeFilters)."""
        return [p for p in self._store.pods_on(self._node) if self._wanted(p)]

    def _wanted(self, pod: Object) -> bool:
        owner = controller_of(pod)
        if owner is not None and owner["kind"] == "DaemonSet":
            return self._store.get("DaemonSet", namespace(pod), owner["name"]) is None  # --force
        if MIRROR in (pod["metadata"].get("annotations") or {}):
            return False
        return self._selector is None or matches(self._selector, labels(pod))

    def _run(self, node: Object) -> Process:
        """RunCordonOrUncordon, then deleteOrEvictPods."""
        if node["spec"].get("unschedulable"):
            self._out.append(f"node/{self._node} already cordoned")
        else:
            cordoned = {**node, "spec": {**node["spec"], "unschedulable": True}}
            self._store.update(cordoned, cause=self._cause)
            self._out.append(f"node/{self._node} cordoned")
        yield self._clock.sleep(latencies.draw("request", self._stream, self._stream.next()))
        pods = self.pods()
        self._warn(pods)
        yield self._clock.env.all_of([self._clock.process(self._evict(pod)) for pod in pods])
        if self._failed:
            text = ", ".join(self._failed)
            self._errors.append(
                f'error: unable to drain node "{self._node}" due to error: [{text}], continuing command...\n'
                f"There are pending nodes to be drained:\n {self._node}"
            )
            self._errors.extend(self._failed)
        else:
            self._out.append(f"node/{self._node} drained")
        self._done("\n".join((*self._out, *self._errors)))

    def _warn(self, pods: list[Object]) -> None:
        """What ``--ignore-daemonsets`` and ``--force`` pass over (podDeleteList.Warnings)."""
        here = self._store.pods_on(self._node)
        daemons = [p for p in here if p not in pods and (controller_of(p) or {}).get("kind") == "DaemonSet"]
        bare = [p for p in pods if controller_of(p) is None]
        told = [
            f"{what}: {', '.join('/'.join(key(p)) for p in found)}"
            for what, found in (
                ("ignoring DaemonSet-managed Pods", daemons),
                ("deleting Pods that declare no controller", bare),
            )
            if found
        ]
        if told:
            self._errors.append(f"Warning: {'; '.join(told)}")

    def _evict(self, pod: Object) -> Process:
        """One pod: evicted, and then waited for."""
        where = "/".join(key(pod))
        about = f'error when evicting pods/"{name(pod)}" -n "{namespace(pod)}"'
        while True:
            self._out.append(f"evicting pod {where}")
            if self._over():
                self._failed.append(f"{about}: global timeout reached: {self._timeout:g}s")
                return
            try:
                yield from self._eviction.evict(*key(pod), self._cause)
            except NotFound:
                return
            except TooManyRequests as error:
                self._errors.append(f"{about} (will retry after 5s): {error}")
                yield self._clock.sleep(AGAIN)
            except ApiError as error:
                self._failed.append(f"{about}: {error}")
                return
            else:
                break
        while not self._gone(pod):
            if self._over():
                waiting = f'error when waiting for pod "{name(pod)}" in namespace "{namespace(pod)}" to terminate'
                self._failed.append(f"{waiting}: global timeout reached: {self._timeout:g}s")
                return
            yield self._clock.sleep(WAIT)
        self._out.append(f"pod/{name(pod)} evicted")

    def _gone(self, pod: Object) -> bool:
        found = self._store.get("Pod", *key(pod))
        return found is None or uid(found) != uid(pod)

    def _over(self) -> bool:
        return self._deadline is not None and self._clock.now >= self._deadline
