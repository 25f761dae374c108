"""What a real kubectl 1.36 printed for manifests that are refused, to the letter."""

from pathlib import Path

import pytest

from selfheal import manifests
from selfheal.errors import ApiError

INVALID = Path(__file__).parent.parent / "kubectl" / "invalid"


@pytest.mark.parametrize("path", sorted(INVALID.glob("*.yaml")), ids=lambda p: p.stem)
def test_a_refused_manifest_gets_the_text_of_the_real_kubectl(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(INVALID)
    with pytest.raises(ApiError) as refused:
        manifests.load(path.name)
    printed = f"$ kubectl apply -f {path.name}\n{manifests.kubectl_says(refused.value)}\nexit 1\n"
    assert printed == path.with_suffix(".txt").read_text()


def test_all_recorded_pairs_are_here() -> None:
    assert len(list(INVALID.glob("*.yaml"))) == len(list(INVALID.glob("*.txt"))) == 17
