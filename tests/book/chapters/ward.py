from selfheal.lessons.exercises import night_shift
from tests.book.chapters import Chapter, without

CHAPTER = Chapter(
    page="09-the-ward.ipynb",
    told=frozenset({"60", "10", "53530", "186", "115651", "522"}),
    exercise=night_shift,
    cheats=[
        ("no liveness", without(night_shift, "livenessProbe"), "a deadlock would stay"),
        (
            "a threshold without end",
            night_shift.manifest.replace("initialDelaySeconds: 20", "failureThreshold: 1000"),
            "so patient that it waits",
        ),
        ("a hundred replicas", night_shift.solution.replace("replicas: 2", "replicas: 100"), "Change only"),
    ],
    good=[
        night_shift.solution.replace("failureThreshold: 20", "failureThreshold: 30"),
        night_shift.solution.replace("failureThreshold: 2\n", "timeoutSeconds: 2\n").replace(
            "readinessProbe:\n            httpGet: {path: /readyz, port: 8080}\n            periodSeconds: 5",
            "readinessProbe:\n            httpGet: {path: /readyz, port: 8080}\n            periodSeconds: 2",
        ),
    ],
)
