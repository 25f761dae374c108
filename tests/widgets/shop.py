"""The scenarios that these tests show: a shop with one pod, and with three."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock

from selfheal.widgets import Monitor, bank, monitor, page
from selfheal.widgets.questions import FAULTS, canonical
from selfheal.words import language

SERVICE = """
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80, targetPort: 8080}]}
"""

POD = f"""
apiVersion: v1
kind: Pod
metadata: {{name: shop, labels: {{app: shop}}}}
spec:
  containers:
  - name: app
    image: selfheal/patient:1
    args: [--term, ignore]
    ports: [{{containerPort: 8080}}]
    livenessProbe: {{httpGet: {{path: /healthz, port: 8080}}, initialDelaySeconds: 5, periodSeconds: 5}}
{SERVICE}"""

THREE = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop}}
spec:
  replicas: 3
  selector: {{matchLabels: {{app: shop}}}}
  template:
    metadata: {{labels: {{app: shop}}}}
    spec:
      containers:
      - name: app
        image: selfheal/patient:1
        readinessProbe: {{httpGet: {{path: /readyz, port: 8080}}, periodSeconds: 5}}
        livenessProbe: {{httpGet: {{path: /healthz, port: 8080}}}}
{SERVICE}"""

SICK = [{"at": 31, "http": {"pod": "shop", "port": 8080, "path": "/switch?healthz=500", "method": "POST"}}]


def shop(**more: Any) -> Monitor:
    """One pod that falls sick at 31 s, dies hard and is restarted; made once in each language."""
    return _shop(language(), **more)


@cache
def _shop(_language: str, **more: Any) -> Monitor:
    return monitor(POD, actions=SICK, until=120, seed=7, traffic={"shop": 20}, **more)


def full() -> Monitor:
    """The same with everything that a monitor can have."""
    return monitor(
        POD,
        actions=SICK,
        until=120,
        seed=7,
        traffic={"shop": 20},
        start=28,
        beliefs=["restart-is-instant", "threshold-plus-one"],
        presets={"patient": {"liveness": {"failureThreshold": 6}}, "obedient": {"term": "obey"}},
        next="Which probe would have spared them?",
    )


def well() -> Monitor:
    """One pod that nothing happens to, until somebody turns a switch."""
    return monitor(POD, until=60, seed=7, traffic={"shop": 20})


def ward() -> Monitor:
    """One pod of two on two nodes, to which and to whose node the reader can do what hurts."""
    text = THREE.replace("replicas: 3", "replicas: 2").replace("patient:1\n", f"patient:1\n{LIMIT}")
    return monitor(text, until=100, seed=3, nodes=2, traffic={"shop": 30}, faults=list(FAULTS))


LIMIT = "        resources: {limits: {memory: 64Mi}}\n"


def three() -> Monitor:
    """Three pods on two nodes."""
    return monitor(THREE, until=60, seed=3, nodes=2, traffic={"shop": 30}, ask="When does a pod leave?", target="out")


PAGE = """<!doctype html>
<html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>A page</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
html {{ color-scheme: {theme}; background: light-dark(#fff, #12161d) }}
body {{ margin: 12px; max-width: 1000px }}
</style>
{scripts}<script defer src="_static/monitors.js"></script></head>
<body><main><h1 style="color: light-dark(#000, #fff)">A page</h1>{body}</main></body></html>
"""


KEPT = Path(__file__).parents[2] / "_build" / "banks-of-tests"


@cache
def packed(data: str) -> bytes:
    """A bank, built once for all processes and runs, as long as the engine is the same."""
    mark = hashlib.sha256(f"{bank.engine()} {data}".encode()).hexdigest()[:16]
    place = KEPT / hashlib.sha256(data.encode()).hexdigest()[:16]
    KEPT.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{place}.lock"):
        if not place.exists() or not place.read_bytes().startswith(mark.encode()):
            whole = place.with_suffix(".new")
            whole.write_bytes(mark.encode() + bank.build(json.loads(data))[0])
            whole.replace(place)
    return place.read_bytes().removeprefix(mark.encode())


def write_page(folder: Path, *shown: Monitor, theme: str = "light", scripts: str = "", banks: bool = True) -> str:
    """A page from disk that shows monitors, as the book would; its address."""
    static = folder / "_static"
    (static / "banks").mkdir(parents=True, exist_ok=True)
    (static / "widgets.js").write_text(page.bundle(), "utf-8")
    (static / "monitors.js").write_text(page.loader("test"), "utf-8")
    for one in shown if banks else ():
        name = bank.name_of(one.data)
        (static / "banks" / f"{name}.js").write_text(bank.script(name, packed(canonical(one.data)), "test"), "utf-8")
    index = folder / "index.html"
    body = "".join(one.html() for one in shown)
    index.write_text(PAGE.format(theme=theme, scripts=scripts, body=body), "utf-8")
    return index.as_uri()
