from selfheal.lessons.exercises import leftover
from tests.book.chapters import Chapter, changed, without

CHAPTER = Chapter(
    page="03-readiness.ipynb",
    told=frozenset({"5580", "93994", "27114", "5963", "30"}),
    exercise=leftover,
    cheats=[
        ("no liveness", without(leftover, "livenessProbe"), "nobody would notice a deadlock"),
        ("no readiness", without(leftover, "readinessProbe"), "ready the moment it runs"),
    ],
    good=[
        changed(
            leftover,
            "        livenessProbe",
            "        startupProbe:\n          httpGet: {path: /readyz, port: 8080}\n          failureThreshold: 12\n"
            "        livenessProbe",
        )
    ],
)
