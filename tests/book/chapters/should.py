from selfheal.lessons.exercises import shared_endpoint
from tests.book.chapters import Chapter, without

CHAPTER = Chapter(
    page="08-should-you-probe.ipynb",
    told=frozenset({"40", "9"}),
    exercise=shared_endpoint,
    cheats=[
        ("no liveness", without(shared_endpoint, "livenessProbe"), "would last for ever"),
        ("no readiness", without(shared_endpoint, "readinessProbe"), "has no prices"),
        ("another endpoint", shared_endpoint.manifest.replace("/readyz", "/healthz"), "Change only"),
        ("a hundred replicas", shared_endpoint.manifest.replace("replicas: 2", "replicas: 100"), "Change only"),
    ],
    good=[shared_endpoint.solution.replace("failureThreshold: 14", "failureThreshold: 16")],
)
