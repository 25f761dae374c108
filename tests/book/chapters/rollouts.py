from selfheal.lessons.exercises import friday
from selfheal.lessons.exercises.friday import READY
from tests.book.chapters import Chapter, changed

PROBED = changed(friday, "---\n", READY)
LIVE = READY.replace("readinessProbe", "livenessProbe")
CHAPTER = Chapter(
    page="17-rollouts.ipynb",
    told=frozenset({"23211", "40207", "55402", "89820"}),
    exercise=friday,
    wrong=[
        ("only slower", changed(friday, "minReadySeconds: 0", "minReadySeconds: 30"), "does not keep users away"),
        ("liveness instead", changed(friday, "---\n", LIVE), "Without a readiness probe a pod counts as ready"),
        (
            "only readiness",
            PROBED.replace("progressDeadlineSeconds: 600", "progressDeadlineSeconds: 120"),
            "must a pod be Ready",
        ),
        (
            "all at once",
            PROBED.replace("{maxSurge: 1, maxUnavailable: 2}", "{maxSurge: 1, maxUnavailable: 100%}"),
            "look at maxUnavailable",
        ),
        (
            "recreate",
            PROBED.replace(
                "type: RollingUpdate\n    rollingUpdate: {maxSurge: 1, maxUnavailable: 2}", "type: Recreate"
            ),
            "Recreate ends all old pods",
        ),
        ("too short", friday.solution.replace("minReadySeconds: 60", "minReadySeconds: 25"), "10 … 15 s to notice"),
        ("nobody hears of it", PROBED.replace("minReadySeconds: 0", "minReadySeconds: 30"), "nobody hears of it"),
    ],
    cheats=[
        ("pause", changed(friday, "  replicas: 4", "  paused: true\n  replicas: 4"), "You changed spec.paused"),
        ("a hundred", changed(friday, "replicas: 4", "replicas: 100"), "You changed spec.replicas"),
        (
            "an hour of patience",
            friday.solution.replace("minReadySeconds: 60", "minReadySeconds: 3000").replace(
                "Seconds: 120", "Seconds: 4000"
            ),
            "is not out after 300 s",
        ),
    ],
    good=[
        friday.solution.replace("maxUnavailable: 2", "maxUnavailable: 0"),
        friday.solution.replace("minReadySeconds: 60", "minReadySeconds: 45"),
    ],
)
