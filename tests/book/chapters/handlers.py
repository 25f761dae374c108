from selfheal.lessons.exercises import always_green
from tests.book.chapters import Chapter, changed, without

TCP = "tcpSocket: {port: 8080}"


def asks(handler: str) -> str:
    return changed(always_green, TCP, handler)


CHAPTER = Chapter(
    page="05-handlers.ipynb",
    told=frozenset({"103632", "35", "299", "399", "300", "54082", "61831", "106682", "82440", "127", "10", "6"}),
    exercise=always_green,
    cheats=[
        ("no probe", without(always_green, "livenessProbe"), "not the probe"),
        ("a command that is content", asks("exec: {command: ['true']}"), "ends with 0 whatever"),
        ("a threshold without end", always_green.solution + "      failureThreshold: 500\n", "500 failures"),
    ],
    good=[asks("exec: {command: [/patient, check, healthz]}"), always_green.solution + "      timeoutSeconds: 3\n"],
)
