"""Spans of time, as people and as OpenAI write them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.duration import SECOND, DurationError, parse, written


@pytest.mark.parametrize(
    ("text", "span"),
    [("500ms", 500_000), ("10s", 10 * SECOND), ("1.5m", 90 * SECOND), ("2h", 7200 * SECOND), ("3", 3 * SECOND)],
)
def test_a_number_with_its_unit(text: str, span: int) -> None:
    assert parse(text) == span


@pytest.mark.parametrize("text", ["", "s", "-1s", "1d", "1 s", "1e3s", "nan", "99999999h", "١s"])
def test_anything_else_is_refused_in_a_line(text: str) -> None:
    with pytest.raises(DurationError, match="is no time"):
        parse(text)


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (0, "0s"),
        (1, "1ms"),
        (120_000, "120ms"),
        (7_660_000, "7.66s"),
        (360 * SECOND, "6m0s"),
        (3723 * SECOND, "1h2m3s"),
    ],
)
def test_what_is_left_is_written_as_openai_does(span: int, text: str) -> None:
    assert written(span) == text


@given(st.integers(0, 10**12))
def test_what_is_written_is_never_too_short(span: int) -> None:
    units = {"h": 3600_000, "m": 60_000, "s": 1000, "ms": 1}
    parts = re.findall(r"([\d.]+)(ms|[hms])", written(span))
    assert 0 <= sum(round(float(number) * units[unit]) for number, unit in parts) * 1000 - span < 1000
