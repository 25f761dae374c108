from selfheal.lessons.exercises import lost_orders
from tests.book.chapters import Chapter, changed, without

SOLVED = lost_orders.solution
PAUSE = "sleep: {seconds: 5}"
assert PAUSE in SOLVED

CHAPTER = Chapter(
    page="14-shutdown.ipynb",
    told=frozenset({"9", "3960", "52817", "92385", "115817"}),
    exercise=lost_orders,
    wrong=[
        ("more grace", changed(lost_orders, "Seconds: 30", "Seconds: 90"), "how long a pod may take"),
        ("too short a pause", SOLVED.replace(PAUSE, "sleep: {seconds: 1}"), "still sends orders for 3 s"),
        (
            "one more at a time",
            changed(
                lost_orders,
                "spec:\n  replicas: 3",
                "spec:\n  strategy: {rollingUpdate: {maxUnavailable: 0}}\n  replicas: 3",
            ),
            "ends at once",
        ),
        ("a very long pause", SOLVED.replace(PAUSE, "sleep: {seconds: 29}"), "no longer than it must"),
    ],
    cheats=[
        ("no probe", without(lost_orders, "readinessProbe"), "both ends of a pod's life"),
        ("replicas 100", changed(lost_orders, "replicas: 3", "replicas: 100"), "You changed spec.replicas"),
    ],
    good=[SOLVED.replace(PAUSE, 'exec: {command: [sleep, "4"]}'), SOLVED.replace(PAUSE, "sleep: {seconds: 6}")],
)
