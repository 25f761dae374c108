"""Chapter 13: the report is written, and its pod never completes."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.clock import SECOND
from selfheal.cluster import Cluster
from selfheal.errors import BadRequest
from selfheal.lessons.exercises.exercise import Finding, Trial
from selfheal.objects import Object, replace, uid
from selfheal.runtime import Container

LIMIT = 150
"""Seconds within which the pod must be Succeeded."""
LONG = 100
"""Seconds that the report takes on a long night."""
CUT = 12
"""Second at which the logger's process is cut off."""


def examine(trial: Trial) -> Iterator[Finding]:
    spec = trial.workload["spec"]
    everyone = [c["name"] for c in (*spec["containers"], *(spec.get("initContainers") or ()))]
    if sorted(everyone) != ["logger", "report"]:
        yield Finding(
            False,
            f"There should be the containers report and logger, and there are {' and '.join(everyone) or 'none'}. The "
            "logs must still be shipped.",
        )
        return
    yield _completes(trial)
    yield _together(trial)
    yield _returns(trial)


def _completes(trial: Trial) -> Finding:
    cluster = trial.cluster(until=LIMIT)
    status = cluster.get("pod", "report")["status"]
    if status["phase"] == "Succeeded":
        return Finding(True, f"The pod is Succeeded within {LIMIT} s.")
    report, logger = _newest(cluster, "report"), _newest(cluster, "logger")
    told = f"After {LIMIT} s the pod was {status['phase']}. "
    if report is None and logger is not None:
        told += (
            "The report has not even begun: an init container must end before the next one starts, and the logger "
            "never ends by itself. One with its own restartPolicy: Always need only have started."
        )
    elif report is not None and not report.running:
        told += (
            "The report is done, and the logger runs on. A pod is complete when all of its regular containers have "
            "ended; the logger is one of them."
        )
    else:
        told += "The report is still being written."
    return Finding(False, told)


def _together(trial: Trial) -> Finding:
    """A night on which there is more to write."""
    cluster = Cluster(seed=trial.seed)
    cluster.apply([_longer(obj) for obj in trial.objects])
    cluster.run(until=LONG + LIMIT)
    report, logger = _newest(cluster, "report"), _newest(cluster, "logger")
    if report is None or logger is None or report.finished_at is None:
        return Finding(False, "Nothing can be said about the last lines of the report: it was never done.")
    if logger.finished_at is None or logger.finished_at >= report.finished_at:
        return Finding(True, f"The logger runs until the report is done, also on a night on which that takes {LONG} s.")
    early = (report.finished_at - logger.finished_at) / SECOND
    return Finding(
        False,
        f"On a night on which the report took {LONG} s, the logger had ended {early:.0f} s before it: the last "
        "lines were lost. A logger with a clock of its own ends too early or too late.",
    )


def _longer(obj: Object) -> Object:
    """The same, with a report that takes longer."""
    containers = [{**c, "command": [_slept(word) for word in c.get("command", ())]} for c in obj["spec"]["containers"]]
    return replace(obj, "spec.containers", containers)


def _slept(word: str) -> str:
    return word.replace("echo writing; sleep 60", f"echo writing; sleep {LONG}")


def _returns(trial: Trial) -> Finding:
    cluster = trial.cluster(until=CUT)
    try:
        cluster.kill("report", container="logger")
    except BadRequest:
        return Finding(False, f"At {CUT} s no logger was running.")
    cluster.run(until=CUT + 30)
    again = _newest(cluster, "logger")
    if again is not None and again.running:
        return Finding(True, "A logger that crashes is started again.")
    return Finding(False, f"The logger crashed at {CUT} s, and nobody started it again.")


def _newest(cluster: Cluster, called: str) -> Container | None:
    """The newest instance of a container, as the machine knows it."""
    pod = cluster.get("pod", "report")
    found = [c for c in cluster.node("node-1").runtime.containers_of(uid(pod)) if c.name == called]
    return max(found, key=lambda c: c.attempt, default=None)
