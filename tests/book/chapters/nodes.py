from selfheal.lessons.exercises import silent_node
from tests.book.chapters import Chapter, changed, without

SOLVED = silent_node.solution
assert "Seconds: 35}" in SOLVED

CHAPTER = Chapter(
    page="15-node-failure.ipynb",
    told=frozenset({"1.32", "11", "40", "7060", "101391"}),
    exercise=silent_node,
    cheats=[
        ("replicas 100", changed(silent_node, "replicas: 2", "replicas: 100"), "You changed spec.replicas"),
        ("no readiness", without(silent_node, "readinessProbe"), "cannot see a dead node"),
    ],
    good=[SOLVED.replace("Seconds: 35}", "Seconds: 40}")],
)
