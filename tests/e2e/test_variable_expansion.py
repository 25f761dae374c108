"""[sig-node] Variable Expansion"""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.api import Client, Object
from tests.e2e.pods import container, delete, output, phase, pod, running, shell, waits_for

NAME = "dapi-container"
WORKDIR = [{"name": "workdir1", "emptyDir": {}}]


def expanded(name: str, env: dict[str, str], *command: str, **fields: Any) -> Object:
    variables = [{"name": key, "value": value} for key, value in env.items()]
    spec: Object = {"volumes": WORKDIR} if "volumeMounts" in fields else {}
    return pod(name, container(NAME, *command, env=variables, **fields), restartPolicy="Never", **spec)


def mount(path: str, expression: str = "") -> Object:
    return {"name": "workdir1", "mountPath": path, **({"subPathExpr": expression} if expression else {})}


def test_variables_of_variables(e2e: Client) -> None:
    env = {"FOO": "foo-value", "BAR": "bar-value", "FOOBAR": "$(FOO);;$(BAR)"}
    said = output(e2e, expanded("var-expansion", env, "sh", "-c", "env"))
    assert {"FOO=foo-value", "BAR=bar-value", "FOOBAR=foo-value;;bar-value"} <= set(said.splitlines())


@pytest.mark.parametrize("where", ["command", "args"])
def test_variables_in(e2e: Client, where: str) -> None:
    script = 'TEST_VAR=wrong echo "$(TEST_VAR)"'
    made = expanded("var-expansion", {"TEST_VAR": "test-value"}, "sh", "-c", script)
    if where == "args":
        made["spec"]["containers"][0] |= {"command": ["sh", "-c"], "args": [script]}
    assert "test-value" in output(e2e, made)


def test_names_of_nearly_all_characters(e2e: Client) -> None:
    names = ["!\"#$%&'()", "* +,-./0123456789", ":;<>?@", "[\\]^_`{}|~"]
    env = {name: f"value-{n}" for n, name in enumerate(names, 1)}
    said = output(e2e, expanded("var-expansion", env, "sh", "-c", "env"))
    assert {f"{name}={value}" for name, value in env.items()} <= set(said.splitlines())


def test_a_subpath_of_a_variable(e2e: Client) -> None:
    mounts = [mount("/logscontainer", "$(POD_NAME)"), mount("/testcontainer")]
    script = "test -d /testcontainer/var-expansion;echo $?"
    made = expanded("var-expansion", {"POD_NAME": "var-expansion"}, "sh", "-c", script, volumeMounts=mounts)
    assert output(e2e, made) == "0\n"


@pytest.mark.parametrize("value", ["..", "/tmp"], ids=["backsteps", "absolute"])
def test_no_subpath_leads_out_of_its_volume(e2e: Client, value: str) -> None:
    e2e.create(expanded("var-expansion", {"POD_NAME": value}, volumeMounts=[mount("/logs", "$(POD_NAME)")]))
    e2e.wait(lambda: waits_for(e2e, "var-expansion") == "CreateContainerConfigError")
    delete(e2e, "var-expansion")


def test_files_in_a_subpath(e2e: Client) -> None:
    mounts = [mount("/subpath_mount", "$(ANNOTATION)/$(POD_NAME)"), mount("/volume_mount")]
    made = expanded("var-expansion", {"POD_NAME": "foo"}, "sh", "-c", "tail -f /dev/null", volumeMounts=mounts)
    source = {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.annotations['mysubpath']"}}
    made["spec"]["containers"][0]["env"].append({"name": "ANNOTATION", "valueFrom": source})
    made["metadata"]["annotations"] = {"mysubpath": "mypath"}
    running(e2e, made)
    shell(e2e, "var-expansion", "touch /volume_mount/mypath/foo/test.log")
    shell(e2e, "var-expansion", "test -f /subpath_mount/test.log")
    e2e.retry("Pod", "var-expansion", lambda p: p["metadata"]["annotations"].update(mysubpath="mynewpath"))
    assert phase(e2e, "var-expansion") == "Running"
    delete(e2e, "var-expansion")
