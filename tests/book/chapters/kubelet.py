from selfheal.lessons.exercises import held_up
from tests.book.chapters import Chapter, changed, without

SOLVED = held_up.solution

CHAPTER = Chapter(
    page="10-the-kubelet.ipynb",
    told=frozenset({"35", "30"}),
    exercise=held_up,
    cheats=[
        ("no probe", without(held_up, "livenessProbe"), "Nobody notices when it is stuck"),
        ("endless patience", changed(held_up, "failureThreshold: 3", "failureThreshold: 100"), "had not been started"),
    ],
    good=[SOLVED.replace("Seconds: 3\n", "Seconds: 5\n")],
)
