"""Tokens of service accounts: who gets one, what it says, who takes it (test/e2e/auth/service_accounts.go)."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.server.api import DEPLOYMENTS, PODS, Api, deployment, pod

ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
AT = "/var/run/secrets/kubernetes.io/serviceaccount"


@pytest.fixture
def api() -> Api:
    return Api()


def account(name: str = "mine", **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}, **more}


def read(api: Api, path: str, name: str = "app", container: str = "app") -> str:
    run = api.cluster.exec(name, ["cat", path], container=container)
    api.run(1)
    return str(run.stdout)


def review(api: Api, token: str, **spec: Any) -> Any:
    wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token, **spec}}
    return api("POST", REVIEWS, wanted).json["status"]


def claims(token: str) -> Any:
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def test_a_container_finds_its_token_its_namespace_and_the_certificate(api: Api) -> None:
    """Conformance: ServiceAccounts should mount an API token into pods."""
    api("POST", ACCOUNTS, account())
    api("POST", PODS, pod(serviceAccountName="mine"))
    api.run(10)
    token = read(api, f"{AT}/token")
    assert read(api, f"{AT}/namespace") == "default"
    certificate = api.get("/api/v1/namespaces/default/configmaps/kube-root-ca.crt").json["data"]["ca.crt"]
    assert read(api, f"{AT}/ca.crt") == certificate
    found = review(api, token)
    assert found["authenticated"]
    assert found["user"]["username"] == "system:serviceaccount:default:mine"
    assert found["user"]["groups"] == [
        *("system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"),
    ]
    assert found["user"]["extra"]["authentication.kubernetes.io/pod-name"] == ["app"]
    said = claims(token)
    assert said["exp"] - said["iat"] == 365 * 24 * 3600
    assert said["kubernetes.io"]["warnafter"] - said["iat"] == 3607
    assert said["kubernetes.io"]["node"]["name"] == api.get(f"{PODS}/app").json["spec"]["nodeName"]
    assert read(api, f"{AT}/token") == token


def test_the_api_takes_a_token_until_its_pod_is_gone(api: Api) -> None:
    api("POST", PODS, pod())
    api.run(10)
    mine = {"authorization": f"Bearer {read(api, f'{AT}/token')}"}
    assert api.get(PODS, **mine).code == 200
    me = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    found = api("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", me, **mine).json["status"]["userInfo"]
    assert found["username"] == "system:serviceaccount:default:default"
    assert api.get("/selfheal/clock", **mine).code == 401
    assert api.get(PODS, authorization=mine["authorization"][:-4] + "AAAA").code == 401
    api("DELETE", f"{PODS}/app?gracePeriodSeconds=0")
    assert api.get(PODS, **mine).code == 401


@pytest.mark.parametrize("of_account", [None, True, False])
@pytest.mark.parametrize("of_pod", [None, True, False])
def test_who_wants_no_token_gets_none(api: Api, of_account: bool | None, of_pod: bool | None) -> None:
    """Conformance: ServiceAccounts should allow opting out of API token automount."""
    field = "automountServiceAccountToken"
    api("POST", ACCOUNTS, account(**({} if of_account is None else {field: of_account})))
    wanted = pod(serviceAccountName="mine", **({} if of_pod is None else {field: of_pod}))
    spec = api("POST", PODS, wanted).json["spec"]
    mounted = [m["mountPath"] for m in spec["containers"][0].get("volumeMounts") or ()]
    expected = next((value for value in (of_pod, of_account) if value is not None), True)
    assert mounted == ([AT] if expected else [])
    assert [v["name"].rpartition("-")[0] for v in spec.get("volumes") or ()] == ["kube-api-access"] * expected


def test_a_pod_of_an_account_that_is_not_there_is_refused(api: Api) -> None:
    refused = api("POST", PODS, pod(serviceAccountName="nobody"))
    text = 'is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found'
    assert (refused.code, refused.json["message"]) == (403, f'pods "app" {text}')
    wanted = deployment()
    wanted["spec"]["template"]["spec"]["serviceAccountName"] = "nobody"
    api("POST", DEPLOYMENTS, wanted)
    api.run(5)
    told = {e["reason"]: e["message"] for e in api.get("/api/v1/events").json["items"]}
    assert told["FailedCreate"].startswith('Error creating: pods "web-')
    assert told["FailedCreate"].endswith(f'-" {text}')


def test_pull_secrets_come_from_the_account(api: Api) -> None:
    api("POST", ACCOUNTS, account(imagePullSecrets=[{"name": "registry"}]))
    made = api("POST", PODS, pod(serviceAccountName="mine")).json
    assert made["spec"]["imagePullSecrets"] == [{"name": "registry"}]
    own = api("POST", PODS, pod("other", serviceAccountName="mine", imagePullSecrets=[{"name": "own"}])).json
    assert own["spec"]["imagePullSecrets"] == [{"name": "own"}]


def test_a_token_for_others_opens_no_api(api: Api) -> None:
    """kubectl create token default --audience vault; a pod's own volume can ask for the same."""
    wanted = {"spec": {"audiences": ["vault"], "expirationSeconds": 600}}
    made = api("POST", f"{ACCOUNTS}/default/token", wanted).json
    token = made["status"]["token"]
    assert api.get(PODS, authorization=f"Bearer {token}").code == 401
    assert "error" in review(api, token)
    assert review(api, token, audiences=["vault", "other"])["audiences"] == ["vault"]
    api.run(601)
    assert "error" in review(api, token, audiences=["vault"])


def test_a_pod_may_ask_for_a_token_of_its_own(api: Api) -> None:
    source = {"serviceAccountToken": {"path": "deep/token", "audience": "vault", "expirationSeconds": 7200}}
    downward = {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}
    wanted = pod(volumes=[{"name": "v", "projected": {"sources": [source, {"downwardAPI": downward}]}}])
    wanted["spec"]["containers"][0]["volumeMounts"] = [{"name": "v", "mountPath": "/v"}]
    api("POST", PODS, wanted)
    api.run(10)
    said = claims(read(api, "/v/deep/token"))
    assert (said["aud"], said["exp"] - said["iat"]) == (["vault"], 7200)
    assert read(api, "/v/name") == "app"


def test_a_projected_volume_waits_for_what_it_shows(api: Api) -> None:
    sources = [{"configMap": {"name": "late"}}, {"secret": {"name": "never", "optional": True}}]
    wanted = pod(volumes=[{"name": "v", "projected": {"sources": sources}}])
    wanted["spec"]["containers"][0]["volumeMounts"] = [{"name": "v", "mountPath": "/v"}]
    api("POST", PODS, wanted)
    api.run(10)
    told = {e["message"] for e in api.get("/api/v1/events").json["items"] if e["reason"] == "FailedMount"}
    assert told == {'MountVolume.SetUp failed for volume "v" : configmap "late" not found'}
    late = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late"}, "data": {"a": "1"}}
    api("POST", "/api/v1/namespaces/default/configmaps", late)
    api.run(30)
    assert read(api, "/v/a") == "1"


def test_others_find_the_key_of_the_tokens(api: Api) -> None:
    """Conformance: ServiceAccountIssuerDiscovery."""
    known = api.get("/.well-known/openid-configuration").json
    assert known["issuer"] == "https://kubernetes.default.svc.cluster.local"
    [key] = api.get("/openid/v1/jwks").json["keys"]
    token = api("POST", f"{ACCOUNTS}/default/token", {}).json["status"]["token"]
    header = token.split(".")[0]
    assert json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"] == key["kid"]
