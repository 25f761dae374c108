from selfheal.lessons.exercises import leftover
from tests.book.chapters import Chapter, changed, without

PATIENT = "periodSeconds: 10\n          failureThreshold: "

CHAPTER = Chapter(
    page="03-readiness.ipynb",
    told=frozenset({"5580", "93994", "27114", "5963", "30"}),
    exercise=leftover,
    wrong=[
        (
            "the usual advice",
            changed(leftover, "failureThreshold: 3\n        liveness", "failureThreshold: 30\n        liveness"),
            "You raised the readiness threshold to 30",
        ),
        ("one for both", leftover.manifest.replace("/readyz", "/healthz"), "not done with its work"),
        ("a patient liveness probe", changed(leftover, f"{PATIENT}3", f"{PATIENT}30"), "too patient for a deadlock"),
        ("a longer grace", changed(leftover, "riodSeconds: 5\n      con", "riodSeconds: 90\n      con"), "You changed"),
    ],
    cheats=[
        ("no liveness", without(leftover, "livenessProbe"), "nobody would notice a deadlock"),
        ("no readiness", without(leftover, "readinessProbe"), "ready the moment it runs"),
    ],
    good=[
        changed(
            leftover,
            "        livenessProbe",
            "        startupProbe:\n          httpGet: {path: /readyz, port: 8080}\n          failureThreshold: 12\n"
            "        livenessProbe",
        )
    ],
)
