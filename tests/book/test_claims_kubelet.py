"""What the chapters about the kubelet say in words holds for the numbers that stand beside the words."""

from __future__ import annotations

import re
from itertools import pairwise

from selfheal.admission import TOLERATION_SECONDS
from selfheal.controllers import nodelifecycle
from selfheal.kubelet import nodestatus
from selfheal.kubelet.backoff import FORGOTTEN, INITIAL, MAXIMUM
from selfheal.kubelet.kuberuntime import MINIMUM_GRACE
from selfheal.kubelet.pod_workers import MAX_BACKOFF_WAIT
from tests.book.notebooks import output, prose, rows
from tests.book.test_claims import numbers

KUBELET = "10-the-kubelet.ipynb"
RESTARTS = "11-restart-policy.ipynb"
BACKOFF = "12-back-off.ipynb"
CONTAINERS = "13-init-and-sidecars.ipynb"
SHUTDOWN = "14-shutdown.ipynb"
NODES = "15-node-failure.ipynb"
SECOND = 1_000_000


# -- chapter 10, the kubelet


def test_a_node_heals_its_containers_without_a_control_plane() -> None:
    assert output(KUBELET, "incident") == "refused"
    assert "a customer gets 200" in output(KUBELET, "alone-run")
    assert numbers(output(KUBELET, "alone-run"))[1] < 20, "of ten a second"
    restarts, times, written = output(KUBELET, "alone-later").splitlines()
    assert restarts == "restarts: 1"
    ended, started = re.findall(r"08:01:(\d\d)Z", times)
    assert int(started) - int(ended) in (1, 2)
    assert 320 <= numbers(written)[0] < 330
    truth, believed = numbers(output(KUBELET, "belief-plot").splitlines()[0])
    assert believed > 100 * truth


def test_the_walk_goes_through_the_kubelet_in_the_order_of_the_source() -> None:
    walked = [line.split()[2] for line in output(KUBELET, "stepper").splitlines()[1:]]
    first = walked[: walked.index("completeWork") + 1]
    order = ["exit", "Relist", "syncLoopIteration", "UpdatePod", "SyncPod", "generateAPIPodStatus", "SetPodStatus"]
    assert first[:7] == order
    assert first[7:10] == ["computePodActions", "doBackOff", "EnsureImageExists"]
    assert first[10:] == ["StartContainer", "RequestRelist", "completeWork"]
    assert walked.count("SyncPod") == 2


def test_an_exit_is_seen_within_a_second_and_half_a_second_in_the_mean() -> None:
    low, high, mean = numbers(output(KUBELET, "relist"))
    assert low < 0.2
    assert 0.9 < high < 1.2
    assert 0.4 < mean < 0.65


def test_two_pods_do_not_wait_for_each_other_and_two_containers_do() -> None:
    apart, together = (numbers(line)[0] for line in output(KUBELET, "workers-run").splitlines()[:2])
    assert apart < 2
    assert 24 < together < 28, "30 s, less the five that had passed"


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


def test_a_container_s_own_rule_goes_before_the_policies() -> None:
    assert [row[1:] for row in rows(output(RESTARTS, "own-word-run"))] == [
        ["3", "Running"],
        ["0", "Failed"],
        ["0", "Succeeded"],
    ]


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


def test_kubectl_says_error_in_short_waits_and_crash_loop_back_off_in_long_ones() -> None:
    told = [[int(cell) for cell in row] for row in rows(output(BACKOFF, "printed"))]
    assert len(told) == 7
    for wait, error, held in told:
        assert (held > 0) == (wait >= 6), "of 160 s and more"
        assert error > 0


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


def test_a_pull_waits_for_the_one_before_it() -> None:
    text = output(BACKOFF, "turn-run")
    pulls = re.findall(r"in ([\d.]+)s \(([\d.]+)s including waiting\)", text)
    (big, big_waited), (own, waited) = (tuple(map(float, pull)) for pull in pulls)
    assert big == big_waited > 30
    assert own < 3
    assert waited > 30


# -- chapter 13, init containers, sidecars, memory


def test_a_helper_among_the_regular_containers_keeps_a_pod_from_completing() -> None:
    assert re.search(r"report\s+1/2\s+NotReady\s+0 ", output(CONTAINERS, "incident"))
    assert "done" in output(CONTAINERS, "incident")


def test_containers_start_one_after_another_and_end_in_reverse() -> None:
    seen = [line.split()[4] for line in output(CONTAINERS, "shop").splitlines()]
    assert seen == ["Init:0/2", "Init:0/2", "Init:1/2", "Init:1/2", "Running"]
    told = {row[0]: float(row[1].removesuffix(" s")) for row in rows(output(CONTAINERS, "end-run"))}
    assert 5 <= told["shop"] < 5.5, "it needs five seconds"
    assert 8 <= told["proxy"] < 8.5, "and the proxy three more"
    assert "Forbidden" in output(CONTAINERS, "init-probe")
    assert "{'migrate': 0, 'proxy': 0, 'shop': 1}" in output(CONTAINERS, "again-run")


def test_a_rule_starts_all_containers_anew_in_the_same_pod() -> None:
    told = output(CONTAINERS, "anew-run")
    assert "{'migrate': 1, 'proxy': 1, 'shop': 1}" in told
    assert "same address: True" in told


def test_only_a_sidecar_is_started_again_under_never() -> None:
    told = dict(line.strip().split(": ") for line in output(CONTAINERS, "who").splitlines()[1:])
    for key, answer in told.items():
        ends = key.endswith("Never") and not key.startswith("sidecar")
        assert answer == ("the pod has Failed" if ends else "it alone is started again")


def test_a_sidecar_that_is_down_looks_like_a_pod_that_has_not_begun() -> None:
    told = output(CONTAINERS, "sidecar-down")
    assert re.search(r"shop +1/2 +Init:Error ", told)
    assert "the app: running · ready: True" in told


def test_a_larger_limit_buys_time_and_no_cure() -> None:
    lives = [float(row[1].removesuffix(" s")) for row in rows(output(CONTAINERS, "limits"))]
    assert lives == sorted(lives)
    for shorter, longer in pairwise(lives):
        assert 1.7 < longer / shorter < 2.2
    assert re.search(r"two\s+2/2\s+Running\s+3 ", output(CONTAINERS, "memory-run"))


# -- chapter 14, shutdown


def test_a_good_rollout_loses_requests_behind_a_late_load_balancer() -> None:
    assert numbers(output(SHUTDOWN, "incident"))[0] > 20
    told = {row[0]: [int(n) for n in row[1:]] for row in rows(output(SHUTDOWN, "rollouts-run"))}
    assert min(told["no readiness probe"]) > 100
    guarded = told["readiness probe"]
    assert guarded[0] < 5 < guarded[1] < guarded[2]
    assert told["and 8 s to finish after SIGTERM"][2] > 100
    assert told["and preStop sleep 2 s"][:2] == [0, 0]
    assert told["and preStop sleep 2 s"][2] > 0
    assert told["and preStop sleep 5 s"] == [0, 0, 0]


def test_endpoint_and_signal_begin_together_and_ready_stays() -> None:
    told = rows(output(SHUTDOWN, "one-pod"))
    assert told[0][1:] == ["pod", "Ready True, container running"]
    assert ["endpoint", "ready False, serving True, terminating True"] in [row[1:] for row in told]
    begun = [float(row[0]) for row in told if row[1] == "Killing" or "terminating True" in row[2]]
    assert max(begun) - min(begun) < 0.1
    as_it_is, believed = (numbers(line.partition("first:")[2]) for line in output(SHUTDOWN, "race").splitlines())
    assert as_it_is[0] > 0 < as_it_is[1], "a race"
    assert believed == [0, 20]


def test_pre_stop_spends_the_grace_period_and_two_seconds_are_left() -> None:
    truth, believed = numbers(output(SHUTDOWN, "prestop-run").splitlines()[0])
    assert 10 <= truth < 11
    assert 18 <= believed < 19
    assert f"at least {MINIMUM_GRACE} s**" in prose(SHUTDOWN)
    told = dict(line.strip().rsplit(": at ", 1) for line in output(SHUTDOWN, "sequence").splitlines()[1:])
    ends = {key: float(t.split()[0]) - 10 for key, t in told.items()}
    for grace in (10, 30):
        assert grace + 2 <= ends[f"a command of 60 s · ignores it · {grace} s"] < grace + 2.5
        assert grace <= ends[f"none · ignores it · {grace} s"] < grace + 0.5
    assert max(ends[key] - float(key.split(" · ")[2].split()[0]) for key in ends) < 2.5


# -- chapter 15, node failure


def test_no_probe_fails_on_a_dead_node_and_half_of_the_requests_are_lost() -> None:
    failed, lost = numbers(output(NODES, "incident-probes"))
    assert failed == 0
    assert 0.4 * 800 < lost < 0.6 * 800
    assert all(t < 30 for t in numbers(output(NODES, "who-probes")))


def test_the_clocks_in_the_prose_are_those_of_the_package() -> None:
    text = prose(NODES)
    assert f"Every {nodestatus.RENEW // SECOND} s it renews" in text
    looks, grace = nodelifecycle.MONITOR // SECOND, nodelifecycle.GRACE // SECOND
    assert f"looks every {looks} s. After {grace} s without" in text
    assert f"tolerates it for {TOLERATION_SECONDS} s" in text
    low, high, mean = numbers(output(NODES, "clocks-run"))
    assert grace - nodestatus.RENEW // SECOND <= low < mean < high <= grace + looks + 1


def test_traffic_is_taken_away_first_and_pods_are_replaced_five_minutes_later() -> None:
    told = [(float(row[0]), row[1], row[2]) for row in rows(output(NODES, "seven-minutes"))]
    unknown = next(t for t, _, what in told if what.startswith("Ready Unknown"))
    spared = next(t for t, who, _ in told if who == "Service shop")
    evicted = next(t for t, _, what in told if what.startswith("Marking for deletion"))
    assert spared - unknown < 0.2
    assert abs(evicted - unknown - TOLERATION_SECONDS) < 0.2


def test_a_stateful_pod_waits_for_its_kubelet_and_force_makes_two_of_it() -> None:
    assert re.search(r"db-0\s+1/1\s+Terminating", output(NODES, "stateful-run"))
    both = output(NODES, "forced").splitlines()
    assert both[0].count("db-0") == 1
    assert both[1].count("db-0") == 2
    assert output(NODES, "healed").splitlines()[1].count("db-0") == 1


def test_the_map_of_a_lost_node_says_what_the_text_says() -> None:
    told = dict(line.strip().rsplit(": ", 1) for line in output(NODES, "map").splitlines()[1:])
    stateful = [key for key, t in told.items() if key.endswith("StatefulSet") and t != "never"]
    assert stateful == ["only heartbeats are lost · for good · StatefulSet"]
    for key, t in told.items():
        if "100 s" in key and "tolerates" not in key:
            assert t == "never", "it is back before the patience ends"
