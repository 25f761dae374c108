"""Amounts of CPU, memory and the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal import quantities


@pytest.mark.parametrize(
    ("text", "milli", "value", "canonical"),
    [
        ("250m", 250, 1, "250m"),
        ("1", 1000, 1, "1"),
        (2, 2000, 2, "2"),
        (0.5, 500, 1, "500m"),
        (".5", 500, 1, "500m"),
        ("1.", 1000, 1, "1"),
        ("64Mi", 67108864000, 67108864, "64Mi"),
        ("1024Mi", 1073741824000, 1073741824, "1Gi"),
        ("1.5Gi", 1610612736000, 1610612736, "1536Mi"),
        ("0.5Ki", 512000, 512, "512"),
        ("2000", 2000000, 2000, "2k"),
        ("1e3", 1000000, 1000, "1e3"),
        ("1E", 10**21, 10**18, "1E"),
        ("-3", -3000, -3, "-3"),
        ("+3", 3000, 3, "3"),
        ("0Mi", 0, 0, "0"),
        ("1n", 1, 1, "1n"),
        ("100E", (2**63 - 1) * 1000, 2**63 - 1, "9223372036854775807"),
    ],
)
def test_an_amount_is_read_and_written_as_the_api_server_does(
    text: str | float, milli: int, value: int, canonical: str
) -> None:
    assert quantities.milli(text) == milli
    assert quantities.value(text) == value
    assert quantities.canonical(text) == canonical


@pytest.mark.parametrize(
    "text", ["", " ", "x", "1 ", "1.2.3", "--1", "1KiB", "Mi", "٣", "1e", "1ee3", "0x10", "1" * 500]
)
def test_what_is_no_amount_is_told_with_the_regular_expression(text: str) -> None:
    with pytest.raises(ValueError, match=r"quantities must match the regular expression '\^\(\[\+-\]\?"):
        quantities.parse(text)


def test_a_monstrous_exponent_is_cut_and_takes_no_time() -> None:
    assert quantities.value("1e999999999999") == 2**63 - 1
    assert quantities.value("1e-999999999999") == 1


@given(st.decimals(min_value=0, max_value=10**12, places=3), st.sampled_from(["", "k", "Ki", "M", "Mi", "e3"]))
def test_the_canonical_form_is_the_same_amount(number: object, suffix: str) -> None:
    text = f"{number}{suffix}"
    canonical = quantities.canonical(text)
    assert quantities.parse(canonical) >= quantities.parse(text)
    assert quantities.parse(canonical) - quantities.parse(text) < 1
    if not canonical.isdigit():  # a binary amount that has lost its suffix is read as a decimal one
        assert quantities.canonical(canonical) == canonical
