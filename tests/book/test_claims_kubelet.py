"""What the chapters about the kubelet say in words holds for the numbers that stand beside the words."""

from __future__ import annotations

import re

from selfheal.kubelet.backoff import FORGOTTEN, INITIAL, MAXIMUM
from selfheal.kubelet.pod_workers import MAX_BACKOFF_WAIT
from tests.book.notebooks import output, prose, rows
from tests.book.test_claims import numbers

BACKOFF = "12-back-off.ipynb"
SECOND = 1_000_000


# -- chapter 12, back-off


def test_the_constants_of_the_back_off_are_those_of_the_package() -> None:
    waits, wait = [], INITIAL
    while wait < MAXIMUM:
        waits.append(wait // SECOND)
        wait = min(2 * wait, MAXIMUM)
    said = ", ".join(map(str, waits))
    assert f"waits after crashes are {said}, and from then on {MAXIMUM // SECOND} s" in prose(BACKOFF)
    assert f"The waits are {said}, {MAXIMUM // SECOND} s" in prose(BACKOFF)
    assert f"more than **{FORGOTTEN // SECOND} s**, twice the longest wait" in prose(BACKOFF)
    assert f"after at most {MAX_BACKOFF_WAIT // SECOND} s × 1 … 1.5" in prose(BACKOFF)


def test_a_repaired_shop_stays_down_for_minutes() -> None:
    text = output(BACKOFF, "incident")
    assert "phase: Running" in text
    assert re.search(r"CrashLoopBackOff\s+6 ", text)
    assert numbers(output(BACKOFF, "repaired"))[1] > 180
    pauses = [float(row[3]) for row in rows(output(BACKOFF, "pauses"))]
    assert pauses[0] < 1
    for pause, wait in zip(pauses[1:], (10, 20, 40, 80, 160, 300), strict=True):
        assert wait <= pause <= 1.6 * wait + 1
    assert pauses[-1] > 300, "more than five minutes"


def test_only_ten_minutes_let_the_kubelet_forget() -> None:
    pauses = [float(row[1].removesuffix(" s")) for row in rows(output(BACKOFF, "forget-run"))]
    assert min(pauses[:4]) > 40
    assert pauses[4] < 2
    assert re.search(r"1/1\s+Running\s+0 ", output(BACKOFF, "replaced"))


def test_code_0_waits_like_code_1_and_a_kill_does_not() -> None:
    told = dict(line.strip().rsplit(": at ", 1) for line in output(BACKOFF, "clock").splitlines()[1:])
    for life in (5, 30, 120):
        assert told[f"crash · {life} s"] == told[f"clean end · {life} s"]
        kill, crash = (float(told[f"{how} · {life} s"].split()[0]) for how in ("killed by a probe", "crash"))
        assert kill < crash - 20


def test_images_have_waits_of_their_own() -> None:
    text = output(BACKOFF, "image")
    assert re.search(r"ImagePullBackOff\s+0 ", text)
    pauses = numbers(output(BACKOFF, "image-pauses").splitlines()[0])
    for pause, wait in zip(pauses, (10, 20, 40, 80), strict=True):
        assert wait <= pause <= 1.6 * wait + 1
