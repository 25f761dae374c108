"""``python -m tests.engine.told``: digests of scenarios and of some random worlds, for another process to compare."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from tests.engine.scenarios import ALL
from tests.engine.test_replay import digest, text
from tests.engine.worlds import World, worlds


@settings(max_examples=20, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(traffic=True))
def tell(world: World) -> None:
    print(digest(repr(world)), digest(text(world.play())))


if __name__ == "__main__":
    for name, play in ALL.items():
        print(name, digest(text(play(5))))
    tell()
