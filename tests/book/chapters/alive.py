from selfheal.lessons.exercises import in_time
from tests.book.chapters import Chapter, without

CHAPTER = Chapter(
    page="01-is-it-alive.ipynb",
    told=frozenset({"1.36", "25", "37414", "399"}),
    exercise=in_time,
    cheats=[("no probe", without(in_time, "livenessProbe"), "nobody notices a deadlock either")],
    good=[
        in_time.manifest.replace("failureThreshold: 1", "failureThreshold: 2"),
        in_time.manifest.replace("periodSeconds: 10", "periodSeconds: 2").replace("old: 1", "old: 5"),
    ],
)
