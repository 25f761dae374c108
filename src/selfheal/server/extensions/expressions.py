"""Expressions in CEL, the language in which rules are written: compiled once, evaluated as often as somebody writes.

staging/src/k8s.io/apiserver/pkg/cel/environment/base.go. CEL itself is the work of cel-expr-python, which wraps its
authors' C++ library; what Kubernetes adds to it stands in ``library``. It comes with the extra ``server``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Any

CONFIG = """
name: kubernetes
extensions:
- {name: strings, version: 2}
- {name: optional}
- {name: lists}
- {name: sets}
- {name: two-var-comprehensions}
"""

ELSEWHERE = re.compile(r"\b(semver|isSemver|format\.named|format\.dns\w+|format\.\w+Name|authorizer)\b")
"""What Kubernetes' CEL knows and this one does not."""

Text = str
"""An expression, as it was written."""


class BadExpression(ValueError):
    """It cannot be compiled; the text is that of the compiler."""


class Failed(ValueError):
    """It came to no result; the text is cel-go's."""


def available() -> bool:
    """Whether expressions can be evaluated on this machine."""
    return find_spec("cel_expr_python") is not None and find_spec("google.protobuf") is not None


def elsewhere(text: Text) -> bool:
    """Whether an expression may be right and is not understood here all the same."""
    return ELSEWHERE.search(text) is not None


@cache
def _environment(variables: tuple[str, ...], *, binds: bool) -> Any:
    from cel_expr_python import cel
    from cel_expr_python.ext import ext_bindings

    from selfheal.server.extensions import library

    return cel.NewEnv(
        config=cel.NewEnvConfigFromYaml(CONFIG),
        variables=dict.fromkeys(variables, cel.Type.DYN),
        extensions=[library.extension(), *([ext_bindings.ExtBindings()] if binds else ())],
    )


class Expression:
    """An expression, compiled. ``type`` is that of its result: BOOL, STRING, DYN (it depends) …"""

    def __init__(self, text: Text, variables: tuple[str, ...], *, binds: bool = False) -> None:
        try:
            self._program = _environment(variables, binds=binds).compile(text)
        except RuntimeError as error:
            raise BadExpression(_plain(error)) from None
        self.type = str(self._program.return_type().name())

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """Its value. Raises Failed."""
        try:
            found = self._program.eval(data=dict(variables))
        except RuntimeError as error:
            raise Failed(_failure(_plain(error))) from None
        if found.type().name() == "ERROR":
            raise Failed(_failure(_plain(found.plain_value())))
        return found.plain_value()

    @property
    def tree(self) -> bytes:
        """What the compiler made of it: a CheckedExpr (cel/expr/checked.proto), packed in an Any."""
        return bytes(self._program.serialize())


@lru_cache(2048)
def compiled(text: Text, variables: tuple[str, ...], *, binds: bool = False) -> Expression:
    """An expression about some variables; ``binds``: it may give values a name (cel.bind). Raises BadExpression."""
    return Expression(text, variables, binds=binds)


def _plain(error: object) -> str:
    """The text of an error without the code that stands around it."""
    return re.sub(r"^[A-Z_]+: | \[[A-Z_]+\]$", "", str(error))


def _failure(text: str) -> str:
    """What cel-go says where CEL's C++ library says otherwise."""
    if found := re.fullmatch(r'Key not found in map : "(.*)"', text, re.DOTALL):
        return f"no such key: {found[1]}"
    if found := re.fullmatch(r"Index error: index=(-?\d+) size=\d+", text):
        return f"index out of bounds: {found[1]}"
    if text.startswith("No matching overloads found"):
        return "no such overload"
    if "budget exceeded" in text:
        return "operation cancelled: actual cost limit exceeded"
    return {"divide by zero": "division by zero", "modulus by zero": "modulus by zero"}.get(text, text)
