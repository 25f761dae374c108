"""Sources: files, folders, texts, objects; YAML as kubectl reads it."""

import json
from pathlib import Path

import pytest
import yaml

from selfheal import manifests
from selfheal.manifests import documents, yaml11
from selfheal.manifests.plain import number

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec: {containers: [{name: a, image: b:1}]}\n"


def names(source: manifests.Source) -> list[str]:
    return [o["metadata"]["name"] for o in manifests.load(source)]


def test_a_manifest_is_a_file_a_text_an_object_or_a_list_of_them(tmp_path: Path) -> None:
    path = tmp_path / "pod.yaml"
    path.write_text(POD % "a")
    obj = yaml.safe_load(POD % "b")
    assert names(path) == names(str(path)) == ["a"]
    assert names(POD % "a") == names((POD % "a").encode()) == ["a"]
    assert names(obj) == ["b"]
    assert names([path, str(path), POD % "c", obj]) == ["a", "a", "c", "b"]
    assert names(json.dumps(obj)) == ["b"]
    assert names(json.dumps(obj) + "\n" + json.dumps(obj)) == ["b", "b"]


def test_a_folder_is_read_by_name_and_only_its_manifests(tmp_path: Path) -> None:
    for name, file in (("b", "2.yaml"), ("a", "1.yml"), ("c", "3.json")):
        text = POD % name
        (tmp_path / file).write_text(json.dumps(yaml.safe_load(text)) if file.endswith("json") else text)
    (tmp_path / "README.md").write_text("not me")
    assert names(tmp_path) == ["a", "b", "c"]


def test_many_documents_and_lists_are_flattened() -> None:
    listed = json.dumps(
        {"apiVersion": "v1", "kind": "List", "items": [yaml.safe_load(POD % "x"), yaml.safe_load(POD % "y")]}
    )
    assert names(f"# a comment\n---\n{POD % 'a'}--- # another\n{POD % 'b'}---\n---\n{listed}\n") == ["a", "b", "x", "y"]


def test_dashes_in_a_block_of_text_do_not_cut_it() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: |\n    one\n    ---\n    two\n"
    [obj] = manifests.load(text)
    assert obj["data"]["x"] == "one\n---\ntwo\n"


def test_what_an_object_does_not_say_of_its_namespace_the_caller_says() -> None:
    assert manifests.load(POD % "a")[0]["metadata"]["namespace"] == "default"
    assert manifests.load(POD % "a", namespace="demo")[0]["metadata"]["namespace"] == "demo"
    own = POD.replace("{name: %s}", "{name: a, namespace: mine}")
    assert manifests.load(own, namespace="demo")[0]["metadata"]["namespace"] == "mine"
    node = manifests.load({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}})[0]
    assert "namespace" not in node["metadata"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("On", True),
        ("y", True),
        ("off", False),
        ("N", False),
        ('"yes"', "yes"),
        ("~", None),
        ("", None),
        ("Null", None),
        ("0755", 493),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b101", 5),
        ("-0b11", -3),
        ("1_000", 1000),
        ("+5", 5),
        ("08", 8),
        ("1e3", 1000),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1.0", 1),
        ("1:30", "1:30"),
        ("2026-01-02", "2026-01-02"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("1.2.3", "1.2.3"),
        ("12345678901234567890123", 1.2345678901234568e22),
        ("1" * 400, "1" * 400),
        ("!!str 5", "5"),
        ("!!int 5", 5),
        ("!!float 5", 5),
        ("!!binary aGk=", "hi"),
        ("!mine x", "x"),
        ("!!python/object/apply:os.system [echo]", ["echo"]),
        ("{1: a, true: b, 1.5: c}", {"1": "a", "true": "b", "1.5": "c"}),
        ("{y: a}", {"true": "a"}),
        ("[&a {x: 1}, *a]", [{"x": 1}, {"x": 1}]),
        ("{a: &a {x: 1, z: 1}, b: {<<: *a, x: 2}}", {"a": {"x": 1, "z": 1}, "b": {"x": 2, "z": 1}}),
        ("{a: &a {x: 1}, b: {x: 2, <<: [*a, {z: 3}]}}", {"a": {"x": 1}, "b": {"x": 2, "z": 3}}),
        ('"\\u00e9 \\x41"', "é A"),
    ],
)
@pytest.mark.parametrize("parser", [yaml11.PARSER, yaml.SafeLoader], ids=["libyaml", "python"])
def test_a_value_is_what_kubectl_makes_of_it(
    text: str, value: object, parser: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml11, "PARSER", parser)
    got = yaml11.document(f"value: {text}\n")
    assert got == {"value": value}
    assert isinstance(got, dict)
    assert type(got["value"]) is type(value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a:\n  b: {c: d\n", "yaml: line 2: did not find expected ',' or '}'"),
        ("a:\n  b: [c, d\n", "yaml: line 2: did not find expected ',' or ']'"),
        ("a: b: c", "yaml: mapping values are not allowed in this context"),
        ("x: y\na: b: c", "yaml: line 2: mapping values are not allowed in this context"),
        ("- a\nb: c", "yaml: line 1: did not find expected '-' indicator"),
        ("a:\n  b: 1\n c: 2", "yaml: line 2: did not find expected key"),
        ("x: y\nkey: @x", "yaml: line 2: found character that cannot start any token"),
        ("a:\n\t- b", "yaml: line 2: found character that cannot start any token"),
        ("x: y\na: *b", "yaml: line 2: unknown anchor 'b' referenced"),
        ("x: y\na: &b {c: *b}", "yaml: line 2: anchor 'b' value contains itself"),
        ("x: y\nx: z", 'yaml: line 2: key "x" already set in map'),
        ("a: \x01", "yaml: control characters are not allowed"),
        ("a: .nan", "json: unsupported value: NaN"),
        ("a: -.inf", "json: unsupported value: -Inf"),
        ("a: {<<: 3}", "yaml: map merge requires map or sequence of maps as the value"),
        ("? [a]\n: b", "yaml: invalid map key"),
        ("~: b", "unsupported map key of type: <nil>"),
        ("a: !!int b", "yaml: line 1: cannot decode !!str `b` as a !!int"),
        ("a: !!binary '*'", None),
    ],
)
@pytest.mark.parametrize("parser", [yaml11.PARSER, yaml.SafeLoader], ids=["libyaml", "python"])
def test_broken_yaml_is_told_in_the_words_of_go_yaml(
    text: str, problem: str | None, parser: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml11, "PARSER", parser)
    if problem is None:
        assert documents.documents(text) == [{"a": ""}]
        return
    with pytest.raises(manifests.BadManifest) as refused:
        documents.documents(text, "x.yaml")
    assert refused.value.message == f"error parsing x.yaml: error converting YAML to JSON: {problem}"


def test_the_line_of_the_file_is_told_where_kubectl_counts_from_the_document() -> None:
    with pytest.raises(manifests.BadManifest) as refused:
        documents.documents("a: b\n---\nc: d\ne: f: g\n")
    assert "yaml: line 2: " in refused.value.message
    assert refused.value.__notes__ == ["line 4 of the file"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("--- x\na: b", "invalid Yaml document separator: x"),
        ('{"a": 1, "a": 2}', 'duplicate field "a"'),
        (b"a: \xff", "error converting YAML to JSON: yaml: invalid leading UTF-8 octet"),
        (b"a: \xc3(", "error converting YAML to JSON: yaml: invalid trailing UTF-8 octet"),
        (b"a: \xc3", "error converting YAML to JSON: yaml: incomplete UTF-8 octet sequence"),
    ],
)
def test_broken_texts_are_told(text: str | bytes, problem: str) -> None:
    with pytest.raises(manifests.BadManifest) as refused:
        documents.documents(text, "x.yaml")
    assert refused.value.message == f"error parsing x.yaml: {problem}"


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        assert documents.documents("a: ü".encode(encoding)) == [{"a": "ü"}]
    assert documents.documents("\ufeffa: b") == [{"a": "b"}]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (10.0, "10"),
        (0.5, "0.5"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (1e-7, "1e-7"),
        (0.00001, "0.00001"),
        (-2, "-2"),
    ],
)
def test_numbers_are_written_as_go_writes_them(value: float, text: str) -> None:
    assert number(value) == text


def test_paths_that_are_not_there_are_told(tmp_path: Path) -> None:
    for source in (tmp_path / "x.yaml", str(tmp_path / "x.yaml"), "nowhere.yaml", "a\0b"):
        with pytest.raises(manifests.BadManifest, match=r"^the path .* does not exist"):
            manifests.load(source)
    with pytest.raises(manifests.BadManifest, match=r"recognized file extensions are \[.json .yaml .yml\]"):
        manifests.load(tmp_path)
    with pytest.raises(manifests.BadManifest, match=r"cannot be accessed: File name too long|does not exist"):
        manifests.load("x" * 5000)
    with pytest.raises(manifests.BadManifest, match="does not exist"):
        manifests.load("/dev/zero")
