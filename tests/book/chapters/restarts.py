from selfheal.lessons.exercises import unwritten
from tests.book.chapters import Chapter, changed, without

ON_FAILURE = changed(unwritten, "restartPolicy: Never", "restartPolicy: OnFailure")

CHAPTER = Chapter(
    page="11-restart-policy.ipynb",
    told=frozenset({"1.35", "48", "128", "5307"}),
    exercise=unwritten,
    cheats=[
        ("no probe", without(unwritten, "livenessProbe"), "never written at all"),
        ("endless patience", ON_FAILURE.replace("failureThreshold: 3", "failureThreshold: 100"), "too long for that"),
    ],
    good=[ON_FAILURE.replace("periodSeconds: 5", "periodSeconds: 10")],
)
