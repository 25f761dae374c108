"""A lab: predict with the simulator, run on a cluster, lay one over the other, clean up.

    lab = Lab("liveness", "manifests/liveness-exec.yaml", until=100)
    lab.predict()
    lab.run()
    lab.compare()
    lab.clean()

Each step may be done again; :meth:`Lab.run` in a namespace of its own each time.
"""

from __future__ import annotations

import atexit
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from selfheal.cluster import Cluster
from selfheal.errors import ApiError
from selfheal.labs import namespaces
from selfheal.labs.api import Api
from selfheal.labs.comparison import Compared
from selfheal.labs.context import PIN, Context
from selfheal.labs.errors import LabError, Unreachable
from selfheal.labs.namespaces import Namespace
from selfheal.labs.progress import progress
from selfheal.labs.recording import Recording, manifests, refuse
from selfheal.manifests import Source
from selfheal.objects import ref
from selfheal.scenario import Scenario
from selfheal.scenario.scenario import ActionSource
from selfheal.timeline import Timeline

SEEDS = 8
"""Simulated runs that make a prediction."""
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")

Say = Callable[[str], object]


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Lab:
    """One lab. Making it resolves the context and prints it; no request is made before :meth:`run`.

    ``source`` and ``actions`` are those of :class:`~selfheal.scenario.Scenario`, ``until`` its end in seconds
    of cluster time. Raises :class:`~selfheal.labs.errors.Unsafe` if the current context is none for a lab.
    """

    def __init__(
        self,
        name: str,
        source: Source = (),
        actions: ActionSource = None,
        *,
        until: float = 120,
        nodes: int = 3,
        scenario: Scenario | None = None,
        say: Say = _print,
    ) -> None:
        if not _NAME.fullmatch(name):
            raise LabError(f'"{name}" is no name for a lab: small letters, digits and hyphens, at most 40')
        self.name = name
        if isinstance(source, str) and "\n" not in source:
            source = Path(source)
        self.scenario = scenario or Scenario.load(source, actions, until=until, nodes=nodes, name=name)
        self.context: Context = PIN.context()
        self.predicted: list[Timeline] = []
        self.timeline: Timeline | None = None
        self._say = say
        self._api: Api | None = None
        self._namespace: Namespace | None = None
        self._made: list[str] = []
        say(f"Lab {name} runs on {self.context}.")

    # ---- the three steps

    def predict(self, seeds: int = SEEDS) -> Compared:
        """Run the scenario in the simulator, once a seed; shows what is to be expected."""
        self.predicted = [self._simulated(seed) for seed in range(seeds)]
        return Compared(None, self.predicted)

    def run(self, live: bool = True) -> Timeline:
        """Perform the scenario on the cluster and record what happens; ``live`` shows how far it is.

        What goes wrong, Ctrl-C included, removes the namespace before it is raised.
        """
        self.clean()
        refuse(self.api, self.scenario)
        self._offer()
        try:
            namespace = self._make()
            recording = Recording(self.api, namespace.name, self.scenario)
            with progress(self.scenario.until, live) as tick:
                self.timeline = recording.run(tick)
        except BaseException:
            self._clean_quietly()
            raise
        return self.timeline

    def compare(self, backend: str = "svg") -> Compared:
        """Prediction and reality laid on each other; with ``backend="matplotlib"`` its picture is a figure."""
        if self.timeline is None:
            raise LabError("there is nothing to compare yet: run() comes first")
        if not self.predicted:
            self.predict()
        return Compared(self.timeline, self.predicted, backend=backend)

    # ---- round about

    @property
    def api(self) -> Api:
        """The cluster's API."""
        if self._api is None:
            self._api = Api(self.context)
        return self._api

    @property
    def namespace(self) -> str:
        """The lab's namespace, for a kubectl of your own; made if there is none."""
        return self._make().name

    def kubectl(self, line: str) -> str:
        """What kubectl says, in the lab's namespace: ``lab.kubectl("get pods")``."""
        import shlex
        import subprocess

        from selfheal.labs.verbs import program

        words = [program("kubectl"), "--namespace", self.namespace, *shlex.split(line)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603
        return (done.stdout + done.stderr).rstrip()

    def clean(self) -> None:
        """Remove the namespace with all that is in it, and list what that was. Twice does no harm."""
        if self._namespace is None:
            return
        self._namespace.remove()
        name, self._namespace = self._namespace.name, None
        self._say(f"Removed: namespace {name}, and in it {', '.join(self._made) or 'nothing'}.")
        self._made = []

    def sweep(self) -> None:
        """Remove what labs that were cut off have left behind on this cluster."""
        names = namespaces.sweep(self.api)
        self._say(f"Removed: {', '.join(names)}." if names else "There was nothing left over.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, of: TracebackType | None) -> None:
        if error is None:
            self.clean()
        else:
            self._clean_quietly()

    # ---- inner

    def _simulated(self, seed: int) -> Timeline:
        scenario = Scenario.load(
            self.scenario.manifests,
            self.scenario.actions,
            seed=seed,
            nodes=self.scenario.nodes,
            second=self.scenario.second,
            until=self.scenario.until,
            name=self.name,
        )
        return Cluster.of(scenario).play(scenario).timeline

    def _make(self) -> Namespace:
        if self._namespace is None:
            self._namespace = Namespace.make(self.api, self.name)
            atexit.register(self._clean_quietly)
            applied = [m for a in self.scenario.actions for m in a.manifests]
            named = [m for m in (*manifests(self.scenario), *applied) if m["metadata"].get("name")]
            self._made = list(dict.fromkeys(map(ref, named)))
        return self._namespace

    def _offer(self) -> None:
        found = [obj["metadata"]["name"] for obj in namespaces.left_over(self.api)]
        if found:
            self._say(f"Labs that were cut off have left {', '.join(found)}; lab.sweep() removes that.")

    def _clean_quietly(self) -> None:
        """Clean up while something else is wrong; that stays what is told."""
        atexit.unregister(self._clean_quietly)
        for _ in range(3):
            try:
                self.clean()
            except Unreachable:
                time.sleep(1)
                continue
            except ApiError as error:
                self._say(f"The clean-up failed: {error}")
            return
        if self._namespace is not None:
            self._say(f"The cluster is gone, and namespace {self._namespace.name} with it or left on it. ")
            self._say("The next lab on this cluster offers to remove it.")
            self._namespace = None


def connect(kubeconfig: Any = None) -> Api:
    """The API of a running cluster, under the same rules of safety as a lab's."""
    import os

    from selfheal.labs.context import resolve

    return Api(PIN.context() if kubeconfig is None else resolve({**os.environ, "KUBECONFIG": str(kubeconfig)}))
