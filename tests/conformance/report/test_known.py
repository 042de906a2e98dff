"""What is known of failures is shown in every format, beside them, and never as a pass."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from conformance.report import html, json_out, junit, markdown, terminal
from conformance.report.evidence import Row, evidence
from conformance.report.summary import summarise
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.run import Note, Stale
from tests.conformance.report.made import BOOK, ended, known_run, recorded

LINE = "MUST 1/4 · SHOULD 0/1 · 2 waived (1 expires in 5 days) · 1 of dialect new-api · 1 flaky"
TERMINAL = f"""\
a-relay  {LINE}
exit 1: a MUST is broken
spent: 5 requests, 5,090 tokens as reported

MUST failed (1)
  ✗ tools.index  Calls of a stream are numbered from 0.
    index 7  (+1 more)  flaky (3/6, 0.19–0.81)
    probe chat.n · e2 · at 3

Known failures, excused (3)
  ✗ errors.no-key  got 500  probe errors.no-key · e3
    dialect: ND-503-MODEL: unknown models are 503.
  ✗ usage.sum  3 is not 2  (+1 more)  probe chat.n · e1
    waived: until the gateway is new (ops, until 2026-11-27)
    dialect: ND-503-MODEL: unknown models are 503.
  ✗ chat.stream.role-first  choice 0: text before the role  probe chat.n · e1 · at 2
    waived: until the gateway is new (ops, until 2026-11-27)

The baseline wants a look (2)
  expires soon: usage.sum chat.n
    it excuses until 2026-11-27
  unused: sse.json **
    nothing of this run is what it excuses
"""
MARKDOWN = r"""
### MUST failed (1)

| rule | law | found | probe | exchange |
| --- | --- | --- | --- | --- |
| tools.index | Calls of a stream are numbered from 0. | index 7 (+1 more) **flaky (3/6, 0.19–0.81)** | chat.n | e2 |

### Known failures, excused (3)

| rule | level | found | probe | excused by |
| --- | --- | --- | --- | --- |
| errors.no-key | MUST | got 500 | errors.no-key | dialect: ND-503-MODEL: unknown models are 503. |
| usage.sum | MUST | 3 is not 2 (+1 more) | chat.n | waived: until the gateway is new (ops, until 2026-11-27); \
dialect: ND-503-MODEL: unknown models are 503. |
| chat.stream.role-first | SHOULD | choice 0: text before the role | chat.n | \
waived: until the gateway is new (ops, until 2026-11-27) |

### The baseline wants a look (2)

- expires soon: usage.sum chat.n — it excuses until 2026-11-27
- unused: sse.json \*\* — nothing of this run is what it excuses
""".replace("\\\n", "")


def test_the_terminal() -> None:
    assert terminal.render(known_run(), BOOK, width=400) == TERMINAL


def test_markdown() -> None:
    assert MARKDOWN in markdown.render(known_run(), BOOK)


def test_json() -> None:
    record = json.loads(json_out.render(known_run(), BOOK))
    assert record["known"] == {"waived": 2, "dialect": 1, "flaky": 1}
    assert record["dialect"] == "new-api"
    assert record["notes"][0] == {
        "kind": "expires-soon",
        "waiver": "usage.sum chat.n",
        "text": "it excuses until 2026-11-27",
        "days": 5,
    }
    assert {line["rule"]: line["excuse"] for line in record["rules"]} == {
        "chat.answered": None,
        "chat.stream.role-first": "waived",
        "errors.no-key": "dialect",
        "usage.sum": "waived",
        "tools.index": None,
    }
    named = [line["identities"] for line in record["verdicts"] if line.get("waived")]
    assert named[0] == ["chat.stream.role-first chat.n text-before-the-role"]


def test_junit_skips_what_is_excused_as_it_does_expected_failures() -> None:
    root = ET.fromstring(junit.render(known_run(), BOOK))
    for name in ("chat.stream.role-first", "errors.no-key", "usage.sum"):
        case = root.find(f".//testcase[@name='{name}']")
        assert case is not None
        assert [element.tag for element in case] == ["skipped", "system-out"]
        assert "waived: " in (case[0].text or "") or "dialect: ND-" in (case[0].text or "")
    failure = root.find(".//testcase[@name='tools.index']/failure")
    assert failure is not None
    assert failure.get("message") == "MUST: index 7 [flaky (3/6, 0.19–0.81)]"
    assert "- index 7 [chat.n: e2, at 3, /choices/*/index]" in (failure.text or "")
    assert "- index 1 [tools.required: e4] [waived: " in (failure.text or "")
    told = {one.get("name"): one.get("value") for one in root.iter("property")}
    assert told["baseline.unused"] == "sse.json **: nothing of this run is what it excuses"
    skipped = sum(int(suite.get("skipped") or 0) for suite in root.iter("testsuite"))
    assert (root.get("failures"), skipped, root.get("errors")) == ("1", 3, "0")


def test_strict_does_not_redden_what_is_excused() -> None:
    root = ET.fromstring(junit.render(known_run(), BOOK, strict=True))
    assert root.get("failures") == "1"


class _Text(HTMLParser):
    """The text of a page, a line for each group of rules with the rules in it."""

    def __init__(self) -> None:
        super().__init__()
        self.classes: dict[str, str] = {}
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "details" and (named.get("class") or "").startswith("rule "):
            self.classes[named["id"] or ""] = named["class"] or ""

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html() -> None:
    page = _Text()
    page.feed(html.render(known_run(), BOOK))
    assert {rule for rule, kind in page.classes.items() if "g-known" in kind} == {
        "chat.stream.role-first",
        "errors.no-key",
        "usage.sum",
    }
    for shown in (LINE, "Known failures, excused", "The baseline wants a look", "flaky (3/6, 0.19–0.81)", "Excused by"):
        assert shown in page.text
    assert page.text.index("Known failures, excused") > page.text.index("MUST failed")


def test_the_event_of_a_finding_is_marked_in_its_own_exchange() -> None:
    first, second = (recorded("litellm/chat-n2-stream", name, "chat.n") for name in ("e1", "e2"))
    several = Verdict("same.text", Level.MUST, Outcome.FAIL, "chat.n", ("e1", "e2"), (Finding("x", 3, "", "e2"),))
    marked = [
        [row.number for row in evidence(one, 0, "x0-0", [several], "").rows if isinstance(row, Row) and row.rules]
        for one in (first, second)
    ]
    assert marked == [[], [3]]


def soon(*days: int) -> str:
    run = known_run()
    assert run.footer
    notes = tuple(Note(Stale.EXPIRES_SOON, f"w{day}", "soon", day) for day in days)
    return summarise(replace(run, footer=replace(run.footer, notes=notes, dialect=None)), BOOK).line


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ((), "2 waived · "),
        ((0,), "2 waived (1 expires today)"),
        ((5,), "2 waived (1 expires in 5 days)"),
        ((0, 0), "2 waived (2 expire today)"),
        ((5, 9), "2 waived (2 expire within 9 days)"),
    ],
)
def test_the_line_says_when_waivers_end(days: tuple[int, ...], said: str) -> None:
    assert said in soon(*days)
    assert "1 of dialect its family" in soon(*days)


def test_exit_0_with_excused_failures_is_no_praise() -> None:
    run = known_run()
    excused = replace(run, verdicts=tuple(one for one in run.verdicts if one.rule != "tools.index"))
    summary = summarise(ended(excused), BOOK)
    assert summary.exit == 0
    assert (summary.word, summary.holds) == ("Accepted, with failures", False)
