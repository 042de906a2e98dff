"""One exchange with every byte of it, and nothing that a terminal obeys."""

from dataclasses import replace

import pytest

from conformance.report.escape import HIDDEN
from conformance.report.wire_text import render
from openapi.wire.exchange import End, Read
from tests.conformance.report.made import HOSTILE, hostile_run, recorded

STREAM = recorded("litellm/chat-stream", "e2", "chat.stream")


def test_each_read_stands_with_its_time_and_its_offset() -> None:
    text = render(STREAM, "https://relay.example/v1")
    assert text.startswith("e2 · chat.stream · ")
    assert f"< HTTP/1.1 {STREAM.status}" in text
    assert text.count(" bytes\n") == len(STREAM.reads)
    assert f"byte {len(STREAM.reads[0].data)}, {len(STREAM.reads[1].data)} bytes" in text
    assert f"complete, {len(STREAM.body)} bytes in all" in text
    assert "curl --no-buffer" in text


def test_no_byte_is_left_out_however_long() -> None:
    body = bytes(range(256)) * 400
    text = render(replace(STREAM, reads=(Read(0.1, body),)), "")
    assert text.count(r"\x00") == text.count(r"\x80") == text.count(r"\xff") == 400


def test_what_did_not_come_is_told() -> None:
    text = render(replace(STREAM, status=None, reads=(), end=End.RESET, error="no connection: refused"), "")
    assert "no answer came: no connection: refused" in text
    assert "reset, 0 bytes in all" in text


@pytest.mark.parametrize("text", HOSTILE, ids=[repr(text[:12]) for text in HOSTILE])
def test_nothing_is_obeyed(text: str) -> None:
    for exchange in hostile_run(text).exchanges:
        assert not HIDDEN.search(render(exchange, text).replace("\n", ""))
