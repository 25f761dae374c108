from selfheal.lessons.exercises import slow_start
from tests.book.chapters import Chapter, changed, without

STARTUP = "    startupProbe:\n      httpGet: {path: /healthz, port: 8080}\n      failureThreshold: "
DELAY = "initialDelaySeconds: 60"

CHAPTER = Chapter(
    page="04-startup.ipynb",
    told=frozenset({"30", "119666", "2023", "2025", "1.36", "141155", "18"}),
    exercise=slow_start,
    cheats=[
        ("no liveness", without(slow_start, "livenessProbe") + STARTUP + "20\n", "nobody notices a deadlock either"),
        ("an enormous budget", slow_start.manifest + STARTUP + "1000\n", "A budget without an end is no budget"),
    ],
    good=[changed(slow_start, DELAY, "initialDelaySeconds: 30") + STARTUP + "20\n"],
)
