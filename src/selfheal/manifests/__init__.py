"""Manifests: YAML or JSON in, objects out that the API server would have stored.

On its way a manifest passes four gates, as in a real cluster: kubectl reads it (:mod:`~selfheal.manifests.documents`),
the API server decodes it strictly (:mod:`~selfheal.manifests.decoding`), fills in defaults
(:mod:`~selfheal.manifests.defaults`) and validates it (:mod:`~selfheal.manifests.validation`). Whatever is wrong
ends in one :class:`~selfheal.errors.ApiError` with Kubernetes' own text, and nothing has happened.
"""

from __future__ import annotations

from selfheal.manifests.defaults import default, pod_only
from selfheal.manifests.loading import Manifest, Source, admit, admitted, is_custom, kubectl_says, load, read
from selfheal.manifests.plain import BadManifest, TooLarge
from selfheal.manifests.unsimulated import not_simulated
from selfheal.manifests.validation import validate

__all__ = [
    "BadManifest",
    "Manifest",
    "Source",
    "TooLarge",
    "admit",
    "admitted",
    "default",
    "is_custom",
    "kubectl_says",
    "load",
    "not_simulated",
    "pod_only",
    "read",
    "validate",
]
