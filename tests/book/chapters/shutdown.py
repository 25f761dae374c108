from selfheal.lessons.exercises import lost_orders
from tests.book.chapters import Chapter, changed, without

SOLVED = lost_orders.solution
PAUSE = "sleep: {seconds: 5}"
assert PAUSE in SOLVED

CHAPTER = Chapter(
    page="14-shutdown.ipynb",
    told=frozenset({"9", "3960", "52817", "92385", "115817"}),
    exercise=lost_orders,
    cheats=[
        ("no probe", without(lost_orders, "readinessProbe"), "both ends of a pod's life"),
        ("replicas 100", changed(lost_orders, "replicas: 3", "replicas: 100"), "You changed spec.replicas"),
    ],
    good=[SOLVED.replace(PAUSE, 'exec: {command: [sleep, "4"]}'), SOLVED.replace(PAUSE, "sleep: {seconds: 6}")],
)
