"""What a baseline says, and what is refused: a waiver that is misspelt must not excuse, or seem to."""

from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.baseline import MAX_TEXT, Waiver, failures, parse_baseline, read_baseline, written
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.target import MAX_FILE, ConfigurationError

DAY = date(2027, 3, 31)
GOOD = '[[waiver]]\nrule = "usage.sum"\nreason = "known"\nexpires = 2027-03-31\n'


def failed(rule: str, probe: str | None = "chat.n", *places: str, level: Level = Level.MUST) -> Verdict:
    return Verdict(rule, level, Outcome.FAIL, probe, ("e1",), tuple(Finding("x", 1, place) for place in places))


def test_a_waiver_is_read() -> None:
    text = GOOD + 'owner = "gateway\\n team"\nwhere = "chat.n"\n'
    (found,) = parse_baseline(text, "b.toml")
    assert found == Waiver("usage.sum", "chat.n", "known", "gateway team", DAY)
    assert (found.name, found.label) == ("usage.sum chat.n", "known (gateway team, until 2027-03-31)")


def test_never_is_said_aloud() -> None:
    (found,) = parse_baseline('waiver = [{rule = "a", reason = "b", expires = "never"}]', "b")
    assert (found.expires, found.label, found.name) == (None, "b (without end)", "a")
    assert not found.expired(date.max)


def test_a_list_of_places_is_a_waiver_each() -> None:
    found = parse_baseline(GOOD + 'where = ["chat.n", "chat.stream /usage"]', "b")
    assert [one.name for one in found] == ["usage.sum chat.n", "usage.sum chat.stream /usage"]


def test_the_last_day_still_counts() -> None:
    (found,) = parse_baseline(GOOD, "b")
    assert not found.expired(DAY)
    assert found.expired(date(2027, 4, 1))


def test_an_empty_baseline_waives_nothing() -> None:
    assert parse_baseline("", "b") == parse_baseline("waiver = []", "b") == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("waiver = ", "is no TOML"),
        ("waiver = 5", "waiver is not understood"),
        ("waiver = [5]", "waiver is not understood"),
        ("[waiver]\nrule = 'x'", "waiver is not understood"),
        ("[[waivers]]\nrule = 'x'", "waivers is not understood; it holds [[waiver]] tables alone"),
        ("version = 1\n" + GOOD, "version is not understood"),
        (GOOD + "until = 2027-01-01", "waiver 1: 'until' is not understood; there are rule, where,"),
        (GOOD.replace('"usage.sum"', "5"), "rule = 5 is no text"),
        (GOOD.replace('"usage.sum"', '" "'), "rule = ' ' is no text"),
        (GOOD.replace('"usage.sum"', f'"{"x" * (MAX_TEXT + 1)}"'), "is no text of 1 to 500 characters"),
        (GOOD.replace('reason = "known"\n', ""), "waiver 1: reason is missing"),
        (GOOD.replace('"known"', '""'), "reason = '' is no text"),
        (GOOD + "owner = []", "owner = [] is no text"),
        (GOOD + "where = 3", "where = 3 is no text"),
        (GOOD + "where = []", "where is an empty list"),
        (GOOD + "where = ['chat.n', 3]", "where = 3 is no text"),
        (GOOD.replace("expires = 2027-03-31\n", ""), "expires is missing; write a date (2027-03-31, without quotes)"),
        (GOOD.replace("2027-03-31", '"2027-03-31"'), "expires = '2027-03-31' is no date"),
        (GOOD.replace("2027-03-31", "2027-03-31T00:00:00Z"), "is no date"),
        (GOOD.replace("2027-03-31", "2027-03-31T00:00:00"), "is no date"),
        (GOOD.replace("2027-03-31", "12:00:00"), "is no date"),
        (GOOD.replace("2027-03-31", "2027-02-30"), "is no TOML"),
        (GOOD.replace("2027-03-31", "true"), "expires = True is no date"),
        (GOOD + GOOD, "waiver 2: 'usage.sum' is waived twice"),
        (GOOD + "where = ['chat.n', 'chat.n']", "'usage.sum chat.n' is waived twice"),
        (GOOD + "rule = 'again'", "is no TOML"),
        ("x = " + "[" * 5000, "is no TOML"),
        ("x = " + "9" * 5000, "is no TOML"),
        ("\x00", "is no TOML"),
    ],
)
def test_what_is_not_understood_is_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_baseline(text, "b.toml")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("the baseline b.toml")


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ConfigurationError):
        assert all(waiver.reason for waiver in parse_baseline(text, "b"))


@pytest.mark.parametrize(
    ("data", "says"),
    [(b"\xff\xfe", "cannot be read"), (b"#" * (MAX_FILE + 1), "is too large: more than 1,048,576 bytes")],
)
def test_a_file_that_is_no_text_or_too_much_of_it_is_refused(data: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_bytes(data)
    with pytest.raises(ConfigurationError, match=says):
        read_baseline(tmp_path / "b.toml")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_baseline(tmp_path / "b.toml")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_baseline(tmp_path)


# --- written --------------------------------------------------------------------------------------------------------

GOLDEN = """\
[[waiver]]
rule = "chat.n"
where = "chat.n"
reason = "vendor \\"x\\""
owner = "ops"
expires = 2027-03-31

[[waiver]]
rule = "usage.sum"
where = [
  "chat.n /a",
  "chat.n /usage",
  "chat.stream /usage",
]
reason = "vendor \\"x\\""
owner = "ops"
expires = 2027-03-31
"""


def test_a_baseline_is_written_in_the_order_of_names() -> None:
    verdicts = [
        failed("usage.sum", "chat.stream", "/usage"),
        failed("usage.sum", "chat.n", "/usage", "/usage", "/a"),
        failed("chat.n"),
        failed("chat.stream.role-first", level=Level.MAY),
        Verdict("sse.json", Level.MUST, Outcome.PASS, "chat.n", ("e1",)),
        Verdict("errors.no-key", Level.MUST, Outcome.FAIL, "x", ("e1",), (Finding("x"),), dialect="known"),
    ]
    for order in (verdicts, verdicts[::-1]):
        assert written(failures(order), 'vendor "x"', "ops", DAY) == GOLDEN


def test_without_owner_and_end() -> None:
    text = written({"a": ["b"]}, "c", None, None)
    assert text == '[[waiver]]\nrule = "a"\nwhere = "b"\nreason = "c"\nexpires = "never"\n'


def test_what_is_waived_is_not_written_again_though_it_expired() -> None:
    old = Waiver("usage.*", "chat.n", "x", expires=date(2001, 1, 1))
    verdicts = [failed("usage.sum", "chat.n", "/usage"), failed("usage.sum", "chat.stream", "/usage")]
    assert failures(verdicts, [old]) == {"usage.sum": ["chat.stream /usage"]}


@given(st.lists(st.text(min_size=1, max_size=20).filter(str.strip), min_size=1, max_size=4), st.text(max_size=20))
def test_whatever_failed_is_covered_by_the_baseline_that_is_written(places: list[str], probe: str) -> None:
    one = failed("usage.sum", f"p{probe}", *places)
    waivers = parse_baseline(written(failures([one]), "known", None, None), "b")
    assert failures([one], waivers) == {}


def test_a_place_without_end_is_cut_and_still_covered() -> None:
    one = failed("usage.sum", "chat.n", "/" + "x" * 5000, "/\ud800\x7f\x01")
    waivers = parse_baseline(written(failures([one]), "known", None, None), "b")
    assert failures([one], waivers) == {}
