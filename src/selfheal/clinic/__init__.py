"""The clinic: a workload is run against everything that goes wrong some day, and what users would have felt is told.

    from selfheal.clinic import App, Examination, read
    [subject], passed = read(["deployment.yaml"])
    examination = Examination(subject, App(starts=20))
    examination.first()          # stops at the first proof that something does not hold
    examination.findings()       # what did not hold so far: harm, first cause, place, the smallest change that helps

* :mod:`~selfheal.clinic.subject`: a workload out of somebody's manifests, in the form in which it can be run;
* :mod:`~selfheal.clinic.app`: what is assumed of an app that nobody here can run, and a stand-in that behaves so;
* :mod:`~selfheal.clinic.cases`: the battery: what goes wrong, and what is asked;
* :mod:`~selfheal.clinic.trial`: one run, and what users would have felt of it;
* :mod:`~selfheal.clinic.findings`: all runs of one workload, ranked by harm;
* :mod:`~selfheal.clinic.diagnosing`: all of this for somebody's manifests, in one call;
* :mod:`~selfheal.clinic.verdict`: the first verdict at once, and the rest run by run, in a notebook or a page;
* :mod:`~selfheal.clinic.remedies`: the smallest change that helps, found by running;
* :mod:`~selfheal.clinic.grid`: how to choose values: the battery over a grid, and the trade-off as a picture.
"""

from __future__ import annotations

from selfheal.clinic.app import App
from selfheal.clinic.cases import BATTERY, Case
from selfheal.clinic.diagnosing import diagnose
from selfheal.clinic.findings import Examination, Finding, Step
from selfheal.clinic.grid import Point, Sweep, sweep
from selfheal.clinic.remedies import Change
from selfheal.clinic.subject import Subject, read
from selfheal.clinic.trial import Outcome
from selfheal.clinic.verdict import verdict

__all__ = [
    "BATTERY",
    "App",
    "Case",
    "Change",
    "Examination",
    "Finding",
    "Outcome",
    "Point",
    "Step",
    "Subject",
    "Sweep",
    "diagnose",
    "read",
    "sweep",
    "verdict",
]
