"""Speed, as ratios and figures: ``make bench``.

Prints one line for each measure, with its aim. Nothing here passes or fails; the suite
guards speed by counting simulation steps (tests/conformance/test_steps.py), which does
not depend on the machine.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import simpy

from selfheal import Cluster

POD = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: d{n}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: d{n}}}}}
  template:
    metadata: {{labels: {{app: d{n}}}}}
    spec:
      containers:
      - name: app
        image: nginx
        ports: [{{containerPort: 80}}]
        livenessProbe: {{httpGet: {{path: /, port: 80}}, periodSeconds: 10}}
        readinessProbe: {{httpGet: {{path: /, port: 80}}, periodSeconds: 10}}
        startupProbe: {{httpGet: {{path: /, port: 80}}, periodSeconds: 10}}
"""


def seconds(run: Callable[[], object], times: int = 3) -> float:
    """The median of some runs."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def line(what: str, value: str, aim: str = "") -> None:
    print(f"{what:<58} {value:>14}   {aim}")


def bare_simpy(events: int) -> None:
    """As many time-outs of a few processes in SimPy alone."""
    env = simpy.Environment()

    def process() -> simpy.events.ProcessGenerator:
        while True:
            yield env.timeout(10)

    for _ in range(90):
        env.process(process())
    for _ in range(events):
        env.step()


def started(parking: bool, nodes: int = 3, pods: int = 30) -> Cluster:
    cluster = Cluster(nodes=nodes, seed=1, parking=parking)
    cluster.apply(POD.format(n=0, replicas=pods))
    cluster.run(until=60)
    return cluster


def hour(parking: bool) -> tuple[float, int]:
    """Seconds and steps of an hour of 30 pods with three probes each, after they are up."""
    cluster = started(parking)
    before, begun = cluster.clock.steps, time.perf_counter()
    cluster.run(for_=3600)
    list(cluster.timeline)
    return time.perf_counter() - begun, cluster.clock.steps - before


def import_time(modules: str) -> float:
    """Seconds that ``import modules`` takes in a fresh interpreter, less the interpreter's own start."""

    def run(code: str) -> float:
        return seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True), 5)

    return run(f"import {modules}") - run("pass")


def main() -> None:
    stepped, steps = hour(parking=False)
    bare = seconds(lambda: bare_simpy(steps))
    line("an hour, 3 nodes, 30 pods, 3 probes, every probe stepped", f"{stepped:.2f} s", "aim 1 s")
    line("  its events, against as many of bare SimPy", f"{stepped / bare:.1f} x", f"{steps / stepped:,.0f} events/s")
    parked, few = hour(parking=True)
    line("the same, parked", f"{parked * 1000:.0f} ms", "aim 100 ms")
    line("  simulation steps, parked against stepped", f"{few} : {steps}")
    line("start of 30 pods until 60 s", f"{seconds(lambda: started(True)) * 1000:.0f} ms")
    ours, theirs = import_time("selfheal; selfheal.Cluster"), import_time("simpy, yaml")
    line("import selfheal, Cluster included", f"{ours * 1000:.0f} ms", "aim 150 ms")
    line("  against simpy and yaml", f"{ours / theirs:.1f} x", "aim 2 x")
    bare_import = import_time("selfheal")
    line("import selfheal alone", f"{bare_import * 1000:.0f} ms")


if __name__ == "__main__":
    main()
