"""Liveness, readiness and startup side by side: each cell a claim, and behind it a run that proves it.

A cell opens by click or key (``<details>``): what was run, what was seen, and the function of Kubernetes.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from selfheal.cluster import Cluster
from selfheal.errors import ApiError

PROBES = ("liveness", "readiness", "startup")
WORKER, KUBERUNTIME = "pkg/kubelet/prober/worker.go", "pkg/kubelet/kuberuntime/kuberuntime_manager.go"
MANAGER, VALIDATION = "pkg/kubelet/prober/prober_manager.go", "pkg/apis/core/validation/validation.go"


@dataclass(frozen=True, slots=True)
class Cell:
    """A claim, what a run showed, and where the rule stands."""

    claim: str
    proof: str
    rule: str


@dataclass(frozen=True)
class Comparison:
    """Rows of three cells each."""

    rows: tuple[tuple[str, tuple[Cell, Cell, Cell]], ...]

    def __repr__(self) -> str:
        lines = [f"{what}\n" + "\n".join(f"  {p}: {c.claim}. {c.proof}" for p, c in zip(PROBES, cells, strict=True))
                 for what, cells in self.rows]  # fmt: skip
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col" style="text-align:left">{probe}</th>' for probe in PROBES)
        body = "".join(
            f'<tr><th scope="row" style="text-align:left;vertical-align:top">{html.escape(what)}</th>'
            f"{''.join(map(_cell_html, cells))}</tr>"
            for what, cells in self.rows
        )
        return (
            '<div class="selfheal-table selfheal-questions" role="group" tabindex="0" '
            'aria-label="Liveness, readiness and startup" style="overflow-x:auto">\n'
            f"<table><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>\n</div>"
        )


def _cell_html(cell: Cell) -> str:
    return (
        '<td style="text-align:left;vertical-align:top;min-width:6.5em"><details>'
        f'<summary style="cursor:pointer">{html.escape(cell.claim)}</summary>'
        f'<p style="margin:.3em 0">{html.escape(cell.proof)}</p><p style="margin:.3em 0"><code>{cell.rule}</code></p>'
        "</details></td>"
    )


def comparison() -> Comparison:
    """The table, each cell proven anew."""
    rows: list[tuple[str, list[tuple[str, Callable[[str], str], str]]]] = [
        (
            "after failureThreshold failures in a row",
            [
                ("the container is killed", _fails, f"{KUBERUNTIME} computePodActions"),
                ("the pod is not ready", _fails, "pkg/kubelet/status/status_manager.go SetContainerReadiness"),
                ("the container is killed", _fails, f"{KUBERUNTIME} computePodActions"),
            ],
        ),
        (
            "while a startup probe has not succeeded",
            [
                ("silent", partial(_asked, started=False), f"{WORKER} doProbe"),
                ("silent", partial(_asked, started=False), f"{WORKER} doProbe"),
                ("asked each period", partial(_asked, started=False), f"{WORKER} doProbe"),
            ],
        ),
        (
            "once the container has started",
            [
                ("asked each period", partial(_asked, started=True), f"{WORKER} doProbe"),
                ("asked each period", partial(_asked, started=True), f"{WORKER} doProbe"),
                ("never asked again", partial(_asked, started=True), f"{WORKER} doProbe"),
            ],
        ),
        (
            "before its first answer it counts as",
            [
                ("a success", _before, f"{WORKER} newWorker"),
                ("a failure", _before, f"{WORKER} newWorker"),
                ("unknown: not started", _before, f"{MANAGER} isContainerStarted"),
            ],
        ),
        (
            "if there is no such probe",
            [
                ("nothing is ever killed", _without, f"{MANAGER} AddPod"),
                ("ready while it runs", _without, f"{MANAGER} UpdatePodStatus"),
                ("started as soon as it runs", _without, f"{MANAGER} isContainerStarted"),
            ],
        ),
        (
            "its first question after a start",
            [
                ("at its own next tick", _first, f"{WORKER} run"),
                ("at once", _first, f"{MANAGER} UpdatePodStatus"),
                ("at its own next tick", _first, f"{WORKER} run"),
            ],
        ),
        (
            "while the pod is being stopped",
            [
                ("not asked", _stopping, f"{MANAGER} StopLivenessAndStartup"),
                ("still asked", _stopping, f"{MANAGER} StopLivenessAndStartup"),
                ("not asked", _stopping, f"{MANAGER} StopLivenessAndStartup"),
            ],
        ),
        (
            "successThreshold",
            [
                (
                    "must be 1",
                    partial(_taken, field="successThreshold", value=2),
                    f"{VALIDATION} validateLivenessProbe",
                ),
                ("any number", partial(_taken, field="successThreshold", value=2), f"{VALIDATION} validateProbe"),
                ("must be 1", partial(_taken, field="successThreshold", value=2), f"{VALIDATION} validateStartupProbe"),
            ],
        ),
        (
            "a grace period of its own",
            [
                (
                    "yes",
                    partial(_taken, field=GRACE, value=5),
                    "pkg/kubelet/kuberuntime/kuberuntime_container.go killContainer",
                ),
                ("refused", partial(_taken, field=GRACE, value=5), f"{VALIDATION} validateReadinessProbe"),
                (
                    "yes",
                    partial(_taken, field=GRACE, value=5),
                    "pkg/kubelet/kuberuntime/kuberuntime_container.go killContainer",
                ),
            ],
        ),
    ]
    return Comparison(
        tuple(
            (what, tuple(Cell(claim, prove(p), rule) for p, (claim, prove, rule) in zip(PROBES, cells, strict=True)))  # type: ignore[misc]
            for what, cells in rows
        )
    )


GRACE = "terminationGracePeriodSeconds"


# ---- the runs


def _pod(probes: str, args: str = "") -> str:
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: shop}}
spec:
  containers:
  - name: shop
    image: selfheal/patient:1
    args: [{args}]
{probes}
"""


def _probe(kind: str, **numbers: int) -> str:
    path = "/readyz" if kind == "readiness" else "/healthz"
    more = "".join(f", {name}: {value}" for name, value in numbers.items())
    return f"    {kind}Probe: {{httpGet: {{path: {path}, port: 8080}}, periodSeconds: 5{more}}}\n"


def _cluster(probes: str, args: str = "", until: float = 60) -> Cluster:
    cluster = Cluster(seed=1)
    cluster.apply(_pod(probes, args))
    return cluster.run(until=until)


def _answers(cluster: Cluster, kind: str, since: float = 0, until: float | None = None) -> list[float]:
    """When a probe was answered."""
    records = [r for r in cluster.timeline.select(kind="Probe", probe=kind) if r["result"] in ("success", "failure")]
    times = [r["t"] + n * r["every"] for r in records for n in range(r["times"])]
    return [t for t in times if since <= t and (until is None or t < until)]


def _fails(kind: str) -> str:
    cluster = _cluster(_probe(kind), '--healthz-after, "0=500", --readyz-after, "0=500"', until=40)
    kills = cluster.timeline.kills("shop")
    if kills:
        told = cluster.timeline.select(reason="Killing")[0]["message"]
        return f"It says 500 from the start. At {kills[0]:.1f} s: “{told}”."
    ready = cluster.get("pod", "shop")["status"]["containerStatuses"][0]["ready"]
    return f"It says 500 from the start. After 40 s: {len(kills)} kills, ready is {str(ready).lower()}."


@cache
def _all_three() -> tuple[Cluster, float]:
    """An app that loads for 20 s and has all three probes; and when it had started."""
    cluster = _cluster("".join(map(_probe, PROBES)).replace("startupProbe: {", "startupProbe: {failureThreshold: 20, "),
                       '--start, "20"')  # fmt: skip
    up = next(r["t"] for r in cluster.timeline.select(kind="Pod") if r["containers"][0]["started"])
    return cluster, float(up)


def _asked(kind: str, *, started: bool) -> str:
    cluster, up = _all_three()
    found = _answers(cluster, kind, up + 0.5) if started else _answers(cluster, kind, 0, up - 0.5)
    when = f"from {up:.1f} to 60 s, after it had started" if started else f"in the {up:.1f} s until it had started"
    return f"An app that loads for 20 s: {len(found)} {kind} probes {when}."


def _before(kind: str) -> str:
    cluster = _cluster(_probe(kind, initialDelaySeconds=30), until=20)
    status = cluster.get("pod", "shop")["status"]["containerStatuses"][0]
    kills = len(cluster.timeline.kills("shop"))
    return (
        f"A delay of 30 s, looked at after 20: started is {str(status['started']).lower()}, ready is "
        f"{str(status['ready']).lower()}, {kills} kills."
    )


def _without(kind: str) -> str:
    others = "".join(_probe(other) for other in PROBES if other != kind)
    cluster = _cluster(others, until=30)
    if kind == "liveness":
        cluster.http("shop", "/switch?healthz=hang&readyz=hang&work=hang", method="POST")
        cluster.run(for_=600)
        return f"The other two, and a deadlock of 10 minutes: {len(cluster.timeline.kills('shop'))} kills."
    field = "ready" if kind == "readiness" else "started"
    change = next(r["t"] for r in cluster.timeline.select(kind="Pod") if r["containers"][0][field])
    start = cluster.timeline.starts("shop")[0]
    return f"The other two, and it is {field} {change - start:.1f} s after its start." if kind == "startup" else (
        f"The other two, and it is ready at {change:.1f} s, as soon as it has started."
    )  # fmt: skip


def _first(kind: str) -> str:
    cluster = _cluster(_probe(kind), until=20)
    after = _answers(cluster, kind)[0] - cluster.timeline.starts("shop")[0]
    return f"A period of 5 s: the first answer {after:.1f} s after the container's start."


def _stopping(kind: str) -> str:
    cluster = _cluster(_probe(kind), '--term, "20", --start, "100"' if kind == "startup" else '--term, "20"', until=14)
    cluster.delete("pod/shop")
    cluster.run(until=33)
    return f"Deleted at 14 s, gone 20 s later: {len(_answers(cluster, kind, 14.5))} answers in between."


def _taken(kind: str, *, field: str, value: int) -> str:
    try:
        _cluster(_probe(kind, **{field: value}), until=1)
    except ApiError as error:
        return f"{field}: {value} is refused: {str(error).rpartition(': ')[2]}."
    return f"{field}: {value} is taken."
