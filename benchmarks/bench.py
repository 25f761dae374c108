"""What things cost, as ratios and figures: ``make bench``.

Prints one line for each measure, with its aim. Times are of the processor, so that a busy machine does not
count. Nothing here passes or fails; the suite guards speed by counting simulation steps
(tests/engine/test_steps.py), which does not depend on the machine.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import simpy

from selfheal import Cluster, manifests
from selfheal.clinic import Examination, Subject
from selfheal.clinic.subject import subjects
from selfheal.scenario import Scenario
from selfheal.timeline.lanes import lanes
from selfheal.widgets.answers import answer

MANIFESTS = Path(__file__).parents[1] / "labs" / "manifests"

PODS = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: quiet}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: quiet}}}}
  template:
    metadata: {{labels: {{app: quiet}}}}
    spec:
      containers:
      - name: app
        image: nginx:1
        ports: [{{containerPort: 80}}]
        livenessProbe: {{httpGet: {{path: /, port: 80}}, periodSeconds: 10}}
        readinessProbe: {{httpGet: {{path: /, port: 80}}, periodSeconds: 10}}
        startupProbe: {{httpGet: {{path: /, port: 80}}, periodSeconds: 10}}
"""


def seconds(run: Callable[[], object], times: int = 5) -> float:
    """The median of some runs."""
    taken = []
    for _ in range(times):
        begun = time.process_time()
        run()
        taken.append(time.process_time() - begun)
    return statistics.median(taken)


def line(what: str, value: str, aim: str = "") -> None:
    print(f"{what:<62} {value:>14}   {aim}".rstrip())


def bare_simpy(events: int) -> None:
    """As many time-outs of ninety processes in SimPy alone."""
    env = simpy.Environment()

    def process() -> simpy.events.ProcessGenerator:
        while True:
            yield env.timeout(10)

    for _ in range(90):
        env.process(process())
    for _ in range(events):
        env.step()


def started(parking: bool) -> Cluster:
    """Three nodes and thirty pods, a minute in."""
    cluster = Cluster(nodes=3, seed=1, parking=parking)
    cluster.apply(PODS.format(replicas=30))
    return cluster.run(until=60)


def hour(parking: bool) -> tuple[float, int]:
    """Seconds and steps of an hour of thirty pods with three probes each, after they are up."""
    taken, steps = [], 0
    for _ in range(3):
        cluster = started(parking)
        before, begun = cluster.clock.steps, time.process_time()
        cluster.run(for_=3600)
        list(cluster.timeline)
        taken.append(time.process_time() - begun)
        steps = cluster.clock.steps - before
    return statistics.median(taken), steps


def shop() -> Scenario:
    """What a widget asks on a click: two minutes of the chapters' shop, which falls sick, with users."""
    return Scenario.load(
        [MANIFESTS / "shop.yaml"],
        actions=MANIFESTS / "shop-falls-sick.yaml",
        seed=1,
        until=120,
        traffic=[("shop", 10)],
    )


def examined(text: str) -> Subject:
    """What the clinic makes of a manifest."""
    [found], _ = subjects([(m.object, "") for m in manifests.read(text)])
    return found


def import_time(modules: str) -> float:
    """Seconds that ``import modules`` takes in a fresh interpreter, less the interpreter's own start."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def cpu(code: str) -> float:
        taken = []
        for _ in range(8):  # the first compiles
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, "-c", code], check=True, env=environment)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return statistics.median(taken[1:])

    return cpu(f"import {modules}") - cpu("pass")


def main() -> None:
    stepped, steps = hour(parking=False)
    bare = seconds(lambda: bare_simpy(steps))
    line("an hour of 3 nodes, 30 pods, 3 probes each, all stepped", f"{stepped:.2f} s", "aim 1 s")
    line("  events a second", f"{steps / stepped:,.0f}", f"{stepped / bare:.0f} x the time of bare SimPy")
    parked, few = hour(parking=True)
    line("  the same, parked", f"{parked * 1000:.1f} ms", "aim 100 ms")
    line("  simulation steps, parked : stepped", f"{few} : {steps}")
    line(
        "the start of these 30 pods, until they have run for a minute",
        f"{seconds(lambda: started(True)) * 1000:.0f} ms",
    )

    question = shop().canonical()
    asked = json.loads(json.dumps(question))
    click = seconds(lambda: json.dumps(answer(asked)), 15)
    line("click → redraw: two minutes of a shop, run, told, as JSON", f"{click * 1000:.0f} ms", "aim 50 ms")
    text = PODS.format(replicas=2)
    sick, well = (examined(t) for t in (text, text.replace("periodSeconds: 10", "timeoutSeconds: 3")))
    first = seconds(lambda: Examination(sick).first())
    line("clinic: the first proof that a manifest does not hold", f"{first * 1000:.0f} ms", "aim 2 s; in a page 6 s")
    everything = seconds(lambda: list(Examination(well)), 1)
    line("  all cases of one that holds, five seeds", f"{everything * 1000:.0f} ms")
    run = seconds(lambda: Cluster.of(shop()).play(shop()), 15)
    timeline = Cluster.of(shop()).play(shop()).timeline
    line("  of which reading and running", f"{run * 1000:.0f} ms")
    line("  its lanes", f"{seconds(lambda: lanes(timeline), 15) * 1000:.1f} ms")

    plain, cluster, others = (import_time(m) for m in ("selfheal", "selfheal; selfheal.Cluster", "simpy, yaml"))
    line("import selfheal", f"{plain * 1000:.0f} ms", "aim 150 ms")
    line(
        "  with all that a Cluster needs",
        f"{cluster * 1000:.0f} ms",
        f"{cluster / others:.1f} x simpy and yaml; aim 2 x",
    )


if __name__ == "__main__":
    main()
