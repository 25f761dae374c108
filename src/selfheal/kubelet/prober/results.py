"""What each container's probe last said for good (pkg/kubelet/prober/results/results_manager.go)."""

from __future__ import annotations

from collections.abc import Callable

from selfheal.rules import Cause

SUCCESS, FAILURE, UNKNOWN = "Success", "Failure", "Unknown"

Update = Callable[[str, str, str, Cause | None], None]
"""Called with (pod uid, container id, result, cause) when a result changes."""


class ResultsManager:
    """Container ID → stored result, for one type of probe. Only *changes* are passed on."""

    def __init__(self, on_update: Update) -> None:
        self._results: dict[str, str] = {}
        self._on_update = on_update

    def get(self, container_id: str) -> str | None:
        """The stored result, or None where nothing has been stored."""
        return self._results.get(container_id)

    def set(self, pod_uid: str, container_id: str, result: str, cause: Cause | None) -> None:
        """Store a verdict; the kubelet's loop hears of it only if it is new."""
        if self._results.get(container_id) != result:
            self._results[container_id] = result
            self._on_update(pod_uid, container_id, result, cause)

    def remove(self, container_id: str) -> None:
        """Forget a container."""
        self._results.pop(container_id, None)
