"""What labs/README.md tells people to run."""

from __future__ import annotations

from pathlib import Path

from selfheal import Cluster
from selfheal.cli import main
from selfheal.scenario import Scenario

MANIFESTS = Path(__file__).parents[2] / "labs" / "manifests"


def test_the_documentations_example_is_restarted() -> None:
    cluster = Cluster(nodes=2, seed=7)
    cluster.apply(MANIFESTS / "liveness-exec.yaml")
    cluster.run(until=160)
    assert len(cluster.timeline.restarts("liveness-exec")) == 2


def test_a_run_may_end_with_an_event() -> None:
    cluster = Cluster(seed=7)
    cluster.apply(MANIFESTS / "liveness-exec.yaml")
    cluster.run(until=10)
    sleep = cluster.exec("liveness-exec", "sleep 3")
    cluster.run(until=sleep.finished)
    assert 13 <= cluster.now < 13.1


def test_the_shop_falls_sick_and_heals() -> None:
    scenario = Scenario.load(MANIFESTS / "shop.yaml", MANIFESTS / "shop-falls-sick.yaml", traffic={"shop": 10})
    timeline = Cluster.of(scenario).play(scenario).timeline
    assert len(timeline.restarts("shop")) == 1
    assert 43 <= timeline.kills("shop")[0] <= 49


def test_the_commands_of_the_readme_work(capsys) -> None:  # type: ignore[no-untyped-def]
    assert main(["run", str(MANIFESTS / "liveness-exec.yaml"), "--until", "160", "--quiet"]) == 0
    shop = [str(MANIFESTS / "shop.yaml"), "--traffic", "shop=10", "--do", str(MANIFESTS / "shop-falls-sick.yaml")]
    assert main(["run", *shop, "--quiet"]) == 0
    assert "requests" in capsys.readouterr().out
