"""What a relay has is found without anything that could be billed, and an absence accuses nobody."""

import asyncio
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.discover import BROKEN, NOWHERE, Discovery, Found, Presence, discover, presence
from conformance.probe import Role
from conformance.suggest import chosen, roles_of, toml
from conformance.target import Target, parse_target
from conformance.transport import Link
from openapi.wire.exchange import Exchange, Read, Request
from tests.system.hostile import Connection, Relay, error, said, serving, whole

DRAWN_ROLES, ABSENT, UNKNOWN = Presence


def answer(path: str, status: int | None, body: object = None, kind: str = "application/json") -> Exchange:
    text = body if isinstance(body, str) else json.dumps(body or {})
    headers = (("content-type", kind),)
    return Exchange("", Request("POST", path), status, headers, (Read(0.1, text.encode()),))


def refusal(message: str) -> dict[str, dict[str, str]]:
    return {"error": {"message": message, "type": "invalid_request_error"}}


MISSING = answer(NOWHERE, 404, refusal(f"Invalid URL (POST {NOWHERE})"))
PAGE = answer(NOWHERE, 200, "<html>app</html>", "text/html")
REFUSED = answer(NOWHERE, 400, refusal("bad"))


@pytest.mark.parametrize(
    ("operation", "told", "control", "said"),
    [
        ("POST /v1/x", answer("/v1/x", 404, refusal("Invalid URL (POST /v1/x)")), MISSING, ABSENT),
        ("POST /v1/x", answer("/v1/x", 400, refusal("no JSON")), MISSING, DRAWN_ROLES),
        ("POST /v1/x", answer("/v1/x", 401, refusal("no such right")), MISSING, DRAWN_ROLES),
        ("POST /v1/x", answer("/v1/x", 500, "oops"), MISSING, DRAWN_ROLES),
        ("POST /v1/x", answer("/v1/x", 405, refusal("method")), MISSING, ABSENT),
        ("POST /v1/x", answer("/v1/x", 501, refusal("not implemented")), MISSING, ABSENT),
        ("POST /v1/x", answer("/v1/x", 404, refusal("no channel")), MISSING, UNKNOWN),
        ("GET /v1/x/{id}", answer("/v1/x/relayproof-nobody", 404, refusal("no such task")), MISSING, DRAWN_ROLES),
        ("POST /v1/x", answer("/v1/x", 429, refusal("slow down")), MISSING, UNKNOWN),
        ("POST /v1/x", answer("/v1/x", 502, "bad gateway"), MISSING, UNKNOWN),
        ("POST /v1/x", answer("/v1/x", 302, ""), MISSING, UNKNOWN),
        ("GET /v1/x", answer("/v1/x", 200, "<html>app</html>", "text/html"), PAGE, ABSENT),
        ("GET /v1/x", answer("/v1/x", 200, {"data": []}), PAGE, DRAWN_ROLES),
        ("POST /v1/x", answer("/v1/x", 400, refusal("bad")), REFUSED, UNKNOWN),
        ("POST /v1/x", answer("/v1/x", 401, refusal("key")), REFUSED, UNKNOWN),
        ("POST /v1/x", None, MISSING, UNKNOWN),
        ("POST /v1/x", answer("/v1/x", None), MISSING, UNKNOWN),
        ("POST /v1/x", answer("/v1/x", 400, refusal("no JSON")), None, UNKNOWN),
    ],
)
def test_what_an_answer_says_beside_the_control(
    operation: str, told: Exchange | None, control: Exchange | None, said: Presence
) -> None:
    assert presence(operation, told, control) is said


def found_at(
    relay: Relay, operations: Sequence[str], most: int | None = None
) -> tuple[Discovery, list[str], list[bytes]]:
    with serving(relay) as server:
        target = Target("it", server.url, max_requests=most)
        link = Link(server.url, "sk-discover-0123456789")
        told = asyncio.run(discover(target, link, operations))
        return told, [heard.line for heard in server.heard], [heard.body for heard in server.heard]


def one_endpoint(connection: Connection) -> None:
    path = connection.heard.target
    if path == "/v1/models":
        connection.send(
            said(200, {"object": "list", "data": [{"id": "gpt-4o-mini"}, {"id": 7}, "x", {"id": "sora-2"}]})
        )
    elif path == "/v1/chat/completions":
        connection.send(error(400, "no JSON"))
    else:
        connection.send(error(404, f"Invalid URL ({connection.heard.method} {path})"))


def test_a_relay_is_asked_for_everything_with_nothing_to_bill() -> None:
    operations = [
        "POST /v1/chat/completions",
        "POST /v1/embeddings",
        "GET /v1/videos/{id}",
        "DELETE /v1/files/{id}",
        "(object)",
    ]
    found, lines, bodies = found_at(one_endpoint, operations)
    assert {one.operation: one.presence for one in found.found} == {
        "POST /v1/chat/completions": DRAWN_ROLES,
        "POST /v1/embeddings": ABSENT,
        "GET /v1/videos/{id}": ABSENT,
    }
    assert found.models == ("gpt-4o-mini", "sora-2")
    assert found.requests == len(lines) == 6
    assert set(bodies) == {b"", BROKEN}
    assert all(line.startswith(("GET ", "POST ")) for line in lines)


def test_no_more_requests_than_the_limit_allows() -> None:
    found, lines, _ = found_at(one_endpoint, ["POST /v1/chat/completions", "POST /v1/embeddings"], most=4)
    assert len(lines) == 4
    assert found.has("POST /v1/embeddings") is UNKNOWN


def test_a_refused_key_and_nobody_there_are_told() -> None:
    found, _, _ = found_at(lambda connection: connection.send(error(401, "no")), ["POST /v1/embeddings"])
    assert found.halt is not None
    assert "refused the key" in found.halt
    target = Target("it", "http://127.0.0.1:1")
    nobody = asyncio.run(discover(target, Link(target.base), ["POST /v1/embeddings"]))
    assert "could not be reached" in (nobody.halt or "")


def test_a_page_for_every_path_is_no_endpoint() -> None:
    html = whole(200, "<html>the app</html>", "Content-Type: text/html")
    found, _, _ = found_at(lambda connection: connection.send(html), ["POST /v1/embeddings", "GET /v1/files"])
    assert {one.presence for one in found.found} == {ABSENT}


# --- what is suggested ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("text-embedding-3-small", {Role.EMBEDDINGS}),
        ("bge-m3", {Role.EMBEDDINGS}),
        ("gpt-4o-mini-tts", set()),
        ("gpt-image-1", set()),
        ("sora-2-pro", {Role.VIDEO}),
        ("veo3.1-fast", {Role.VIDEO}),
        ("gpt-3.5-turbo-instruct", {Role.COMPLETIONS}),
        ("claude-sonnet-4-5", {Role.MESSAGES, Role.CHAT, Role.TOOLS}),
        ("deepseek-r1", {Role.REASONING}),
        ("o3-mini", {Role.REASONING}),
        ("gpt-4o", {Role.VISION, Role.CHAT, Role.TOOLS}),
        ("qwen3-32b", {Role.CHAT, Role.TOOLS}),
    ],
)
def test_what_a_name_says(name: str, roles: set[Role]) -> None:
    assert roles_of(name) == roles


def test_the_cheap_one_is_chosen() -> None:
    assert chosen(["gpt-4o", "gpt-4o-mini"])[Role.CHAT] == "gpt-4o-mini"
    assert chosen(["gpt-4o"])[Role.CHAT] == "gpt-4o"
    assert Role.EMBEDDINGS not in chosen(["gpt-4o"])


def test_a_suggestion_names_no_video_and_nothing_that_is_not_there() -> None:
    found = Discovery(
        (Found("POST /v1/chat/completions", DRAWN_ROLES, ""), Found("POST /v1/embeddings", ABSENT, "404")),
        ("gpt-4o-mini", "sora-2", "text-embedding-3-small"),
        5,
    )
    target = parse_target(toml(Target("it", "https://it.example", "IT_KEY"), found), "it")
    assert target.models == {Role.CHAT: "gpt-4o-mini", Role.TOOLS: "gpt-4o-mini", Role.VISION: "gpt-4o-mini"}
    assert (target.name, target.base, target.key_variable) == ("it", "https://it.example", "IT_KEY")
    assert target.absent == {"POST /v1/embeddings"}


@given(st.lists(st.text(max_size=20), max_size=5), st.text(max_size=20))
def test_any_names_make_a_target_that_can_be_read(models: list[str], name: str) -> None:
    operations = (Found("POST /v1/x", ABSENT, name),)
    text = toml(Target(name, "https://it.example"), Discovery(operations, tuple(models), 1))
    target = parse_target(text.encode("utf-8").decode("utf-8"), "it")
    assert set(target.models.values()) <= set(models)
