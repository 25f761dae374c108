"""Firefox as a test drives it: the browser itself speaks WebDriver BiDi, so a websocket is all that it takes."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.live.tab import Tab

QUIET = ("app.update.enabled", "browser.safebrowsing.malware.enabled", "datareporting.policy.dataSubmissionEnabled")
"""Preferences to turn off, so that it speaks to nobody by itself."""
NAMED = {"Tab": 4, "Enter": 7, "Shift": 8, "Control": 9, "Escape": 12, "End": 16, "Home": 17}
NAMED |= {"ArrowLeft": 18, "ArrowUp": 19, "ArrowRight": 20, "ArrowDown": 21}
KEYS = {name: chr(0xE000 + number) for name, number in NAMED.items()}
SEEN = """(css, text) => {
    const all = (root) => [...root.querySelectorAll(css),
        ...[...root.querySelectorAll("*")].flatMap((e) => (e.shadowRoot ? all(e.shadowRoot) : []))];
    const found = all(document).find((e) => e.textContent.includes(text) && e.getClientRects().length);
    found?.scrollIntoView({block: "center", behavior: "instant"});
    return found;
}"""


@contextmanager
def firefox(program: str, place: Path) -> Iterator[Firefox]:
    """A headless Firefox with its profile in ``place``."""
    (place / "user.js").write_text("\n".join(f'user_pref("{name}", false);' for name in QUIET), encoding="utf-8")
    told = place / "WebDriverBiDiServer.json"
    command = [program, "--headless", "--remote-debugging-port", "0", "--profile", str(place)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(1200):
                if told.exists() and (text := told.read_text()):
                    break
                time.sleep(0.05)
            address = f"ws://127.0.0.1:{json.loads(text)['ws_port']}/session"
            with connect(address, max_size=None, proxy=None) as socket:
                browser = Firefox(socket)
                browser.ask("session.new", capabilities={})
                browser.ask("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
                yield browser
        finally:
            process.kill()


class Firefox:
    """A Firefox that answers, and remembers what it was told unasked."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket, self.asked = socket, 0
        self.heard: list[dict[str, Any]] = []

    def ask(self, method: str, **params: Any) -> Any:
        """The result of a command of https://w3c.github.io/webdriver-bidi/; an error is an AssertionError."""
        self.asked += 1
        self.socket.send(json.dumps({"id": self.asked, "method": method, "params": params}))
        while (message := json.loads(self.socket.recv(timeout=180))).get("id") != self.asked:
            self.heard.append(message)
        assert message["type"] == "success", f"{method}: {message['error']}: {message['message']}"
        return message["result"]

    def tab(self, width: int = 1280, height: int = 900, offline: bool = False) -> FirefoxTab:
        """A tab that shares its storage with no other."""
        tab = FirefoxTab(self, self.ask("browser.createUserContext")["userContext"])
        tab.ask("browsingContext.setViewport", viewport={"width": width, "height": height})
        if offline:
            self.ask("emulation.setNetworkConditions", networkConditions={"type": "offline"}, contexts=[tab.context])
        return tab


class FirefoxTab(Tab):
    """A tab of a Firefox, and the reader (``user``) whose it is."""

    def __init__(self, browser: Firefox, user: str) -> None:
        self.browser, self.user = browser, user
        self.context = browser.ask("browsingContext.create", type="tab", userContext=user)["context"]

    def ask(self, method: str, **params: Any) -> Any:
        return self.browser.ask(method, context=self.context, **params)

    def beside(self) -> FirefoxTab:
        return FirefoxTab(self.browser, self.user)

    def goto(self, url: str) -> None:
        self.ask("browsingContext.navigate", url=url, wait="complete")

    def before(self, script: str) -> None:
        function = f"() => {{ {script} }}"
        self.browser.ask("script.addPreloadScript", functionDeclaration=function, contexts=[self.context])

    def js(self, expression: str) -> Any:
        return json.loads(self.call(f"async () => JSON.stringify((await ({expression})) ?? null)")["value"])

    def call(self, function: str, *arguments: str) -> Any:
        given = [{"type": "string", "value": argument} for argument in arguments]
        target = {"target": {"context": self.context}, "awaitPromise": True}
        told = self.browser.ask("script.callFunction", functionDeclaration=function, arguments=given, **target)
        assert told["type"] == "success", told["exceptionDetails"]["text"]
        return told["result"]

    def click(self, css: str, text: str = "", seconds: float = 15) -> None:
        until = time.monotonic() + seconds
        while "sharedId" not in (found := self.call(SEEN, css, text)):
            assert time.monotonic() < until, f"no {css} with {text!r} to click on"
            time.sleep(0.1)
        place = {"type": "element", "element": {"sharedId": found["sharedId"]}}
        press = [{"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")]
        self._act("pointer", [{"type": "pointerMove", "x": 0, "y": 0, "origin": place}, *press])

    def press(self, *keys: str) -> None:
        steps = []
        for chord in ([KEYS.get(key, key) for key in chord.split("+")] for chord in keys):
            steps += [{"type": "keyDown", "value": key} for key in chord]
            steps += [{"type": "keyUp", "value": key} for key in reversed(chord)]
        self._act("key", steps)

    def _act(self, kind: str, steps: list[dict[str, Any]]) -> None:
        self.ask("input.performActions", actions=[{"type": kind, "id": kind, "actions": steps}])

    def _told(self, method: str) -> list[Any]:
        self.browser.ask("session.status")  # what was sent before this answer has been heard then
        return [event["params"] for event in self.browser.heard if event.get("method") == method]

    @property
    def requests(self) -> list[str]:
        told = self._told("network.beforeRequestSent")
        return [event["request"]["url"] for event in told if event["context"] == self.context]

    @property
    def errors(self) -> list[str]:
        told = [event for event in self._told("log.entryAdded") if event["level"] == "error"]
        return [event["text"] for event in told if event["source"].get("context") == self.context]

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.ask("browsingContext.captureScreenshot")["data"]))

    def close(self) -> None:
        self.ask("browsingContext.close")
