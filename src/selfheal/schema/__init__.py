"""The fields of Kubernetes 1.36: its OpenAPI schemas, for the kinds that the simulator knows.

``types.json`` holds them by name (``io.k8s.api.core.v1.Probe``) as the API server publishes them under
``/openapi/v3``, without the descriptions. It is read when it is first asked for.
"""

from __future__ import annotations

import json
import pkgutil
from functools import cache
from typing import Any

Schema = dict[str, Any]


@cache
def types() -> dict[str, Schema]:
    """All schemas by name. Read-only by agreement."""
    text = pkgutil.get_data(__name__, "types.json")
    assert text is not None
    found: dict[str, Schema] = json.loads(text)
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
