"""Two views side by side: what a log says, what describe says."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from selfheal.lessons.table import Table, table
from selfheal.words import phrase


@dataclass(frozen=True, slots=True)
class Beside:
    """Titles and what stands under them; columns where there is room, one below the other on a phone."""

    parts: tuple[tuple[str, str | Table], ...]

    def _repr_html_(self) -> str:
        columns = "\n".join(
            f'<div style="flex:{1 + 2 * n} 1 {190 + 210 * n}px;min-width:0">'
            f'<p style="margin:.3em 0"><strong>{html.escape(title)}</strong></p>{_html(title, part)}</div>'
            for n, (title, part) in enumerate(self.parts)
        )
        return f'<div style="display:flex;flex-wrap:wrap;gap:16px;align-items:flex-start">\n{columns}\n</div>'

    def __repr__(self) -> str:
        return "\n\n".join(f"── {title} ──\n{str(part).rstrip()}" for title, part in self.parts)


def beside(*parts: tuple[str, str | Table]) -> Beside:
    """Texts or tables, each with its title: ``beside(("kubectl logs", log), ("kubectl describe", events(…)))``."""
    return Beside(tuple((phrase(title), part) for title, part in parts))


def events(described: str) -> Table:
    """The events at the end of what ``kubectl describe`` prints, as a table that fits a column of text."""
    lines = described.partition("\nEvents:")[2].splitlines()[3:]
    rows = [re.split(r"\s{2,}", line.strip(), maxsplit=4) for line in lines if line.strip()]
    return table(
        ["Reason", "Message", "Age", "From"],
        [[reason, re.sub(r"^spec\.\S+: ", "", text), age, source] for _, reason, age, source, text in rows],
    )


def _html(title: str, part: str | Table) -> str:
    if isinstance(part, Table):
        return f'<div style="font-size:.85em">{part._repr_html_()}</div>'
    return (
        f'<pre tabindex="0" aria-label="{html.escape(title)}" style="margin:0;padding:.6em;border:1px solid #8888;'
        f'border-radius:6px;font-size:.8em;overflow-x:auto">{html.escape(part)}</pre>'
    )
