from selfheal.lessons.exercises import guest
from tests.book.chapters import Chapter, changed

CHAPTER = Chapter(
    page="16-reconciliation.ipynb",
    told=frozenset({"35", "2014", "3973", "21657", "25790"}),
    exercise=guest,
    cheats=[
        ("a fourth replica", changed(guest, "replicas: 3", "replicas: 4"), "You changed spec.replicas"),
        ("no guest", guest.manifest.rpartition("---\n")[0], "There should be"),
        (
            "the Service takes anything",
            changed(guest, "spec:\n  selector: {app: shop}", "spec:\n  selector: {}"),
            "You changed spec.selector.app",
        ),
    ],
    good=[
        changed(guest, "matchLabels: {app: shop}", "matchLabels: {kept: by-set}").replace(
            "      labels: {app: shop}", "      labels: {app: shop, kept: by-set}"
        ),
    ],
)
