"""The curl command does what was done, whatever stands in the file, and runs nothing else."""

import shlex
import subprocess

import pytest

from conformance.report.curl import command
from openapi.wire.exchange import Auth, Request
from openapi.wire.redaction import mark
from tests.conformance.report.made import HOSTILE

JSON = (("content-type", "application/json"),)
PATH = {"PATH": "/usr/bin:/bin"}
BASE = "https://relay.example/v1"


def ran(request: Request, base: str = BASE) -> tuple[list[str], bytes]:
    """The words that curl would be given, by a real shell, and what would come on its input."""
    script = 'curl() { printf "%s\\n" "$#"; printf "%s\\0" "$@"; cat; }\n' + command(request, base)
    done = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, check=True, stdin=subprocess.DEVNULL, env=PATH
    )
    count, _, rest = done.stdout.partition(b"\n")
    *words, piped = rest.split(b"\0", int(count))
    return [word.decode("utf-8", "backslashreplace") for word in words], piped


def test_a_post_is_its_url_key_headers_and_body() -> None:
    request = Request("POST", "/v1/chat/completions", JSON, Auth.VALID, b'{"model":"x"}')
    assert command(request, BASE) == (
        "curl --no-buffer https://relay.example/v1/chat/completions \\\n"
        '  --header "Authorization: Bearer $RELAYPROOF_API_KEY" \\\n'
        "  --header 'content-type: application/json' \\\n"
        '  --data-binary \'{"model":"x"}\''
    )


def test_a_key_stands_in_the_header_in_which_it_went_out() -> None:
    request = Request("POST", "/v1/messages", (*JSON, ("x-api-key", mark(0))), Auth.VALID, b"{}")
    assert '--header "x-api-key: $RELAYPROOF_API_KEY"' in command(request, BASE)
    assert "Authorization" not in command(request, BASE)


@pytest.mark.parametrize("base", ["https://h", "https://h/", "https://h/v1", "https://h/v1/"])
def test_the_base_may_end_in_v1(base: str) -> None:
    assert "https://h/v1/models" in ran(Request("GET", "/v1/models"), base)[0]


def test_a_prefix_of_the_base_is_kept() -> None:
    assert "https://h/openai/v1/models" in ran(Request("GET", "/v1/models"), "https://h/openai/v1")[0]


def test_a_link_is_asked_where_it_leads_and_without_a_key() -> None:
    words, _ = ran(Request("GET", "https://cdn.example/a.mp4?sig='$(id)'", (("range", "bytes=0-9"),), Auth.NONE))
    assert words == ["--no-buffer", "https://cdn.example/a.mp4?sig='$(id)'", "--header", "range: bytes=0-9"]


@pytest.mark.parametrize(("auth", "said"), [(Auth.WRONG, "a-wrong-key"), (Auth.NONE, ""), (None, "")])
def test_a_wrong_key_is_wrong_and_no_key_is_none(auth: Auth | None, said: str) -> None:
    text = command(Request("GET", "/v1/models", (), auth), BASE)
    assert ("Authorization" in text) == bool(said)
    assert said in text


@pytest.mark.parametrize(
    ("method", "words"), [("HEAD", "--head"), ("OPTIONS", "--request OPTIONS"), ("POST", "--request POST")]
)
def test_methods_without_a_body_are_named(method: str, words: str) -> None:
    assert words in command(Request(method, "/v1/models"), BASE)


@pytest.mark.parametrize("text", HOSTILE[:-1])
def test_a_shell_runs_curl_and_nothing_else(text: str) -> None:
    request = Request("POST", f"/v1/{text}", ((f"x-{text}", text),), Auth.VALID, text.encode("utf-8", "surrogatepass"))
    words, _ = ran(request, text)
    assert words[0] == "--no-buffer"
    assert [word for word in words if word.startswith("--")] == ["--no-buffer", "--header", "--header", "--data-binary"]


@pytest.mark.parametrize(
    "body", [b"{}", b"", b"plain 'quoted' $x", "中文 🎉\nline".encode(), b"\xff\x00\xfe", "\u202e".encode(), b"@file"]
)
def test_the_body_arrives_byte_for_byte(body: bytes) -> None:
    words, piped = ran(Request("POST", "/v1/x", (), None, body))
    assert (piped if words[-1] == "@-" else words[-1].encode()) == body


def test_a_body_of_megabytes_is_left_in_the_run_file() -> None:
    text = command(Request("POST", "/v1/x", (), None, b"x" * 10_000_000), BASE)
    assert len(text) < 300
    assert "10,000,000 bytes" in text
    assert "@body" in shlex.split(text, comments=True)
