"""The container runtime of one node: sandboxes, containers, signals, exec.

What the CRI is to the kubelet (staging/src/k8s.io/cri-api). Nothing here takes time by itself:
what a real runtime needs for a start or a stop, the kubelet draws. Texts are those of containerd
and runc. Times are µs of cluster time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import simpy

from selfheal.chance import Chance
from selfheal.clock import SECOND, Clock
from selfheal.network import Addresses, Interface, Network
from selfheal.probes.exec import expand
from selfheal.programs import images, users
from selfheal.programs.filesystem import Directory, Executable, File, FileError, Filesystem, Node
from selfheal.programs.kernel import Kernel
from selfheal.programs.process import SIGNALS, Process, Program, Running
from selfheal.programs.streams import Capture, Keyboard, Pipe, Sink, Stream, Text
from selfheal.rules import Cause, rule

if TYPE_CHECKING:
    from selfheal import spec

State = Literal["created", "running", "exited"]

EXITED = rule("process exit", "", "")
OOM = rule("out of memory", "", "")
POWER = rule("power cut", "", "")
FORCED = rule("forced stop", "staging/src/k8s.io/cri-api/pkg/apis/runtime/v1/api.proto", "StopContainer")
TOLD = rule("app changed by itself", "", "")
SWITCHED = rule("app switched", "", "")

MESSAGE_LIMIT = 4096
"""Bytes of a termination message; of a longer one, the last (container/runtime.go, tail.go ReadAtMost)."""
MESSAGE_LOG_LINES, MESSAGE_LOG_BYTES = 80, 2048
"""What FallbackToLogsOnError takes of the log's end."""

HOSTS = "127.0.0.1\tlocalhost\n127.0.1.1\t{}\n::1\tlocalhost ip6-localhost ip6-loopback\n"
"""A node's /etc/hosts."""

JUST_ENDED = 100_000
"""µs after a container's end in which containerd may not have noticed it."""

LOG_LINES = 20_000
"""Lines kept of a container's log; the older half is dropped beyond."""


ANSWERS = "its program answers differently"
"""How a container has changed, where no process of it did anything."""


class StartError(Exception):
    """A container that could not be started. The text is the runtime's."""


class Exec:
    """A command run in a container."""

    __slots__ = ("_finished", "clock", "container", "err", "error", "out", "process", "steady")

    def __init__(self, clock: Clock, container: Container) -> None:
        self.clock = clock
        self.container = container
        self.process: Process | None = None
        self.error: str | None = None
        """Why the runtime could not run it at all."""
        self.steady = False
        """Whether running it again gives the same, as long as the container's version does not change."""
        self.out = Capture(left=self.settle)
        self.err = Capture(left=self.settle)
        self._finished: simpy.Event | None = None

    @property
    def ended(self) -> bool:
        """Whether the command itself is over."""
        return self.process is None or self.process.ended

    @property
    def done(self) -> bool:
        """Whether the runtime says that it is over: not while a child of it still holds its output.

        (containerd internal/cri/server/container_execsync.go drainExecSyncIO, which waits without limit)
        """
        return self.ended and not self.out.holders and not self.err.holders

    @property
    def exit_code(self) -> int:
        """Of the command; 128 if it could not be run at all."""
        return 128 if self.process is None else self.process.exit_code

    @property
    def stdout(self) -> str:
        return self.out.text

    @property
    def stderr(self) -> str:
        return self.err.text

    @property
    def output(self) -> str:
        """Standard output, then standard error."""
        return self.out.text + self.err.text

    @property
    def finished(self) -> simpy.Event:
        """Triggered when the command has ended; its value is this object."""
        if self._finished is None:
            self._finished = self.clock.event()
            if self.done:
                self._finished.succeed(self)
        return self._finished

    def settle(self, _: Process | None = None) -> None:
        """Called when the process is over, and when nobody holds its output any more."""
        if self._finished is not None and self.done and not self._finished.triggered:
            self._finished.succeed(self)

    def kill(self) -> None:
        """Kill the command's process; what it has put in the background lives on."""
        if self.process is not None:
            self.container.kernel.signal(self.process, "KILL", outside=True)


class Sandbox:
    """What the containers of a pod share: its network and its host name."""

    __slots__ = (
        "cause",
        "containers",
        "host_network",
        "id",
        "interface",
        "name",
        "namespace",
        "pod_uid",
        "ready",
    )

    def __init__(
        self, ident: str, pod_uid: str, namespace: str, name: str, interface: Interface, host_network: bool
    ) -> None:
        self.id = ident
        self.pod_uid = pod_uid
        self.namespace = namespace
        self.name = name
        self.interface = interface
        self.host_network = host_network
        self.ready = True
        self.cause: Cause | None = None
        """Why it was made."""
        self.containers: list[Container] = []
        """All containers ever created in it and not removed, oldest first."""

    @property
    def ip(self) -> str:
        return self.interface.ip


class Container:
    """One instance of a container of a pod. A restart makes another."""

    __slots__ = (
        "_exited",
        "_watchers",
        "altered_at",
        "altered_by",
        "argv",
        "attempt",
        "cause",
        "changed_at",
        "changed_by",
        "created_at",
        "cwd",
        "env",
        "err",
        "exit_code",
        "failed_execs",
        "finished_at",
        "followers",
        "id",
        "image",
        "kernel",
        "log",
        "message",
        "name",
        "out",
        "pod_uid",
        "reason",
        "runtime",
        "sandbox",
        "screens",
        "spec",
        "started_at",
        "started_by",
        "state",
        "stdin",
        "stop_signalled",
        "unfinished",
        "version",
    )

    def __init__(self, runtime: Runtime, sandbox: Sandbox, of: spec.Container, attempt: int) -> None:
        clock = runtime.clock
        self.runtime = runtime
        self.sandbox = sandbox
        self.spec = of
        self.name = of.name
        self.image = of.image
        self.attempt = attempt
        self.pod_uid = sandbox.pod_uid
        self.id = runtime.chance.fresh("container", sandbox.pod_uid, of.name).hex(attempt, 64)
        self.state: State = "created"
        self.created_at = clock.now
        self.started_at: int | None = None
        self.finished_at: int | None = None
        self.exit_code: int | None = None
        self.reason = ""
        """``Completed``, ``Error``, ``OOMKilled``, ``StartError`` or ``Unknown``, once it has exited."""
        self.message = ""
        """The termination message, or why it could not start."""
        self.started_by: Cause | None = None
        """Why it was made."""
        self.cause: Cause | None = None
        """Why it ended."""
        self.log: list[tuple[int, str]] = []
        """(time, line) of its standard output and error."""
        self.unfinished = False
        """Whether the last line of its log has no end."""
        self.version = 0
        """Raised by every change that a probe could see."""
        self.argv: list[str] = []
        self.env: dict[str, str] = {}
        self.cwd = "/"
        self.stop_signalled = False
        """Whether it has been asked to end; nobody asks twice."""
        self.failed_execs = 0
        """Commands that could not be run; numbers the identities in the runtime's complaints."""
        self.changed_by: Cause | None = None
        """The last change that somebody outside made, or that its app told of …"""
        self.changed_at = 0
        """… and when that was."""
        self.altered_by = ANSWERS
        """The last change that its own processes made, in words …"""
        self.altered_at: int | None = None
        """… and when that was."""
        self.followers: list[Callable[[int, str], object]] = []
        """Called with the time and the text of each line of its log."""
        self.screens: list[Callable[[str], object]] = []
        """Terminals that show what process 1 asks those who type to it."""
        self.stdin: Pipe | None = Pipe() if of.stdin else None
        """What those who attach write, and process 1 reads."""
        self._watchers: list[Callable[[], None]] = []
        self.out = Sink(self._line, self._cut_off)
        self.err = Sink(self._line, self._cut_off)
        self._exited: list[simpy.Event] = []
        self.kernel: Kernel = None  # type: ignore[assignment]  # set by Runtime.create_container

    @property
    def fs(self) -> Filesystem:
        """Its files."""
        return self.kernel.fs

    @property
    def running(self) -> bool:
        return self.state == "running"

    def watch(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback()`` at each change that a probe could see, its end included. Gives what ends the watch."""
        self._watchers.append(callback)

        def unwatch() -> None:
            if callback in self._watchers:
                self._watchers.remove(callback)

        return unwatch

    def changed(self) -> None:
        """Something that a probe could see is different."""
        self.version += 1
        actor, now = self.kernel.actor, self.runtime.clock.now
        if actor is not None and actor.cause is not None:
            self.changed_by, self.changed_at = actor.cause, now
        else:
            self.altered_by = (
                ANSWERS if actor is None or actor.argv == self.argv else f"`{_short(actor.argv)}` ran in it"
            )
            self.altered_at = now
        for watcher in tuple(self._watchers):
            watcher()

    def report(self, healthy: bool, text: str, cause: Cause | None) -> None:
        """The app says how it is."""
        now = self.runtime.clock.now
        why = Cause(TOLD if cause is None else SWITCHED, cause, at=now, container=self.name, text=text)
        if not healthy or self.changed_by is not None:  # that it is well from the start is no change
            self.changed_by, self.changed_at = why, now
        self.runtime.on_report(self, healthy, text, why)

    def exited(self) -> simpy.Event:
        """An event that is triggered when the process has ended."""
        event = self.runtime.clock.event()
        if self.state == "running":
            self._exited.append(event)
        else:
            event.succeed(self)
        return event

    def show(self, text: str) -> None:
        """On the terminals of those who are attached."""
        for screen in tuple(self.screens):
            screen(text)

    def _cut_off(self) -> None:
        self.unfinished = True

    def _line(self, line: str) -> None:
        self.log.append((self.runtime.clock.now, line))
        if len(self.log) > LOG_LINES:
            del self.log[: LOG_LINES // 2]
        for follower in tuple(self.followers):
            follower(self.runtime.clock.now, line)

    def finish(self, code: int, reason: str, cause: Cause | None) -> None:
        """It is over."""
        self.out.flush()
        self.err.flush()
        self.state = "exited"
        self.finished_at = self.runtime.clock.now
        self.exit_code = code
        self.reason = reason
        self.cause = cause
        self.changed()
        waiting, self._exited = self._exited, []
        for event in waiting:
            event.succeed(self)

    def termination_message(self, code: int) -> str:
        """What the process left for its status (kuberuntime_container.go getTerminationMessage)."""
        try:
            text = self.fs.read(self.spec.termination_message_path)
        except FileError:
            text = ""
        if text:
            return text.encode()[-MESSAGE_LIMIT:].decode(errors="ignore")
        if code == 0 or self.spec.termination_message_policy != "FallbackToLogsOnError":
            return ""
        tail = "".join(f"{line}\n" for _, line in self.log[-MESSAGE_LOG_LINES:])
        if self.unfinished:
            tail = tail[:-1]
        return tail.encode()[-MESSAGE_LOG_BYTES:].decode(errors="ignore")


class Runtime:
    """The container runtime of one node."""

    def __init__(
        self, clock: Clock, chance: Chance, network: Network, node: str, node_ip: str = "", pods: str = "10.88.1.0/24"
    ) -> None:
        self.clock = clock
        self.chance = chance
        self.network = network
        self.node = node
        self.node_ip = node_ip or node
        self.addresses = Addresses(pods)
        """What the node gives its pods; kept over a restart of its kubelet."""
        self.host = Filesystem(Directory({"etc": Directory({"hosts": HOSTS.format(node)})}), clock.unix)
        """The node's own files, as far as pods see any."""
        self.sandboxes: dict[str, Sandbox] = {}
        """The newest sandbox of each pod, by the pod's uid."""
        self.images: dict[str, None] | None = None
        """Names of the images that lie on the node; None: all those that a program stands for."""
        self.stand_ins: Mapping[str, images.Image] = {}
        """Images by their full names that stand for others; whatever they are told to run, they run their own."""
        self.on_change: Callable[[str], None] = lambda _: None
        """Called with the pod's uid when a container is created, starts or ends, and when its sandbox comes or goes."""
        self.on_report: Callable[[Container, bool, str, Cause | None], None] = lambda *_: None
        """Called when an app says how it is: (container, healthy, text, cause)."""
        self._pulled: dict[str, None] = {}
        self._containers: dict[str, Container] = {}
        network.attach(self.node_ip, node)

    # ---- images

    def has_image(self, name: str) -> bool:
        """Whether an image lies on the node."""
        if name in self._pulled or name in self.stand_ins:
            return True
        if self.images is None:
            return images.find(name) is not None
        return name in self.images

    def add_image(self, name: str) -> None:
        """An image has been pulled."""
        self._pulled[name] = None

    # ---- sandboxes

    def run_sandbox(self, pod_uid: str, namespace: str, name: str, ip: str, host_network: bool = False) -> Sandbox:
        """Give a pod its network: the address ``ip``, or the node's own."""
        address = self.node_ip if host_network else ip
        if not host_network:
            self.network.attach(address, self.node)
        stream = self.chance.stream("sandbox", pod_uid)
        ident = stream.hex(stream.next(), 64)
        sandbox = Sandbox(ident, pod_uid, namespace, name, Interface(self.network, address, namespace), host_network)
        before = self.sandboxes.get(pod_uid)
        if before is not None:
            sandbox.containers = before.containers  # their records stay, so that restarts go on counting
        self.sandboxes[pod_uid] = sandbox
        self.on_change(pod_uid)
        return sandbox

    def stop_sandbox(self, sandbox: Sandbox, cause: Cause | None = None) -> None:
        """Kill what still runs in it and take its network away."""
        for container in sandbox.containers:
            self.kill(container, cause=cause)
        if sandbox.ready:
            sandbox.ready = False
            self.disconnect(sandbox)
            self.on_change(sandbox.pod_uid)

    def disconnect(self, sandbox: Sandbox) -> None:
        """Take the sandbox's network away, which is the first half of stopping it: nothing answers there any more."""
        if not sandbox.host_network:
            self.network.detach(sandbox.ip)
            self.addresses.release(sandbox.ip)

    def remove_sandbox(self, pod_uid: str) -> None:
        """Stop and forget a pod's sandbox and its containers."""
        sandbox = self.sandboxes.get(pod_uid)
        if sandbox is not None:
            self.stop_sandbox(sandbox)
            del self.sandboxes[pod_uid]

    # ---- containers

    def container(self, container_id: str) -> Container | None:
        """The container with that id, dead or alive, until it is removed."""
        return self._containers.get(container_id)

    def containers_of(self, pod_uid: str) -> list[Container]:
        """All containers of a pod that have not been removed, oldest first."""
        sandbox = self.sandboxes.get(pod_uid)
        return [] if sandbox is None else list(sandbox.containers)

    def create_container(
        self,
        sandbox: Sandbox,
        of: spec.Container,
        *,
        attempt: int = 0,
        env: Mapping[str, str] | None = None,
        mounts: Mapping[str, Node] | None = None,
        read_only: Collection[str] = (),
        hosts: str | None = None,
    ) -> Container:
        """Make a container with a file system of its own. ``env`` is complete; ``mounts`` are volumes by path.

        ``read_only``: paths of volumes that it may not change. ``hosts``: its /etc/hosts.

        ``$(NAME)`` in command and args is replaced from ``env`` (helpers.go ExpandContainerCommandAndArgs).
        """
        image = self.stand_ins.get(of.image) or images.image(of)
        container = Container(self, sandbox, of, attempt)
        hostname = self.node if sandbox.host_network else sandbox.name[:63].rstrip("-.")
        container.env = {**image.env, "HOSTNAME": hostname, "HOME": "/root", **(env or {})}
        command = [expand(word, container.env) for word in of.command]
        args = [expand(word, container.env) for word in of.args]
        container.argv = (command or list(image.entrypoint)) + (args or ([] if command else list(image.cmd)))
        container.cwd = of.working_dir or image.workdir
        fs = Filesystem(image.root(hostname, sandbox.ip, sandbox.namespace, hosts), self.clock.unix)
        limit = of.limits.get("memory")
        container.kernel = kernel = Kernel(
            self.clock,
            fs,
            sandbox.interface,
            hostname,
            container.out,
            container.err,
            self.chance.fresh("program", container.id),
            on_end=lambda code, cause: self._ended(container, code, cause),
            on_change=container.changed,
            on_report=container.report,
            memory_limit=limit,
            spec=of,
            user=users.user(of.security, image.user, image.members),
        )
        fs.write(of.termination_message_path, "")
        if not fs.is_dir(container.cwd):
            fs.mkdir(container.cwd, parents=True)
        for path, node in (mounts or {}).items():
            if path in read_only and isinstance(node, Directory):
                fs.close(node := node.view())
            fs.mount(path, node, kernel.changed)
        if of.security.read_only_root_filesystem:
            fs.close(fs.root)
        sandbox.containers.append(container)
        self._containers[container.id] = container
        self.on_change(container.pod_uid)
        return container

    def start_container(self, container: Container, boot: int = 0) -> None:
        """Run its process 1, whose first instruction comes ``boot`` µs later. StartError if there is no command."""
        try:
            program, argv = self._first_program(container)
        except StartError as error:
            text = (
                "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
                f"runc create failed: unable to start container process: {error}"
            )
            container.message = text
            container.kernel.halt()
            container.finish(128, "StartError", None)
            self.on_change(container.pod_uid)
            raise StartError(text) from None
        container.state = "running"
        container.started_at = container.kernel.started_at = self.clock.now
        self.on_change(container.pod_uid)
        read = Stream()
        if container.stdin is not None:
            container.stdin.inlet.retain()
            read = Keyboard(container.stdin, container.show)
        fds: dict[int, Stream] = {0: read, 1: container.out, 2: container.err}
        container.kernel.visit(_after(boot, program), argv, dict(container.env), container.cwd, fds)

    def stop_container(
        self, container: Container, grace: int, cause: Cause | None = None, cancelled: simpy.Event | None = None
    ) -> simpy.Event:
        """Ask the process to end, and kill it after ``grace`` µs. The event is triggered when it has ended.

        A call that is ``cancelled`` kills nothing any more. A later one does not repeat the signal; it only kills
        after a grace period of its own (containerd's stopContainer).
        """
        if not container.running:
            return container.exited()
        done = container.exited()
        signal = self.stop_signal(container)

        def force() -> None:
            seconds = f"{grace / SECOND:g}"
            why = Cause(
                FORCED, cause, at=self.clock.now, container=container.name, grace=seconds, signal=f"SIG{signal}"
            )
            self.kill(container, "KILL", why)

        timer = self.clock.after(grace, force)
        assert done.callbacks is not None
        done.callbacks.append(lambda _: timer.cancel())
        if cancelled is not None and cancelled.callbacks is not None:
            cancelled.callbacks.append(lambda _: timer.cancel())
        if not container.stop_signalled:
            container.stop_signalled = True
            self.kill(container, signal, cause)
        return done

    def stop_signal(self, container: Container) -> str:
        """The signal that asks a container to end: its own, its image's, or TERM."""
        lifecycle = container.spec.lifecycle
        if lifecycle is not None and lifecycle.stop_signal:
            return lifecycle.stop_signal.removeprefix("SIG")
        image = images.find(container.image)
        return "TERM" if image is None else image.stop_signal

    def kill(self, container: Container, signal: str = "KILL", cause: Cause | None = None) -> None:
        """Send a signal to process 1 from outside."""
        first = container.kernel.processes.get(1)
        if not container.running or first is None:
            return
        signal = signal.removeprefix("SIG")
        if signal not in SIGNALS:
            raise ValueError(f"unknown signal {signal!r}")
        container.kernel.signal(first, signal, cause, outside=True)

    # ---- what can be done to a running program from outside

    def hang(self, container: Container, on: bool = True, cause: Cause | None = None) -> None:
        """Freeze process 1 (SIGSTOP): it accepts connections and answers nothing; ``on=False``: let it go on."""
        self.kill(container, "STOP" if on else "CONT", cause)
        container.changed_by, container.changed_at = cause, self.clock.now

    def slow(self, container: Container, delay: int, cause: Cause | None = None) -> None:
        """Let its servers answer ``delay`` µs later than they would; 0: as they would."""
        container.kernel.lag = delay
        container.kernel.interface.changed()
        container.changed_by, container.changed_at = cause, self.clock.now

    def leak(self, container: Container, per_second: int, cause: Cause | None = None) -> None:
        """Let process 1 take so many bytes more each second, until it meets the container's memory limit."""
        kernel = container.kernel
        first = kernel.processes.get(1)
        if first is None or kernel.memory_limit is None or per_second <= 0:
            return
        left = kernel.memory_limit - kernel.memory
        wait = max(0, left) * SECOND // per_second + 1

        def full() -> None:
            if not first.ended:
                first.cause = cause or first.cause
                kernel.allocate(first, kernel.memory_limit + 1)  # type: ignore[operator]

        first.after(wait / SECOND, full)

    def remove_container(self, container: Container) -> None:
        """Forget an exited container."""
        if container in container.sandbox.containers:
            container.sandbox.containers.remove(container)
        self._containers.pop(container.id, None)
        self.on_change(container.pod_uid)

    def _ended(self, container: Container, code: int, cause: Cause | None) -> None:
        if container.kernel.oom_killed:
            reason, cause = "OOMKilled", Cause(OOM, at=self.clock.now, container=container.name)
        else:
            reason = "Completed" if code == 0 else "Error"
        if cause is None:
            cause = Cause(EXITED, at=self.clock.now, container=container.name, exit_code=code)
        container.out.flush()
        container.err.flush()
        container.message = container.termination_message(code)
        container.finish(code, reason, cause)
        self.on_change(container.pod_uid)

    # ---- exec

    def exec(
        self,
        container: Container,
        argv: Sequence[str],
        cause: Cause | None = None,
        stdin: str | None = None,
        streams: tuple[Stream, Stream, Stream] | None = None,
    ) -> Exec:
        """Run a command in a container, with its environment, working directory and files.

        Its output is kept, unless somebody gives the ``streams`` that it shall read from and write to.
        """
        run = Exec(self.clock, container)
        if not container.running:
            run.error = self._not_running(container)
            return run
        try:
            program, words = self._program(container, list(argv))
        except StartError as error:
            ident = self.chance.stream("exec", container.id).hex(container.failed_execs, 64)
            container.failed_execs += 1
            problem = f"OCI runtime exec failed: exec failed: unable to start container process: {error}"
            text = f'failed to exec in container: failed to start exec "{ident}": {problem}'
            run.error = f"rpc error: code = Unknown desc = {text}"
            return run
        kernel = container.kernel
        before = kernel.mark()
        read, out, err = streams or (Stream() if stdin is None else Text(stdin), run.out, run.err)
        fds: dict[int, Stream] = {0: read, 1: out, 2: err}
        run.process = kernel.visit(program, words, dict(container.env), container.cwd, fds, cause)
        if run.done:
            run.steady = kernel.mark() == before
        elif not run.ended:
            run.process.on_end = run.settle
        return run

    def _not_running(self, container: Container) -> str:
        """Why nothing can be run in it. Just after its end containerd may not know of that, and miss its task."""
        if container.finished_at is not None and self.clock.now - container.finished_at < JUST_ENDED:
            number = container.failed_execs
            container.failed_execs += 1
            if self.chance.stream("exec", container.id).uniform(number) < 0.5:
                missing = f"no running task found: task {container.id} not found"
                return f"rpc error: code = NotFound desc = failed to exec in container: failed to load task: {missing}"
        state = "CONTAINER_EXITED" if container.state == "exited" else "CONTAINER_CREATED"
        return f"rpc error: code = Unknown desc = failed to exec in container: container is in {state} state"

    def _first_program(self, container: Container) -> tuple[Program, list[str]]:
        """What runs as process 1. Commands that an unknown image may well have are its plain server."""
        stand_in = self.stand_ins.get(container.image)
        if stand_in is not None:
            return stand_in.programs[stand_in.entrypoint[0]], container.argv
        try:
            return self._program(container, container.argv)
        except StartError:
            if images.find(container.image) is not None:
                raise
            return images.PLAIN.programs[images.PLAIN.entrypoint[0]], container.argv

    def _program(self, container: Container, argv: list[str]) -> tuple[Program, list[str]]:
        """What runs for a command line. StartError with runc's text if it cannot be run."""
        name = argv[0] if argv else ""
        found = container.kernel.command(name, container.env.get("PATH", ""), container.cwd)
        if isinstance(found, Executable):
            return found.program, argv
        if isinstance(found, File) and found.mode & 0o111:
            line, *_ = found.text.partition("\n")
            if not line.startswith("#!"):
                raise StartError(f'exec: "{name}": exec format error')
            words = line[2:].split()
            shell = container.kernel.command(words[0], "", "/") if words else None
            if not isinstance(shell, Executable):
                raise StartError(f'exec: "{name}": no such file or directory')
            return shell.program, [*words, name, *argv[1:]]
        if found is not None or container.kernel.fs.is_dir(name if "/" in name else "/no/such"):
            raise StartError(f'exec: "{name}": permission denied')
        if "/" in name:
            raise StartError(f'exec: "{name}": stat {name}: no such file or directory')
        raise StartError(f'exec: "{name}": executable file not found in $PATH')

    # ---- the node's power

    def power_off(self, cause: Cause | None = None) -> None:
        """Power cut: every process is gone at once, and nobody is told."""
        why = Cause(POWER, cause, at=self.clock.now, node=self.node)
        self.network.power(self.node, on=False)
        for sandbox in self.sandboxes.values():
            sandbox.ready = False
            for container in sandbox.containers:
                if container.running:
                    container.kernel.halt()
                    container.finish(255, "Unknown", why)
            self.disconnect(sandbox)

    def power_on(self) -> None:
        """The node boots: the runtime finds that the containers it knew are gone, and takes now for their end."""
        self.network.power(self.node, on=True)
        for sandbox in self.sandboxes.values():
            for container in sandbox.containers:
                if container.reason == "Unknown":
                    container.finished_at = self.clock.now


def _after(boot: int, program: Program) -> Program:
    """The program, whose first instruction comes ``boot`` µs after its process was made.

    What Go has compiled ends with 2 if it is told so before it could ask for the signal (runtime dieFromSignal); all
    else does not hear of it, as process 1.
    """
    if not boot:
        return program

    def booted(process: Process) -> Running:
        if program in images.GO:
            process.on("TERM", lambda: process.exit(2))
        yield process.sleep(boot / SECOND)
        process.handlers.clear()
        running = program(process)
        return (yield from running) if isinstance(running, Generator) else running

    return booted


def _short(argv: Sequence[str]) -> str:
    """A command line for a sentence."""
    text = " ".join(" ".join(argv).split())
    return text if len(text) <= 60 else text[:59] + "…"
