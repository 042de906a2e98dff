"""Contract tests as a user writes them: sync, asyncio, trio, beside mocks of httpx."""

import asyncio

import httpx
import pytest
import respx

from conformance.testing import BrokenContractError

HELLO = [{"role": "user", "content": "Say hello."}]


def asked(relay, **more):
    return {"model": relay.model, "messages": HELLO, "max_tokens": 40, **more}


@pytest.mark.chat
def test_our_stream_keeps_the_protocol(relay):
    answer = relay.post("/v1/chat/completions", json=asked(relay, stream=True))
    verdicts = relay.check(answer)
    assert "chat.stream.done" in {verdict.rule for verdict in verdicts}


def test_a_broken_stream_is_told_with_its_bytes(relay):
    answer = relay.post(
        "/v1/chat/completions", json=asked(relay, model="mock-chat+chat-stream-done-missing", stream=True)
    )
    with pytest.raises(BrokenContractError, match=r"chat\.stream\.done broken[\s\S]*curl --no-buffer"):
        relay.check(answer)


@pytest.mark.asyncio
async def test_an_async_test_asks_while_its_loop_runs_on(relay):
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    beside = asyncio.create_task(tick())
    answers = await asyncio.gather(*(relay.apost("/v1/chat/completions", json=asked(relay)) for _ in range(3)))
    beside.cancel()
    assert ticks > 3
    for answer in answers:
        relay.check(answer)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_with_anyio(relay, anyio_backend):
    relay.check(await relay.aget("/v1/models"))


def test_a_mock_of_httpx_is_none_of_ours(relay, httpx_mock):
    httpx_mock.add_response(text="ours")
    assert httpx.get("https://window.example/").text == "ours"
    assert relay.get("/v1/models").status == 200


@respx.mock
def test_nor_is_respx(relay):
    respx.get("https://window.example/").respond(204)
    assert httpx.get("https://window.example/").status_code == 204
    assert relay.get("/v1/models").status == 200


def test_an_answer_of_our_own_client(relay):
    key = {"authorization": "Bearer sk-relayproof-test-foreign-0"}
    answer = httpx.post(f"{relay.base_url}/chat/completions", json=asked(relay), headers=key)
    assert {"pass", "inconclusive"} <= {verdict.outcome for verdict in relay.check(answer)}


def test_what_has_nothing_to_do_with_it():
    assert True


def test_and_its_mock(mock_relay):
    assert httpx.get(f"{mock_relay.base_url}/models", headers={"authorization": "Bearer k"}).status_code == 200
