"""What happened in a cluster, one record a change: kept, asked, saved, compared, checked.

A timeline is written by a simulated cluster and by a recorder on a real one alike, so
that the two can be laid on top of each other:

* :mod:`~selfheal.timeline.log`: the :class:`Timeline` itself, its queries and its file format (JSON Lines);
* :mod:`~selfheal.timeline.facts`: what of an object is worth a record, and the :class:`Recorder` that writes it down;
* :mod:`~selfheal.timeline.compare`: whether simulated runs do what a real cluster did;
* :mod:`~selfheal.timeline.validators`: what must hold in every timeline;
* :mod:`~selfheal.timeline.lanes`: a timeline laid out for drawing.
"""

from __future__ import annotations

from selfheal.timeline.facts import Recorder, facts
from selfheal.timeline.log import Record, Timeline

__all__ = ["Record", "Recorder", "Timeline", "facts"]
