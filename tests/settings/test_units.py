"""Quantities: known answers, exact round trip, refusals."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from genload.settings.criteria.ast import Dimension
from genload.settings.model import Settings
from genload.settings.units import Bytes, PerSecond, Ratio, Seconds, format_number, parse_quantity

DIMENSIONS = [d for d in Dimension if d not in (Dimension.STATE, Dimension.PLAIN)]


@pytest.mark.parametrize(
    ("text", "value", "dimension"),
    [
        ("82s", 82.0, Dimension.TIME),
        ("10min", 600.0, Dimension.TIME),
        ("250ms", 0.25, Dimension.TIME),
        ("1.5 h", 5400.0, Dimension.TIME),
        ("5%", 0.05, Dimension.RATIO),
        ("1/3", 1 / 3, Dimension.RATIO),
        ("22GiB", 22 * 2**30, Dimension.BYTES),
        ("5MB", 5e6, Dimension.BYTES),
        ("30/min", 0.5, Dimension.RATE),
        ("6MiB/min", 2**20 / 10, Dimension.BYTE_RATE),
        ("50", 50.0, Dimension.COUNT),
        ("-1e3", -1000.0, Dimension.COUNT),
    ],
)
def test_reads_a_known_quantity(text: str, value: float, dimension: Dimension) -> None:
    quantity = parse_quantity(text)
    assert (quantity.value, quantity.dimension) == (pytest.approx(value, rel=1e-15), dimension)


@pytest.mark.parametrize(
    "text", ["", "s", "1.2.3s", "5 parsec", "5%/min", "1/0", "1e999s", "nan", "5/kg", "1 2"]
)
def test_refuses_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_quantity(text)


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(DIMENSIONS))
def test_number_to_text_to_number_is_exact(value: float, dimension: Dimension) -> None:
    back = parse_quantity(format_number(value, dimension))
    assert (back.value, back.dimension) == (value, dimension)


@given(st.text(max_size=30))
def test_any_text_is_a_finite_quantity_or_a_value_error(text: str) -> None:
    try:
        quantity = parse_quantity(text)
    except ValueError as error:
        assert str(error)
    else:
        assert math.isfinite(quantity.value)


class Sample(Settings):
    wait_s: Seconds
    size_bytes: Bytes = 0.0
    share: Ratio = 0.0
    rate_per_s: PerSecond = 0.0


FROM_FILE = {"wings": None}


def test_model_reads_yaml_names_and_writes_them_back() -> None:
    given_text = {"wait": "1.5min", "size": "2KiB", "share": "5%", "rate": "30/min"}
    sample = Sample.model_validate(given_text, context=FROM_FILE)
    assert (sample.wait_s, sample.size_bytes, sample.share, sample.rate_per_s) == (90.0, 2048.0, 0.05, 0.5)
    written = sample.model_dump(mode="json")
    assert written == {"wait": "90s", "size": "2048B", "share": "0.05/1", "rate": "0.5/s"}
    assert Sample.model_validate(written, context=FROM_FILE) == sample


@pytest.mark.parametrize("value", [90, 1.5, "90", "5%", "-3s", True, None, [1], "inf", "1e999s"])
def test_file_value_without_its_unit_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate({"wait": value}, context=FROM_FILE)


def test_zero_needs_no_unit() -> None:
    assert Sample.model_validate({"wait": 0}, context=FROM_FILE).wait_s == 0
