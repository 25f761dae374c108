"""`make learn`: the course in JupyterLab on this machine, on loopback, behind a token. Prints one URL.

JupyterLab runs as a child with settings of its own under the virtual environment, so that neither the
reader's other Jupyter set-up nor this one notices the other. Nothing is asked of the network.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType

from loopback import HOST, Taken, free_port, open_browser

HOME = Path(sys.prefix) / "share" / "selfheal"
LOG = HOME / "jupyterlab.log"
PATIENCE = 60
"""Seconds that JupyterLab may take to answer for the first time."""

SETTINGS = {
    "overrides.json": {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}},
    "page_config.json": {"buildAvailable": False, "buildCheck": False},
}
"""No news, no updates, no building of extensions: nothing here asks another host for anything."""


def landing() -> str:
    """The first chapter, or the bare laboratory when there is none yet."""
    chapters = sorted(Path("book").glob("*.ipynb"))
    return f"/lab/tree/{chapters[0].as_posix()}" if chapters else "/lab"


def trust_chapters(env: dict[str, str]) -> None:
    """Lets chapters and labs show their stored pictures; the signatures lie under the virtual environment."""
    chapters = sorted(str(path) for folder in ("book", "labs") for path in Path(folder).glob("*.ipynb"))
    if chapters:
        command = [sys.executable, "-m", "jupyter", "trust", *chapters]
        subprocess.run(command, check=False, env=env, capture_output=True)


def start(port: int, env: dict[str, str]) -> subprocess.Popen[bytes]:
    folder = Path(sys.prefix) / "share" / "jupyter" / "lab" / "settings"
    folder.mkdir(parents=True, exist_ok=True)
    for name, settings in SETTINGS.items():
        (folder / name).write_text(json.dumps(settings), "utf-8")
    options = [
        f"--ServerApp.ip={HOST}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--ServerApp.open_browser=False",
        f"--ServerApp.root_dir={Path.cwd()}",
        "--ServerApp.answer_yes=True",  # Ctrl-C stops without asking
        "--LabApp.extension_manager=readonly",
        "--LanguageServerManager.autodetect=False",  # no servers beside the one that was asked for
        "--log-level=WARN",
    ]
    if os.name == "posix" and os.geteuid() == 0:
        options.append("--allow-root")
    with LOG.open("wb") as log:
        return subprocess.Popen([sys.executable, "-m", "jupyterlab", *options], env=env, stdout=log, stderr=log)


def wait_until_it_answers(lab: subprocess.Popen[bytes], port: int, token: str) -> bool:
    ask = urllib.request.Request(f"http://{HOST}:{port}/api/status", headers={"Authorization": f"token {token}"})
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and lab.poll() is None:
        try:
            with direct.open(ask, timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    return False


def main() -> int:
    try:
        port = free_port(8888)
    except (Taken, ValueError) as problem:
        print(f"selfheal: {problem}", file=sys.stderr)
        return 1
    HOME.mkdir(parents=True, exist_ok=True)
    token = secrets.token_urlsafe(24)
    env = {
        **os.environ,
        "JUPYTER_TOKEN": token,  # in the environment, since everyone can read a command line
        "JUPYTER_CONFIG_DIR": str(HOME / "config"),
        "JUPYTER_DATA_DIR": str(HOME / "data"),
        "JUPYTERLAB_WORKSPACES_DIR": str(HOME / "workspaces"),
        "JUPYTERLAB_SETTINGS_DIR": str(HOME / "settings"),
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    trust_chapters(env)
    lab = start(port, env)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        lab.terminate()

    signal.signal(signal.SIGTERM, stop)
    try:
        if not wait_until_it_answers(lab, port, token):
            lab.terminate()
            print(f"selfheal: JupyterLab did not start; what it said: {LOG}", file=sys.stderr)
            return 1
        url = f"http://{HOST}:{port}{landing()}?token={token}"
        print(f"The course is open, until Ctrl-C, at\n\n    {url}\n", flush=True)
        open_browser(url)
        lab.wait()
    except KeyboardInterrupt:
        lab.wait()  # it got the same Ctrl-C
    return 0


if __name__ == "__main__":
    sys.exit(main())
