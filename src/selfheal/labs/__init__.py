"""Labs: what a chapter predicted, verified on a real cluster, or on the emulator.

* :mod:`~selfheal.labs.context`: which cluster, decided once and pinned;
* :mod:`~selfheal.labs.lab`: the :class:`Lab` itself;
* :mod:`~selfheal.labs.watches`, :mod:`~selfheal.labs.recording`: a timeline of what happens;
* :mod:`~selfheal.labs.verbs`: what a scenario does to a cluster;
* :mod:`~selfheal.labs.comparison`: prediction and reality, in words and as a picture;
* :mod:`~selfheal.labs.connection`: a running cluster's timeline, live;
* :mod:`~selfheal.labs.doctor`, :mod:`~selfheal.labs.clusters`: what it takes, and how to get it.

Needs the extra ``selfheal[labs]``.
"""

from __future__ import annotations

from selfheal.labs.connection import Connection, connect
from selfheal.labs.errors import LabError, Unsafe
from selfheal.labs.lab import Lab

__all__ = ["Connection", "Lab", "LabError", "Unsafe", "connect"]
