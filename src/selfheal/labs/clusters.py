"""``selfheal labs up`` and ``down``: a cluster for the labs, with kind or without Docker.

Both write a kubeconfig of their own (:func:`selfheal.labs.context.state`), so that nobody's current context changes;
labs find it there. Only what ``up`` has made is removed by ``down``; each may be called again.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from selfheal.labs.api import Api
from selfheal.labs.context import resolve, state
from selfheal.labs.errors import LabError, Unreachable
from selfheal.labs.tools import program, run

CLUSTER = "selfheal"
"""The kind cluster's name; its context is ``kind-selfheal``."""
SPEED, NODES = 1.0, 3
READY, STOP = 30.0, 10.0
"""Seconds in which the emulator must answer, and must end."""
CREATE, DELETE = 900.0, 120.0
"""Seconds that kind may take; the first time it fetches a node image of 400 MB."""


def up(*, emulator: bool, speed: float = SPEED, nodes: int = NODES) -> str:
    """Make a cluster, unless it runs already; what to tell of it. Raises LabError."""
    made = _made()
    wanted = "emulator" if emulator else "kind"
    if made and _runs(made):
        if made["sort"] != wanted:
            raise LabError(f"another one is in the way. {_called(made)} runs already; `selfheal labs down` removes it")
        return f"{_called(made)} runs already.\n{_export()}"
    if made:
        _forget()
    if _kubeconfig().exists():
        raise LabError(f"{_kubeconfig()} is there, but was not made by `selfheal labs up`: move it away")
    state().mkdir(parents=True, exist_ok=True)
    made = _emulator(speed, nodes) if emulator else _kind()
    return f"{_called(made)} is ready.\n{_export()}"


def down() -> str:
    """Remove what :func:`up` has made, and nothing else; what to tell of it. Raises LabError."""
    made = _made()
    if not made:
        return "There is nothing that `selfheal labs up` has made."
    if made["sort"] == "kind":
        run("kind", "delete", "cluster", "--name", CLUSTER, "--kubeconfig", str(_kubeconfig()), patience=DELETE)
    else:
        _stop()
    _forget()
    return f"{_called(made)} is removed."


# ---- the emulator, as a process of its own


def _emulator(speed: float, nodes: int) -> dict[str, Any]:
    words = ["up", "--quiet", "--speed", f"{speed:g}", "--nodes", str(nodes), "--kubeconfig", str(_kubeconfig())]
    log = state() / "emulator.log"
    with log.open("w", encoding="utf-8") as told:
        process = subprocess.Popen(  # noqa: S603 - this package, with this Python
            [sys.executable, "-m", "selfheal.cli", *words],
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C at the prompt is not meant for it
        )
    made = {"sort": "emulator", "process": process.pid}
    _write(made)
    end = time.monotonic() + READY
    while not _answers():
        if process.poll() is not None or time.monotonic() > end:
            said = log.read_text("utf-8").strip().splitlines()
            down()
            raise LabError(f"the emulator did not start: {said[-1] if said else 'it said nothing'}")
        time.sleep(0.05)
    return made


def _stop() -> None:
    """End the emulator, if it is there; whoever answers to its token is it. Raises LabError."""
    with contextlib.suppress(Unreachable):
        _asked("POST", "/selfheal/down")
    end = time.monotonic() + STOP
    while _answers():
        if time.monotonic() > end:
            raise LabError(f"the emulator does not end; its process is {_made()['process']}")
        time.sleep(0.05)


# ---- kind


def _kind() -> dict[str, Any]:
    program("docker")
    if CLUSTER in run("kind", "get", "clusters", patience=30).split():
        raise LabError(
            f"there is a kind cluster {CLUSTER} that `selfheal labs up` has not made; "
            f"`kind delete cluster --name {CLUSTER}` removes it"
        )
    made = {"sort": "kind"}
    _write(made)  # first, so that `down` can clear away what a Ctrl-C leaves
    config = str(config_file())
    run(
        "kind", "create", "cluster", "--config", config, "--kubeconfig", str(_kubeconfig()), "--wait", "5m",
        patience=CREATE, shown=True,
    )  # fmt: skip
    return made


def config_file() -> Path:
    """``kind.yaml``: in an installed package beside this file, in a checkout in ``labs/``."""
    installed = Path(__file__).with_name("kind.yaml")
    return installed if installed.exists() else Path(__file__).parents[3] / "labs" / "kind.yaml"


# ---- what was made


def _kubeconfig() -> Path:
    return state() / "kubeconfig"


def _mark() -> Path:
    return state() / "cluster.json"


def _made() -> dict[str, Any]:
    try:
        found = json.loads(_mark().read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise LabError(f"{_mark()} cannot be read: {error}") from None
    return found if isinstance(found, dict) else {}


def _write(made: dict[str, Any]) -> None:
    _mark().write_text(json.dumps(made) + "\n", "utf-8")


def _forget() -> None:
    for path in (_kubeconfig(), _mark(), state() / "emulator.log"):
        path.unlink(missing_ok=True)


def _runs(made: dict[str, Any]) -> bool:
    if made["sort"] == "kind" and CLUSTER in run("kind", "get", "clusters", patience=30).split():
        if not _answers():
            raise LabError("the kind cluster does not answer: `selfheal labs down`, then `selfheal labs up` again")
        return True
    return made["sort"] == "emulator" and _answers()


def _answers() -> bool:
    try:
        return bool(_asked("GET", "/version"))
    except Unreachable:
        return False


def _asked(method: str, path: str) -> dict[str, Any]:
    """One request to what was made. Raises Unreachable, also if it has no kubeconfig yet."""
    if not _kubeconfig().exists():
        raise Unreachable("there is no kubeconfig")
    api = Api(resolve({"KUBECONFIG": str(_kubeconfig())}))
    try:
        return api.ask(method, path)
    finally:
        api.close()


def _called(made: dict[str, Any]) -> str:
    return "The emulator" if made["sort"] == "emulator" else f"The kind cluster {CLUSTER}"


def _export() -> str:
    return f"Labs find it by themselves; for kubectl:\n  export KUBECONFIG={_kubeconfig()}"
