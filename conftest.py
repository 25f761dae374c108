"""What tests in a real browser share: Chromium, the built book on loopback, axe.

Tests marked ``browser`` run where there is a Chromium. Elsewhere they are left out, and one line says so;
with ``SELFHEAL_BROWSER=required`` (continuous integration) the run is refused instead.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import settings

from tests.live.host import Host

# The suite tries the same examples each time, so that a change is judged by what it changes; nightly tries new ones.
settings.register_profile("suite", derandomize=True, database=None, deadline=None)
settings.register_profile("nightly", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("SELFHEAL_EXAMPLES", "suite"))

ROOT = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


@functools.cache
def find_chromium() -> str | None:
    """A Chromium that answers: what ``CHROMIUM`` names, or one on the PATH. A stub that only advertises one is none."""
    named = os.environ.get("CHROMIUM")
    for path in [named] if named else [*map(shutil.which, NAMES), *PLACES]:
        try:
            if path:
                subprocess.run([path, "--version"], capture_output=True, timeout=60, check=True)
                return path
        except (OSError, subprocess.SubprocessError):
            continue
    return None


def find_firefox() -> str | None:
    """A Firefox: what ``FIREFOX`` names, or one on the PATH."""
    return os.environ.get("FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")


BROWSERS = {"browser": ("Chromium", find_chromium), "firefox": ("Firefox", find_firefox)}
"""Marker → what its tests need."""
LEFT_OUT = pytest.StashKey[list[str]]()


@pytest.hookimpl(trylast=True)  # after -m and -k have chosen
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    told = config.stash.setdefault(LEFT_OUT, [])
    for marker, (name, find) in BROWSERS.items():
        asked = [item for item in items if item.get_closest_marker(marker)]
        if not asked or find():
            continue
        told.append(f"{len(asked)} {marker} tests, for there is no {name} here ({name.upper()}=… names one)")
        if os.environ.get("SELFHEAL_BROWSER") == "required":
            raise pytest.UsageError(f"they cannot be left out: {told[-1]}")
        items[:] = [item for item in items if item not in asked]
        config.hook.pytest_deselected(items=asked)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for told in config.stash.get(LEFT_OUT, []):
        terminalreporter.write_line(f"Left out: {told}.")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser."""
    path = find_chromium()
    assert path, "only tests marked `browser` may ask for Chromium"
    return path


@pytest.fixture(scope="session")
def firefox_program() -> str:
    """The path of the other browser."""
    path = find_firefox()
    assert path, "only tests marked `firefox` may ask for Firefox"
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    """A headless Chromium in Playwright's hands, that speaks to nobody by itself."""
    from playwright.sync_api import sync_playwright

    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    sandbox = ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*quiet, *sandbox])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> Callable[[Any], list[str]]:
    """A function from a Playwright page to what axe finds wrong with it, worst first; [] is what we want."""
    from axe_playwright_python.sync_playwright import Axe

    worst = ["critical", "serious", "moderate", "minor"]

    def check(page: Any) -> list[str]:
        found = sorted(Axe().run(page).response["violations"], key=lambda v: worst.index(v["impact"]))
        return [f"{v['impact']}: {v['id']}: {v['help']}: {v['nodes'][0]['html'][:200]}" for v in found]

    return check


@pytest.fixture(scope="session")
def banks() -> Path:
    """The folder of the book's banks, made once for every process, Python and build of the book."""
    from selfheal.widgets import bank

    (ROOT / "_build").mkdir(exist_ok=True)
    with FileLock(ROOT / "_build" / "banks.lock"):
        bank.write(ROOT / "book", ROOT / "book" / "_static" / "banks")
    return ROOT / "book" / "_static" / "banks"


@pytest.fixture(scope="session")
def book_html(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The folder of the built book, built now, in a place of its own, or what ``BOOK_HTML`` names.

    Processes of one run share it.
    """
    if "BOOK_HTML" in os.environ:
        return Path(os.environ["BOOK_HTML"]).resolve()
    request.getfixturevalue("banks")
    own = tmp_path_factory.getbasetemp()
    place = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "book"
    with FileLock(f"{place}.lock"):
        if not place.exists():
            place.mkdir()
            command = [sys.executable, "tools/build_book.py", str(place)]
            built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            assert built.returncode == 0, built.stderr
    return place / "_build" / "html"


@pytest.fixture(scope="session")
def book_url(book_html: Path) -> Iterator[str]:
    """Where the built book is served: on loopback, under a sub-path as a project's page has."""
    with Host(book_html) as host:
        yield host.url
