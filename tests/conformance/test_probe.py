"""A probe is a row, bound to a model when a check is planned."""

import pytest

from conformance.asked import legal
from conformance.plan import plan
from conformance.probe import FIRST_BYTES, JSON_TYPE, MODEL, PLAIN_PROMPT, Planned, Probe, Role, Step
from conformance.probes import PROBES
from conformance.rules import BOOK
from conformance.target import Target
from openapi import json_text
from openapi.wire.exchange import Auth, Exchange, Request

LEGAL = {"http.origin", "http.reuse-stream"}  # beside what takes liberties
FULL = {role: "sora-2" if role is Role.VIDEO else "m" for role in Role}


def body(probe: Probe, model: str = "m") -> object:
    return probe.request(model).json.value


def test_the_model_is_put_in_at_every_depth() -> None:
    probe = Probe("x", Role.CHAT, body={"model": MODEL, "a": [f"<{MODEL}>", {"b": MODEL}], "n": 1, "t": None})
    assert body(probe, "gpt") == {"model": "gpt", "a": ["<gpt>", {"b": "gpt"}], "n": 1, "t": None}


def test_bytes_and_nothing_go_out_as_they_are() -> None:
    assert Probe("x", None, body=b"{model}").request("m").body == b"{model}"
    assert Probe("x", None).request("m").body is None


def test_the_model_in_a_path_is_encoded_but_for_its_slash() -> None:
    probe = Probe("x", Role.CHAT, "GET", f"/v1/models/{MODEL}")
    assert probe.request("org/a b?c").path == "/v1/models/org/a%20b%3Fc"


def test_a_request_has_no_key_in_it() -> None:
    probe = Probe("x", None, body={}, auth=Auth.WRONG)
    assert probe.request("m").headers == JSON_TYPE
    assert probe.request("m").auth is Auth.WRONG


def test_the_most_that_a_probe_can_cost() -> None:
    def cost(**members: json_text.Json) -> int:
        probe = Probe("x", Role.CHAT, body=members)
        return probe.tokens("m") - len(probe.request("m").body or b"") // 2 - PLAIN_PROMPT

    assert cost(max_tokens=10) == 10
    assert cost(max_tokens=10, n=3) == 30
    assert cost(max_completion_tokens=7, max_tokens=10) == 7
    assert cost() == cost(max_tokens="x") == 0
    assert Probe("x", None, free=True, body={"max_tokens": 10}).tokens("m") > PLAIN_PROMPT  # if the relay errs
    assert Probe("x", None, unbounded=True, body={"max_tokens": 10**9}).tokens("m") == 0
    assert Probe("x", None).tokens("m") == 0


def test_a_probe_without_its_links_keeps_its_other_steps() -> None:
    fetch = Step("media", link=lambda sofar: sofar[0].id)
    several = Probe("x", None, step="a", then=(Step("b"), fetch))
    assert (several.without_links().names, several.then[1:]) == (("a", "b"), (fetch,))
    alone = Probe("x", None, step="a", then=(fetch,))
    assert (alone.names, alone.without_links()) == (("a", "media"), Probe("x", None))
    assert Probe("x", None, step="a").without_links().step == "a"


def test_a_link_is_asked_for_its_first_bytes_without_a_key() -> None:
    probe = Probe("x", None, body={}, step="a", then=(Step("media", link=lambda sofar: f"https://{sofar[0].id}/"),))
    sofar = [Exchange("cdn.example", probe.request("m"))]
    found = probe.bound(probe.then[0], "m", sofar)
    assert found == Request("GET", "https://cdn.example/", FIRST_BYTES, Auth.NONE)
    assert probe.bound(probe.then[0], "m").path == ""


@pytest.mark.parametrize("probe", PROBES.values(), ids=lambda probe: probe.id)
def test_each_probe_is_legal_or_a_mistake_on_purpose(probe: Probe) -> None:
    exchanges = list(Planned(1, probe, "m").unanswered())
    assert exchanges
    for exchange in exchanges:
        step = exchange.step
        assert exchange.id == (f"e1-{step}" if step else "e1")
        assert (exchange.probe, exchange.status) == (probe.id, None)
        assert legal.holds(exchange) is not (
            probe.id.startswith("errors.")
            or probe.id in {"models.unknown", "models.no-key"}
            or exchange.step == "nobodys-model"
            or (probe.id.startswith("http.") and probe.id not in LEGAL and step != "next")
        )


@pytest.mark.parametrize("probe", PROBES.values(), ids=lambda probe: probe.id)
def test_each_probe_is_judged_by_a_rule(probe: Probe) -> None:
    assert list(Planned(1, probe, "m").reaches(BOOK))


@pytest.mark.parametrize("probe", [probe for probe in PROBES.values() if not probe.free], ids=lambda probe: probe.id)
def test_each_probe_that_costs_has_a_bound(probe: Probe) -> None:
    members = probe.request("m").object
    assert probe.role in {Role.VIDEO, Role.EMBEDDINGS} or "max_tokens" in members or "max_completion_tokens" in members
    assert probe.tokens("m") < 3000 * len(probe.steps)


def test_each_role_that_is_asked_has_one_control_probe() -> None:
    controls = [probe.role for probe in PROBES.values() if probe.control]
    asked = {probe.role for probe in PROBES.values() if probe.role}
    assert sorted(role for role in controls if role) == sorted(asked)


def test_all_probes_together_are_within_the_budget_beyond_loopback() -> None:
    target = Target("t", "https://relay.example", models=FULL).bounded()
    whole = plan(target, BOOK, PROBES)
    assert target.max_requests is not None
    assert target.max_tokens is not None
    assert len(whole.probes) < target.max_requests
    assert whole.tokens < target.max_tokens
