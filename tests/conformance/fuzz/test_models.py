"""What is asked of the models: along the links of the document, and names that nobody has."""

from typing import Any

import pytest

from conformance.asked import keyed, legal, model_of, model_retrieve, unknown_model
from conformance.fuzz import models
from conformance.fuzz.bounds import bounded
from conformance.fuzz.case import Case, read_case
from conformance.fuzz.linked import links_of
from conformance.judge import judge
from conformance.plan import plan
from conformance.probe import Planned, Role
from conformance.rule import Level, Outcome
from conformance.rules import BOOK
from conformance.target import Target
from openapi.json_text import Json
from openapi.wire.exchange import Exchange
from tests.conformance.exchanges import failure, got, request

ROLES = {Role.CHAT: "m"}
ENTRY = {"object": "model", "created": 1, "owned_by": "x"}


def asked(case: Case, *answers: Exchange) -> list[str]:
    """The paths that are asked, with these answers."""
    planned, paths = Planned(1, case.probe, "m"), []
    for at, step in enumerate(planned.probe.steps):
        made = planned.probe.bound(step, "m", answers[:at] or ())
        if step.follows and not planned.leads_on(step, made):
            break
        assert (made.method, made.body, made.headers) == ("GET", None, ())
        paths.append(made.path)
    return paths


def failed(exchange: Exchange) -> list[str]:
    """The rules on models and errors that are broken."""
    told = (one for one in judge([exchange], BOOK) if one.outcome is Outcome.FAIL and one.level is not Level.MAY)
    return [one.rule for one in told if one.rule.startswith(("models.", "errors."))]


def listing(*names: Json) -> Exchange:
    to = request(method="GET", path="/v1/models", kind=None)
    return got(200, {"object": "list", "data": [{**ENTRY, "id": name} for name in names]}, to=to)


def test_entries_of_the_list_are_asked_for_as_the_document_links_them() -> None:
    *drawn, first = models.listed(0, 2)
    assert drawn == [*models.listed(0, 2)][:-1]
    told = listing("a", "org/b", "龙 c", 'd"?')
    expected = ["/v1/models", "/v1/models/a", "/v1/models/org/b", "/v1/models/%E9%BE%99%20c", "/v1/models/d%22%3F"]
    assert asked(first, *[told] * 9) == expected
    for case in (*drawn, first):
        assert case.probe.free
        assert Planned(1, case.probe, "m").tokens == 0
        assert bounded(case, ROLES) == read_case(case.record()) == case
        assert asked(case, *[told] * 9)[:3] == expected[:3]


@pytest.mark.parametrize(
    "told",
    [
        listing(),
        listing(5, "b"),
        listing("", "b"),
        listing("../../elsewhere", "b"),
        listing("a/./b", "b"),
        got(404, failure(), to=request(method="GET", path="/v1/models")),
        got(200, b"<html>", to=request(method="GET", path="/v1/models")),
        got(200, [], to=request(method="GET", path="/v1/models")),
    ],
    ids=range(8),
)
def test_a_list_that_has_none_leads_nowhere(told: Exchange) -> None:
    *_, first = models.listed(0, 1)
    assert asked(first, *[told] * 9) == ["/v1/models"]


NO_MOVES: list[Any] = [None, [], [5], [{"link": "x", "item": 0}], [{"link": "ListedModel", "item": -1}], [{"item": 0}]]


@pytest.mark.parametrize("moves", NO_MOVES, ids=str)
def test_what_a_file_says_goes_along_links_of_the_document(moves: Any) -> None:
    assert bounded(Case("links", models.LIST, Role.CHAT, {"body": None, "moves": moves}), ROLES) is None
    assert [*links_of(models.LIST)] == ["ListedModel"]


def test_names_go_percent_encoded_and_none_of_them_is_one_that_rules_promise_404() -> None:
    drawn = list(models.unheard(4, 60))
    assert drawn == list(models.unheard(4, 60))
    assert len(drawn) == 61
    for case in drawn:
        [exchange] = Planned(1, case.probe, "m").unanswered()
        path = exchange.request.path
        assert path.startswith("/v1/models/")
        assert path.isascii()
        assert "/" not in path.removeprefix("/v1/models/")
        assert len(path) < 4000
        params: Any = case.data["params"]
        assert model_of(exchange) == params["model"] not in {".", ".."}
        assert (model_retrieve & keyed & legal & ~unknown_model).holds(exchange)


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (404, failure(), None),
        (400, failure(), None),
        (501, failure(), None),
        (200, {**ENTRY, "id": "relayproof%x"}, None),
        (200, {**ENTRY, "id": "another"}, "models.retrieve"),
        (404, b"<html>", "errors.envelope"),
    ],
    ids=str,
)
def test_rules_on_models_and_errors_judge_it(status: int, body: Any, outcome: str | None) -> None:
    case = next(one for one in models.unheard(0, 40) if one.data["params"] == {"model": "relayproof%x"})
    planned = Planned(1, case.probe, "m")
    [known] = planned.unanswered()
    answered = planned.named(got(status, body, to=known.request), planned.probe.steps[0])
    assert (outcome in failed(answered)) if outcome else failed(answered) == []


def test_the_written_probe_alone_claims_that_a_model_is_there() -> None:
    """A relay that serves no single model is judged by what the target says, and not by what was drawn."""
    case = next(iter(models.listed(0, 1)))
    planned = Planned(1, case.probe, "m")
    to = request(method="GET", path="/v1/models/m", kind=None)
    answered = planned.named(got(404, failure(), to=to), planned.probe.steps[1])
    assert failed(answered) == []
    assert plan(Target("t", "http://127.0.0.1:1", models=ROLES), BOOK, {}).probes == ()
