from selfheal.lessons.exercises import afternoon
from tests.book.chapters import Chapter, without

CHAPTER = Chapter(
    page="07-parameters.ipynb",
    told=frozenset({"40", "2256"}),
    exercise=afternoon,
    cheats=[("no probe", without(afternoon, "livenessProbe"), "lasts until somebody calls")],
    good=[afternoon.solution.replace("timeoutSeconds: 3", "timeoutSeconds: 4")],
)
