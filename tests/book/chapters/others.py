from selfheal.lessons.exercises import drained
from tests.book.chapters import Chapter, changed

ALWAYS = "\n  unhealthyPodEvictionPolicy: AlwaysAllow"

CHAPTER = Chapter(
    page="18-other-controllers.ipynb",
    told=frozenset(
        {
            "11",
            "19",
            "7",
            "8",
            "40",
            "50",
            "300",
            "2018",
            "67250",
            "60164",
            "51650",
            "64088",
            "7060",
            "89820",
            "123204",
            "37709",
        }
    ),
    exercise=drained,
    cheats=[
        ("more pods", changed(drained, "replicas: 3", "replicas: 30"), "You changed spec.replicas"),
        (
            "a budget for nobody",
            changed(
                drained,
                "  selector:\n    matchLabels: {app: shop}\n---",
                "  selector:\n    matchLabels: {app: nobody}\n---",
            ),
            "You changed",
        ),
        ("no budget", drained.manifest.partition("---\n")[2], "There should be"),
    ],
    good=[
        changed(drained, "minAvailable: 3", f"minAvailable: 2{ALWAYS}"),
        changed(drained, "minAvailable: 3", f"minAvailable: 50%{ALWAYS}"),
    ],
)
