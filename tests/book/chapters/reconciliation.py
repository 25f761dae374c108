from selfheal.lessons.exercises import guest
from tests.book.chapters import Chapter, changed

POD = "name: try-out\n  labels: {app: shop}"

CHAPTER = Chapter(
    page="16-reconciliation.ipynb",
    told=frozenset({"35", "2014", "3973", "21657", "25790"}),
    exercise=guest,
    wrong=[
        ("no label at all", changed(guest, POD, "name: try-out"), "No users are sent to try-out"),
        ("another label", changed(guest, POD, "name: try-out\n  labels: {app: guest}"), "No users are sent to try-out"),
        (
            "makes it dear",
            changed(guest, POD, f'{POD}\n  annotations: {{controller.kubernetes.io/pod-deletion-cost: "1000"}}'),
            "The deletion cost does not save it",
        ),
        (
            "other labels for the house",
            changed(guest, "matchLabels: {app: shop}", "matchLabels: {kept: by-set}").replace(
                "      labels: {app: shop}", "      labels: {kept: by-set}"
            ),
            "Users are sent to try-out, but not to shop-",
        ),
    ],
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
