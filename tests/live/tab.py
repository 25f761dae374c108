"""What a test does with a page, whichever browser shows it; Chromium's way of doing it by Playwright."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from playwright.sync_api import Error as PageError


class Tab(ABC):
    """One tab. What `click` looks for may lie in an open shadow tree, and is the first that can be seen."""

    expected: tuple[str, ...] = ()
    """Texts that an error may hold without being one: what a test breaks on purpose."""

    @abstractmethod
    def beside(self) -> Tab:
        """A second tab of the same reader: one storage, one cache."""

    @abstractmethod
    def goto(self, url: str) -> None:
        """Opens a page and waits until it has loaded."""

    @abstractmethod
    def before(self, script: str) -> None:
        """Has a script run in each page that is opened from now on, before any of the page's own."""

    @abstractmethod
    def js(self, expression: str) -> Any:
        """What an expression gives in the page, awaited; it must be JSON."""

    @abstractmethod
    def click(self, css: str, text: str = "", seconds: float = 15) -> None:
        """Clicks as a mouse does."""

    @abstractmethod
    def press(self, *keys: str) -> None:
        """Presses one key, or one chord (``Shift+Enter``), after the other."""

    @property
    @abstractmethod
    def requests(self) -> list[str]:
        """The address of each thing that page and workers asked for."""

    @property
    @abstractmethod
    def errors(self) -> list[str]:
        """What went wrong: what no script caught, and what the console was told as an error."""

    @abstractmethod
    def screenshot(self, path: Path) -> None:
        """What can be seen now, as a PNG."""

    @abstractmethod
    def close(self) -> None:
        """Ends the tab."""

    def until(self, expression: str, seconds: float = 15) -> Any:
        """Waits for an expression to be true, and gives its value; after ``seconds`` fails with what it was."""
        limit = time.monotonic() + seconds
        while not (value := self.js(expression)):
            assert time.monotonic() < limit, f"after {seconds} s: {expression} is {value!r}; {self.errors}"
            time.sleep(0.05)
        return value

    def type(self, text: str) -> None:
        """Types what has one key for each character."""
        self.press(*text)


class ChromiumTab(Tab):
    """A tab of a Chromium in Playwright's hands; ``page`` is Playwright's own, for what only Chromium can do."""

    def __init__(self, browser: Any, width: int = 1280, height: int = 900, context: Any = None, **options: Any) -> None:
        size = {"width": width, "height": height}
        self.context = context or browser.new_context(viewport=size, **options)
        self.page = self.context.new_page()
        self._requests: list[str] = []
        self._errors: list[str] = []
        self.page.on("request", lambda request: self._requests.append(request.url))
        self.page.on("pageerror", lambda error: self._errors.append(str(error)))
        self.page.on("console", self._listen)

    def _listen(self, told: Any) -> None:
        if told.type == "error":
            self._errors.append(f"{told.text} {told.location['url']}")

    def beside(self) -> ChromiumTab:
        return ChromiumTab(None, context=self.context)

    def goto(self, url: str) -> None:
        self.page.goto(url)

    def before(self, script: str) -> None:
        self.page.add_init_script(script)

    def js(self, expression: str) -> Any:
        try:
            return self.page.evaluate(f"async () => (await ({expression})) ?? null")
        except PageError as error:
            if "context was destroyed" in error.message:  # by a page that comes: it answers next
                return self.js(expression)
            raise

    def click(self, css: str, text: str = "", seconds: float = 15) -> None:
        found = self.page.locator(css).filter(has_text=text, visible=True).first
        found.click(timeout=seconds * 1000)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    @property
    def requests(self) -> list[str]:
        return list(self._requests)

    @property
    def errors(self) -> list[str]:
        return list(self._errors)

    def screenshot(self, path: Path) -> None:
        self.page.screenshot(path=path)

    def close(self) -> None:
        self.context.close()
