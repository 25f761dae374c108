"""A probe, drawn as a sampler in a grain silo.

Grain is poured in as time goes by, so depth is time: the oldest lies at the bottom. The sampler is a lance with a
chamber at each probe. It knows what is in its chambers and nothing of what lies between them.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterable
from dataclasses import dataclass

from selfheal.words import marked, phrase, words

Layer = tuple[float, float]
"""From when to when the app is sick, in seconds."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one probe met. ``run``: which failure in a row it is, 0 for a success."""

    t: float
    sick: bool
    run: int
    verdict: bool


def samples(sick: Iterable[Layer], *, period: float = 10, threshold: int = 3, until: float = 60) -> list[Sample]:
    """The probes at P, 2 P, 3 P … up to ``until`` or to the verdict.

    A fault at the very moment of a probe is met by it (pkg/kubelet/prober/worker.go ``doProbe``).
    """
    layers, found, run, n = list(sick), list[Sample](), 0, 1
    while n * period <= until:
        t = n * period
        ill = any(begin <= t < end for begin, end in layers)
        run = run + 1 if ill else 0
        found.append(Sample(t, ill, run, run == threshold))
        if run == threshold:
            break
        n += 1
    return found


@dataclass(frozen=True, slots=True)
class Silo:
    """One silo: what happened, and what the sampler makes of it."""

    title: str
    sick: tuple[Layer, ...]
    period: float = 10
    threshold: int = 3
    until: float = 60

    @property
    def samples(self) -> list[Sample]:
        return samples(self.sick, period=self.period, threshold=self.threshold, until=self.until)

    @property
    def says(self) -> str:
        """The outcome in words."""
        bad = [s for s in self.samples if s.sick]
        long = sum(end - begin for begin, end in self.sick)
        say = words("silo")
        told = say["bad.one" if len(bad) == 1 else "bad"].format(long=f"{long:g}", n=len(bad))
        verdict = next((s for s in bad if s.verdict), None)
        if verdict:
            after = f"{verdict.t - self.sick[0][0]:g}"
            return str(say["verdict"].format(told=told, after=after))
        return str(say["none" if bad else "nobody"].format(told=told, threshold=self.threshold))

    def svg(self) -> str:
        say = words("silo")
        top, bottom, left, right, middle = 52.0, 292.0, 40.0, 116.0, 78.0
        scale = (bottom - top) / self.until
        name = "silo-" + hashlib.sha256(repr(self).encode()).hexdigest()[:8]

        def y(t: float) -> float:
            return round(bottom - min(max(t, 0), self.until) * scale, 1)

        hatch = 'width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"'
        parts = [
            f'<defs><pattern id="{name}" {hatch}><path class="hatch" d="M0 0V7"/></pattern></defs>',
            f'<path class="wall" d="M{left - 6} {top}L{middle} {top - 30}L{right + 6} {top}Z"/>',
            f'<rect class="well" x="{left}" y="{top}" width="{right - left}" height="{bottom - top}"/>',
        ]
        for begin, end in self.sick:
            box = f'x="{left}" y="{y(end)}" width="{right - left}" height="{round(y(begin) - y(end), 1)}"'
            parts += [f'<rect class="ill" {box}/>', f'<rect fill="url(#{name})" {box}/>']
        parts.append(f'<rect class="line" x="{left}" y="{top}" width="{right - left}" height="{bottom - top}"/>')
        parts.append(f'<path class="wall" d="M{left} {bottom}h{right - left}l-30 22h-30Z"/>')
        t = 0.0
        while t <= self.until:
            parts.append(f'<text x="{left - 8}" y="{y(t) + 4}" text-anchor="end">{t:g}</text>')
            t += 10
        parts.append(f'<text x="{left - 8}" y="{top - 14}" text-anchor="end">s</text>')
        parts.append(f'<path class="lance" d="M{middle} 6V{bottom - 2}"/><path class="lance" d="M{middle - 14} 6h28"/>')
        for s in self.samples:
            at = y(s.t)
            parts.append(f'<rect class="chamber" x="{middle - 8}" y="{at - 4}" width="16" height="8" rx="2"/>')
            parts.append(f'<path class="line" d="M{middle + 8} {at}H{right + 12}"/>')
            if s.sick:
                parts.append(f'<path class="cross" d="M{right + 16} {at - 5}l10 10m0-10l-10 10"/>')
                note = html.escape(say["mark"].format(n=s.run)) if s.verdict else f"{s.run}"
                parts.append(f'<text class="bad" x="{right + 32}" y="{at + 4}">{note}</text>')
            else:
                parts.append(f'<circle class="pass" cx="{right + 21}" cy="{at}" r="4.5"/>')
        label = html.escape(say["label"].format(title=self.title, period=f"{self.period:g}", says=self.says))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 236 320" width="236" height="320" role="img" '
            f'aria-label="{label}">{"".join(parts)}</svg>'
        )

    def figure(self) -> str:
        return (
            f'<figure><p class="title">{html.escape(self.title)}</p>\n{self.svg()}\n'
            f"<p>{html.escape(self.says)}</p></figure>"
        )

    def _repr_html_(self) -> str:
        return Silos((self,))._repr_html_()

    def __repr__(self) -> str:
        second = words("plot")["s"]
        marks = "  ".join(f"{second.format(t=f'{s.t:g}')} {'✕' if s.sick else '●'}{s.run or ''}" for s in self.samples)
        return f"{self.title}\n  {marks}\n  {self.says}"


@dataclass(frozen=True, slots=True)
class Silos:
    """Several silos, side by side where there is room."""

    silos: tuple[Silo, ...]

    def _repr_html_(self) -> str:
        figures = "".join(s.figure() for s in self.silos)
        return f'<div class="selfheal-silos"{marked()}>\n<style>{STYLE}</style>\n{figures}\n</div>'

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.silos))


def silo(*sick: Layer, title: str = "", period: float = 10, threshold: int = 3, until: float = 60) -> Silo:
    """Draw one silo: ``silo((12, 19), period=10, threshold=3)``."""
    for begin, end in sick:
        if not 0 <= begin < end:
            raise ValueError(f"a layer goes from an earlier to a later second, not from {begin:g} to {end:g}")
    if period <= 0 or threshold < 1 or until <= 0:
        raise ValueError("period and until are seconds above 0, threshold is at least 1")
    title = phrase(title) or words("silo")["each"].format(period=f"{period:g}")
    return Silo(title, sick, period, threshold, until)


def silos(*given: Silo) -> Silos:
    """Draw several side by side."""
    return Silos(given)


STYLE = """
.selfheal-silos{display:flex;flex-wrap:wrap;gap:8px;justify-content:center;padding:10px 4px;border-radius:10px;
background:light-dark(#f6f7f9,#1a2029);color:light-dark(#1c2330,#e8ecf2)}
[data-jp-theme-light="false"] .selfheal-silos,.vscode-dark .selfheal-silos{color-scheme:dark}
.selfheal-silos figure{margin:0;width:236px;text-align:center;font-size:14px;line-height:1.35}
.selfheal-silos p{margin:0 6px;color:inherit;font-size:14px}
.selfheal-silos p.title{font-weight:650}
.selfheal-silos svg{background:none}
.selfheal-silos text{font:12px system-ui,sans-serif;fill:light-dark(#1c2330,#e8ecf2);font-variant-numeric:tabular-nums}
.selfheal-silos .wall{fill:light-dark(#d9dee6,#323b49)}
.selfheal-silos .well{fill:light-dark(#d3f0e4,#123c30)}
.selfheal-silos .ill{fill:light-dark(#fbdfcf,#4a2412)}
.selfheal-silos .hatch{stroke:light-dark(#ac3a06,#ff9a66);stroke-width:2;fill:none}
.selfheal-silos .line{fill:none;stroke:light-dark(#8b95a4,#6f7c8e)}
.selfheal-silos .lance{fill:none;stroke:light-dark(#1c2330,#e8ecf2);stroke-width:3;stroke-linecap:round}
.selfheal-silos .chamber{fill:light-dark(#fff,#12161d);stroke:light-dark(#1c2330,#e8ecf2);stroke-width:1.5}
.selfheal-silos .cross{fill:none;stroke:light-dark(#ac3a06,#ff9a66);stroke-width:2.5;stroke-linecap:round}
.selfheal-silos .bad{fill:light-dark(#ac3a06,#ff9a66);font-weight:650}
.selfheal-silos .pass{fill:light-dark(#0a7250,#4fd1a5)}
""".replace("\n", "")
