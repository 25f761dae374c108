from selfheal.lessons.exercises import rarely, stays_away
from tests.book.chapters import Chapter, changed, without

CHAPTER = Chapter(
    page="12-back-off.ipynb",
    told=frozenset({"22241", "45928", "57291"}),
    exercise=rarely,
    cheats=[
        ("no pause", changed(rarely, "          sleep 20\n", ""), "held back for the first time"),
        ("two replicas", changed(rarely, "spec:\n  selector", "spec:\n  replicas: 100\n  selector"), "You changed"),
    ],
    good=[
        changed(
            rarely,
            "          echo delivered\n          sleep 20\n",
            "          while sleep 5; do echo delivered; done\n",
        )
    ],
    more=(
        Chapter(
            page="12-back-off.ipynb",
            cell="exercise-images-answer",
            exercise=stays_away,
            cheats=[("forgets the probe", without(stays_away, "readinessProbe"), "before it can serve them")],
            good=[changed(stays_away, "        imagePullPolicy: Always\n", "")],
        ),
    ),
)
