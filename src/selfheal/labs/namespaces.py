"""A namespace of a lab's own: made by it, marked as its own, and the only one that it ever removes.

Its name is new each time, so two labs at once do not meet. It is removed by name *and* uid: one that somebody else made
under the same name is left alone. Who made it stands in it, so that the next lab can tell what an earlier one left.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import time

from selfheal.labs.api import Api
from selfheal.labs.errors import LabError, Refused, Unreachable
from selfheal.objects import Object, ref

OWNED = "app.kubernetes.io/managed-by"
OWNER = "selfheal-labs"
LAB = "selfheal.dev/lab"
PROCESS = "selfheal.dev/process"
"""Annotation: host and process id."""
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
FINALIZER = "selfheal.dev/"
"""How the finalizers of the labs' own controllers begin."""
PATIENCE = 300.0
"""Seconds that a namespace may take to go."""
FURNISHED = 30.0
"""Seconds in which controllers fill it; a lab goes on without after that."""


class Namespace:
    """A namespace that was made here."""

    def __init__(self, api: Api, made: Object) -> None:
        self._api = api
        self.name: str = made["metadata"]["name"]
        self.uid: str = made["metadata"]["uid"]
        self.removed = False

    @classmethod
    def make(cls, api: Api, lab: str) -> Namespace:
        """A new one, still empty. Raises LabError."""
        for _ in range(5):
            name = f"lab-{lab}-{''.join(secrets.choice(ALPHABET) for _ in range(5))}"
            try:
                return cls(api, api.create(_wanted(name, lab)))
            except Refused as refusal:
                if refusal.status != 409:  # it exists: then it is not ours
                    raise
        raise LabError("no name is free for a namespace")

    def furnished(self) -> None:
        """Wait for what controllers put into a new one: before that no pod is admitted, or it waits for a volume."""
        end = time.monotonic() + FURNISHED
        for what in ("serviceaccounts/default", "configmaps/kube-root-ca.crt"):
            while time.monotonic() < end:
                try:
                    self._api.ask("GET", f"/api/v1/namespaces/{self.name}/{what}")
                    break
                except Refused:
                    time.sleep(0.1)

    def remove(self, wait: bool = True) -> None:
        """Remove it with all that is in it; twice does no harm. Raises LabError."""
        if self.removed:
            return
        _delete(self._api, self.name, self.uid)
        end = time.monotonic() + PATIENCE
        while wait and self._is_there():
            if time.monotonic() > end:
                raise LabError(f"namespace {self.name} is still being removed; `kubectl get namespace {self.name}`")
            _let_go(self._api, self.name)
            time.sleep(0.2)
        self.removed = True

    def give_up(self) -> None:
        """Nobody could reach the cluster: the next lab offers to remove it, though this process still runs."""
        GIVEN_UP.add(self.uid)

    def _is_there(self) -> bool:
        try:
            return _uid(self._api, self.name) == self.uid
        except Unreachable:  # for a moment; remove() has an end
            return True


GIVEN_UP: set[str] = set()
"""Unique ids of namespaces that this process could not remove."""


HELD = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ReplicationController",
    "Job",
    "CronJob",
    "Pod",
    "Service",
    "ConfigMap",
    "Secret",
    "PodDisruptionBudget",
    "HorizontalPodAutoscaler",
)
"""Kinds that a reader makes."""


def held(api: Api, namespace: str) -> list[str]:
    """What somebody made there: ``Deployment/web``, but not the pods that it has."""
    return [
        ref(obj)
        for kind in HELD
        for obj in api.list(kind, namespace).get("items") or ()
        if "ownerReferences" not in obj["metadata"] and obj["metadata"]["name"] != "kube-root-ca.crt"
    ]


def left_over(api: Api) -> list[Object]:
    """Namespaces of labs that ended without removing them: their process, if it was one of this machine, is gone."""
    found = api.list("Namespace", selector=f"{OWNED}={OWNER}").get("items") or ()
    return [obj for obj in found if "deletionTimestamp" not in obj["metadata"] and not _in_use(obj)]


def sweep(api: Api) -> list[str]:
    """Remove what is left over; the names."""
    found = left_over(api)
    for obj in found:
        _delete(api, obj["metadata"]["name"], obj["metadata"]["uid"])
        _let_go(api, obj["metadata"]["name"])
    return [obj["metadata"]["name"] for obj in found]


def _wanted(name: str, lab: str) -> Object:
    metadata = {
        "name": name,
        "labels": {OWNED: OWNER, LAB: lab},
        "annotations": {PROCESS: f"{socket.gethostname()} {os.getpid()}"},
    }
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def _delete(api: Api, name: str, uid: str) -> None:
    try:
        api.delete("Namespace", name, preconditions={"uid": uid})
    except Refused as refusal:
        if refusal.status not in (404, 409):  # gone already, or another one's
            raise


def _let_go(api: Api, namespace: str) -> None:
    """Take away what a lab's own controller, which may have ended, would hold the namespace back with."""
    for obj in api.list("ConfigMap", namespace).get("items") or ():
        finalizers = obj["metadata"].get("finalizers") or ()
        others = [f for f in finalizers if not f.startswith(FINALIZER)]
        if len(others) < len(finalizers):
            with contextlib.suppress(Refused):  # it has gone meanwhile
                api.patch("ConfigMap", obj["metadata"]["name"], {"metadata": {"finalizers": others}}, namespace)


def _uid(api: Api, name: str) -> str:
    try:
        return str(api.get("Namespace", name)["metadata"]["uid"])
    except Refused as refusal:
        if refusal.status == 404:
            return ""
        raise


def _in_use(obj: Object) -> bool:
    if obj["metadata"]["uid"] in GIVEN_UP:
        return False
    host, _, process = (obj["metadata"].get("annotations") or {}).get(PROCESS, "").rpartition(" ")
    if host != socket.gethostname() or not process.isdigit():
        return True  # another machine's: not for us to judge
    if int(process) == os.getpid():
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
