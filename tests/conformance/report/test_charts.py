"""Pictures tell what the numbers tell: curves climb to one, bars add up, and no green was not verified."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.report.charts.axis import axis, label
from conformance.report.charts.bar import WIDTH, bar, parts
from conformance.report.charts.ecdf import HEIGHT, STEPS, curve, ecdf
from conformance.report.comparison import Cell
from conformance.report.quantiles import quantile
from conformance.report.summary import Result
from conformance.rule import Level, Outcome

times = st.lists(st.floats(0, 1e4, allow_nan=False), min_size=1, max_size=200)
outcomes = st.none() | st.sampled_from(Outcome)


def cell(outcome: Outcome | None) -> Cell:
    return Cell(None if outcome is None else Result("a.b", Level.MUST, outcome, "", "", ()))


@given(times)
def test_every_sample_stands_on_the_axis_in_order(samples: list[float]) -> None:
    line = axis(samples, 300)
    places = [line.x(one) for one in sorted(samples)]
    assert places == sorted(places)
    assert all(0 <= place <= 300 for place in places)
    assert 2 <= len(line.ticks) <= 12
    assert [place for place, _ in line.ticks] == sorted({place for place, _ in line.ticks})


@pytest.mark.parametrize(("seconds", "text"), [(0.001, "1 ms"), (0.3, "300 ms"), (1.0, "1 s"), (20.0, "20 s")])
def test_labels_are_short(seconds: float, text: str) -> None:
    assert label(seconds) == text


@given(times)
def test_a_curve_climbs_from_nobody_to_all(samples: list[float]) -> None:
    path = curve(samples, axis(samples, 300))
    steps = re.findall(r"H([\d.]+)V(-?[\d.]+)", path)
    across, up = [float(x) for x, _ in steps], [float(y) for _, y in steps]
    assert across == sorted(across)
    assert up == sorted(up, reverse=True)
    assert (path.startswith(f"M0 {HEIGHT:g}"), up[-1]) == (True, 0.0)
    assert len(steps) <= STEPS


def test_without_samples_there_is_no_curve() -> None:
    assert curve([], axis([], 300)) == ""


def test_a_picture_names_itself_and_shows_the_interval_of_its_median() -> None:
    samples = [0.1 * n for n in range(1, 20)]
    shown = ecdf("a", ["b", "c"], axis(samples, 300), quantile(samples, 0.5), "TTFT <b>")
    assert 'role="img" aria-label="TTFT &lt;b&gt;"' in shown
    assert shown.count('class="other"') == 2
    assert 'class="span"' in shown
    assert 'class="span"' not in ecdf("a", [], axis(samples, 300), quantile(samples[:3], 0.5), "")


@given(st.lists(outcomes, min_size=1, max_size=60))
def test_a_bar_adds_up_and_only_what_was_verified_is_green(told: list[Outcome | None]) -> None:
    stretches = list(parts((cell(outcome), Level.MUST) for outcome in told))
    assert sum(one.count for one in stretches) == len(told)
    assert sum(one.width for one in stretches) == pytest.approx(WIDTH, abs=0.1)
    assert [one.start for one in stretches] == sorted(one.start for one in stretches)
    green = sum(one.count for one in stretches if one.word == "pass")
    assert green == told.count(Outcome.PASS)


def test_failures_stand_last_the_gravest_at_the_end() -> None:
    levels = [Level.SHOULD, Level.MUST, Level.MAY]
    cells = [(cell(Outcome.FAIL), level) for level in levels]
    cells += [(cell(None), Level.MUST), (cell(Outcome.PASS), Level.MUST)]
    assert [one.word for one in parts(cells)] == ["pass", "not-asked", "fail MAY", "fail SHOULD", "fail MUST"]
    assert 'class="b-fail w-MUST"' in bar(cells)
