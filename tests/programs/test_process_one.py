"""Process 1 is the container: signals, traps, children, and time."""

from __future__ import annotations

import pytest

from tests.programs.box import Box


def test_sleep_as_process_1_ignores_term_and_is_killed_after_the_grace_period() -> None:
    box = Box(command=["sleep", "3600"])
    box.run(5)
    done = box.stop(grace=30)
    box.run(100)
    assert box.end == (35, 137, "Error")
    assert done.processed


def test_a_shell_without_a_trap_ignores_term() -> None:
    box = Box("while true; do sleep 1; done").run(5)
    box.stop(grace=3)
    box.run(60)
    assert box.end == (8, 137, "Error")


def test_a_trap_runs_when_the_command_in_the_foreground_has_ended() -> None:
    box = Box("trap 'echo bye; exit 0' TERM; while true; do sleep 1; done").run(5.25)
    box.stop()
    box.run(60)
    assert box.end == (6, 0, "Completed")
    assert box.log == ["bye"]


def test_a_trap_does_not_cut_a_long_sleep_short() -> None:
    box = Box("trap 'exit 0' TERM; sleep 600").run(5)
    box.stop(grace=30)
    box.run(100)
    assert box.end == (35, 137, "Error")


def test_a_trap_does_cut_a_wait_short() -> None:
    box = Box("trap 'echo term; exit 3' TERM; sleep 600 & wait; echo never").run(5)
    box.stop()
    box.run(6)
    assert box.end == (5, 3, "Error")
    assert box.log == ["term"]


def test_a_trap_that_only_notes_the_signal_lets_the_script_go_on() -> None:
    box = Box("touch /tmp/ready; trap 'rm /tmp/ready' TERM; while true; do sleep 1; done").run(5)
    box.stop(grace=10)
    box.run(7)
    assert not box.container.fs.exists("/tmp/ready")
    assert box.end is None
    box.run(60)
    assert box.end == (15, 137, "Error")


def test_an_ignored_signal_stays_ignored_in_children() -> None:
    box = Box("trap '' TERM; sleep 100 & kill $!; wait $!; echo $?").run(200)
    assert box.times == [(100, "0")]


def test_the_exit_trap_runs_at_the_end() -> None:
    assert Box("trap 'echo bye $?' EXIT; sleep 1; exit 4").run(5).log == ["bye 4"]


def test_sigkill_from_outside_ends_it_at_once_whatever_it_traps() -> None:
    box = Box("trap '' TERM INT; while true; do sleep 1; done").run(2.5)
    box.kill()
    assert box.end == (2.5, 137, "Error")


def test_process_1_cannot_kill_itself_nor_be_killed_from_inside() -> None:
    box = Box("kill -9 $$$$; echo alive; sleep 10; echo still").run(5)
    box.sh("kill -9 1; kill -TERM 1")
    assert box.log == ["alive"]
    assert box.run(20).log == ["alive", "still"]


def test_two_dollars_in_a_manifest_are_one_for_the_shell() -> None:
    assert Box("echo $$HOME '$$(HOME)'").log == ["/root $(HOME)"]


def test_all_processes_die_with_process_1() -> None:
    box = Box("(sleep 5; echo late) & sleep 1; exit 7")
    run = box.exec("sleep", "100")
    box.run(50)
    assert box.end == (1, 7, "Error")
    assert box.log == []
    assert (run.done, run.exit_code) == (True, 137)


def test_a_child_that_a_signal_ended_counts_128_and_more() -> None:
    box = Box("sleep 100 & kill $!; wait $!; echo $?; sh -c 'kill -9 $$$$'; echo $?; sh -c 'kill -INT $$$$'; echo $?")
    assert box.run(1).log == ["Terminated", "143", "Killed", "137", "130"]


def test_exit_codes_and_reasons() -> None:
    assert Box("exit 0").end == (0, 0, "Completed")
    assert Box("echo boom; exit 1").end == (0, 1, "Error")
    assert Box("nosuch").end == (0, 127, "Error")
    assert Box("exit 300").end == (0, 44, "Error")


def test_a_line_each_five_seconds() -> None:
    box = Box("while true; do echo hi; sleep 5; done").run(12)
    assert box.times == [(0, "hi"), (5, "hi"), (10, "hi")]


def test_fractions_and_units_of_sleep() -> None:
    box = Box("sleep 0.25; echo a; sleep .5 0.25; echo b; sleep 1m; echo c; usleep 500; echo d").run(100)
    assert box.times == [(0.25, "a"), (1.0, "b"), (61.0, "c"), (61.0005, "d")]


def test_background_jobs_run_side_by_side() -> None:
    box = Box("(sleep 3; echo slow) & (sleep 1; echo quick) & wait; echo all").run(10)
    assert box.times == [(1, "quick"), (3, "slow"), (3, "all")]


def test_a_pipe_passes_on_what_comes_when_it_comes() -> None:
    box = Box("while true; do date +%s; sleep 2; done | while read t; do echo got; done").run(5)
    assert box.times == [(0, "got"), (2, "got"), (4, "got")]


def test_a_writer_ends_when_nobody_reads_any_more() -> None:
    box = Box("(while true; do echo y || exit; sleep 1; done; echo no) | head -n 2; echo end").run(10)
    assert box.times == [(0, "y"), (1, "y"), (2, "end")]


def test_timeout_ends_a_command_that_takes_too_long() -> None:
    assert Box("timeout 2 sleep 10; echo $?").run(5).times == [(2, "Terminated"), (2, "143")]
    assert Box("timeout -s KILL 2 sleep 10; echo $?").run(5).log == ["Killed", "137"]
    assert Box("timeout 5 sleep 1; echo $?").run(5).times == [(1, "0")]


@pytest.mark.parametrize(
    "line",
    [
        "while true; do :; done",
        "until false; do x=$((x+1)); done",
        "while :; do true | true; done",
        "yes > /dev/null",
        "cat /dev/zero > /dev/null",
        "dd if=/dev/zero of=/dev/null bs=1M",
        "while true; do wait; done",
    ],
)
def test_a_busy_loop_does_not_stop_the_clock(line: str) -> None:
    box = Box(f"{line} & sleep 100; echo ok").run(200)
    assert box.times == [(100, "ok")]
    assert box.clock.steps < 1500


@pytest.mark.parametrize("line", ["f() { f; }; f", "f() { f | f & }; f; wait", 'sh -c "$(cat /b)"; exit 5'])
def test_a_bomb_ends_and_does_no_harm(line: str) -> None:
    box = Box(f"echo 'sh /b' > /b; {line}").run(5)
    assert box.clock.now == 5_000_000


def test_shells_in_shells_in_shells() -> None:
    box = Box("echo 'n=$(($1 + 1)); [ $n -lt 100 ] && sh /s $n; echo $n' > /s; sh /s 0 | wc -l")
    assert box.run(1).log == ["100"]


def test_there_is_no_room_for_a_thousand_processes() -> None:
    box = Box("i=0; while [ $i -lt 600 ]; do sleep 100 & i=$((i+1)); done; echo no").run(5)
    assert box.log == ["sh: can't fork: Resource temporarily unavailable"]
    assert box.end is not None
    assert box.end[1:] == (2, "Error")


def test_a_variable_that_grows_for_ever_ends_the_shell() -> None:
    assert Box("a=x; while true; do a=$a$a; done").run(60).log == ["sh: out of memory"]


def test_exec_puts_another_program_in_the_place_of_the_shell() -> None:
    box = Box("trap 'exit 0' TERM; exec sleep 600").run(1)
    run = box.exec("ps", "-o", "pid,args")
    assert run.stdout.splitlines()[1] == "    1 sleep 600"
    box.stop(grace=5)
    assert box.run(60).end == (6, 137, "Error")


def test_following_a_file_shows_lines_within_a_second_and_costs_nothing_in_between() -> None:
    box = Box("touch /log; (sleep 100.3; echo one >> /log; sleep 0.1; echo two >> /log) & tail -f /log").run(99)
    steps = box.clock.steps
    assert steps < 10
    assert box.run(200).times == [(101, "one"), (101, "two")]


def test_tail_of_dev_null_never_ends() -> None:
    box = Box("tail -f /dev/null").run(1000)
    assert box.end is None
    assert box.clock.steps < 3


def test_out_of_memory() -> None:
    box = Box("sleep 5; exec dd if=/dev/zero of=/dev/null bs=96M", resources={"limits": {"memory": "40Mi"}}).run(10)
    assert box.end == (5, 137, "OOMKilled")
    assert Box("sleep 5; exec dd if=/dev/zero of=/dev/null bs=96M").run(10).end is None


def test_stop_and_continue_from_outside_however_often_it_was_stopped() -> None:
    box = Box("while true; do echo x; sleep 1; done").run(2.5)
    for _ in range(2):
        box.kill("STOP")
    box.run(10.5)
    assert len(box.log) == 3
    box.kill("CONT")
    box.run(12)
    assert box.times[3:] == [(10.5, "x"), (11.5, "x")]


def test_the_same_seed_gives_the_same_run() -> None:
    line = "for i in 1 2 3; do echo $RANDOM; head -c 8 /dev/urandom; sleep 1; done"
    assert Box(line, seed=3).run(9).times == Box(line, seed=3).run(9).times
    assert Box(line, seed=3).run(9).times != Box(line, seed=4).run(9).times


def test_a_count_to_ten_thousand_takes_a_moment() -> None:
    box = Box("i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done; echo $i").run(10)
    assert box.log == ["10000"]
    assert 0.05 < box.times[0][0] < 0.5


def test_a_hung_program_accepts_connections_and_says_nothing() -> None:
    box = Box(image="nginx").run(1)
    probe = {"httpGet": {"path": "/", "port": 80}}
    box.runtime.hang(box.container)
    assert "Client.Timeout exceeded" in box.probe(probe).output
    assert box.probe({"tcpSocket": {"port": 80}}).result == "success"
    box.runtime.hang(box.container, on=False)
    assert box.probe(probe).result == "success"


def test_a_hung_program_cannot_obey_and_is_killed() -> None:
    box = Box(image="nginx").run(1)
    box.runtime.hang(box.container)
    box.stop(grace=10)
    assert box.run(60).end == (11, 137, "Error")


def test_a_slow_program_answers_later() -> None:
    box = Box(image="nginx").run(1)
    probe = {"httpGet": {"path": "/", "port": 80}}
    box.runtime.slow(box.container, 400_000)
    assert (box.probe(probe).result, box.probe(probe).duration) == ("success", 400_000)
    box.runtime.slow(box.container, 1_500_000)
    assert box.probe(probe).result == "failure"
    box.runtime.slow(box.container, 0)
    assert box.probe(probe).duration == 0


def test_a_leak_meets_the_limit_and_without_a_limit_nothing() -> None:
    box = Box(image="nginx", resources={"limits": {"memory": "100Mi"}}).run(1)
    box.runtime.leak(box.container, 10 << 20)
    assert box.run(60).end == (11.000001, 137, "OOMKilled")
    box = Box(image="nginx").run(1)
    box.runtime.leak(box.container, 10 << 20)
    assert box.run(60).end is None
