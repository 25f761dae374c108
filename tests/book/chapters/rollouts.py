from selfheal.lessons.exercises import friday
from tests.book.chapters import Chapter, changed

CHAPTER = Chapter(
    page="17-rollouts.ipynb",
    told=frozenset({"23211", "40207", "55402", "89820"}),
    exercise=friday,
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
