from selfheal.lessons.exercises import endless
from tests.book.chapters import Chapter, changed

SOLVED = endless.solution
FOREVER = "while true; do sleep 1; done"
LOGGER = endless.manifest[endless.manifest.index("  - name: logger") :]

CHAPTER = Chapter(
    page="13-init-and-sidecars.ipynb",
    exercise=endless,
    cheats=[
        ("no logger", changed(endless, LOGGER, ""), "must still be shipped"),
        ("a logger that does nothing", changed(endless, FOREVER, "true"), "no logger was running"),
    ],
    good=[SOLVED.replace("sleep 1;", "sleep 2;")],
)
