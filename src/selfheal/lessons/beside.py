"""Two texts side by side: what a log says, what describe says."""

from __future__ import annotations

import html
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Beside:
    """Titles and texts; columns where there is room, one below the other on a phone."""

    parts: tuple[tuple[str, str], ...]

    def _repr_html_(self) -> str:
        columns = "".join(
            f'<div style="flex:1 1 {basis}px;min-width:0">'
            f'<p style="margin:.3em 0"><strong>{html.escape(title)}</strong></p>'
            f'<pre tabindex="0" aria-label="{html.escape(title)}" style="margin:0;padding:.6em;border:1px solid #8888;'
            f'border-radius:6px;overflow-x:auto;font-size:.8em">{html.escape(text)}</pre></div>'
            for basis, (title, text) in ((280 + 260 * (n > 0), part) for n, part in enumerate(self.parts))
        )
        return f'<div style="display:flex;flex-wrap:wrap;gap:12px;align-items:flex-start">{columns}</div>'

    def __repr__(self) -> str:
        return "\n\n".join(f"── {title} ──\n{text.rstrip()}" for title, text in self.parts)


def beside(**parts: str) -> Beside:
    """Texts by title, in the order given; an underscore in a title is a blank."""
    return Beside(tuple((title.replace("_", " "), text) for title, text in parts.items()))


def section(text: str, title: str) -> str:
    """One part of what describe prints: the line that begins with ``title`` and all that is indented below it."""
    lines = text.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(title))
    end = next((n for n in range(start + 1, len(lines)) if lines[n][:1].strip()), len(lines))
    return "\n".join(lines[start:end]).rstrip() + "\n"
