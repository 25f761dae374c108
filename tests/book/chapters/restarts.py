from selfheal.lessons.exercises import unwritten
from tests.book.chapters import Chapter, changed, without

ON_FAILURE = changed(unwritten, "restartPolicy: Never", "restartPolicy: OnFailure")

CHAPTER = Chapter(
    page="11-restart-policy.ipynb",
    told=frozenset({"25", "128", "15", "9", "48", "1.35", "5307"}),
    exercise=unwritten,
    wrong=[
        ("for ever", changed(unwritten, "restartPolicy: Never", "restartPolicy: Always"), "should run for ever"),
        ("only the probe", changed(unwritten, "periodSeconds: 5", "periodSeconds: 2"), "Never even a kill by a probe"),
        (
            "asks the port",
            ON_FAILURE.replace("httpGet: {path: /healthz, port: 8080}", "tcpSocket: {port: 8080}"),
            "the port of a stuck process is",
        ),
    ],
    cheats=[
        ("no probe", without(unwritten, "livenessProbe"), "never written at all"),
        ("endless patience", ON_FAILURE.replace("failureThreshold: 3", "failureThreshold: 100"), "too long for that"),
    ],
    good=[ON_FAILURE.replace("periodSeconds: 5", "periodSeconds: 10")],
)
