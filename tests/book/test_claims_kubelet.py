"""What the chapters about the kubelet say in words holds for the numbers that stand beside the words."""

from __future__ import annotations

import re

from selfheal.kubelet.backoff import FORGOTTEN, INITIAL, MAXIMUM
from selfheal.kubelet.pod_workers import MAX_BACKOFF_WAIT
from tests.book.notebooks import output, prose, rows
from tests.book.test_claims import numbers

RESTARTS = "11-restart-policy.ipynb"
BACKOFF = "12-back-off.ipynb"
SECOND = 1_000_000


# -- chapter 11, restart policy


def test_a_stuck_report_is_completed_and_one_word_makes_it_start_again() -> None:
    assert re.search(r"report\s+0/1\s+Completed\s+0 ", output(RESTARTS, "incident"))
    assert re.search(r"report\s+0/1\s+Completed\s+1 ", output(RESTARTS, "onfailure"))


def test_the_table_is_complete_and_follows_the_two_questions() -> None:
    told = [line.strip().split(": ") for line in output(RESTARTS, "table-of-all").splitlines()[1:]]
    assert len(told) == 48
    assert "48 runs of one minute" in prose(RESTARTS)
    for key, answer in told:
        policy, end, probe = key.split(" · ")
        if end.startswith("it ends") or end == "out of memory":
            again = policy == "Always" or (policy == "OnFailure" and end != "it ends with 0")
            expected = "started again" if again else "pod Succeeded" if end == "it ends with 0" else "pod Failed"
        elif probe in ("liveness", "startup"):
            expected = "pod Succeeded" if policy == "Never" else "started again"
        else:
            expected = "runs on, Ready" if probe == "none" else "runs on, not Ready"
        assert answer == expected, key
    assert output(RESTARTS, "summary-table").startswith("where it ends by itself, the probe changes nothing: True")


def test_a_code_above_128_names_a_signal_and_the_reason_tells_two_apart() -> None:
    told = {row[0]: row[1:] for row in rows(output(RESTARTS, "codes-run"))}
    assert told["SIGKILL from outside"] == [str(128 + 9), "Error", "Failed"]
    assert told["its memory limit"] == [str(128 + 9), "OOMKilled", "Failed"]
    assert told["exit 0"][2] == "Succeeded"


def test_servers_take_always_and_jobs_take_the_others() -> None:
    told = {row[0]: row[1:] for row in rows(output(RESTARTS, "kinds-run"))}
    assert told["Deployment"] == told["DaemonSet"] == ["taken", "refused", "refused"]
    assert told["Job"] == ["refused", "taken", "taken"]


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
