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
from selfheal.words import words

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
        lines = []
        for what, cells in self.rows:
            told = (words("comparison")["line"].format(claim=cell.claim, proof=cell.proof) for cell in cells)
            lines += [what, *(f"  {probe}: {line}" for probe, line in zip(PROBES, told, strict=True))]
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
            f'aria-label="{words("comparison")["name"]}" style="overflow-x:auto">\n'
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
    rows: list[tuple[str, list[tuple[Callable[[str], str], str]]]] = [
        (
            "failures",
            [
                (_fails, f"{KUBERUNTIME} computePodActions"),
                (_fails, "pkg/kubelet/status/status_manager.go SetContainerReadiness"),
                (_fails, f"{KUBERUNTIME} computePodActions"),
            ],
        ),
        (
            "starting",
            [
                (partial(_asked, started=False), f"{WORKER} doProbe"),
                (partial(_asked, started=False), f"{WORKER} doProbe"),
                (partial(_asked, started=False), f"{WORKER} doProbe"),
            ],
        ),
        (
            "started",
            [
                (partial(_asked, started=True), f"{WORKER} doProbe"),
                (partial(_asked, started=True), f"{WORKER} doProbe"),
                (partial(_asked, started=True), f"{WORKER} doProbe"),
            ],
        ),
        (
            "before",
            [
                (_before, f"{WORKER} newWorker"),
                (_before, f"{WORKER} newWorker"),
                (_before, f"{MANAGER} isContainerStarted"),
            ],
        ),
        (
            "without",
            [
                (_without, f"{MANAGER} AddPod"),
                (_without, f"{MANAGER} UpdatePodStatus"),
                (_without, f"{MANAGER} isContainerStarted"),
            ],
        ),
        (
            "first",
            [
                (_first, f"{WORKER} run"),
                (_first, f"{MANAGER} UpdatePodStatus"),
                (_first, f"{WORKER} run"),
            ],
        ),
        (
            "stopping",
            [
                (_stopping, f"{MANAGER} StopLivenessAndStartup"),
                (_stopping, f"{MANAGER} StopLivenessAndStartup"),
                (_stopping, f"{MANAGER} StopLivenessAndStartup"),
            ],
        ),
        (
            "successThreshold",
            [
                (
                    partial(_taken, field="successThreshold", value=2),
                    f"{VALIDATION} validateLivenessProbe",
                ),
                (partial(_taken, field="successThreshold", value=2), f"{VALIDATION} validateProbe"),
                (partial(_taken, field="successThreshold", value=2), f"{VALIDATION} validateStartupProbe"),
            ],
        ),
        (
            "grace",
            [
                (
                    partial(_taken, field=GRACE, value=5),
                    "pkg/kubelet/kuberuntime/kuberuntime_container.go killContainer",
                ),
                (partial(_taken, field=GRACE, value=5), f"{VALIDATION} validateReadinessProbe"),
                (
                    partial(_taken, field=GRACE, value=5),
                    "pkg/kubelet/kuberuntime/kuberuntime_container.go killContainer",
                ),
            ],
        ),
    ]
    claims = words("comparison")["rows"]
    return Comparison(
        tuple(
            (
                claims[row]["what"],
                tuple(Cell(claims[row][p], prove(p), rule) for p, (prove, rule) in zip(PROBES, cells, strict=True)),  # type: ignore[misc]
            )
            for row, cells in rows
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
        return _say("kills", t=f"{kills[0]:.1f}", told=told)
    ready = cluster.get("pod", "shop")["status"]["containerStatuses"][0]["ready"]
    return _say("kills.none", n=len(kills), ready=str(ready).lower())


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
    return _say("asked" if started else "asked.before", n=len(found), probe=kind, t=f"{up:.1f}")


def _before(kind: str) -> str:
    cluster = _cluster(_probe(kind, initialDelaySeconds=30), until=20)
    status = cluster.get("pod", "shop")["status"]["containerStatuses"][0]
    kills = len(cluster.timeline.kills("shop"))
    return _say("before", started=str(status["started"]).lower(), ready=str(status["ready"]).lower(), n=kills)


def _without(kind: str) -> str:
    others = "".join(_probe(other) for other in PROBES if other != kind)
    cluster = _cluster(others, until=30)
    if kind == "liveness":
        cluster.http("shop", "/switch?healthz=hang&readyz=hang&work=hang", method="POST")
        cluster.run(for_=600)
        return _say("without.liveness", n=len(cluster.timeline.kills("shop")))
    field = "ready" if kind == "readiness" else "started"
    change = next(r["t"] for r in cluster.timeline.select(kind="Pod") if r["containers"][0][field])
    start = cluster.timeline.starts("shop")[0]
    return _say(f"without.{kind}", t=f"{change - start if kind == 'startup' else change:.1f}")


def _first(kind: str) -> str:
    cluster = _cluster(_probe(kind), until=20)
    after = _answers(cluster, kind)[0] - cluster.timeline.starts("shop")[0]
    return _say("first", t=f"{after:.1f}")


def _stopping(kind: str) -> str:
    cluster = _cluster(_probe(kind), '--term, "20", --start, "100"' if kind == "startup" else '--term, "20"', until=14)
    cluster.delete("pod/shop")
    cluster.run(until=33)
    return _say("stopping", n=len(_answers(cluster, kind, 14.5)))


def _taken(kind: str, *, field: str, value: int) -> str:
    try:
        _cluster(_probe(kind, **{field: value}), until=1)
    except ApiError as error:
        return _say("refused", field=field, value=value, error=str(error).rpartition(": ")[2])
    return _say("taken", field=field, value=value)


def _say(proof: str, **given: object) -> str:
    return str(words("comparison")["proofs"][proof]).format(**given)
