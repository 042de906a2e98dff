"""All formats of one run tell the same totals, whatever the run."""

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

from hypothesis import HealthCheck, given, settings
from markupsafe import escape

from conformance.report import badge, html, json_out, junit, markdown, sarif, terminal
from conformance.report.escape import visible
from conformance.report.summary import summarise
from conformance.rule import Outcome
from conformance.run import Run
from tests.conformance.report.made import BOOK, runs, small_run


class Line(HTMLParser):
    """The verdict line of a page, and how many rules the page lists, by outcome."""

    def __init__(self) -> None:
        super().__init__()
        self.line = ""
        self.rules: list[str] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.inside = named.get("id") == "line"
        if tag == "details" and (named.get("class") or "").startswith("rule "):
            self.rules.append(named["data-outcome"] or "")

    def handle_data(self, data: str) -> None:
        self.line += data if self.inside else ""

    def handle_endtag(self, tag: str) -> None:
        self.inside = False


def of_html(page: str) -> Line:
    reader = Line()
    reader.feed(page)
    return reader


def check(run: Run) -> None:
    line, total = summarise(run, BOOK).line, summarise(run, BOOK).all
    page = of_html(html.render(run, BOOK))
    assert page.line == line
    assert {outcome: page.rules.count(outcome) for outcome in Outcome} == {one: total[one] for one in Outcome}
    assert re.sub(r"\s+", " ", line) in re.sub(r"\s+", " ", terminal.render(run, BOOK, width=4000))
    assert markdown.escaped(line) in markdown.render(run, BOOK)
    record = json.loads(json_out.render(run, BOOK))
    assert sum(count for level in record["outcomes"].values() for count in level.values()) == len(record["rules"])
    assert {outcome: sum(of[outcome] for of in record["outcomes"].values()) for outcome in Outcome} == {
        one: total[one] for one in Outcome
    }
    suites = ET.fromstring(junit.render(run, BOOK))
    assert int(suites.attrib["tests"]) == total.total + 1  # and whether the run ended
    assert line == (suites.findtext("testsuite[@name='run']/system-out") or "")
    (log,) = json.loads(sarif.render(run, BOOK))["runs"]
    assert log["properties"]["outcomes"] == record["outcomes"]
    assert log["properties"]["line"] == visible(line, sarif.TEXT)
    assert len({one["ruleIndex"] for one in log["results"]}) == total[Outcome.FAIL]
    assert f": {escape(line)}</title>" in badge.render(run, BOOK)


def test_totals_of_the_small_run_agree() -> None:
    check(small_run())


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(runs)
def test_totals_of_any_run_agree(run: Run) -> None:
    check(run)
