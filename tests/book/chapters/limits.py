from selfheal.lessons.exercises import fleet
from tests.book.chapters import Chapter, changed, without

EXEC = '          exec:\n            command: [wget, -q, -T, "1", -O, /dev/null, "http://stock/"]\n'

CHAPTER = Chapter(
    page="20-what-it-cannot-heal.ipynb",
    told=frozenset({"14", "16", "18", "19", "40", "22", "8", "7", "9", "0"}),
    exercise=fleet,
    cheats=[
        ("no probe", without(fleet, "livenessProbe"), "noticed by nobody"),
        ("always well", changed(fleet, EXEC, '          exec: {command: ["true"]}\n'), "does not notice"),
        ("a hundred", changed(fleet, "replicas: 4", "replicas: 100"), "You changed spec.replicas"),
    ],
    good=[
        fleet.solution.replace("failureThreshold: 3", "failureThreshold: 2"),
        fleet.solution.replace("---\n", "        readinessProbe: {httpGet: {path: /readyz, port: 8080}}\n---\n", 1),
    ],
)
