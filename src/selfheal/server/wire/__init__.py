"""How Kubernetes' types travel: their field numbers, and what their fields mean.

Both are read from Kubernetes' own ``generated.proto`` files by ``tools/protos.py``.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


def _read(name: str) -> Any:
    return json.loads(files(__name__).joinpath(name).read_text("utf-8"))


@cache
def messages() -> dict[str, dict[str, tuple[str, str, str]]]:
    """``api.core.v1.Pod`` → field number → (name, type, optional | repeated | map | inline)."""
    found: dict[str, dict[str, tuple[str, str, str]]] = _read("protobuf.json")
    return found


def descriptions() -> dict[str, str]:
    """``api.core.v1.Pod`` and ``api.core.v1.Pod.spec`` → what it means."""
    found: dict[str, str] = _read("descriptions.json")
    return found
