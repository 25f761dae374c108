from selfheal.lessons.exercises import silent
from tests.book.chapters import Chapter, without

CHAPTER = Chapter(
    page="02-liveness.ipynb",
    told=frozenset({"399", "16262", "64715", "133472", "76619", "35079", "1.5", "300", "160", "35"}),
    exercise=silent,
    cheats=[("no probe", without(silent, "livenessProbe"), "nobody would notice the next deadlock")],
    good=[
        silent.solution + "      failureThreshold: 2\n",
        silent.solution.replace("periodSeconds: 5", "periodSeconds: 10"),
    ],
)
