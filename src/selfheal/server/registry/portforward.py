"""``pods/portforward``: bytes from a client's socket to a simulated program, and back."""

from __future__ import annotations

from selfheal.errors import BadRequest
from selfheal.server.context import Context
from selfheal.server.http import Upgrade


def serve(context: Context) -> Upgrade:
    del context
    raise BadRequest("Upgrade request required")
