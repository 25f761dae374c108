"""The fields of Kubernetes 1.36: its OpenAPI schemas, for the kinds that the simulator knows.

``types.json`` holds them by name (``io.k8s.api.core.v1.Probe``) as the API server publishes them under
``/openapi/v3``, without the descriptions. It is read when it is first asked for.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

Schema = dict[str, Any]


@cache
def types() -> dict[str, Schema]:
    """All schemas by name. Read-only by agreement."""
    found: dict[str, Schema] = json.loads(files(__name__).joinpath("types.json").read_text("utf-8"))
    return found


@cache
def names() -> dict[tuple[str, str], str]:
    """(apiVersion, kind) → the schema's name: ``("apps/v1", "Deployment")``."""
    found = {}
    for name, schema in types().items():
        for gvk in schema.get("x-kubernetes-group-version-kind", ()):
            group = gvk["group"]
            found[f"{group}/{gvk['version']}" if group else gvk["version"], gvk["kind"]] = name
    return found
