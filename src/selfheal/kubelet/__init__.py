"""The kubelet: the agent of a node, which starts, watches, restarts and stops its pods' containers.

Mirrors pkg/kubelet of Kubernetes: ``kubelet.py`` (the sync loop and the three syncs),
``pod_workers.py``, ``pleg.py``, ``kuberuntime.py``, ``generate.py`` (kubelet_pods.go and
status/generate.go), ``status_manager.py``, ``prober/``, ``backoff.py``, ``images.py``, ``hooks.py``.
"""

from __future__ import annotations

from selfheal.kubelet.kubelet import Kubelet

__all__ = ["Kubelet"]
