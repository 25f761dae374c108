"""A lab: predict with the simulator, run on a cluster, lay one over the other, clean up.

    lab = Lab("liveness", "manifests/liveness-exec.yaml", until=100)
    lab.predict()
    lab.run()
    lab.compare()
    lab.clean()

Each step may be done again; :meth:`Lab.run` in a namespace of its own each time. A lab without a scenario is for
work by hand:

    lab = Lab("game-day")
    with lab.recording() as timeline:
        lab.apply("manifests/shop.yaml")
        lab.wait("pod/shop Ready")
        lab.kubectl("delete pod shop")
    lab.clean()
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from weakref import WeakValueDictionary

from selfheal.cluster import Cluster
from selfheal.errors import ApiError
from selfheal.labs import hands_on, images, namespaces
from selfheal.labs.api import Api, client
from selfheal.labs.comparison import Compared
from selfheal.labs.context import PIN, Context
from selfheal.labs.errors import LabError, Unreachable
from selfheal.labs.fetching import fetch
from selfheal.labs.hands_on import Text, Wanted
from selfheal.labs.namespaces import Namespace
from selfheal.labs.progress import progress
from selfheal.labs.recording import Recording, refuse
from selfheal.labs.tools import program
from selfheal.labs.verbs import Hands, check, check_manifests
from selfheal.manifests import Source, read
from selfheal.scenario import Scenario
from selfheal.scenario.actions import action
from selfheal.scenario.scenario import ActionSource
from selfheal.timeline import Record, Timeline

TIMELINES = "LAB_TIMELINES"
"""The variable that names a folder for the timelines of all labs."""
SEEDS = 8
"""Simulated runs that make a prediction."""
_OPEN: WeakValueDictionary[tuple[str, int], Lab] = WeakValueDictionary()
"""The newest lab of each name, in each thread."""
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
        self.scenario = scenario or Scenario.load(_path(source), actions, until=until, nodes=nodes, name=name)
        self.context: Context = PIN.context()
        self.predicted: list[Timeline] = []
        self.timeline: Timeline | None = None
        self._say = say
        self._api: Api | None = None
        self._namespace: Namespace | None = None
        self._hands: Hands | None = None
        self._client: Any = None
        self._recording: Recording | None = None
        say(f"Lab {name} runs on {self.context}.")

    # ---- the three steps

    def predict(self, seeds: int = SEEDS) -> Compared:
        """Run the scenario in the simulator, once a seed; shows what is to be expected."""
        self.predicted = [self._simulated(seed) for seed in range(seeds)]
        return Compared(None, self.predicted)

    def run(self, live: bool = True, follow: Callable[[Record], object] | None = None) -> Timeline:
        """Perform the scenario on the cluster and record what happens; ``live`` shows how far it is.

        ``follow(record)`` is called for each record as it is written.

        What goes wrong, Ctrl-C included, removes the namespace before it is raised.
        """
        self.clean()
        refuse(self.api, self.scenario)
        self._offer()
        fetch(self.api, self.scenario, self._say)
        try:
            recording = Recording(self.api, self.namespace, self.scenario, self.hands)
            if follow is not None:
                recording.timeline.subscribe(follow)
            with progress(self.scenario.until, live) as tick:
                self.timeline = recording.run(tick)
        except BaseException:
            self._clean_quietly()
            raise
        self._keep(self.timeline)
        return self.timeline

    def compare(self, backend: str = "svg") -> Compared:
        """Prediction and reality laid on each other; with ``backend="matplotlib"`` its picture is a figure."""
        if self.timeline is None:
            raise LabError("there is nothing to compare yet: run() comes first")
        if not self.predicted:
            self.predict()
        return Compared(self.timeline, self.predicted, backend=backend)

    # ---- by hand

    @property
    def client(self) -> Any:
        """A ``kubernetes.client.ApiClient`` of the lab's cluster: ``kubernetes.client.CoreV1Api(lab.client)``."""
        if self._client is None:
            self._client = client(self.context)
        return self._client

    def image(self, name: str = images.PATIENT, fallback: str = images.AGNHOST) -> str:
        """``name`` if the cluster has that image or can be given it (kind, with Docker), otherwise ``fallback``."""
        return images.image(self.api, name, fallback)

    def apply(self, source: Source) -> Text:
        """Apply manifests in the lab's namespace; what kubectl says of them. Raises LabError."""
        wanted = tuple(m.object for m in read(_path(source)))
        check_manifests(wanted)
        return Text("\n".join(map(self.hands.apply, wanted)))

    def do(self, **entry: Any) -> Text:
        """One action now, as in an actions.yaml: ``lab.do(kill={"pod": "shop"})``. Recorded if that is going on.

        Gives what came of it. Raises LabError if this cluster cannot do it.
        """
        wanted = action({"at": 0, **entry}, "do", None)
        check(self.api, (wanted,))
        if self._recording is not None:
            return Text(self._recording.act(wanted))
        args, _ = self.hands.resolved(wanted)
        return Text(self.hands.perform(wanted, args))

    def wait(self, wanted: Wanted, timeout: float = 120) -> Any:
        """Wait, in cluster time: for ``"pod/web Ready"``, for a function that says so, or for some seconds.

        :func:`selfheal.labs.hands_on.wait` tells what can be waited for. Raises LabError with what was last seen.
        """
        return hands_on.wait(self.api, self.namespace, wanted, timeout)

    def kubectl(self, line: str) -> Text:
        """What kubectl says, in the lab's namespace: ``lab.kubectl("get pods")``."""
        words = [program("kubectl"), "--namespace", self.namespace, *shlex.split(line)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603
        return Text((done.stdout + done.stderr).rstrip())

    @contextlib.contextmanager
    def recording(self) -> Iterator[Timeline]:
        """What happens in the namespace while this lasts, as a timeline: ``with lab.recording() as timeline:``.

        Its second 0 is when the first object is seen. Raises LabError in the end if something was missed.
        """
        recording = self._recording = Recording(self.api, self.namespace, hands=self.hands)
        recording.timeline.header["scenario"] = self.name
        try:
            with recording.following() as self.timeline:
                yield self.timeline
            self._keep(self.timeline)
        finally:
            self._recording = None

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
        if self._namespace is None:
            before = _OPEN.get(key := (self.name, threading.get_ident()))
            if before is not None and before is not self:  # its cell was run again
                before.clean()
            _OPEN[key] = self
            self._namespace = Namespace.make(self.api, self.name)
            atexit.register(self._clean_quietly)
            self._namespace.furnished()
        return self._namespace.name

    @property
    def hands(self) -> Hands:
        """What acts in the namespace."""
        if self._hands is None:
            self._hands = Hands(self.api, self.namespace)
        return self._hands

    def clean(self) -> None:
        """Remove the namespace with all that is in it, and list what that was. Twice does no harm."""
        if self._namespace is None:
            return
        if self._hands is not None:  # a pod on a node without power would keep the namespace for ever
            for done in self._hands.restore():
                self._say(f"Put right: {done}.")
        name, held = self._namespace.name, namespaces.held(self.api, self._namespace.name)
        self._namespace.remove()
        self._namespace = self._hands = None
        self._say(f"Removed: namespace {name}, and in it {', '.join(held) or 'nothing'}.")

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

    def _keep(self, timeline: Timeline) -> None:
        """Write a timeline where somebody wants them all."""
        folder = os.environ.get(TIMELINES)
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            timeline.save(Path(folder) / f"{self.name}.jsonl")

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
            self._say(f"The cluster is gone, and namespace {self._namespace.name} with it or left on it.")
            self._say("The next lab on this cluster offers to remove it.")
            self._namespace.give_up()
            self._namespace = self._hands = None


def _path(source: Source) -> Source:
    """A text of one line is a path."""
    return Path(source) if isinstance(source, str) and "\n" not in source else source
