"""Images of a node: present or pulled (pkg/kubelet/images/image_manager.go)."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

import simpy

from selfheal.chance import Chance
from selfheal.clock import MILLISECOND, SECOND, Clock
from selfheal.events import EventRecorder
from selfheal.kubelet.backoff import Backoff
from selfheal.kubelet.hooks import CANCELED
from selfheal.objects import Object, uid
from selfheal.rules import Cause
from selfheal.runtime import Runtime
from selfheal.spec import Container

REFUSING = (".example", ".invalid", ".test", "localhost")
"""Registries that refuse connections: names that exist nowhere (RFC 2606), and nodes on which there is none."""

ABSENT = ("404", "nonexistent")
"""Tags that say that there is no such image."""

PULL_SECONDS = (1.0, 4.0)
REFUSAL = 10 * MILLISECOND
CHECK_SECONDS = (0.3, 1.0)
"""How long a pull takes, and one that finds the image up to date (policy Always). Not measured, since
the recorded cluster pulls nothing."""


REPOSITORY = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
REFERENCE = re.compile(
    rf"(?:[a-zA-Z0-9.-]+(?::[0-9]+)?/)?{REPOSITORY}(?:/{REPOSITORY})*"
    r"(?::\w[\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?",
    re.ASCII,
)
"""What names an image (distribution/reference regexp.go)."""


class ImagePullError(Exception):
    """A container cannot start for want of its image."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class ImageManager:
    """EnsureImageExists for one node."""

    def __init__(self, clock: Clock, chance: Chance, runtime: Runtime, events: EventRecorder) -> None:
        self._clock = clock
        self._chance = chance
        self._runtime = runtime
        self._events = events
        self._backoff = Backoff()
        self._failed: dict[str, tuple[int, str]] = {}  # key -> (when, error) of the last failed pull
        self._free_at = 0
        """When the pulls that were asked for are done: a node pulls one image at a time (serializeImagePulls)."""

    def ensure(
        self, pod: Object, c: Container, cause: Cause | None, cancelled: simpy.Event
    ) -> Generator[simpy.Event, Any, None]:
        """Leaves the events; raises :class:`ImagePullError` where the image cannot be had.

        A sync that is ``cancelled``, since its pod is being deleted, goes on to its other containers, and the runtime's
        client refuses what it is asked about their images.
        """
        image, now = c.image, self._clock.now

        def event(kind: str, reason: str, message: str) -> None:
            self._events.event(pod, kind, reason, message, field=c.field_path, cause=cause)

        def failed(reason: str, message: str) -> ImagePullError:
            event("Warning", "Failed", f"Error: {reason}")
            return ImagePullError(reason, message)

        wrong = misnamed(image)
        if wrong:
            message = f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": {wrong}'
            event("Warning", "InspectFailed", message)
            raise failed("InvalidImageName", message)
        if cancelled.triggered and c.image_pull_policy != "Always":
            message = f'Failed to inspect image "": {CANCELED}'
            event("Warning", "InspectFailed", message)
            raise failed("ImageInspectError", message)
        if self._runtime.has_image(image) and c.image_pull_policy != "Always":
            event(
                "Normal",
                "Pulled",
                f'Container image "{image}" already present on machine and can be accessed by the pod',
            )
            return
        if c.image_pull_policy == "Never":
            message = f'Container image "{image}" is not present with pull policy of Never'
            event("Warning", "ErrImageNeverPull", message)
            raise failed("ErrImageNeverPull", message)
        key = f"{uid(pod)}_{image}"
        if key in self._failed:
            when, error = self._failed[key]
            if self._backoff.is_in_backoff(key, now, now) and now - when < self._backoff.get(key):
                event("Normal", "BackOff", f'Back-off pulling image "{image}"')
                raise failed("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {error}')
        event("Normal", "Pulling", f'Pulling image "{image}"')
        stream = self._chance.stream("pull", uid(pod), image)
        registries = self._runtime.network.registries
        registry = registry_of(image)
        refused = registry.endswith(REFUSING) or registries.get(registry, 0) is None
        if refused or image.rpartition(":")[2] in ABSENT:
            yield self._in_turn(REFUSAL)
            error = _refused(image) if refused else _unknown(image)
            event("Warning", "Failed", f'Failed to pull image "{image}": {error}')
            self._backoff.next(key, self._clock.now, self._clock.now)
            self._failed[key] = (self._clock.now, error)
            raise failed("ErrImagePull", error)
        low, high = CHECK_SECONDS if self._runtime.has_image(image) else PULL_SECONDS
        pull = (registries.get(registry) or 0) + int((low + (high - low) * stream.uniform(stream.next())) * SECOND)
        yield self._in_turn(pull)
        self._runtime.add_image(image)
        took, waited = f"{pull / SECOND:.3f}s", f"{(self._clock.now - now) / SECOND:.3f}s"
        event(
            "Normal",
            "Pulled",
            f'Successfully pulled image "{image}" in {took} ({waited} including waiting). Image size: 12345678 bytes.',
        )

    def _in_turn(self, pull: int) -> simpy.Event:
        """Wait for the pulls before this one, and for its own (puller.go serialImagePuller)."""
        self._free_at = max(self._free_at, self._clock.now) + pull
        return self._clock.sleep(self._free_at - self._clock.now)


def misnamed(image: str) -> str:
    """What is wrong with an image's name, or nothing (distribution/reference ParseNormalizedNamed)."""
    first, slash, rest = image.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost" or first.lower() != first):
        rest = image if slash else f"library/{image}"
    repository = rest.partition(":")[0]
    if repository != repository.lower():
        return f"invalid reference format: repository name ({repository}) must be lowercase"
    return "" if REFERENCE.fullmatch(image) else "invalid reference format"


def registry_of(image: str) -> str:
    """The host that an image is pulled from, without its port (distribution/reference ParseNormalizedNamed)."""
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first.partition(":")[0]
    return "docker.io"


def _unknown(image: str) -> str:
    """containerd's text when a registry has no such image."""
    return f'failed to pull and unpack image "{image}": failed to resolve image: {image}: not found'


def _refused(image: str) -> str:
    """containerd's text when a registry refuses the connection."""
    host, _, path = image.partition("/")
    if registry_of(image) == "docker.io":
        host, path = "registry-1.docker.io", image if "/" in image else f"library/{image}"
    repository, _, tag = path.rpartition(":") if ":" in path else (path, "", "latest")
    port = host.partition(":")[2] or "443"
    url = f"https://{host}/v2/{repository}/manifests/{tag}"
    return (
        f'failed to pull and unpack image "{image}": failed to resolve image: failed to do request: '
        f'Head "{url}": dial tcp 127.0.0.1:{port}: connect: connection refused'
    )
