"""A failure is called the same in every run."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.answers import place_of, starred
from conformance.identity import at, fits, identities
from conformance.judge import MAX_FINDINGS, REST, judge
from conformance.rule import Finding, Level, Outcome, Rule, Verdict
from conformance.rules import BOOK
from openapi.schema import SchemaFault
from tests.conformance.exchanges import DONE, choice, chunk, finish, got, request, role, stream, text, verdict


def failed(probe: str | None, *found: Finding) -> Verdict:
    return Verdict("chat.stream.schema", Level.MUST, Outcome.FAIL, probe, ("e1",), found)


def test_rule_probe_and_place_are_the_name() -> None:
    one = failed("chat.n", Finding("x", 3, "/choices/*/index"), Finding("y", 9, "/choices/*/index"), Finding("z"))
    assert identities(one) == ("chat.stream.schema chat.n /choices/*/index", "chat.stream.schema chat.n")


def test_a_generated_probe_loses_the_hash_of_its_request() -> None:
    assert identities(failed("fuzz.createChatCompletion.a1b2c3")) == ("chat.stream.schema fuzz.createChatCompletion",)


def test_what_no_probe_made_has_a_name_too() -> None:
    assert identities(failed(None)) == ("chat.stream.schema -",)


def test_two_runs_with_other_ids_times_and_indexes_give_one_name() -> None:
    broken = chunk(choice({"content": 5}))
    late = [stream(role(), *[text()] * many, broken, finish(), DONE, step=many) for many in (1, 7)]
    verdicts = [next(judge([exchange], {"chat.stream.delta": BOOK["chat.stream.delta"]})) for exchange in late]
    assert verdicts[0].findings != verdicts[1].findings
    assert identities(verdicts[0]) == identities(verdicts[1]) == ("chat.stream.delta - /choices/*/delta/content",)


def test_order_is_named_by_what_came_where() -> None:
    found = verdict("chat.stream.role-first", stream(text(), finish(), DONE))
    assert found
    assert identities(found) == ("chat.stream.role-first - text-before-the-role",)


@pytest.mark.parametrize(
    ("body", "rule", "name"),
    [
        ({"object": "list", "data": [{"id": "m", "object": "model"}]}, "models.list", "/data/*/created"),
        ([], "models.list", "/"),
        ({"object": "list", "data": [{"id": "m"}, {"id": "m"}]}, "models.unique", "/data/*/id"),
    ],
)
def test_the_list_of_models_says_where(body: object, rule: str, name: str) -> None:
    found = verdict(rule, got(200, body, to=request(method="GET", path="/v1/models")))
    assert found
    assert f"{rule} - {name}" in identities(found)


def test_a_model_that_was_not_asked_for_is_told_by_its_id() -> None:
    other = {"id": "b", "object": "model", "created": 1, "owned_by": "x"}
    found = verdict("models.retrieve", got(200, other, to=request(method="GET", path="/v1/models/a")))
    assert found
    assert identities(found) == ("models.retrieve - /id",)
    other["created"] = "soon"
    found = verdict("models.retrieve", got(200, other, to=request(method="GET", path="/v1/models/a")))
    assert found
    assert identities(found) == ("models.retrieve - /created", "models.retrieve - /id")


@pytest.mark.parametrize(
    ("pointer", "place"),
    [("", ""), ("/choices/0/index", "/choices/*/index"), ("/data/12", "/data/*"), ("/a1/1a", "/a1/1a"), ("/²", "/²")],
)
def test_indexes_are_starred(pointer: str, place: str) -> None:
    assert starred(pointer) == place


def test_a_missing_member_is_the_place_where_it_should_be() -> None:
    assert place_of(SchemaFault("/data/0", "required", "", "", "", "a/b")) == "/data/*/a~1b"
    assert place_of(SchemaFault("", "type", "", "", "")) == "/"


# --- patterns -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "name", "fit"),
    [
        ("chat.n", "chat.n", True),
        ("chat.n", "chat.nn", False),
        ("chat.*", "chat.stream.done", True),
        ("chat.*", "chats", False),
        ("*", "chat.n", True),
        ("*", "", True),
        ("*", "chat.n /usage", False),
        ("**", "chat.n /usage", True),
        ("/choices/*/index", "/choices/*/index", True),
        ("/choices/*/index", "/choices/*/delta/index", False),
        ("/choices/**/index", "/choices/*/delta/index", True),
        ("*.n /usage/*", "chat.n /usage/total_tokens", True),
        ("**a*b", "a/ab", True),
        ("a.b", "axb", False),
        ("[ab]", "a", False),
        ("***", "a/b c", True),
        ("a*", "b", False),
    ],
)
def test_a_star_keeps_to_its_part_and_two_do_not(pattern: str, name: str, *, fit: bool) -> None:
    assert fits(pattern, name) is fit


@given(st.text("a*/", max_size=8))
def test_a_name_fits_itself_whatever_is_in_it(name: str) -> None:
    assert fits(name, name)
    assert fits("**", name)


def test_a_pattern_full_of_stars_takes_no_time() -> None:
    begun = time.process_time()
    assert not fits("*a" * 200, "a" * 1000 + "b")
    assert time.process_time() - begun < 2


def test_a_pattern_names_a_probe_a_place_or_both() -> None:
    one = failed("chat.n", Finding("x", 3, "/usage"))
    for pattern in ("chat.n", "/usage", "chat.n /usage", "chat.* /*"):
        assert at(pattern, one, one.findings[0]), pattern
    for pattern in ("chat", "usage", "chat.n /", "/usage chat.n"):
        assert not at(pattern, one, one.findings[0]), pattern


# --- many findings --------------------------------------------------------------------------------------------------


def many(*places: str) -> Verdict:
    def check(_: object) -> list[Finding]:
        """A law."""
        return [Finding(str(number), number, place) for number, place in enumerate(places)]

    always = BOOK["transport.answered"].on
    law = Rule("a.b", Level.MUST, "x", always, check, always, always, silence=True)
    return next(judge([stream(DONE)], {"a.b": law}))


def test_each_place_is_among_the_findings_that_are_kept() -> None:
    found = many(*["/a"] * 100, "/b", *["/a"] * 5).findings
    assert [one.at for one in found] == [*range(MAX_FINDINGS - 1), 100, None]
    assert found[-1].text == "and 86 more of the same rule"
    assert REST.fullmatch(found[-1].text)


def test_more_places_than_are_kept_are_told_as_such() -> None:
    found = many(*map(str, range(MAX_FINDINGS + 5))).findings
    assert [one.at for one in found[:-1]] == list(range(MAX_FINDINGS))
    assert found[-1].text == "and 5 more of the same rule, at other places too"
    assert not REST.fullmatch(found[-1].text)
