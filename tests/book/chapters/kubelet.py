from selfheal.lessons.exercises import held_up
from tests.book.chapters import Chapter, changed, without

SOLVED = held_up.solution

CHAPTER = Chapter(
    page="10-the-kubelet.ipynb",
    told=frozenset({"35", "30"}),
    exercise=held_up,
    wrong=[
        ("less time for all", changed(held_up, "Seconds: 30", "Seconds: 3"), "Who is it that should get less time"),
        ("probes faster", changed(held_up, "periodSeconds: 5", "periodSeconds: 1"), "a sync ends before"),
        ("still too long", SOLVED.replace("Seconds: 3\n", "Seconds: 20\n"), "was waiting for the exporter"),
    ],
    cheats=[
        ("no probe", without(held_up, "livenessProbe"), "Nobody notices when it is stuck"),
        ("endless patience", changed(held_up, "failureThreshold: 3", "failureThreshold: 100"), "had not been started"),
    ],
    good=[SOLVED.replace("Seconds: 3\n", "Seconds: 5\n")],
)
