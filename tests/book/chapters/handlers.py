from selfheal.lessons.exercises import always_green
from tests.book.chapters import Chapter, changed, without

TCP = "tcpSocket: {port: 8080}"


def asks(handler: str) -> str:
    return changed(always_green, TCP, handler)


CHAPTER = Chapter(
    page="05-handlers.ipynb",
    told=frozenset({"103632", "35", "299", "399", "300", "54082", "61831", "106682", "82440", "127", "10", "6"}),
    exercise=always_green,
    wrong=[
        ("runs curl", asks("exec: {command: [curl, -f, 'http://localhost:8080/healthz']}"), "could not be run"),
        ("asks over TLS", asks("httpGet: {path: /healthz, port: 8080, scheme: HTTPS}"), "HTTP response to HTTPS"),
        ("asks for user pages", asks("httpGet: {path: /, port: 8080}"), "does not bring a database back"),
        ("a shell without a path", asks("exec: {command: [sh, -c, 'curl localhost:8080']}"), "curl: not found"),
    ],
    cheats=[
        ("no probe", without(always_green, "livenessProbe"), "not the probe"),
        ("a command that is content", asks("exec: {command: ['true']}"), "ends with 0 whatever"),
        ("a threshold without end", always_green.solution + "      failureThreshold: 500\n", "500 failures"),
    ],
    good=[asks("exec: {command: [/patient, check, healthz]}"), always_green.solution + "      timeoutSeconds: 3\n"],
)
