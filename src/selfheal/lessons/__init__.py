"""What a chapter needs beside the cluster and its widgets.

* :mod:`~selfheal.lessons.questions`: predictions and quizzes;
* :mod:`~selfheal.lessons.measure`: a test before and after the course, and what it has done;
* :mod:`~selfheal.lessons.exercises`: manifests to repair, checked by running them;
* :mod:`~selfheal.lessons.arithmetic`: what a probe's numbers promise;
* :mod:`~selfheal.lessons.silo`: a probe drawn as a sampler in a grain silo;
* :mod:`~selfheal.lessons.cases` and :mod:`~selfheal.lessons.steps`: tables that one can play, walks through a run;
* :mod:`~selfheal.lessons.stepper`: a run of the control loops, one turn at a time;
* :mod:`~selfheal.lessons.describes`: the line of a describe that tells the cause;
* :mod:`~selfheal.lessons.nodemap` and :mod:`~selfheal.lessons.routes`: a run as a film of its nodes, of a Service;
* :mod:`~selfheal.lessons.overlay` and :mod:`~selfheal.lessons.witness`: prediction, simulation and a real cluster, laid
  over each other;
* :mod:`~selfheal.lessons.beside` and :mod:`~selfheal.lessons.table`: two views side by side, numbers in columns.
"""

from __future__ import annotations

from selfheal.lessons.beside import beside, events
from selfheal.lessons.cases import Case, cases
from selfheal.lessons.describes import describes
from selfheal.lessons.measure import gain, score, sheet
from selfheal.lessons.nodemap import nodemap
from selfheal.lessons.overlay import overlay
from selfheal.lessons.questions import predict, quiz
from selfheal.lessons.routes import routes
from selfheal.lessons.silo import silo, silos
from selfheal.lessons.stepper import stepper
from selfheal.lessons.steps import Step, steps
from selfheal.lessons.table import table
from selfheal.lessons.witness import recording, stories, witness

__all__ = [
    "Case",
    "Step",
    "beside",
    "cases",
    "describes",
    "events",
    "gain",
    "nodemap",
    "overlay",
    "predict",
    "quiz",
    "recording",
    "routes",
    "score",
    "sheet",
    "silo",
    "silos",
    "stepper",
    "steps",
    "stories",
    "table",
    "witness",
]
