"""Workloads that the clinic's tests examine: one that is well made, and its parts."""

from __future__ import annotations

from typing import Any

from selfheal.clinic import Subject
from selfheal.clinic.subject import subjects
from selfheal.manifests import read

GOOD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: web
        image: registry.corp.example/web:1.4
        ports:
        - containerPort: 8080
        startupProbe:
          httpGet: {path: /livez, port: 8080}
          timeoutSeconds: 3
        readinessProbe:
          httpGet: {path: /readyz, port: 8080}
          periodSeconds: 5
          timeoutSeconds: 3
        livenessProbe:
          httpGet: {path: /livez, port: 8080}
          timeoutSeconds: 3
"""
"""No case of the battery shows anything wrong with it."""

C = "spec.template.spec.containers[0]"


def subject(text: str = GOOD, **changes: Any) -> Subject:
    """The workload of a text, with ``changes`` below its container: ``subject(livenessProbe=None)``."""
    [found], _ = subjects([(m.object, "web.yaml") for m in read(text)])
    for name, value in changes.items():
        found = found.change(f"{C}.{name.replace('__', '.')}", value)
    return found
