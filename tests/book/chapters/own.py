from selfheal.lessons.exercises import harmless
from tests.book.chapters import Chapter

CHAPTER = Chapter(
    page="19-your-own-controller.ipynb",
    told=frozenset({"13", "4", "19", "45", "0", "7", "21", "8", "1", "20", "21657"}),
    exercise=harmless,
    cheats=[
        ("does nothing", "def sync(api):\n    pass\n", "it is still there"),
        (
            "deletes everything",
            "def sync(api):\n    for pod in api.pods():\n        api.delete(pod.name)\n",
            "deleted with it",
        ),
        ("no function", "synchronise = 3\n", "no function called sync"),
    ],
    good=[
        harmless.solution.replace("len(unready) > len(pods) / 4", "len(unready) * 4 > len(pods)"),
        harmless.solution.replace("> 60:", "> 90:"),
    ],
)
