"""What a chapter shows: a question that the reader changes, and its answer, drawn.

A widget asks a *question* (a scenario in canonical form) and draws the *answer* (a timeline).
It does not know who answered: the bank of answers stored with a page, Python in the page, or a kernel.

* :mod:`~selfheal.widgets.monitor`: the patient monitor, as a cell shows it;
* :mod:`~selfheal.widgets.questions`: what the reader's settings make of a scenario;
* :mod:`~selfheal.widgets.answers`: a question in, the timeline and its reasons out;
* :mod:`~selfheal.widgets.bank`: the answers that are stored with a page;
* :mod:`~selfheal.widgets.page`: widgets on a page without a kernel.
"""

from __future__ import annotations

from selfheal.widgets.monitor import Monitor, monitor

__all__ = ["Monitor", "monitor"]
