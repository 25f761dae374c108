from selfheal.lessons.exercises import silent
from tests.book.chapters import Chapter, changed, without

CHAPTER = Chapter(
    page="02-liveness.ipynb",
    told=frozenset({"399", "16262", "64715", "133472", "76619", "35079", "1.5", "300", "160", "30"}),
    exercise=silent,
    wrong=[
        ("hopes for patience", silent.manifest + "      failureThreshold: 500\n", "It takes too long"),
        ("looks later", silent.manifest + "      initialDelaySeconds: 1000\n", "only puts the first probe off"),
        ("asks the port", changed(silent, "httpGet: {path: /healthz, port: 80}", "tcpSocket: {port: 8080}"), "port"),
        ("asks for user pages", changed(silent, "/healthz, port: 80}", "/, port: 8080}"), "bring a database back"),
    ],
    cheats=[("no probe", without(silent, "livenessProbe"), "nobody would notice the next deadlock")],
    good=[
        silent.solution + "      failureThreshold: 2\n",
        silent.solution.replace("periodSeconds: 5", "periodSeconds: 10"),
    ],
)
