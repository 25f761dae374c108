"""Rules in CEL: ``x-kubernetes-validations``, asked and told as apiextensions-apiserver does it (schema/cel)."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from selfheal.server.extensions import expressions
from selfheal.server.extensions.expressions import Failed, compiled
from tests.server.api import Api, Reply
from tests.server.test_extensions import DEFINITIONS, PATH, crontab, definition
from tests.server.test_requests import APPLY, MERGE

WHERE = "spec.versions[0].schema.openAPIV3Schema"


def ruled(*rules: Any, at: tuple[str, ...] = ("spec",), **fields: Any) -> dict[str, Any]:
    """The definition with rules at a place of its schema, and more fields in the spec."""
    crd = copy.deepcopy(definition())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"]["spec"]["properties"].update(fields)
    for key in at:
        schema = schema["properties"][key] if key != "items" else schema["items"]
    schema["x-kubernetes-validations"] = [{"rule": r} if isinstance(r, str) else r for r in rules]
    return crd


def served(*rules: Any, **more: Any) -> Api:
    api = Api()
    made = api("POST", DEFINITIONS, ruled(*rules, **more))
    assert (made.code, made.headers.get("Warning")) == (201, None), made.text
    return api


def cause(reply: Reply) -> tuple[str, str, str]:
    assert reply.code == 422, reply.text
    [found] = reply.json["details"]["causes"]
    return found["field"], found["reason"], found["message"]


def test_a_rule_that_does_not_hold_refuses_the_object() -> None:
    api = served({"rule": "self.replicas <= size(self.tags)", "message": "there must be a tag for each replica"})
    assert api("POST", PATH, crontab(replicas=1, tags=["a"])).code == 201
    refused = api("POST", PATH, crontab("b", replicas=2, tags=["a"]))
    why = 'spec: Invalid value: "object": there must be a tag for each replica'
    assert refused.json["message"] == f'CronTab.stable.example.com "b" is invalid: {why}'
    assert cause(api("PATCH", f"{PATH}/a", {"spec": {"replicas": 2}}, MERGE))[0] == "spec"
    assert cause(api("PATCH", f"{PATH}/a?fieldManager=x&force=true", crontab(replicas=2), APPLY))[0] == "spec"
    assert cause(api("PATCH", f"{PATH}/a/scale", {"spec": {"replicas": 2}}, MERGE))[0] == "spec"


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        (
            {"rule": "self.mode == 'fast'"},
            ("spec", "FieldValueInvalid", "Invalid value: \"object\": failed rule: self.mode == 'fast'"),
        ),
        (
            {"rule": "false", "reason": "FieldValueForbidden", "fieldPath": ".mode", "message": " no "},
            ("spec.mode", "FieldValueForbidden", "Forbidden: no"),
        ),
        (
            {"rule": "false", "reason": "FieldValueRequired", "message": "more of it"},
            ("spec", "FieldValueRequired", "Required value: more of it"),
        ),
        (
            {"rule": "false", "reason": "FieldValueDuplicate"},
            ("spec", "FieldValueDuplicate", 'Duplicate value: "object"'),
        ),
        (
            {"rule": "false", "messageExpression": "'%d replicas of %s'.format([self.replicas, self.mode])"},
            ("spec", "FieldValueInvalid", 'Invalid value: "object": 1 replicas of slow'),
        ),
        (
            {"rule": "false", "message": "plain", "messageExpression": "self.tags[0]"},
            ("spec", "FieldValueInvalid", 'Invalid value: "object": plain'),
        ),
        (
            {"rule": "self.tags[0] == 'a'"},
            (
                "spec",
                "FieldValueInvalid",
                "Invalid value: \"object\": no such key: tags evaluating rule: self.tags[0] == 'a'",
            ),
        ),
        (
            {"rule": "self.port > 1"},
            (
                "spec",
                "FieldValueInvalid",
                (
                    "Invalid value: \"object\": 'no such overload': call arguments did not match a supported operator, "
                    "function or macro signature for rule: self.port > 1"
                ),
            ),
        ),
    ],
)
def test_what_is_said_of_a_rule_that_does_not_hold(rule: dict[str, Any], found: tuple[str, str, str]) -> None:
    assert cause(served(rule)("POST", PATH, crontab(mode="slow", port="http"))) == found


def test_rules_of_a_transition_are_asked_of_updates_alone() -> None:
    api = served({"rule": "self == oldSelf", "message": "it is immutable"}, at=("spec", "cronSpec"))
    assert api("POST", PATH, crontab()).code == 201
    assert api("PATCH", f"{PATH}/a", {"spec": {"replicas": 2}}, MERGE).code == 200
    refused = api("PATCH", f"{PATH}/a", {"spec": {"cronSpec": "1 * * * *"}}, MERGE)
    assert cause(refused) == ("spec.cronSpec", "FieldValueInvalid", 'Invalid value: "string": it is immutable')


def test_a_rule_may_ask_whether_there_was_anything_before() -> None:
    rule = {"rule": "oldSelf.hasValue() ? self >= oldSelf.value() : self == 1", "optionalOldSelf": True}
    api = served({**rule, "message": "begin with 1, then upwards"}, at=("spec", "replicas"))
    assert cause(api("POST", PATH, crontab(replicas=2)))[0] == "spec.replicas"
    assert api("POST", PATH, crontab()).code == 201
    assert api("PATCH", f"{PATH}/a", {"spec": {"replicas": 3}}, MERGE).code == 200
    assert cause(api("PATCH", f"{PATH}/a", {"spec": {"replicas": 2}}, MERGE))[0] == "spec.replicas"


def test_an_item_of_a_map_list_is_compared_with_the_one_of_its_key() -> None:
    api = served({"rule": "self.value == oldSelf.value"}, at=("spec", "env", "items"))
    api("POST", PATH, crontab(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]))
    env = [{"name": "C", "value": "3"}, {"name": "B", "value": "2"}, {"name": "A", "value": "9"}]
    assert cause(api("PATCH", f"{PATH}/a", {"spec": {"env": env}}, MERGE))[0] == "spec.env[2]"
    assert api("PATCH", f"{PATH}/a", {"spec": {"env": env[:2]}}, MERGE).code == 200


def test_a_new_rule_is_a_warning_for_what_an_update_leaves_alone() -> None:
    api = Api()
    api("POST", DEFINITIONS, definition())
    api("POST", PATH, crontab(tags=["x"]))
    name = f"{DEFINITIONS}/crontabs.stable.example.com"
    new = ruled({"rule": "self.all(t, t.startsWith('a'))", "message": "must begin with a"}, at=("spec", "tags"))
    assert api("PATCH", name, {"spec": new["spec"]}, MERGE).code == 200
    kept = api("PATCH", f"{PATH}/a", {"spec": {"replicas": 2}}, MERGE)
    assert (kept.code, kept.headers["Warning"]) == (
        200,
        r'299 - "spec.tags: Invalid value: \"array\": must begin with a"',
    )
    assert cause(api("PATCH", f"{PATH}/a", {"spec": {"tags": ["y"]}}, MERGE))[0] == "spec.tags"
    assert api("PATCH", f"{PATH}/a/status", {"status": {"active": 1}}, MERGE).code == 200


def test_rules_see_the_name_escaped_fields_and_numbers_and_times_as_such() -> None:
    rules = (
        "self.metadata.name.startsWith('a') && self.kind == 'CronTab' && !has(self.metadata.labels)",
        "self.spec.max__dash__size == 2.0 && self.spec.__namespace__ == 'x' && has(self.spec.raw)",
        "self.spec.until > timestamp('2026-01-01T00:00:00Z') && self.spec.since <= duration('90m')",
        "!has(self.spec.raw.x) && type(self.spec.port) == int && self.spec.data == b'hi'",
        "self.spec.limits.all(k, quantity(self.spec.limits[k]).isGreaterThan(quantity('1m')))",
        "self.spec.?mode.orValue('fast') == 'slow' && self.spec.tags.isSorted()",
    )
    text = {"type": "string"}
    fields: dict[str, Any] = {
        "max-size": {"type": "number"},
        "namespace": text,
        "until": {**text, "format": "date-time"},
        "since": {**text, "format": "duration"},
        "data": {**text, "format": "byte"},
        "limits": {"type": "object", "additionalProperties": text},
    }
    api = served(*rules, at=(), **fields)
    spec = {"max-size": 2, "namespace": "x", "until": "2026-06-01T00:00:00+02:00", "since": "1h30m", "data": "aGk="}
    spec |= {"raw": {"x": 1}, "port": 80, "limits": {"cpu": "5m"}, "mode": "slow", "tags": ["a", "b"]}
    made = api("POST", PATH, crontab(**spec))
    assert made.code == 201, made.text
    refused = api("POST", PATH, crontab("b", **spec))
    assert cause(refused)[0] == "<nil>"


def test_rules_are_not_asked_of_an_object_that_is_wrong_already() -> None:
    refused = served("self.replicas > 5")("POST", PATH, crontab(replicas="x")).json
    assert [c["message"] for c in refused["details"]["causes"]][1] == (
        "Invalid value: null: some validation rules were not checked because the object was invalid; "
        "correct the existing errors to complete validation"
    )


@pytest.mark.parametrize(
    ("rule", "field", "message"),
    [
        (
            "self.replicas <",
            "rule",
            "compilation failed: ERROR: <input>:1:16: Syntax error: mismatched input '<EOF>' expecting",
        ),
        (
            "self.replicas < most",
            "rule",
            (
                "compilation failed: ERROR: <input>:1:17: undeclared reference to 'most' (in container '')\n"
                " | self.replicas < most\n | ................^"
            ),
        ),
        ("1 + 'a' == 1", "rule", "found no matching overload for '_+_' applied to '(int, string)'"),
        ("'a'", "rule", "cel expression must evaluate to a bool"),
        ("", "rule", "Required value: rule is not specified"),
        ({"rule": "true", "message": "a\nb"}, "message", "must not contain line breaks"),
        ({"rule": "true", "messageExpression": "1"}, "messageExpression", "must evaluate to a string"),
        ({"rule": "true", "fieldPath": ".nope"}, "fieldPath", 'Invalid value: ".nope": must be a valid path'),
        ({"rule": "true", "reason": "Why"}, "reason", 'Unsupported value: "Why": supported values: "FieldValueD'),
        ({"rule": "true", "optionalOldSelf": True}, "optionalOldSelf", "if oldSelf is not used in rule"),
    ],
)
def test_a_definition_with_a_rule_that_makes_no_sense_is_refused(rule: Any, field: str, message: str) -> None:
    found = cause(Api()("POST", DEFINITIONS, ruled(rule)))
    assert found[0] == f"{WHERE}.properties[spec].x-kubernetes-validations[0].{field}"
    assert message in found[2]


def test_a_rule_cannot_ask_what_an_item_was_that_cannot_be_found_again() -> None:
    found = cause(Api()("POST", DEFINITIONS, ruled("self == oldSelf", at=("spec", "tags", "items"))))
    assert f"oldSelf cannot be used on the uncorrelatable portion of the schema within {WHERE}" in found[2]


def test_what_cannot_be_asked_here_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = "!format.dns1123Label().validate(self.mode).hasValue()"
    api = Api()
    made = api("POST", DEFINITIONS, ruled(rule))
    named = f"not evaluated: {WHERE}.properties[spec].x-kubernetes-validations[0].rule: {rule}"
    assert (made.code, made.headers["Warning"]) == (201, f'299 - "{named}"')
    assert api("POST", PATH, crontab()).headers["Warning"] == f'299 - "not evaluated: spec: {rule}"'
    monkeypatch.setattr(expressions, "available", lambda: False)  # the bare wheel
    api = Api()
    assert "not evaluated" in api("POST", DEFINITIONS, ruled("self.replicas > 5")).headers["Warning"]
    made = api("POST", PATH, crontab())
    assert (made.code, made.headers["Warning"]) == (201, '299 - "not evaluated: spec: self.replicas > 5"')


@pytest.mark.parametrize(
    "text",
    [
        "[1, 2].isSorted() && [1, 2].sum() == 3 && [3, 1].max() == 3 && [3, 1].min() == 1",
        "['a', 'b', 'a'].indexOf('a') == 0 && ['a', 'b', 'a'].lastIndexOf('a') == 2 && [1].indexOf(2) == -1",
        "'abc'.find('b+') == 'b' && 'abab'.findAll('a') == ['a', 'a'] && 'abab'.findAll('a', 1) == ['a']",
        "quantity('1Gi').compareTo(quantity('1024Mi')) == 0 && quantity('1').isLessThan(quantity('1001m'))",
        "quantity('1').add(quantity('500m')) == quantity('1500m') && quantity('2').sub(1).asInteger() == 1",
        "isQuantity('1k') && !isQuantity('x') && !quantity('1m').isInteger() && quantity('-1').sign() == -1",
        "url('https://a.b:80/c').getHostname() == 'a.b' && url('https://a.b:80/c').getPort() == '80'",
        (
            "url('https://a.b/c').getEscapedPath() == '/c' && isURL('/x') && !isURL('x') && "
            "url('https://a.b:1').getHost() == 'a.b:1' && url('https://a.b').getScheme() == 'https'"
        ),
        (
            "isIP('::1') && !isIP('x') && ip('::1').family() == 6 && ip('127.0.0.1').isLoopback() && "
            "!ip('1.2.3.4').isUnspecified() && cidr('10.0.0.1/8').ip() == ip('10.0.0.1')"
        ),
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && cidr('10.0.0.0/8').containsCIDR(cidr('10.1.0.0/16'))",
        "!cidr('10.0.0.0/8').containsIP(ip('::1')) && cidr('10.0.0.1/8').masked() == cidr('10.0.0.0/8')",
        "isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0') && cidr('10.0.0.0/8').prefixLength() == 8",
        "sets.contains([1, 2], [1]) && [1, 2].all(i, v, i < v) && {'a': 1}.transformList(k, v, k) == ['a']",
        "[3, 1].sort() == [1, 3] && 'A,B'.lowerAscii().split(',') == ['a', 'b']",
        "timestamp('2026-01-01T00:00:00Z') + duration('1h') == timestamp('2026-01-01T01:00:00Z')",
    ],
)
def test_functions_that_kubernetes_adds_to_cel(text: str) -> None:
    assert compiled(text, ("self",)).evaluate({"self": {}}) is True


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("self.nope > 1", "no such key: nope"),
        ("[1][self.i] == 1", "index out of bounds: 3"),
        ("1 / (self.i - 3) == 1", "division by zero"),
        ("[].max() == 1", "max called on empty list"),
        ("9223372036854775807 + self.i > 1", "integer overflow"),
        ("quantity('x').isInteger()", "quantities must match the regular expression"),
        ("cidr('10.0.0.0').prefixLength() == 8", "network address parse error during conversion from string"),
        ("url('x').getPort() == ''", "URL parse error during conversion from string"),
        ("quantity('1m').asInteger() == 1", "cannot convert value to integer"),
        ("self.l.all(a, self.l.all(b, self.l.all(c, true)))", "operation cancelled: actual cost limit exceeded"),
    ],
)
def test_what_is_said_of_an_expression_without_a_result(text: str, why: str) -> None:
    with pytest.raises(Failed, match=f"^{why}"):
        compiled(text, ("self",)).evaluate({"self": {"i": 3, "l": list(range(100))}})
