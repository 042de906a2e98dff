"""The command against relays that go wrong: a named verdict or one line, a code, and a run that can be read."""

import gzip
import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance import transport
from conformance.rule import Outcome
from conformance.run import Run, outcome_of
from tests.system.command import Told, relayproof_, run_of, started
from tests.system.hostile import (
    HTML,
    JSON,
    SSE,
    Connection,
    Relay,
    bomb,
    chunk,
    chunked,
    drips,
    error,
    floods,
    head,
    reply,
    said,
    self_signed,
    sends,
    serving,
    whole,
)

GOOD = said(200, reply())
CHAT = ("--model", "m", "--only", "chat.whole")
ODD_LINE = b"data: {" + b"\xff\xfe" + b"}\n\n"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    assert {path.suffix for path in tmp_path.iterdir() if path.is_file()} <= {
        ".jsonl",
        ".html",
        ".xml",
        ".md",
        ".json",
        ".pem",
    }


def checked(url: str, *words: object, **env: str) -> tuple[Told, Run]:
    """A check with every report, and the run that stands on disk."""
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
    told = relayproof_("check", url, *files, *words, **env)
    return told, run_of(Path("run.jsonl"))


def outcome(run: Run, name: str) -> Outcome:
    return outcome_of(run.by_rule()[name])


# --- nobody there ---------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_a_refused_connection_is_3_and_one_line() -> None:
    told, run = checked(f"http://127.0.0.1:{free_port()}/v1", "--model", "m")
    assert told.code == 3
    assert "the relay could not be reached: " in told.out
    assert told.err == ""
    assert run.exchanges == ()
    assert run.footer
    assert run.footer.exit == 3


def test_a_host_that_does_not_exist_is_3() -> None:
    told, _ = checked("https://no-such-relay.invalid", "--model", "m", RELAYPROOF_API_KEY="sk-0123456789")
    assert told.code == 3
    assert "the relay could not be reached: " in told.out


def test_a_certificate_of_its_own_is_3_and_with_the_ca_file_it_is_judged() -> None:
    context, certificate = self_signed(Path())
    with serving(sends(GOOD), tls=context) as server:
        told, _ = checked(server.url, *CHAT)
        assert told.code == 3
        assert "certificate" in told.out.lower()
        assert checked(server.url, *CHAT, "--ca-file", certificate)[0].code == 0


def test_a_base_url_that_leads_nowhere_is_3_and_told() -> None:
    with serving(sends(error(404, "Invalid URL (POST /nowhere/v1/chat/completions)"))) as server:
        told, run = checked(f"{server.url}/nowhere/", "--model", "m")
        assert told.code == 3
        assert "the base URL seems wrong" in told.out
        assert server.heard[0].target.startswith("/nowhere/v1/")
    assert {one.status for one in run.exchanges} == {404}


# --- answers that are none ------------------------------------------------------------------------------------------

TRY = ("--timeout", "0.4", "--idle-timeout", "0.3")
STREAM = ("--model", "m", "--only", "chat.stream-usage")
OF_CHAT = ("--model", "m", "--only", "chat.whole", *TRY)
HEADER = b"A: " + b"b" * 4096 + b"\r\n"
CASES: dict[str, tuple[Relay, tuple[str, ...], int, str]] = {
    "html with 200": (sends(whole(200, HTML, "Content-Type: text/html")), OF_CHAT, 1, "complete"),
    "html with 502": (sends(whole(502, HTML, "Content-Type: text/html")), OF_CHAT, 1, "complete"),
    "closed without an answer": (sends(b""), OF_CHAT, 1, "truncated"),
    "reset": (lambda connection: connection.reset(), OF_CHAT, 1, "reset"),
    "no http": (sends(b"\x16\x03\x01\x00\x00 220 ESMTP\r\n\r\n"), OF_CHAT, 1, "truncated"),
    "two lengths": (sends(head(200, "Content-Length: 1", "Content-Length: 2") + b"{}"), OF_CHAT, 1, "truncated"),
    "a bad chunk size": (sends(head(200, "Transfer-Encoding: chunked") + b"0x2\r\n{}\r\n"), OF_CHAT, 1, "truncated"),
    "garbage behind the answer": (sends(GOOD + b"\0" * 5000), OF_CHAT, 0, "complete"),
    "a length that is short": (sends(head(200, JSON, "Content-Length: 9999") + b"{}"), OF_CHAT, 1, "truncated"),
    "a thousand interim answers": (sends(b"HTTP/1.1 103 Hints\r\n\r\n" * 1000 + GOOD), OF_CHAT, 0, "complete"),
    "interim answers for ever": (drips(b"", b"HTTP/1.1 103 Hints\r\n\r\n", 0.01), OF_CHAT, 4, "timeout"),
    "a huge head": (floods(b"HTTP/1.1 200 OK\r\n", HEADER, 4 << 20), OF_CHAT, 4, "client-aborted"),
    "a head that drips": (drips(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n", 0.01), OF_CHAT, 4, "timeout"),
    "silence": (drips(b"", b"", 9), OF_CHAT, 4, "timeout"),
    "silence in the body": (drips(head(200, JSON) + b"{", b"", 9), OF_CHAT, 4, "timeout"),
    "a stream without end": (drips(head(200, SSE), b"data: {}\n\n", 0.01), (*STREAM, *TRY), 1, "timeout"),
    "keep-alives without end": (drips(head(200, SSE), b": still here\n\n", 0.01), (*STREAM, *TRY), 4, "timeout"),
    "a gzip bomb": (sends(bomb(66 << 20)), CHAT, 1, "complete"),
    "gzip that is none": (sends(whole(200, "{}", "Content-Encoding: gzip")), OF_CHAT, 1, "complete"),
    "an unknown coding": (sends(whole(200, "{}", "Content-Encoding: zstd")), OF_CHAT, 1, "complete"),
    "bytes that are no UTF-8": (sends(chunked(ODD_LINE, lines=(SSE,))), STREAM, 1, "complete"),
    "a lone surrogate": (sends(whole(200, '{"id":"\\ud800","object":"\\udfff"}', JSON)), OF_CHAT, 1, "complete"),
    "deep nesting": (sends(whole(200, "[" * 200_000, JSON)), OF_CHAT, 1, "complete"),
    "a number of many digits": (sends(whole(200, f'{{"created":{"9" * 9999}}}', JSON)), OF_CHAT, 1, "complete"),
    "NaN": (sends(whole(200, '{"created":NaN}', JSON)), OF_CHAT, 1, "complete"),
    "a redirect to nowhere": (sends(head(302, "Location: //x.invalid", "Content-Length: 0")), OF_CHAT, 4, "complete"),
    "an error with 200": (sends(said(200, {"error": {"message": "x", "type": "y"}})), OF_CHAT, 1, "complete"),
    "a wait without end": (sends(error(429, "x", "Retry-After: 99999999999999")), OF_CHAT, 4, "complete"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_whatever_comes_has_a_name_and_a_code(name: str) -> None:
    relay, words, code, end = CASES[name]
    with serving(relay) as server:
        told, run = checked(server.url, *words)
    assert run.footer
    assert (told.code, run.footer.exit) == (code, code), told.text
    assert {one.end.value for one in run.exchanges} == {end}
    assert outcome(run, "transport.framing") is not Outcome.BROKEN
    assert not [verdict for verdict in run.verdicts if verdict.outcome is Outcome.BROKEN]
    assert json.loads(Path("run.json").read_text(encoding="utf-8"))
    again = relayproof_("judge", "run.jsonl")
    assert again.code == code, again.text


@pytest.mark.parametrize("answer", [GOOD, b"", b"garbage\r\n\r\n", head(200, SSE) + b"data: [DONE]\n\n"], ids=repr)
def test_the_same_answer_to_everything_is_judged_to_the_end(answer: bytes) -> None:
    models = [f"--model={role}=m" for role in ("chat", "tools", "reasoning", "vision", "video")]
    with serving(sends(answer)) as server:
        told, run = checked(server.url, *models, *TRY, "--concurrency", "8", "--quiet")
    assert told.code == 1
    assert len(run.exchanges) > 40
    assert not [verdict for verdict in run.verdicts if verdict.outcome is Outcome.BROKEN]


def test_a_line_without_end_is_cut_at_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MAX_BODY", 4 << 20)  # the true cap stands in test_transport
    with serving(floods(head(200, SSE), b"a" * 65536, 40 << 20)) as server:
        told, run = checked(server.url, *STREAM)
    assert told.code == 4
    assert {one.end.value for one in run.exchanges} == {"client-aborted"}
    assert Path("run.html").stat().st_size < 2 << 20


def test_a_redirect_leads_nothing_to_another_host() -> None:
    for status in (301, 302, 303, 307, 308):
        with (
            serving(sends(GOOD)) as elsewhere,
            serving(
                sends(head(status, f"Location: {elsewhere.url}/v1/chat/completions", "Content-Length: 0"))
            ) as server,
        ):
            told, run = checked(server.url, "--model", "m", "--only", "chat.whole", RELAYPROOF_API_KEY="sk-0123456789")
            assert elsewhere.heard == []
        assert outcome(run, "transport.redirect") is Outcome.FAIL
        assert told.code == 4


def test_an_answer_cut_at_every_tenth_byte_is_judged(tmp_path: Path) -> None:
    data = chunked(b'data: {"choices":[]}\n\n', b"data: [DONE]\n\n", lines=(SSE,))
    for size in range(0, len(data), 10):
        with serving(sends(data[:size])) as server:
            told, run = checked(server.url, *STREAM)
        assert told.code == 1
        must = "transport.answered" if size < data.index(b"\r\n\r\n") + 4 else "transport.body-complete"
        assert outcome(run, must) is Outcome.FAIL


def test_a_key_in_a_compressed_answer_that_is_cut(tmp_path: Path) -> None:
    key = "sk-relayproof-hostile-0123456789"
    packed = gzip.compress(json.dumps({"error": {"message": key}}).encode())
    with serving(
        sends(head(401, JSON, "Content-Encoding: gzip", f"Content-Length: {len(packed)}") + packed[:-4])
    ) as server:
        checked(server.url, *CHAT, RELAYPROOF_API_KEY=key)
    for path in tmp_path.iterdir():
        assert key not in path.read_text(encoding="utf-8")


# --- what a terminal would obey -------------------------------------------------------------------------------------

EVIL = "\x1b[31mred\x1b]0;title\x07 \u202egnp.exe\u202c <script>alert(1)</script> [bold]x[/bold] \x00\x9b2J\r\n\u2066"


def test_nothing_of_a_relay_moves_the_terminal() -> None:
    evil = reply(model=EVIL, id=EVIL, object=EVIL, system_fingerprint=EVIL)
    evil["choices"][0]["finish_reason"] = EVIL
    answers = (
        said(200, evil, "X-Request-Id: \x1b[31m\u202e"),
        error(400, EVIL, code=EVIL),
        whole(200, EVIL, f"Content-Type: text/html; a=\x1b[31m{EVIL[8:12]}"),
        error(402, EVIL),
        error(401, EVIL),
    )
    for answer in answers:
        with serving(sends(answer)) as server:
            told, _ = checked(server.url, "--model", EVIL.replace("\x00", ""), "--quiet")
        hidden = re.search(r"[^\n\x20-\x7e\xa1-\u200a\u2010-\u2027\u2030-\u205e\u2070-\ufdcf]", told.text)
        assert hidden is None, (hidden, told.text)
        assert "<script>alert(1)" not in Path("run.html").read_text(encoding="utf-8")


# --- an end from outside --------------------------------------------------------------------------------------------


def first_words(connection: Connection) -> None:
    (sends(GOOD) if connection.number == 1 else drips(head(200, SSE), chunk(b": wait\n\n"), 0.05))(connection)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_check_that_is_interrupted_leaves_a_run_that_can_be_read(number: signal.Signals, tmp_path: Path) -> None:
    out = tmp_path / "run.jsonl"
    with (
        serving(first_words) as server,
        started("check", server.url, "--model", "m", "--out", out) as process,
    ):
        deadline = time.monotonic() + 20
        while len(server.heard) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        sent = time.monotonic()
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=10)
        assert time.monotonic() - sent < 2
    run = run_of(out)
    assert (len(run.exchanges), run.footer) == (1, None)
    assert "Traceback" not in stdout + stderr
    how = "interrupted" if number == signal.SIGINT else "terminated"
    assert process.returncode == 128 + number
    assert stderr == f"relayproof: {how}; what was captured is in {out}\n"
    assert relayproof_("judge", out).code in {0, 1, 4}
