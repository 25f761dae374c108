"""README's commands on machines that are not what they should be: one clear line, and no traceback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNIX = ("make", "sh", "sed", "expand", "rm", "mkdir", "cat", "env", "dirname", "uname")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="make and sh are at home on Unix")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the frame, with nothing prepared yet."""
    place = tmp_path / "a checkout"  # a space in the path is nobody's fault
    place.mkdir()
    for name in ("Makefile", "pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, place)
    shutil.copytree(ROOT / "tools", place / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    return place


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A PATH with the Unix tools and no Python."""
    path = tmp_path / "bin"
    path.mkdir()
    for name in UNIX:
        found = shutil.which(name)
        if found:
            (path / name).symlink_to(found)
    return path


def put(path: Path, name: str, script: str) -> None:
    (path / name).write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    (path / name).chmod(0o755)


def run(checkout: Path, machine: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    own = {"PATH": str(machine), "HOME": str(checkout), **env}
    return subprocess.run(
        command,
        cwd=checkout,
        env=own,
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def said_in_one_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("selfheal: ")
    assert all(word in lines[0] for word in words), lines[0]
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("target", ["learn", "test", "book", "lint"])
def test_no_python_at_all(checkout: Path, machine: Path, target: str) -> None:
    said_in_one_line(run(checkout, machine, "make", target), "3.11", "PYTHON=")
    assert not (checkout / ".venv").exists()


def test_only_an_old_python(checkout: Path, machine: Path) -> None:
    put(machine, "python3", "exit 1")  # its answer to: are you 3.11 or newer?
    said_in_one_line(run(checkout, machine, "make", "learn"), "no Python 3.11 or newer")


def test_shims_with_nothing_behind_them_are_passed_over(checkout: Path, machine: Path) -> None:
    put(machine, "python3", "echo 'command not found' >&2; exit 127")
    put(machine, "python3.13", "exit 127")
    (machine / "python3.11").symlink_to(sys.executable)
    found = run(checkout, machine, "sh", "tools/python")
    assert (found.stdout, found.stderr) == ("python3.11\n", "")


def test_a_python_that_the_lock_was_tried_with_comes_before_a_newer_one(checkout: Path, machine: Path) -> None:
    put(machine, "python3", 'case "$2" in *"(3, 14)"*) exit 1;; *) exit 0;; esac')  # as 3.15 would answer
    (machine / "python").symlink_to(sys.executable)
    assert run(checkout, machine, "sh", "tools/python").stdout == "python\n"
    (machine / "python").unlink()
    assert run(checkout, machine, "sh", "tools/python").stdout == "python3\n"


def test_a_python_without_its_venv_module(checkout: Path, machine: Path) -> None:
    put(machine, "python3", 'case "$2" in *ensurepip*) exit 1;; *) exit 0;; esac')
    said_in_one_line(run(checkout, machine, "make", "learn"), "venv", "apt install python3-venv")


def test_a_named_python_that_is_none(checkout: Path, machine: Path) -> None:
    (machine / "python3").symlink_to(sys.executable)
    said_in_one_line(run(checkout, machine, "make", "learn", "PYTHON=no-such"), "PYTHON=no-such")


def test_a_folder_in_the_way_of_the_environment_is_left_alone(checkout: Path, machine: Path) -> None:
    (checkout / "mine").mkdir()
    (checkout / "mine" / "letter").write_text("dear", "utf-8")
    (machine / "python3").symlink_to(sys.executable)
    said_in_one_line(run(checkout, machine, "make", "learn", "VENV=mine"), "mine is in the way")
    assert (checkout / "mine" / "letter").read_text("utf-8") == "dear"


@pytest.mark.slow
def test_a_failed_installation_says_why_and_is_tried_again_next_time(checkout: Path, machine: Path) -> None:
    (checkout / "requirements.txt").write_text("./no-such-wheel.whl\n", "utf-8")
    (machine / "python3").symlink_to(sys.executable)
    for _ in range(2):
        said_in_one_line(
            run(checkout, machine, "make", "test"), "installing failed", "no-such-wheel.whl", "prepare.log"
        )


def test_what_is_prepared_is_not_prepared_again(checkout: Path, machine: Path) -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import prepare
    finally:
        sys.path.pop(0)
    python = prepare.python_of(checkout / ".venv")
    python.parent.mkdir(parents=True)
    put(python.parent, python.name, "echo this is the environment")
    (machine / "python3").symlink_to(sys.executable)
    for what, enough in (("all", True), ("learn", False)):
        (checkout / ".venv" / ".prepared").write_text(prepare.stamp_for(what, checkout), "utf-8")
        assert prepare.is_ready(checkout / ".venv", "learn", checkout)
        assert prepare.is_ready(checkout / ".venv", "all", checkout) is enough
    assert run(checkout, machine, "make", "learn").stdout == "this is the environment\n"
    with (checkout / "requirements.txt").open("a", encoding="utf-8") as lock:
        lock.write("# another pin\n")
    assert not prepare.is_ready(checkout / ".venv", "learn", checkout)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.mark.parametrize("tool", [["tools/learn.py"], ["tools/serve.py", "."]])
def test_a_taken_port(checkout: Path, machine: Path, taken_port: int, tool: list[str]) -> None:
    done = run(checkout, machine, sys.executable, *tool, PORT=str(taken_port))
    said_in_one_line(done, f"port {taken_port} is taken")


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "８８８８８"])
def test_a_port_that_is_none(checkout: Path, machine: Path, port: str) -> None:
    said_in_one_line(run(checkout, machine, sys.executable, "tools/learn.py", PORT=port), "is not a port")


def test_make_alone_lists_every_target(checkout: Path, machine: Path) -> None:
    told = run(checkout, machine, "make").stdout
    targets = ["learn", "test", "book", "serve", "chapters", "class", "labs", "parity", "lint", "bench", "nightly"]
    targets += ["lock", "clean"]
    assert sorted(line.split()[1] for line in told.splitlines()) == sorted([*targets, "help"])


@pytest.mark.slow
def test_learn_opens_the_course_on_loopback_behind_a_token_with_a_live_kernel(checkout: Path) -> None:
    (checkout / "book").mkdir()
    notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (checkout / "book" / "01-first.ipynb").write_text(json.dumps(notebook), "utf-8")
    env = {**os.environ, "HOME": str(checkout)}
    learn = subprocess.Popen(
        [sys.executable, "tools/learn.py"],
        cwd=checkout,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert learn.stdout is not None
    assert learn.stderr is not None
    told = []
    for line in learn.stdout:
        told.append(line)
        if "http" in line:
            break
    try:
        (url,) = [line.strip() for line in told if "http" in line]
        page, _, token = url.partition("?token=")
        site = page.removesuffix("/lab/tree/book/01-first.ipynb")
        assert site.startswith("http://127.0.0.1:")
        assert page != site
        assert len(token) >= 32
        with urllib.request.urlopen(url, timeout=30) as answer:
            assert answer.status == 200
        ask = urllib.request.Request(f"{site}/api/kernels", method="POST", data=b"{}")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(ask, timeout=30)
        assert refused.value.code == 403
        refused.value.close()
        ask.add_header("Authorization", f"token {token}")
        with urllib.request.urlopen(ask, timeout=30) as answer:
            assert (answer.status, json.load(answer)["name"]) == (201, "python3")
    finally:
        learn.send_signal(signal.SIGTERM)
        _, wrong = learn.communicate(timeout=30)
    assert (learn.returncode, wrong) == (0, "")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:  # nothing is left listening
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(site.rpartition(":")[2]))):
                return
        time.sleep(0.1)
    pytest.fail("JupyterLab is still there")
