"""In which line of a file a place of a manifest stands."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from selfheal.clinic import paths


def line(text: str, kind: str, name: str, path: str) -> int:
    """The line (from 1) of ``path`` in the object of that kind and name, or of what comes nearest above it.

    1 if the text has no such object or cannot be read.
    """
    try:
        for root in yaml.compose_all(text, Loader=yaml.SafeLoader):
            for node in _objects(root):
                meta = _child(node, "metadata")
                if _value(_child(node, "kind")) == kind and meta is not None and _value(_child(meta, "name")) == name:
                    return _walk(node, paths.steps(path))
    except yaml.YAMLError:
        pass
    return 1


def _objects(node: yaml.Node | None) -> Iterator[yaml.Node]:
    """An object, or those of a list."""
    items = _child(node, "items")
    if isinstance(items, yaml.SequenceNode):
        yield from items.value
    elif isinstance(node, yaml.MappingNode):
        yield node


def _walk(node: yaml.Node, steps: list[paths.Step]) -> int:
    found = node.start_mark.line
    for step in steps:
        if isinstance(step, int):
            items = node.value if isinstance(node, yaml.SequenceNode) else []
            if step >= len(items):
                break
            node = items[step]
            found = node.start_mark.line
        else:
            pair = next((p for p in _pairs(node) if _value(p[0]) == step), None)
            if pair is None:
                break
            found, node = pair[0].start_mark.line, pair[1]
    return found + 1


def _pairs(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    return node.value if isinstance(node, yaml.MappingNode) else []


def _child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    return next((value for name, value in _pairs(node) if _value(name) == key), None)


def _value(node: yaml.Node | None) -> str | None:
    return node.value if isinstance(node, yaml.ScalarNode) else None
