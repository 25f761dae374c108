"""Readers: a tab of either browser on the built book, served under a sub-path, and what must hold of every visit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.firefox import Firefox, firefox
from tests.live.host import Host
from tests.live.tab import ChromiumTab, Tab

Open = Callable[..., Tab]

CHROMIUM = pytest.param("chromium", marks=pytest.mark.browser)
FIREFOX = pytest.param("firefox", marks=[pytest.mark.firefox, pytest.mark.nightly])
HOME = ("data:", "blob:", "file:", "about:")


@pytest.fixture
def host(book_html: Path) -> Iterator[Host]:
    """The built book on a host of its own, and so on an origin of its own."""
    with Host(book_html) as host:
        yield host


@pytest.fixture(scope="session")
def other_browser(firefox_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """A Firefox that has not seen anything yet."""
    with firefox(firefox_program, tmp_path_factory.mktemp("firefox")) as browser:
        yield browser


@pytest.fixture(params=[CHROMIUM, FIREFOX])
def open_tab(request: pytest.FixtureRequest, host: Host) -> Iterator[Open]:
    """Opens tabs. Whatever a test does in them: they ask nobody but the host, and nothing goes wrong unseen.

    What a test expects to go wrong it takes from ``tab.expected``: texts that may stand in an error.
    """
    tabs: list[Tab] = []

    def opened(beside: Tab | None = None, expected: tuple[str, ...] = (), **options: Any) -> Tab:
        if beside:
            tab = beside.beside()
        elif request.param == "chromium":
            tab = ChromiumTab(request.getfixturevalue("browser"), **options)
        else:
            tab = request.getfixturevalue("other_browser").tab(**options)
        tab.expected = expected
        tabs.append(tab)
        return tab

    yield opened
    strayed = [url for tab in tabs for url in tab.requests if not url.startswith((*HOME, host.url))]
    wrong = [error for tab in tabs for error in tab.errors if not any(text in error for text in tab.expected)]
    for tab in reversed(tabs):
        tab.close()
    assert (strayed, wrong) == ([], [])
