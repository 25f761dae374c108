from selfheal.lessons.exercises import rarely
from tests.book.chapters import Chapter, changed

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
)
