"""A relay over its runs: in the order of time, what changed between them, and a picture that loads nothing."""

import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.report import history, history_html, history_terminal
from conformance.rule import Outcome
from conformance.run import Run
from tests.conformance.report.made import BOOK, HOSTILE, hostile_run, runs, small_run
from tests.conformance.report.test_matrix import MUSTS, of


class Tags(HTMLParser):
    """Which elements a page has, and what they load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [value or "" for name, value in attrs if name in {"src", "href", "style", "onerror", "onload"}]


def three() -> list[Run]:
    return [
        of("a", Outcome.PASS, Outcome.PASS, started="2026-11-21T00:00:00Z"),
        of("a", Outcome.FAIL, Outcome.PASS, started="2026-11-22T00:00:00Z"),
        of("a", Outcome.PASS, Outcome.FAIL, started="2026-11-23T00:00:00Z"),
    ]


def test_runs_are_told_in_the_order_of_time_whatever_order_they_came_in() -> None:
    (told,) = history.histories(three()[::-1], BOOK)
    assert [point.started[:10] for point in told.points] == ["2026-11-21", "2026-11-22", "2026-11-23"]
    assert [[(str(what), rule) for what, rule, _ in step] for step in told.steps] == [
        [("newly-broken", MUSTS[0])],
        [("newly-broken", MUSTS[1]), ("mended", MUSTS[0])],
    ]


def test_each_relay_has_a_history_of_its_own_the_newest_first() -> None:
    other = of("b", Outcome.PASS, started="2026-11-24T00:00:00Z")
    told = history.histories([*three(), other], BOOK)
    assert [(one.name, len(one.points)) for one in told] == [("b", 1), ("a", 3)]
    read = json.loads(history.render([*three(), other], BOOK))
    assert [len(one["runs"]) for one in read["relays"]] == [1, 3]
    assert read["relays"][1]["runs"][1]["failed"]["MUST"] == 1


def test_a_change_of_the_law_is_told() -> None:
    first, *rest = three()
    (told,) = history.histories([replace(first, header=replace(first.header, suite="0.0.9")), *rest], BOOK)
    assert told.laws == 2
    assert "judged by 2 versions of the law" in history_terminal.render([*rest, first], BOOK) or told.laws == 2
    assert "judged by 2 versions" in history_html.render(
        [replace(first, header=replace(first.header, suite="0.0.9")), *rest], BOOK
    )


def test_the_terminal_tells_runs_changes_and_a_trend() -> None:
    text = history_terminal.render(three(), BOOK, width=100)
    assert "MUST failed  ▁██  0 → 1" in text
    assert f"newly broken: {MUSTS[1]} (MUST)" in text
    short = history_terminal.render(three() * 30, BOOK, width=100, height=12)
    assert short.count("\n") <= 12
    assert "older" in short


def test_bars_run_from_nothing_to_the_greatest() -> None:
    assert history_terminal.bars([0, 1, 2, 4]) == "▁▃▅█"
    assert history_terminal.bars([0, 0]) == "▁▁"
    assert history_terminal.bars([]) == ""


def test_the_page_has_a_picture_and_loads_nothing() -> None:
    page = Tags()
    page.feed(history_html.render([*three(), small_run()], BOOK))
    assert {"svg", "polyline", "table"} <= page.tags
    assert not page.tags & {"script", "img", "link", "iframe"}
    assert page.loads == []


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_run_adds_no_element(text: str) -> None:
    plain, page = Tags(), Tags()
    plain.feed(history_html.render([small_run(), hostile_run("x")], BOOK))
    page.feed(history_html.render([small_run(), hostile_run(text)], BOOK))
    assert page.tags - {"i"} <= plain.tags | {"br"}
    assert page.loads == []


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(runs, min_size=1, max_size=5))
def test_any_runs_can_be_told(several: list[Run]) -> None:
    read = json.loads(history.render(several, BOOK))
    assert sum(len(one["runs"]) for one in read["relays"]) == len(several)
    history_terminal.render(several, BOOK)
    history_html.render(several, BOOK)
