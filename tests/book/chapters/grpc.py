from selfheal.lessons.exercises import one_port
from tests.book.chapters import Chapter, changed, without

CHAPTER = Chapter(
    page="06-grpc.ipynb",
    told=frozenset({"115651", "30", "1.36", "1.24", "119093", "128365"}),
    exercise=one_port,
    cheats=[
        ("no liveness", without(one_port, "livenessProbe"), "nobody would notice a deadlock"),
        ("no readiness", without(one_port, "readinessProbe"), "ready as long as it runs"),
        (
            "a threshold without end",
            changed(one_port, "periodSeconds: 5\n", "periodSeconds: 5\n          failureThreshold: 500\n"),
            "too patient for a deadlock",
        ),
    ],
    good=[
        one_port.solution.replace("grpc: {port: 5000, service: liveness}", "httpGet: {path: /healthz, port: 8080}"),
    ],
)
