"""What a container leaves for its status."""

from __future__ import annotations

from tests.conformance.pods import container, play, pod


def test_of_a_message_that_is_too_long_the_end_is_kept() -> None:
    script = "for i in $(seq 1 1000); do echo line $i; done > /dev/termination-log"
    cluster = play(pod(container(command=script), restartPolicy="Never"), until=20)
    ended = cluster.get("Pod", "pod")["status"]["containerStatuses"][0]["state"]["terminated"]
    assert len(ended["message"]) == 4096
    assert ended["message"].endswith("line 999\nline 1000\n")
