"""How Kubernetes' types travel: their field numbers, and what their fields mean.

Both are read from Kubernetes' own ``generated.proto`` files by ``tools/protos.py``.
"""

from __future__ import annotations

import json
import pkgutil
from functools import cache
from typing import Any


def _read(name: str) -> Any:
    text = pkgutil.get_data(__name__, name)
    assert text is not None
    return json.loads(text)


@cache
def messages() -> dict[str, dict[str, tuple[str, str, str]]]:
    """``api.core.v1.Pod`` → field number → (name, type, optional | repeated | map | inline)."""
    found: dict[str, dict[str, tuple[str, str, str]]] = _read("protobuf.json")
    return found


def descriptions() -> dict[str, str]:
    """``api.core.v1.Pod`` and ``api.core.v1.Pod.spec`` → what it means."""
    found: dict[str, str] = _read("descriptions.json")
    return found
