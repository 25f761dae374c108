"""What each namespace is given: the service account ``default``, and the certificate by which pods know the API server.

Follows pkg/controller/serviceaccount/serviceaccounts_controller.go and
pkg/controller/certificates/rootcacertpublisher/publisher.go.
"""

from __future__ import annotations

from selfheal.informers import Informers
from selfheal.objects import Object, name, terminating
from selfheal.rules import Cause, rule
from selfheal.store import Store
from selfheal.watches import WatchEvent

ACCOUNT = rule("serviceaccount.create", "pkg/controller/serviceaccount/serviceaccounts_controller.go", "syncNamespace")
CERTIFICATE = rule(
    "rootcacert.publish", "pkg/controller/certificates/rootcacertpublisher/publisher.go", "syncNamespace"
)
DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)
NO_CERTIFICATE = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"
"""Nobody here checks it."""


class NamespacePublisher:
    """Furnishes each new namespace. Begins to work when it is made."""

    def __init__(self, store: Store, informers: Informers) -> None:
        self._store = store
        informers["Namespace"].handle(self._changed)

    def _changed(self, event: WatchEvent) -> None:
        if event.type == "ADDED" and not terminating(event.object):
            self._furnish(name(event.object), event.cause)

    def _furnish(self, namespace: str, cause: Cause | None) -> None:
        if self._store.down:
            self._store.when_up(lambda: self._furnish(namespace, cause))
            return
        home = self._store.get("Namespace", "", namespace)
        if home is None or terminating(home):
            return
        self._create(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": namespace}},
            Cause(ACCOUNT, cause, namespace=namespace),
        )
        meta = {
            "name": "kube-root-ca.crt",
            "namespace": namespace,
            "annotations": {"kubernetes.io/description": DESCRIPTION},
        }
        self._create(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"ca.crt": NO_CERTIFICATE}},
            Cause(CERTIFICATE, cause, namespace=namespace),
        )

    def _create(self, obj: Object, cause: Cause) -> None:
        if self._store.get(obj["kind"], obj["metadata"]["namespace"], name(obj)) is None:
            self._store.create(obj, cause=cause)
