"""Read this describe: what kubectl says of a sick pod; the reader finds the line that tells the cause, then names it.

    describes()            # all patients
    describes("memory")    # one of them

A patient is a container that is run (``describes.yaml``; what is said of it: ``texts/describe.yaml``), and the text is
:meth:`selfheal.Cluster.describe`'s. Every line opens, and says why it is or is not the one. Without a script it is
plain HTML; ``play.js`` keeps the score.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any

import yaml

from selfheal.cluster import Cluster
from selfheal.lessons.questions import NO, YES, _inline, _texts
from selfheal.lessons.steps import one_at_a_time
from selfheal.scenario import Scenario
from selfheal.words import words

POD = "shop"
HEADINGS = ("Args", "Limits", "Requests", "Mounts")
"""Titles within a container; the lines below them are what is meant."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a describe. ``reply``: what is said to whoever chooses it; titles and heads have none."""

    text: str
    reply: str = ""
    right: bool = False


@dataclass(frozen=True)
class Sick:
    """One patient: how it is run, and what is said of it."""

    key: str
    given: Mapping[str, Any]

    @cached_property
    def described(self) -> str:
        """What ``kubectl describe`` says of it."""
        cluster = Cluster(seed=4)
        container = {"name": POD, "image": "selfheal/patient:1", **self.given["container"]}
        cluster.apply(
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": POD}, "spec": {"containers": [container]}}
        )
        cluster.run(until=self.given.get("at", 1))
        cluster.play(Scenario.load([], actions=list(self.given.get("do", ())), until=self.given["lasts"]))
        return cluster.describe(f"pod/{POD}").rstrip("\n")

    @property
    def lines(self) -> Iterator[Line]:
        """All lines; right is whichever holds ``line``."""
        say, section, heading = words("describe")["lines"], "", ""
        for text in self.described.splitlines():
            name, colon, value = text.strip().partition(":")
            if not text.startswith(" "):
                section, heading = name, ""
            key = _key(text, section, heading)
            if colon and not value.strip():
                heading = name
            if key is None:
                yield Line(text)
                continue
            if self.given["line"] in text:
                yield Line(text, self.given["found"], True)
                continue
            own = (reply for part, reply in self.given["lines"].items() if re.search(rf"(^|  ){re.escape(part)}", text))
            yield Line(text, next(own, say[key]))

    def __repr__(self) -> str:
        return f"{self.given['complaint']}\n\n{self.described}\n\n{self.given['ask']}"

    def html(self) -> str:
        say, yes_no = words("describe"), words("question")
        healed = say["healed"] + words("punctuation")["colon"].rstrip()
        lines = "".join(map(self._line, self.lines))
        answers = "".join(
            _choice(
                f"{self.key}-is", one["says"], one["reply"], yes_no["yes" if "right" in one else "no"], "right" in one
            )
            for one in self.given["answers"]
        )
        return (
            f'<li><div class="asked"><p><strong>{_inline(self.given["complaint"])}</strong></p>'
            f'<div class="pick lines"><p>{html.escape(say["line"])}</p><details class="frame"><summary>'
            f"<code>kubectl describe pod/{POD}</code></summary><div>{lines}</div></details></div>"
            f'<div class="pick"><p><strong>{_inline(self.given["ask"])}</strong></p>{answers}</div></div>'
            f'<div class="told"><p><strong>{html.escape(healed)}</strong> {_inline(self.given["helps"])}</p>'
            "</div></li>"
        )

    def _line(self, line: Line) -> str:
        if not line.reply:
            return f'<div class="still">{html.escape(line.text)}</div>'
        word = words("describe")["found" if line.right else "other"]
        return _choice(self.key, f"`{line.text}`", line.reply, word, line.right)


@dataclass(frozen=True)
class Describes:
    """Some patients."""

    cases: tuple[Sick, ...]

    def __repr__(self) -> str:
        return "\n\n\n".join(map(repr, self.cases))

    def _repr_html_(self) -> str:
        return one_at_a_time(words("describe")["title"], "\n".join(case.html() for case in self.cases), LINES)


def describes(*keys: str) -> Describes:
    """The patients of these names, or all. KeyError if there is none of a name."""
    known = yaml.safe_load(files(__package__).joinpath("describes.yaml").read_text(encoding="utf-8"))
    told = _texts("describe")["patients"]
    return Describes(tuple(Sick(key, {**known[key], **told[key]}) for key in keys or known))


def _key(text: str, section: str, heading: str) -> str | None:
    """What the words for a line are called; None for titles, heads and empty lines."""
    bare, known = text.strip(), words("describe")["lines"]
    name, _, value = bare.partition(":")
    if section == "Events":
        found = re.match(r"(Normal|Warning) +(\w+) ", bare)
        return f"event {found[2]}" if found else None
    if section in ("Conditions", "Volumes", "Tolerations"):
        return section if bare and bare != f"{section}:" and not bare.startswith("Type  ") else None
    if name in HEADINGS and not value.strip():
        return None
    return name if name in known else heading if heading in HEADINGS else None


def _choice(group: str, says: str, reply: str, word: str, right: bool) -> str:
    """An answer that opens and closes the others of its group; a line in ```code``` keeps its blanks."""
    code = re.fullmatch(r"`(.*)`", says)
    shown = f"<code>{html.escape(code[1])}</code>" if code else _inline(says)
    return (
        f'<details name="describe-{html.escape(group)}"{" data-right" if right else ""}><summary>{shown}</summary>'
        f"<p><strong>{YES if right else NO} {html.escape(word)}</strong> {_inline(reply)}</p></details>"
    )


LINES = """
.selfheal-play .lines .frame>div{border:1px solid var(--edge);border-radius:8px;padding:6px 8px;
font:12.5px/1.5 ui-monospace,monospace}
.selfheal-play .lines .still,.selfheal-play .lines code{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit;
padding:0;background:none;border:0;color:inherit}
.selfheal-play .lines .still{color:var(--soft)}
.selfheal-play .lines .frame details{margin:0}
.selfheal-play .lines .frame details summary{list-style:none;padding:0;min-height:24px;display:flex;align-items:center}
.selfheal-play .lines .frame details summary::-webkit-details-marker{display:none}
.selfheal-play .lines .frame details summary:hover{background:var(--infob)}
.selfheal-play .pick details[open]>summary{background:var(--sickb);outline:1.5px dashed var(--sick)}
.selfheal-play .pick details[open][data-right]>summary{background:var(--okb);outline:1.5px solid var(--ok)}
.selfheal-play .pick .frame[open]>summary{background:none;outline:0}
.selfheal-play .pick details p{font-family:system-ui,sans-serif;font-size:14px;margin:.2em 0 .6em 1em}
""".replace("\n", "")
