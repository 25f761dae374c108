"""Mutations: change a rule by one, and see that the suite notices. ``python -m tests.mutation [WORD]``

Each mutation is one line of the package, put wrong in a copy; the tests named beside it run on the copy and
must fail. A mutation that survives is a rule that nobody holds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Mutation(NamedTuple):
    """One wrong rule."""

    rule: str
    file: str
    """Below src/selfheal."""
    right: str
    wrong: str
    tests: str
    """Below tests, separated by blanks."""


WORKER = "kubelet/prober/worker.py"
MUTATIONS = (
    Mutation(
        "a verdict needs threshold results",
        WORKER,
        "if run >= threshold:\n            now",
        "if run > threshold:\n            now",
        "kubelet",
    ),
    Mutation("readiness begins as Failure", WORKER, '"readiness": FAILURE', '"readiness": SUCCESS', "kubelet"),
    Mutation("startup begins as Unknown", WORKER, '"startup": UNKNOWN', '"startup": SUCCESS', "kubelet"),
    Mutation(
        "a new container lifts the hold",
        WORKER,
        "self.on_hold = False\n            self._answered_at",
        "self.on_hold = self.on_hold\n            self._answered_at",
        "kubelet",
    ),
    Mutation(
        "the run ends with the verdict",
        WORKER,
        "self.on_hold = True\n            self.result_run = 0",
        "self.on_hold = True",
        "kubelet",
    ),
    Mutation("three attempts while it errors", WORKER, "MAX_PROBE_RETRIES = 3", "MAX_PROBE_RETRIES = 2", "kubelet"),
    Mutation(
        "the delay is over at its second",
        WORKER,
        "< self._initial_delay()",
        "<= self._initial_delay()",
        "recordings/test_recordings.py conformance/test_probes.py",
    ),
    Mutation(
        "startup gates the others",
        WORKER,
        'elif self.type != "startup":',
        'elif self.type == "none":',
        "conformance/test_probes.py recordings/test_recordings.py",
    ),
    Mutation(
        "a trigger moves the rhythm",
        "kubelet/prober/ticker.py",
        "self.base, self.ticks = at, 0",
        "self.ticks += 0",
        "kubelet",
    ),
    Mutation(
        "started is carried over",
        "kubelet/prober/manager.py",
        'if found.get("started"):',
        "if False:",
        "conformance/test_probes.py",
    ),
    Mutation(
        "the first back-off is 10 s",
        "kubelet/backoff.py",
        "INITIAL = 10 * SECOND",
        "INITIAL = 11 * SECOND",
        "conformance/test_restarts.py recordings/test_recordings.py",
    ),
    Mutation(
        "the back-off doubles",
        "kubelet/backoff.py",
        "min(2 * entry[0]",
        "min(3 * entry[0]",
        "conformance/test_restarts.py",
    ),
    Mutation(
        "the back-off ends at 300 s",
        "kubelet/backoff.py",
        "MAXIMUM = 300 * SECOND",
        "MAXIMUM = 200 * SECOND",
        "conformance/test_restarts.py recordings/test_recordings.py",
    ),
    Mutation(
        "at least 2 s of grace",
        "kubelet/kuberuntime.py",
        "MINIMUM_GRACE = 2",
        "MINIMUM_GRACE = 4",
        "recordings/test_recordings.py conformance/test_restarts.py",
    ),
    Mutation(
        "a held-back start is looked at each minute",
        "kubelet/pod_workers.py",
        "MAX_BACKOFF_WAIT = 60 * SECOND",
        "MAX_BACKOFF_WAIT = 180 * SECOND",
        "recordings/test_recordings.py",
    ),
    Mutation(
        "errors are tried again after 10 s",
        "kubelet/pod_workers.py",
        "ERROR_RETRY = 10 * SECOND",
        "ERROR_RETRY = 20 * SECOND",
        "conformance",
    ),
    Mutation(
        "relists come each second",
        "kubelet/pleg.py",
        "self._period = SECOND +",
        "self._period = 4 * SECOND +",
        "recordings/test_recordings.py conformance/test_restarts.py",
    ),
    Mutation(
        "a crash loop is Running",
        "kubelet/generate.py",
        'if restarting:\n            return "Running"',
        'if restarting:\n            return "Failed"',
        "conformance/test_restarts.py",
    ),
    Mutation(
        "OnFailure restarts failures",
        "kubelet/restart_policy.py",
        "exit_code != 0",
        "exit_code == 0",
        "conformance/test_restarts.py",
    ),
    Mutation(
        "the phase ends when nothing runs",
        "kubelet/status_manager.py",
        'merged["phase"] = old.get("phase", "Pending")',
        'merged["phase"] = new["phase"]',
        "recordings/test_recordings.py",
    ),
    Mutation("redirects end at ten", "probes/http.py", "LIMIT = 10", "LIMIT = 9", "probes"),
    Mutation(
        "3xx is a success", "probes/http.py", "300 <= answer.status < 400", "300 <= answer.status < 300", "probes"
    ),
    Mutation(
        "exit code 0 passes",
        "probes/exec.py",
        "if exit_code == 0",
        "if exit_code <= 1",
        "probes conformance/test_probes.py",
    ),
    Mutation(
        "check ends with 0 below 400", "programs/health.py", "200 <= status < 400", "200 <= status < 600", "patient"
    ),
    Mutation("a leak is counted in MiB", "programs/health.py", "MIB = 1 << 20", "MIB = 1 << 19", "patient"),
    Mutation("three attempts", "probers/retries.py", "ATTEMPTS = 3", "ATTEMPTS = 4", "probers"),
    Mutation("an unknown service is not found", "patient/health.py", "NOT_FOUND", "UNKNOWN", "patient"),
    Mutation("25 events pass", "events.py", "BURST = 25", "BURST = 26", "events"),
    Mutation("no count is below 0", "admission/__init__.py", "and value < 0]", "and value < -1]", "controllers"),
    Mutation(
        "what was observed stays",
        "controllers/daemonset/sync.py",
        "update_status(changed(latest), cause=why)",
        'update_status({**latest, "status": changed(owner)["status"]}, cause=why)',
        "controllers/test_daemonset.py",
    ),
    Mutation("12 tries of an event", "events.py", "TRIES = 12", "TRIES = 13", "events"),
    Mutation(
        "a deletion may only be shortened",
        "store.py",
        'elif 0 < seconds < meta["deletionGracePeriodSeconds"]',
        'elif 0 < meta["deletionGracePeriodSeconds"] < seconds',
        "conformance/test_restarts.py store",
    ),
    Mutation(
        "a pod that goes counts no more",
        "controllers/pods.py",
        "return not finished(pod) and not terminating(pod)",
        "return not finished(pod)",
        "controllers",
    ),
    Mutation(
        "an endpoint that goes is not ready",
        "controllers/endpointslice.py",
        "(serving and not leaving)",
        "serving",
        "controllers",
    ),
    Mutation(
        "the probe's own grace period counts",
        "kubelet/kuberuntime.py",
        "if failed is not None and failed.termination_grace_period_seconds is not None:",
        "if False:",
        "conformance",
    ),
    Mutation(
        "the back-off looks at the newest exit",
        "kubelet/kuberuntime.py",
        "else snapshot.newest_exited(c.name)",
        "else snapshot.newest(c.name)",
        "conformance/test_restarts.py recordings/test_recordings.py",
    ),
    Mutation(
        "Ready asks the containers",
        "kubelet/generate.py",
        'and not found[c.name]["ready"]',
        'and found[c.name]["ready"]',
        "conformance/test_probes.py",
    ),
    Mutation(
        "the deadline counts from startTime",
        "kubelet/active_deadline.py",
        "+ seconds * SECOND",
        "+ 2 * seconds * SECOND",
        "conformance",
    ),
    Mutation(
        "a spread holds its skew",
        "scheduler/filters.py",
        '- fewest > constraint["maxSkew"]',
        '- fewest > constraint["maxSkew"] + 1',
        "scheduler",
    ),
    Mutation(
        "the selector excludes nodes from a spread",
        "scheduler/filters.py",
        'get("nodeAffinityPolicy", "Honor")',
        'get("nodeAffinityPolicy", "Ignore")',
        "scheduler",
    ),
    Mutation(
        "a soft spread counts the whole zone",
        "scheduler/scores.py",
        "for node in everywhere if domain in labelled else ():",
        "for node in nodes if domain in labelled else ():",
        "scheduler",
    ),
    Mutation(
        "preferred anti-affinity keeps away",
        "scheduler/scores.py",
        '("podAntiAffinity", -1)',
        '("podAntiAffinity", 1)',
        "scheduler",
    ),
    Mutation(
        "terms of an affinity are about the same pods",
        "scheduler/filters.py",
        "if any(all(means(t, pod, guest.pod) for t in terms)",
        "if any(any(means(t, pod, guest.pod) for t in terms)",
        "scheduler",
    ),
    Mutation(
        "one image at a time",
        "kubelet/images.py",
        "self._free_at = max(self._free_at, self._clock.now) + pull",
        "self._free_at = self._clock.now + pull",
        "kubelet/test_images.py",
    ),
    Mutation(
        "the node counts what it has",
        "kubelet/predicate.py",
        "if used + requested > capacity:",
        "if used + requested > capacity + requested:",
        "kubelet/test_predicate.py",
    ),
    Mutation(
        "pods on their way out are not measured",
        "controllers/podautoscaler/replicas.py",
        "and k not in groups.gone",
        "",
        "controllers/test_podautoscaler.py",
    ),
    Mutation(
        "each direction has its tolerance",
        "controllers/podautoscaler/replicas.py",
        "1 + self.up",
        "1 + self.down",
        "controllers/test_podautoscaler.py",
    ),
    Mutation(
        "only the source of a restart of all is held back",
        "kubelet/kuberuntime.py",
        "c.finished_at if source else None",
        "c.finished_at",
        "conformance/test_lifecycle.py",
    ),
    Mutation(
        "gRPC dials again after 1 s", "probes/grpc.py", "FIRST_RETRY = SECOND", "FIRST_RETRY = 2 * SECOND", "probes"
    ),
    Mutation(
        "an exec lasts as long as somebody holds its output",
        "runtime.py",
        "return self.ended and not self.out.holders and not self.err.holders",
        "return self.ended",
        "probes/test_others.py",
    ),
    Mutation(
        "who is killed while Go starts ends at once",
        "runtime.py",
        "if program in images.GO:",
        "if not images.GO:",
        "kubelet/test_hooks.py",
    ),
    Mutation(
        "no container comes back to life",
        "kubelet/status_manager.py",
        'if not should_restart(container, spec, ended["exitCode"]):',
        "if not container:",
        "kubelet/test_init_containers.py",
    ),
    Mutation(
        "a cancelled sync asks for no image",
        "kubelet/images.py",
        "if cancelled.triggered and",
        "if not cancelled and",
        "kubelet/test_deleting.py",
    ),
)


def survives(mutation: Mutation, folder: Path) -> str | None:
    """None if the suite noticed, else what is wrong."""
    copy = folder / "src"
    shutil.copytree(ROOT / "src", copy, ignore=shutil.ignore_patterns("__pycache__"))
    path = copy / "selfheal" / mutation.file
    text = path.read_text()
    if text.count(mutation.right) < 1:
        return f"{mutation.file} holds no {mutation.right!r} any more"
    path.write_text(text.replace(mutation.right, mutation.wrong, 1))
    tests = [str(ROOT / "tests" / name) for name in mutation.tests.split()]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", *tests],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode == 1:
        return None
    return "survived" if run.returncode == 0 else f"pytest ended with {run.returncode}: {run.stdout[-300:]}"


def main() -> int:
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    wrong = []
    chosen = [m for m in MUTATIONS if word in m.rule or word in m.file]
    for mutation in chosen:
        with tempfile.TemporaryDirectory() as folder:
            problem = survives(mutation, Path(folder))
        print(f"{'noticed' if problem is None else problem:<10} {mutation.rule} ({mutation.file})", flush=True)
        if problem is not None:
            wrong.append(mutation.rule)
    print(f"{len(chosen) - len(wrong)} of {len(chosen)} mutations were noticed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
