"""The monitor in JupyterLab, with a kernel behind it: each flip is a real run."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import TimeoutError as TooLate

from tests.widgets.shop import POD

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CELL = f'from selfheal.widgets import monitor\n\nmonitor("""{POD}""", until=60, seed=7, traffic={{"shop": 20}})'
EXERCISE = "from selfheal.lessons.exercises import friday\n\nfriday.check(friday.solution)"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """JupyterLab on loopback with one notebook; its address."""
    empty: dict[str, Any] = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    cells = [{**empty, "id": "one", "source": CELL}, {**empty, "id": "two", "source": EXERCISE}]
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": cells, "metadata": spec, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "shop.ipynb").write_text(json.dumps(notebook))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "JUPYTER_DATA_DIR": str(tmp_path / "data")}
    env |= {"IPYTHONDIR": str(tmp_path / "ipython"), "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
    env.pop("SELFHEAL_WIDGETS", None)
    options = ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--IdentityProvider.token=test", "--no-browser"]
    options += [f"--ServerApp.root_dir={tmp_path / 'work'}", "--allow-root", "--ServerApp.log_level=ERROR"]
    command = [sys.executable, "-m", "jupyterlab", *options]
    server = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api?token=test", timeout=2).close()
                break
            except OSError:
                assert server.poll() is None, "JupyterLab did not start"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/lab/tree/shop.ipynb?token=test"
    finally:
        server.terminate()
        server.wait(30)


def ran(browser: Any, lab: str, cell: int, shows: str) -> Any:
    """A tab in which a cell has run, and shows this."""
    tab = browser.new_page(viewport={"width": 1300, "height": 1100})
    tab.goto(lab)
    tab.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=90_000)
    shown = tab.locator(f"{shows}, .jp-RenderedText[data-mime-type='application/vnd.jupyter.error']").first
    for _ in range(3):  # a busy machine may still be drawing the notebook when the keys come
        tab.locator(".jp-Cell .cm-content").nth(cell).click(timeout=30_000)
        tab.keyboard.press("Shift+Enter")
        with contextlib.suppress(TooLate):
            shown.wait_for(timeout=30_000)
            break
    assert tab.locator(shows).first.is_visible(), tab.locator(".jp-OutputArea").all_inner_texts()
    return tab


def test_in_a_notebook_each_flip_is_a_real_run(browser: Any, lab: str) -> None:
    tab = ran(browser, lab, 0, ".knob")
    period = tab.get_by_label("liveness periodSeconds")
    period.fill("3")
    period.press("Enter")
    tab.get_by_label("hangs").click()
    tab.get_by_text("2 s: /healthz hangs").wait_for(timeout=30_000)
    tab.locator(".jump").click()
    assert "Why was the restart" in tab.locator(".why .head").inner_text()
    assert not tab.locator(".notice").is_visible()
    tab.locator(".knob").focus()
    tab.keyboard.press("d")  # in the notebook's command mode two of them delete the cell
    tab.keyboard.press("d")
    assert tab.locator(".knob").is_visible()
    tab.close()


@pytest.mark.nightly
def test_in_a_notebook_an_answer_that_passed_is_tried_with_more_seeds_until_somebody_stops_it(
    browser: Any, lab: str
) -> None:
    tab = ran(browser, lab, 1, ".selfheal-runs button")
    line, button = tab.locator(".selfheal-runs span"), tab.locator(".selfheal-runs button")
    assert "Solved." in tab.locator(".selfheal-report").inner_text()
    button.click()
    line.filter(has_text=re.compile(r"seed \d")).wait_for(timeout=60_000)
    assert button.inner_text() == "Stop"
    button.click()
    line.filter(has_text="Stopped after").wait_for(timeout=60_000)
    assert "Solved." in tab.locator(".selfheal-report").inner_text()
    assert "friday.check(friday.solution)" in tab.locator(".jp-Cell .cm-content").nth(1).inner_text()
    button.click()
    line.filter(has_text=re.compile(r"^Run \d+ of 57, seed \d")).wait_for(timeout=60_000)
    tab.close()
