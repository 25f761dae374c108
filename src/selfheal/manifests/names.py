"""What names, labels and their like must look like, and what Kubernetes says if they do not.

staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go: each function returns what is wrong with
a value, as texts; an empty list means that it is fine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_ALNUM = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_SUBDOMAIN = rf"{_ALNUM}(\.{_ALNUM})*"
_HEADER = "[-A-Za-z0-9]+"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_PERCENT = "[0-9]+%"


def _matches(pattern: str, value: str) -> bool:
    return re.fullmatch(pattern, value, re.ASCII) is not None


def _regex_error(text: str, pattern: str, *examples: str) -> str:
    shown = " or ".join(f"'{e}', " for e in examples)
    return f"{text} (e.g. {shown}regex used for validation is '{pattern}')"


def _too_long(limit: int) -> str:
    return f"must be no more than {limit} characters"


def dns_label(value: str) -> list[str]:
    """IsDNS1123Label: containers, namespaces, Services."""
    wrong = [_too_long(63)] if len(value) > 63 else []
    if _matches(_ALNUM, value):
        return wrong
    if _matches(_SUBDOMAIN, value):
        return [*wrong, "must not contain dots"]
    text = (
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
        "and must start and end with an alphanumeric character"
    )
    return [*wrong, _regex_error(text, _ALNUM, "my-name", "123-abc")]


def dns_subdomain(value: str) -> list[str]:
    """IsDNS1123Subdomain: pods, nodes, most others."""
    wrong = [_too_long(253)] if len(value) > 253 else []
    if _matches(_SUBDOMAIN, value):
        return wrong
    text = (
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
        "and must start and end with an alphanumeric character"
    )
    return [*wrong, _regex_error(text, _SUBDOMAIN, "example.com")]


def qualified(value: str) -> list[str]:
    """IsQualifiedName: keys of labels and annotations, types of conditions, resources."""
    text = "must consist of alphanumeric characters, '-', '_' or '.'"
    text = f"{text}, and must start and end with an alphanumeric character"
    text = _regex_error(text, _QUALIFIED, "MyName", "my.name", "123-abc")
    prefix, slash, name = value.rpartition("/")
    if "/" in prefix:
        return [f"a qualified name {text} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    wrong = []
    if slash:
        wrong += [f"prefix part {m}" for m in (dns_subdomain(prefix) if prefix else ["must be non-empty"])]
    if not name:
        wrong.append("name part must be non-empty")
    elif len(name) > 63:
        wrong.append(f"name part {_too_long(63)}")
    if not _matches(_QUALIFIED, name):
        wrong.append(f"name part {text}")
    return wrong


def label_value(value: str) -> list[str]:
    """IsValidLabelValue"""
    wrong = [_too_long(63)] if len(value) > 63 else []
    pattern = f"({_QUALIFIED})?"
    if not _matches(pattern, value):
        text = (
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
            "and must start and end with an alphanumeric character"
        )
        wrong.append(_regex_error(text, pattern, "MyValue", "my_value", "12345"))
    return wrong


def port_number(value: int) -> list[str]:
    """IsValidPortNum"""
    return [] if 1 <= value <= 65535 else [between(1, 65535)]


def port_name(value: str) -> list[str]:
    """IsValidPortName"""
    wrong = []
    if len(value) > 15:
        wrong.append(_too_long(15))
    if not _matches("[-a-z0-9]+", value):
        wrong.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        wrong.append("must contain at least one letter (a-z)")
    if "--" in value:
        wrong.append("must not contain consecutive hyphens")
    if value and (value[0] == "-" or value[-1] == "-"):
        wrong.append("must not begin or end with a hyphen")
    return wrong


def env_name(value: str) -> list[str]:
    """IsRelaxedEnvVarName"""
    if not value:
        return ["environment variable name must be non-empty"]
    if all(" " <= c <= "~" and c != "=" for c in value):
        return []
    return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]


def header(value: str) -> list[str]:
    """IsHTTPHeaderName"""
    if _matches(_HEADER, value):
        return []
    text = "a valid HTTP header must consist of alphanumeric characters or '-'"
    return [_regex_error(text, _HEADER, "X-Header-Name")]


def config_key(value: str) -> list[str]:
    """IsConfigMapKey"""
    wrong = [_too_long(253)] if len(value) > 253 else []
    if not _matches(_CONFIG_KEY, value):
        text = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        wrong.append(_regex_error(text, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    elif value == ".":
        wrong.append("must not be '.'")
    elif value == "..":
        wrong.append("must not be '..'")
    elif value.startswith(".."):
        wrong.append("must not start with '..'")
    return wrong


def percent(value: str) -> list[str]:
    """IsValidPercent"""
    if _matches(_PERCENT, value):
        return []
    text = "a valid percent string must be a numeric string followed by an ending '%'"
    return [_regex_error(text, _PERCENT, "1%", "93%")]


def between(low: int, high: int) -> str:
    """InclusiveRangeError"""
    return f"must be between {low} and {high}, inclusive"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, whatever its case."""
    import difflib  # only somebody who made a mistake waits for it

    by_lower = {k.lower(): k for k in known}
    found = difflib.get_close_matches(word.lower()[:100], list(by_lower), n=1, cutoff=0.75)
    return by_lower[found[0]] if found else None
