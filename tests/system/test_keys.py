"""The key goes where it is meant to go, and stands in nothing that is written or said."""

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from conformance.answers import reply_of
from conformance.rule import Outcome
from conformance.run import outcome_of
from openapi.wire.redaction import MARK
from tests.system.command import Told, relayproof_, run_of
from tests.system.hostile import (
    JSON,
    SSE,
    Connection,
    Server,
    chunk,
    chunked,
    error,
    forwards,
    head,
    reply,
    said,
    sends,
    serving,
    whole,
)

KEY = "sk-relay/proof+keys_0123456789abcdef"
GOOD = said(200, reply())
ONE = ("--model", "m", "--only", "chat.whole", "--quiet")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def checked(url: str, *words: object, **env: str) -> Told:
    files = (
        "--out",
        "run.jsonl",
        "--html",
        "run.html",
        "--junit",
        "run.xml",
        "--markdown",
        "run.md",
        "--json",
        "run.json",
    )
    return relayproof_("check", url, *files, *words, **env)


def nothing_tells(secret: str, told: Told) -> bool:
    """Whether a secret stands in no file of the folder and in nothing that was said, however it is written."""
    written = [path.read_bytes() for path in Path().rglob("*") if path.is_file()]
    assert len(written) >= 5
    texts = [told.text.encode(), *written]
    forms = [secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1], secret.replace("/", "\\/")]
    forms += ["".join(f"%{ord(character):02x}" for character in secret), secret.replace("+", "\\u002b")]
    encoded = [base64.b64encode(secret.encode())[2:-4], *(form.encode() for form in forms)]
    return not any(form in text for form in encoded for text in texts)


# --- where it comes from --------------------------------------------------------------------------------------------


def keys_sent(server: Server) -> set[str | None]:
    return {heard.key for heard in server.heard}


def test_the_key_of_our_variable_is_sent_and_no_other() -> None:
    with serving(sends(GOOD)) as server:
        checked(server.url, *ONE, RELAYPROOF_API_KEY=KEY, OPENAI_API_KEY="sk-openai-0123456789")
        assert keys_sent(server) == {KEY}
    with serving(sends(GOOD)) as server:
        checked(server.url, *ONE, OPENAI_API_KEY="sk-openai-0123456789")
        assert keys_sent(server) == {None}
        assert not any("sk-openai" in heard.raw.decode() for heard in server.heard)


def test_a_variable_that_is_named_is_the_one() -> None:
    with serving(sends(GOOD)) as server:
        named = ("--api-key-env", "OPENAI_API_KEY")
        checked(server.url, *ONE, *named, RELAYPROOF_API_KEY=KEY, OPENAI_API_KEY="sk-openai-0123456789")
        assert keys_sent(server) == {"sk-openai-0123456789"}


def test_a_target_names_its_variable() -> None:
    with serving(sends(GOOD)) as server:
        words = ("--target", "apistudio", "--only", "chat.whole")
        checked(server.url, *words, RELAYPROOF_API_KEY="sk-other-0123456789", APISTUDIO_API_KEY=KEY)
        assert keys_sent(server) == {KEY}
        assert json.loads(server.heard[0].body)["model"] == "gpt-4o-mini"


@pytest.mark.parametrize(
    "key", [f"{KEY}\n", f"sk\r\nX-Evil: {KEY}", f"{KEY}é", f"ключ{KEY}", f"{KEY}\x7f", f"{KEY}\udcff"]
)
def test_a_key_that_no_header_can_hold_is_wrong_use_and_not_printed(key: str) -> None:
    told = checked("http://127.0.0.1:1", *ONE, RELAYPROOF_API_KEY=key)
    assert told.code == 2
    assert told.line == "relayproof: the key in RELAYPROOF_API_KEY has characters that no header can hold"


@pytest.mark.parametrize("url", ["https://relay.example/v1", "http://192.0.2.1"])
@pytest.mark.parametrize(
    ("words", "env"),
    [
        ((), {}),
        ((), {"OPENAI_API_KEY": KEY}),
        ((), {"RELAYPROOF_API_KEY": ""}),
        (("--api-key-env", "MY_KEY"), {"RELAYPROOF_API_KEY": KEY}),
        (("--api-key-env", "MY_KEY"), {"MY_KEY": ""}),
    ],
)
def test_without_a_key_nobody_elsewhere_is_asked(url: str, words: tuple[str, ...], env: dict[str, str]) -> None:
    told = checked(url, *ONE, *words, **env)
    assert told.code == 2
    assert ("MY_KEY" if words else "RELAYPROOF_API_KEY") in told.line
    assert not list(Path().iterdir())


def test_on_loopback_no_key_is_needed_and_none_is_missed() -> None:
    with serving(sends(GOOD)) as server:
        checked(server.url, "--model", "m", "--quiet")
        assert keys_sent(server) == {None}
    assert not [one for one in run_of(Path("run.jsonl")).exchanges if "no-key" in (one.probe or "")]


# --- where it comes back --------------------------------------------------------------------------------------------


def in_pieces(connection: Connection) -> None:
    """A byte a chunk and a read."""
    connection.send(head(400, JSON, "Transfer-Encoding: chunked"))
    for byte in json.dumps({"error": {"message": f"no: {connection.heard.key}"}}).encode():
        connection.send(chunk(bytes([byte])))
        if byte == ord("_"):
            connection.wait(0.01)
    connection.send(b"0\r\n\r\n")


def echo(make: Callable[[str], bytes]) -> Callable[[Connection], None]:
    return lambda connection: connection.send(make(connection.heard.key or "nobody"))


def delta(text: str, index: int = 0) -> bytes:
    """An event of a chat stream."""
    choice = {"index": index, "delta": {"content": text}, "finish_reason": None}
    made = {"id": "c", "object": "chat.completion.chunk", "created": 1700000000, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(made)}\n\n".encode()


ECHOES: dict[str, Callable[[Connection], None]] = {
    "an error": echo(lambda key: error(401, f"Incorrect API key provided: {key}.")),
    "an error with 200": echo(lambda key: error(200, key, code=key)),
    "a chat answer": echo(lambda key: said(200, reply(content=f"Your key is {key}.", model=key, id=key))),
    "a page": echo(lambda key: whole(502, f"<pre>authorization: Bearer {key}</pre>", "Content-Type: text/html")),
    "percent-encoded": echo(lambda key: error(400, quote(key, safe=""))),
    "percent-encoded to the last letter": echo(lambda key: error(400, "".join(f"%{ord(c):02x}" for c in key))),
    "escaped as PHP does": echo(lambda key: whole(400, json.dumps({"error": key}).replace("/", "\\/"), JSON)),
    "escaped as .NET does": echo(lambda key: whole(400, json.dumps({"error": key}).replace("+", "\\u002B"), JSON)),
    "a name of a member": echo(lambda key: said(200, {key: {key: [key]}})),
    "chunks": in_pieces,
    "gzip": echo(
        lambda key: whole(400, gzip.compress(json.dumps({"error": key}).encode()), JSON, "Content-Encoding: gzip")
    ),
    "no UTF-8": echo(lambda key: whole(400, b"\xff\xfe" + key.encode() + b"\xff", JSON)),
    "an event": echo(lambda key: chunked(f"event: {key}\nid: {key}\ndata: {key}\n\n".encode(), lines=(SSE,))),
    "deltas": echo(lambda key: chunked(*(delta(part) for part in (key[:9], key[9:20], key[20:])), lines=(SSE,))),
    "deltas of a letter": echo(lambda key: chunked(b"".join(map(delta, f"so {key}!")), lines=(SSE,))),
    "deltas of two choices": echo(
        lambda key: chunked(b"".join(delta(c, n) for c in key for n in (0, 1)), lines=(SSE,))
    ),
    "a comment": echo(lambda key: chunked(f": {key}\n\ndata: [DONE]\n\n".encode(), lines=(SSE,))),
    "a header": echo(lambda key: error(400, "no", f"X-Seen: Bearer {key}", f"X-Too: {quote(key, safe='')}")),
    "a redirect": echo(lambda key: head(302, f"Location: /?key={quote(key, safe='')}", "Content-Length: 0")),
    "a cookie": echo(lambda key: error(400, "no", f"Set-Cookie: k={key}; Path=/")),
    "an answer that is cut": echo(lambda key: head(400, JSON, "Content-Length: 9999") + b'{"e":"' + key.encode()),
    "a try later": echo(lambda key: error(429, f"{key} is too fast", "Retry-After: 99")),
    "out of quota": echo(lambda key: error(402, f"{key} has no money")),
    "a model that is not there": echo(lambda key: error(404, f"{key}: the model m does not exist")),
}  # fmt: skip


@pytest.mark.parametrize("where", ECHOES)
def test_a_key_that_comes_back_is_written_nowhere_and_told(where: str) -> None:
    with serving(ECHOES[where]) as server:
        told = checked(server.url, *ONE, RELAYPROOF_API_KEY=KEY)
        assert keys_sent(server) == {KEY}
    assert nothing_tells(KEY, told)
    run = run_of(Path("run.jsonl"))
    assert not any(KEY in repr(reply_of(exchange)) for exchange in run.exchanges)
    assert MARK in Path("run.jsonl").read_text(encoding="utf-8")
    assert outcome_of(run.by_rule()["errors.no-key-leak"]) is Outcome.FAIL
    again = relayproof_("report", "run.jsonl", "--html", "again.html")
    assert again.code == 0
    assert nothing_tells(KEY, again)
    assert outcome_of(run.by_rule()["errors.no-key-leak"]) is Outcome.FAIL


def told_by_claude(connection: Connection) -> None:
    """The key of x-api-key, a letter a delta."""
    [key] = connection.heard.headers("x-api-key")
    deltas = [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": one}} for one in key]
    events = [f"event: content_block_delta\ndata: {json.dumps(one)}\n\n" for one in deltas]
    connection.send(chunked("".join(events).encode(), lines=(SSE,)))


def test_a_key_in_the_header_of_claudes_clients_is_written_nowhere() -> None:
    with serving(told_by_claude) as server:
        words = ("--model", "messages=m", "--only", "messages.whole", "--quiet")
        told = checked(server.url, *words, RELAYPROOF_API_KEY=KEY)
        assert {tuple(heard.headers("x-api-key")) for heard in server.heard} == {(KEY,)}
        assert keys_sent(server) == {None}
    assert nothing_tells(KEY, told)
    run = run_of(Path("run.jsonl"))
    assert outcome_of(run.by_rule()["errors.no-key-leak"]) is Outcome.FAIL


def test_a_key_on_a_line_that_is_no_http_is_not_told() -> None:
    with serving(echo(lambda key: f"{key} HTTP/1.1\r\n\r\n".encode())) as server:
        told = checked(server.url, *ONE, RELAYPROOF_API_KEY=KEY)
    assert told.code == 1
    assert nothing_tells(KEY, told)


def test_a_key_that_a_proxy_tells_in_its_refusal_is_not_told() -> None:
    with serving(sends(f"HTTP/1.1 407 no {KEY} here\r\nContent-Length: 0\r\n\r\n".encode())) as proxy:
        told = checked("https://relay.example", *ONE, "--proxy", proxy.url, RELAYPROOF_API_KEY=KEY)
    assert told.code == 3
    assert "407" in told.out
    assert nothing_tells(KEY, told)


def test_a_user_of_a_proxy_is_not_told() -> None:
    with serving(sends(GOOD)) as server, serving(forwards) as proxy:
        url = proxy.url.replace("http://", "http://someone:hush-hush@")
        base = f"http://relay.invalid:{server.port}"
        for words in ([f"--proxy={url}"], ["--proxy", url]):
            told = checked(base, *ONE, *words, RELAYPROOF_API_KEY=KEY)
            assert told.code == 0
            assert proxy.heard[-1].headers("proxy-authorization")
            assert nothing_tells("hush-hush", told)


# --- where links lead -----------------------------------------------------------------------------------------------


def test_who_serves_a_video_sees_no_key() -> None:
    """Nor a header of the user's, nor a cookie of the relay's, nor what the relay puts into the link itself."""
    secret, cookie = "hush-0123456789", "Set-Cookie: session=crumbs; Path=/"
    hop = head(302, "Location: /b.mp4", "Content-Length: 0", cookie)
    movie = whole(206, b"\0\0\0\x20ftypisom", "Content-Type: video/mp4")
    words = ("--model", "video=m", "--only", "video.create", "--quiet", "--header", f"X-Api-Key: {secret}")
    for link, fetched in (("/a.mp4?sig=1", 2), (f"/{KEY}/a.mp4", 0), (f"/a.mp4?key={quote(KEY, safe='')}", 0)):
        with serving(sends(hop, movie)) as cdn:
            text = f"> ID: `task_1` 50% [play]({cdn.url}{link})"
            end = {"index": 0, "delta": {}, "finish_reason": "stop"}
            last = f"data: {json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'choices': [end]})}\n\n".encode()
            events = delta(text) + last + b"data: [DONE]\n\n"
            with serving(sends(chunked(events, lines=(SSE, cookie)))) as server:
                told = checked(server.url, *words, "--fetch-media", RELAYPROOF_API_KEY=KEY)
                assert keys_sent(server) == {KEY}
        assert len(cdn.heard) == fetched
        for heard in cdn.heard:
            assert not any(word in heard.raw for word in (KEY.encode(), secret.encode(), b"crumbs"))
            assert not heard.headers("authorization") + heard.headers("cookie") + heard.headers("x-api-key")
        assert nothing_tells(KEY, told)
        assert nothing_tells(secret, told)
        outcome = outcome_of(run_of(Path("run.jsonl")).by_rule()["video.link-type"])
        assert outcome is (Outcome.PASS if fetched else Outcome.INCONCLUSIVE)


# --- headers of the user --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["X-Api-Key", "Cookie", "X-Auth-Token", "CF-Access-Client-Secret"])
def test_a_secret_header_is_sent_and_never_written(name: str) -> None:
    secret = "hush-0123456789/hush"
    for words in (["--header", f"{name}: {secret}"], [f"--header={name}:{secret}"]):
        with serving(lambda connection: connection.send(error(400, connection.heard.head))) as server:
            told = checked(server.url, *ONE, *words, RELAYPROOF_API_KEY=KEY)
            assert [heard.headers(name.lower()) for heard in server.heard] == [[secret]] * len(server.heard)
            assert server.heard
        assert nothing_tells(secret, told)
        assert nothing_tells(KEY, told)
        assert name.lower() in Path("run.jsonl").read_text(encoding="utf-8")


def test_a_second_key_is_not_sent_where_none_or_a_wrong_one_is() -> None:
    with serving(sends(GOOD)) as server:
        words = ("--model", "m", "--only", "errors", "--header", f"X-Api-Key: {KEY}", "--quiet")
        checked(server.url, *words, RELAYPROOF_API_KEY=KEY)
        by_key = {heard.key: bool(heard.headers("x-api-key")) for heard in server.heard}
    assert by_key.pop(KEY) is True
    assert {(key or "").split(" ")[0].split("-")[0] for key in by_key} == {"", "sk", "Basic"}  # none and two wrong ones
    assert not any(by_key.values())


def test_the_key_as_an_argument_is_refused() -> None:
    told = checked("http://127.0.0.1:1", *ONE, "--header", f"Authorization: Bearer {KEY}")
    assert told.code == 2
    assert "--api-key-env" in told.line
    assert KEY not in told.text


@pytest.mark.parametrize("url", [f"http://{KEY.replace('/', '-')}@127.0.0.1:1", "http://me:hush-hush@127.0.0.1:1/v1"])
def test_a_key_in_the_base_url_is_refused_and_not_printed(url: str) -> None:
    told = checked(url, *ONE)
    assert told.code == 2
    assert "the key comes from an environment variable" in told.line
    assert "hush" not in told.text
    assert "0123456789" not in told.text
