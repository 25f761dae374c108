"""A small, exact Kubernetes: probes, kubelet and controllers in simulated time.

>>> from selfheal import Cluster
>>> cluster = Cluster(nodes=2, seed=7)

``selfheal.up()`` puts such a cluster behind a real HTTP API, for kubectl and every other client.

``import selfheal`` itself loads nothing; a name brings in its room when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selfheal.cluster import Cluster
    from selfheal.server.running import up

__all__ = ["Cluster", "__version__", "up"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "Cluster":
        from selfheal.cluster import Cluster

        return Cluster
    if name == "up":
        from selfheal.server.running import up

        return up
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
