"""The test before and after the course: twenty beliefs, each with one true answer, some of them run here."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from selfheal import Cluster
from selfheal.lessons import gain, quiz, score, sheet
from selfheal.lessons.questions import _texts
from tests.book.notebooks import BOOK, output

NAME = "misconceptions"
QUESTIONS = quiz(NAME).questions
DATA = _texts(NAME)["quiz"]
KEY = "".join("abcd"[[a.right for a in question.answers].index(True)] for question in QUESTIONS)


def test_there_are_twenty_questions_each_with_one_true_answer_and_a_reason_for_every_one() -> None:
    assert len(QUESTIONS) == 20
    for question in QUESTIONS:
        assert sum(answer.right for answer in question.answers) == 1
        assert all(answer.reply for answer in question.answers)
        assert len({answer.says for answer in question.answers}) == len(question.answers) >= 3


def test_no_letter_is_a_good_guess() -> None:
    assert max(Counter(KEY).values()) <= len(KEY) / 2


def test_each_belief_has_a_page_that_shows_the_truth() -> None:
    assert len({data["about"] for data in DATA}) == 20
    for data in DATA:
        assert any((BOOK / f"{data['see']}{suffix}").is_file() for suffix in (".ipynb", ".md")), data["see"]


def test_the_sheet_tells_nothing() -> None:
    shown = sheet(NAME)._repr_html_() + repr(sheet(NAME))
    assert shown.count("<ol type") == 20
    for question in QUESTIONS:
        assert all(answer.reply not in shown for answer in question.answers)
    assert "✓" not in shown


def test_letters_are_counted_and_the_beliefs_that_are_left_are_named() -> None:
    assert score(NAME, KEY).right == 20
    assert repr(score(NAME, KEY)) == "20 of 20 right."
    wrong = score(NAME, f".{KEY[1:]}")
    assert (wrong.right, wrong.left) == (19, ((1, "readiness restarts", "03-readiness"),))
    assert '<a href="03-readiness.html">' in wrong._repr_html_()
    assert score(NAME, " ".join(KEY.upper())).right == 20


@pytest.mark.parametrize(
    ("letters", "says"), [("abc", "20 questions and 3 answers"), (f"x{KEY[1:]}", "question 1 has")]
)
def test_letters_that_cannot_be_read_are_told(letters: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        score(NAME, letters)


def test_the_gain_is_the_share_of_what_was_not_known() -> None:
    half = KEY[:10] + "." * 10
    assert gain(NAME, [half], [KEY]) == 1
    assert gain(NAME, [half, half], [half, KEY]) == 0.5
    with pytest.raises(ValueError, match="everything was known"):
        gain(NAME, [KEY], [KEY])


def test_the_page_shows_the_invented_class_and_its_gain() -> None:
    assert re.fullmatch(r"0\.\d+", output("quiz.ipynb", "gain-number"))
    assert output("quiz.ipynb", "score").startswith("0 of 20 right.")


# ---- some of the answers, run


POD = """
apiVersion: v1
kind: Pod
metadata: {name: shop, labels: {app: shop}}
spec:
  restartPolicy: Always
  containers:
  - name: shop
    image: selfheal/patient:1
    args: [ARGS]
PROBES
"""


def cluster(probes: str = "", args: str = "--host=0.0.0.0", seed: int = 1) -> Cluster:
    lines = "\n".join(f"    {line}" for line in probes.splitlines())
    made = Cluster(seed=seed)
    made.apply(POD.replace("ARGS", args).replace("PROBES", lines))
    return made


def right(about: str) -> str:
    """The true answer to the question about a belief."""
    question = QUESTIONS[[data["about"] for data in DATA].index(about)]
    return next(answer.says for answer in question.answers if answer.right)


def test_readiness_sends_no_requests_and_nothing_else() -> None:
    shop = cluster("readinessProbe: {httpGet: {path: /readyz, port: 8080}}", args="--readyz-after=10=503")
    shop.run(until=610)
    [pod] = shop.get("pods")
    assert (shop.timeline.kills("shop"), pod["status"]["phase"]) == ([], "Running")
    assert "no requests of its Services, and nothing else" in right("readiness restarts")


def test_the_first_tick_that_finds_the_container_old_enough() -> None:
    shop = cluster("livenessProbe: {httpGet: {path: /healthz, port: 8080}, initialDelaySeconds: 15}")
    shop.run(until=40)
    ran = [r["t"] for r in shop.timeline.select(kind="Probe", probe="liveness") if r["result"] != "skipped"]
    assert 19 < ran[0] < 22
    assert "About 20 s" in right("the delay says when the first probe comes")


def test_the_first_restart_is_free_and_code_0_backs_off_like_any_other() -> None:
    shop = cluster(args="--exit-after=3=0")
    shop.run(until=60)
    starts = shop.timeline.starts("shop")
    assert starts[1] - starts[0] < 3 + 3
    assert starts[2] - starts[1] > 3 + 9
    assert right("the first restart waits") == "Hardly at all."
    assert "the waits grow as after crashes" in right("leaving with 0 is no crash")


def test_the_delay_has_long_been_over_when_the_startup_probe_succeeds() -> None:
    probes = (
        "startupProbe: {httpGet: {path: /healthz, port: 8080}, failureThreshold: 60, periodSeconds: 1}\n"
        "livenessProbe: {httpGet: {path: /healthz, port: 8080}, initialDelaySeconds: 30, periodSeconds: 1}"
    )
    shop = cluster(probes, args="--start=40")
    shop.run(until=60)
    ran = {
        probe: next(r["t"] for r in shop.timeline.select(kind="Probe", probe=probe) if r["result"] == "success")
        for probe in ("startup", "liveness")
    }
    assert 0 <= ran["liveness"] - ran["startup"] < 3
    assert right("delays begin after the startup probe").startswith("With its next tick")


def test_a_restart_is_a_stop_and_then_a_start() -> None:
    shop = cluster(
        "livenessProbe: {httpGet: {path: /healthz, port: 8080}}", args="--term=ignore, --healthz-after=5=500"
    )
    shop.run(until=120)
    kill, restart = shop.timeline.kills("shop")[0], shop.timeline.restarts("shop")[0]
    assert 29.5 < restart - kill < 33
    assert right("a restart takes no time") == "After about 30 s."


def test_an_unready_pod_stays_in_its_endpoint_slice() -> None:
    shop = cluster("readinessProbe: {httpGet: {path: /readyz, port: 8080}}", args="--readyz-after=20=503")
    shop.apply(
        "apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {selector: {app: shop}, ports: [{port: 80}]}"
    )
    shop.run(until=90)
    [piece] = shop.get("endpointslices")
    assert [e["conditions"]["ready"] for e in piece["endpoints"]] == [False]
    assert right("an unready pod leaves the EndpointSlice").startswith("It stays")
