"""Game day: a fault is drawn, hidden in the shop of lab 14, and to be found and repaired.

    game = Game(lab)
    print(game.begin())              what users and colleagues say
    print(game.metrics())            what monitoring shows
    print(game.answer("port"))       is it that?
    print(game.check())              is the shop well again?
    print(game.give_up())            what it was, repaired

All faults are such that they can be made, and repaired, through the API; so each cluster can have them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from selfheal.labs.api import STRATEGIC
from selfheal.labs.errors import LabError
from selfheal.labs.faultbook import FAULTS, Fault, by_key
from selfheal.labs.hands_on import Text
from selfheal.labs.turns import Grade
from selfheal.objects import Object

if TYPE_CHECKING:
    from selfheal.labs.lab import Lab

SHOP, USERS = "shop", "users"
SERVERS = 2
SHOWS = 30
"""Seconds after which a fault is to be seen."""
PATIENCE = 180
"""Seconds that a repair may take to be felt."""
QUIET = 20
"""Seconds for which nothing may happen any more."""
ANSWERS = 5
"""How many of the users' newest answers must be well."""
PASSED = "The shop is well again: two servers are ready, nobody is restarted, and the users get their answers."


class Game:
    """One hidden fault in the shop of a lab that was run. ``which``: not by chance."""

    def __init__(self, lab: Lab, which: str | None = None) -> None:
        self._lab = lab
        self._fault: Fault = random.choice(FAULTS) if which is None else by_key(which)
        self._tries = 0

    def begin(self, wait: bool = True) -> Text:
        """Break something, and say what is said about it."""
        self._change(self._fault.breaks)
        if wait:
            self._lab.wait(SHOWS)
        return Text(self._fault.report)

    def suspects(self) -> Text:
        """What it may be."""
        width = max(len(fault.key) for fault in FAULTS)
        return Text("\n".join(f"{fault.key:{width}}  {fault.cause}" for fault in sorted(FAULTS, key=lambda f: f.key)))

    def metrics(self) -> Text:
        """What a dashboard would show: users, endpoints, pods."""
        answers = self._answers()[-SHOWS:]
        lost = answers.count("lost")
        pods = self._pods()
        restarts = sum(s["restartCount"] for pod in pods for s in pod["status"].get("containerStatuses") or ())
        lines = [
            f"requests   {len(answers)} newest: {len(answers) - lost} well, {lost} lost",
            f"endpoints  {self._endpoints()} ready",
            f"servers    {len(pods)} pods, {sum(map(_is_ready, pods))} ready",
            f"restarts   {restarts}",
        ]
        return Text("\n".join(lines))

    def answer(self, key: str) -> Text:
        """Is it that? If not: what would be seen if it were."""
        if key not in [fault.key for fault in FAULTS]:
            return Text(f'"{key}" is none of the suspects. They are: {", ".join(sorted(f.key for f in FAULTS))}.')
        self._tries += 1
        guessed = by_key(key)
        if guessed == self._fault:
            tries = "at the first try" if self._tries == 1 else f"at try number {self._tries}"
            return Text(f"✓ That is it, {tries}: {guessed.cause}.\nIt shows in `{guessed.look}`: {guessed.sign}.")
        return Text(f"✗ No. If it were that, `{guessed.look}` would show: {guessed.sign}. Does it?")

    def give_up(self) -> Text:
        """What it was, and where it was to be seen; repairs it."""
        self._change(self._fault.repairs)
        fault = self._fault
        return Text(f"{fault.key}: {fault.cause}.\nIt shows in `{fault.look}`: {fault.sign}.\n{fault.lesson}")

    def check(self) -> Grade:
        """Whether the shop is well again, and nothing of it was given away. Takes a little while."""
        lost = tuple(self._lost())
        return Grade(lost or tuple(self._ill()), PASSED)

    # ---- inner

    def _change(self, changes: tuple[tuple[str, str, Object], ...]) -> None:
        for kind, name, change in changes:
            self._lab.api.patch(kind, name, change, self._lab.namespace, how=STRATEGIC)

    def _lost(self) -> Iterator[str]:
        """What a repair must not cost."""
        spec = self._shop()["spec"]
        container = spec["template"]["spec"]["containers"][0]
        if spec["replicas"] != SERVERS:
            yield f"There should be {SERVERS} servers, and {spec['replicas']} are wished for."
        for probe in ("readinessProbe", "livenessProbe"):
            if probe not in container:
                yield f"The {probe} is gone. Whatever it was that it said: now nobody asks any more."
        if "memory" not in (container.get("resources") or {}).get("limits", {}):
            yield "The memory limit is gone. Give it a fitting one: a leak would take the node's memory."

    def _ill(self) -> Iterator[str]:
        try:
            self._lab.wait(self._serves, timeout=PATIENCE)
        except LabError:
            yield f"The shop is not well yet. This is what monitoring shows:\n{self.metrics()}"
            return
        before, seen = self._restarts(), len(self._answers())
        self._lab.wait(QUIET)
        if self._restarts() != before:
            yield "For a moment it looked well, and then a container was restarted once more. Who does that?"
        elif "lost" in self._answers()[seen:]:
            yield "For a moment it looked well, and then users lost requests once more."

    def _serves(self) -> bool:
        shop, newest = self._shop(), self._answers()[-ANSWERS:]
        status = shop.get("status") or {}
        rolled_out = status.get("observedGeneration") == shop["metadata"]["generation"]
        counts = [status.get(count) for count in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")]
        return rolled_out and counts == [SERVERS] * 4 and newest == ["well"] * ANSWERS

    def _shop(self) -> Object:
        return self._lab.api.get("Deployment", SHOP, self._lab.namespace)

    def _pods(self) -> list[Object]:
        found: list[Object] = self._lab.api.list("Pod", self._lab.namespace, selector=f"app={SHOP}")["items"]
        return found

    def _restarts(self) -> dict[str, Any]:
        return {
            pod["metadata"]["uid"]: [s["restartCount"] for s in pod["status"].get("containerStatuses") or ()]
            for pod in self._pods()
        }

    def _endpoints(self) -> int:
        slices = self._lab.api.list(
            "EndpointSlice", self._lab.namespace, selector=f"kubernetes.io/service-name={SHOP}"
        )["items"]
        return sum(bool(e["conditions"].get("ready")) for one in slices for e in one.get("endpoints") or ())

    def _answers(self) -> list[str]:
        return [line for line in self._lab.kubectl(f"logs {USERS}").splitlines() if line in ("well", "lost")]


def _is_ready(pod: Object) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions") or ())
