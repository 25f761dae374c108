"""What a chapter needs beside the cluster and its widgets.

* :mod:`~selfheal.lessons.questions`: predictions and quizzes;
* :mod:`~selfheal.lessons.exercises`: manifests to repair, checked by running them;
* :mod:`~selfheal.lessons.arithmetic`: what a probe's numbers promise;
* :mod:`~selfheal.lessons.silo`: a probe drawn as a sampler in a grain silo;
* :mod:`~selfheal.lessons.beside`: two texts side by side.
"""

from __future__ import annotations

from selfheal.lessons.beside import beside, section
from selfheal.lessons.questions import predict, quiz
from selfheal.lessons.silo import silo, silos

__all__ = ["beside", "predict", "quiz", "section", "silo", "silos"]
