"""The emulator: the simulated cluster behind a real HTTP API, for kubectl and every other client.

``selfheal up`` starts it. Names are those of the real API server, so that both can be read side by side: a request
passes the chain of ``apiserver``, ``endpoints.requestinfo`` says what it asks for, ``endpoints.handlers`` do what all
resources have in common, ``registry`` what is special about some, and ``resources`` is the table of all of them.
"""

from __future__ import annotations

from selfheal.server.emulator import Emulator

__all__ = ["Emulator"]
