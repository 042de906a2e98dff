"""The command line: what it takes, what it says in one line where it does not, and what it writes where."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

import relayproof
from conformance import cli, run
from conformance.outputs import prepare
from conformance.probes import PROBES
from conformance.reach import harmless
from mock_server.library import RECORDINGS
from mock_server.process import running
from tests.system.command import ROOT, Told, environment, relayproof_, run_of, started
from tests.system.hostile import error, forwards, reply, said, sends, serving

GOOD = said(200, reply())
NOBODY = "http://127.0.0.1:1"
ONE = ("--model", "m", "--only", "chat.whole")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def good_run() -> Path:
    """A run of a relay of one answer, in this folder."""
    with serving(sends(GOOD)) as server:
        told = relayproof_("check", server.url, *ONE, "--out", "good.jsonl", "--quiet")
    assert told.code == 0
    return Path("good.jsonl")


# --- wrong use ------------------------------------------------------------------------------------------------------

BAD_TARGETS: dict[str, str | bytes] = {
    "unknown-member.toml": 'name = "x"\nmax_request = 5\n',
    "wrong-type.toml": 'base_url = "http://127.0.0.1:1"\nmax_requests = "5"\n',
    "flag.toml": "max_requests = true\n",
    "role.toml": '[models]\nchatt = "m"\n',
    "no-toml.toml": "name = \n",
    "no-host.toml": 'name = "x"\n',
    "bad-url.toml": 'base_url = "ftp://x"\n',
    "bytes.toml": b"\xff\xfe",
}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "whom to judge?"),
        ([NOBODY, "--nonsense"], "No such option '--nonsense'"),
        ([NOBODY, "--modle", "m"], "--model"),
        ([NOBODY, "--model", "chatt=m"], "no role 'chatt'; there are chat,"),
        ([NOBODY, "--model", "chat="], "names no model"),
        ([NOBODY, "--only", "nonsense"], "--only nonsense: no rule, surface or probe"),
        ([NOBODY, "--only", "chat"], "nothing to ask: no model is named for chat"),
        ([NOBODY, "--only", "fuzz.createChatCompletion.b4"], "no failure of such a name is stored in reports/local/"),
        ([NOBODY, "--only", "fuzzy"], "--only fuzzy: no rule, surface or probe"),
        ([NOBODY, "--fuzz-cases", "10"], "--fuzz-cases says how many --fuzz draws besides: give --fuzz too"),
        ([NOBODY, "--fuzz-cases", "0"], "--fuzz-cases says how many --fuzz draws besides: give --fuzz too"),
        ([NOBODY, "--fuzz", "--fuzz-cases", "999999999"], "999999999 is not in the range 0<=x<=100000."),
        ([NOBODY, "--fuzz", "--discover"], "--discover judges nothing: --fuzz has no place beside it"),
        ([NOBODY, "--header", "no colon"], "--header: expected NAME:VALUE"),
        ([NOBODY, "--header", "bad name: x"], "--header: expected NAME:VALUE"),
        ([NOBODY, "--header", ": x"], "--header: expected NAME:VALUE"),
        ([NOBODY, "--header", "X-A: two\nlines"], "--header: expected NAME:VALUE"),
        ([NOBODY, "--header", "X-A: größer"], "--header: expected NAME:VALUE"),
        ([NOBODY, "--header", "Content-Length: 5"], "Content-Length would break the framing"),
        ([NOBODY, "--header", "Transfer-Encoding: chunked"], "Transfer-Encoding would break the framing"),
        ([NOBODY, "--proxy", "nonsense"], "the proxy cannot be used"),
        ([NOBODY, "--proxy", "socks5://127.0.0.1:1"], "the proxy cannot be used"),
        ([NOBODY, "--proxy", "http://[::bad"], "the proxy cannot be used"),
        ([NOBODY, "--ca-file", "missing.pem"], "missing.pem"),
        ([NOBODY, "--ca-file", "no-toml.toml"], "the CA file no-toml.toml cannot be used"),
        ([NOBODY, "--timeout", "0"], "--timeout"),
        ([NOBODY, "--timeout", "nan"], "--timeout"),
        ([NOBODY, "--timeout", "inf"], "--timeout"),
        ([NOBODY, "--idle-timeout", "-1"], "--idle-timeout"),
        ([NOBODY, "--max-requests", "-1"], "--max-requests"),
        ([NOBODY, "--max-tokens", "many"], "--max-tokens"),
        ([NOBODY, "--concurrency", "0"], "--concurrency"),
        ([NOBODY, "another"], "another"),
        ([NOBODY, "--out", "."], "--out"),
        ([NOBODY, "--out", "no-toml.toml/below.jsonl"], "cannot write no-toml.toml/below.jsonl"),
        ([NOBODY, "--html", "no-toml.toml/below.html"], "cannot write no-toml.toml/below.html"),
        ([NOBODY, "--junit", "/dev/null/x.xml"], "cannot write /dev/null/x.xml"),
        (["relay.example"], "is no base URL"),
        (["ftp://relay.example"], "is no base URL"),
        (["http://"], "is no base URL"),
        (["http://[::1"], "is no base URL"),
        (["http://127.0.0.1:99999"], "is no base URL"),
        (["http://127.0.0.1:0"], "is no base URL"),
        (["http://127.0.0.1/v1?x=y"], "has a query or a fragment"),
        ([""], "is no base URL"),
        (["--target", "nonsense"], "no target 'nonsense'; there are apistudio, new-suxi"),
        (["--target", "apistudio"], "names no host: give its BASE_URL too"),
        (["--target", "unknown-member.toml"], "max_request = 5 is not understood"),
        (["--target", "wrong-type.toml"], "max_requests = '5' is not understood"),
        (["--target", "flag.toml"], "max_requests = True is not understood"),
        (["--target", "role.toml"], "no role 'chatt'"),
        (["--target", "no-toml.toml"], "is no TOML"),
        (["--target", "no-host.toml"], "names no host"),
        (["--target", "bad-url.toml"], "is no base URL"),
        (["--target", "bytes.toml"], "cannot be read"),
        (["--target", "missing.toml"], "cannot be read"),
        (["--target", "."], "cannot be read"),
    ],
)  # fmt: skip
def test_wrong_use_is_2_and_one_line_that_helps(words: list[str], says: str) -> None:
    for name, text in BAD_TARGETS.items():
        Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    told = relayproof_("check", *words)
    assert (told.code, told.out) == (2, "")
    assert told.line.startswith("relayproof: ")
    assert says in told.line


def test_a_command_that_does_not_exist_and_none_at_all() -> None:
    told = relayproof_("chekc")
    assert told.code == 2
    assert "chekc" in told.line
    told = relayproof_()
    assert told.code == 2
    assert "Commands:" in told.err


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["check", "--help"], ["judge", "-h"], ["rules", "--help"]])
def test_help_is_0_and_loads_no_network(words: list[str]) -> None:
    told = relayproof_(*words)
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("Usage: ")


def test_a_version_is_told_installed_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        import importlib.metadata  # noqa: PLC0415

        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", missing)
    assert relayproof_("--version") == Told(0, "relayproof, unreleased\n", "")
    monkeypatch.setattr("importlib.metadata.version", lambda _: "1.2.3")
    assert relayproof_("--version") == Told(0, "relayproof 1.2.3\n", "")


# --- our own fault --------------------------------------------------------------------------------------------------


def test_a_fault_of_ours_is_5_and_one_line_and_says_where_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        text = "two\nlines"
        raise ExceptionGroup("some", [ExceptionGroup("more", [RuntimeError(text)])])

    monkeypatch.setattr(cli, "_check", broken)
    told = relayproof_("check", NOBODY)
    assert told.code == 5
    assert told.line == "relayproof: our own fault: RuntimeError: two lines (RELAYPROOF_DEBUG=1 shows where)"
    with pytest.raises(ExceptionGroup):
        relayproof_("check", NOBODY, RELAYPROOF_DEBUG="1")


@pytest.mark.parametrize("error", [KeyboardInterrupt, click.Abort, EOFError])
def test_an_end_outside_of_the_check_is_130_and_no_verdict(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def interrupted(_: object) -> None:
        raise error

    monkeypatch.setattr(cli, "_check", interrupted)
    told = relayproof_("check", NOBODY)
    assert told.code == 130
    assert told.err.split("\n")[-2] == "relayproof: interrupted"


# --- where it writes ------------------------------------------------------------------------------------------------


def test_whether_a_file_can_be_written_is_found_out_without_a_trace() -> None:
    Path("old").write_text("old", encoding="utf-8")
    Path("link").symlink_to("nowhere")
    for name in ("new", "old", "link", "deep/new"):
        prepare(Path(name))
    assert sorted(path.name for path in Path().iterdir()) == ["deep", "link", "old"]
    assert (Path("old").read_text(encoding="utf-8"), Path("link").is_symlink()) == ("old", True)
    assert list(Path("deep").iterdir()) == []


def test_missing_folders_are_made_and_every_report_is_written() -> None:
    names = {
        "--out": "a/run.jsonl",
        "--html": "b/c.html",
        "--junit": "d/e/f.xml",
        "--markdown": "g.md",
        "--json": "h/i.json",
    }
    with serving(sends(GOOD)) as server:
        told = relayproof_("check", server.url, *ONE, *(word for pair in names.items() for word in pair))
    assert told.code == 0
    assert [line for line in told.out.splitlines() if line.startswith("wrote ")] == [
        f"wrote {names[option]}" for option in ("--out", "--html", "--junit", "--markdown", "--json")
    ]
    assert all(Path(name).stat().st_size for name in names.values())
    assert json.loads(Path("h/i.json").read_text(encoding="utf-8"))


def test_a_run_without_a_name_lands_in_reports_local() -> None:
    with serving(sends(GOOD)) as server:
        told = relayproof_("check", server.url, *ONE)
    (path,) = Path("reports/local").iterdir()
    assert re.fullmatch(rf"\d{{8}}T\d{{6}}Z-127\.0\.0\.1-{server.port}\.jsonl", path.name)
    assert f"wrote {path}" in told.out
    assert cli._fresh("../../etc/…").name.endswith("Z-etc.jsonl")
    assert cli._fresh("…").name.endswith("Z-relay.jsonl")


def test_the_command_is_kept_without_what_it_should_not_keep() -> None:
    words = [
        "check",
        "https://h/v1",
        "--header=X-Api-Key: hush",
        "X-A:hush",
        "http://u:hush@p:1",
        "--proxy=http://u:hush@p",
    ]
    assert [harmless(word) for word in words] == [
        "check", "https://h/v1", "--header=X-Api-Key:…", "X-A:…", "…", "--proxy=http:…",
    ]  # fmt: skip


# --- the terminal ---------------------------------------------------------------------------------------------------


def test_what_is_piped_is_plain_and_every_tenth_probe_is_told() -> None:
    with serving(sends(GOOD)) as server:
        told = relayproof_("check", server.url, "--model", "m")
    assert told.code == 1
    assert "\x1b" not in told.text
    assert "\r" not in told.text
    lines = told.err.splitlines()
    assert [line.partition("/")[0] for line in lines][:2] == ["10", "20"]
    assert re.fullmatch(r"(\d+)/\1 probes · \d+ requests · [\d,]+ tokens · [a-z.-]+", lines[-1])


def test_who_stops_reading_changes_no_exit_code() -> None:
    with running("--fault", "models-unknown-200-error", "--speed", "max") as url:
        for only, code in (("chat.schema", 0), ("models.unknown", 1)):
            words = ("check", url, "--only", only, "--model", "mock-chat", "--quiet")
            with started(*words, RELAYPROOF_API_KEY="any") as check:
                assert check.stdout is not None
                check.stdout.close()
                _, said = check.communicate()
                assert (check.returncode, said) == (code, "")


def test_quiet_says_no_progress() -> None:
    with serving(sends(GOOD)) as server:
        assert relayproof_("check", server.url, *ONE, "--quiet").err == ""


@pytest.mark.parametrize(("env", "colored"), [({"TERM": "xterm"}, True), ({"NO_COLOR": "1", "TERM": "xterm"}, False)])
def test_a_terminal_gets_colour_unless_it_wants_none(env: dict[str, str], *, colored: bool) -> None:
    primary, replica = pty.openpty()
    with serving(sends(GOOD)) as server:
        words = [sys.executable, str(ROOT / "relayproof.py"), "check", server.url, *ONE, "--out", "x.jsonl"]
        with subprocess.Popen(words, stdin=replica, stdout=replica, stderr=replica, env=environment(env)) as process:
            os.close(replica)
            text = b""
            while True:
                try:
                    data = os.read(primary, 65536)
                except OSError:  # how Linux says that nobody is left
                    break
                if not data:
                    break
                text += data
        assert process.returncode == 0
    os.close(primary)
    assert (b"\x1b[1" in text or b"\x1b[3" in text) == colored
    assert b"\r\x1b[K1/1 probes" in text


def test_a_console_of_another_code_page_gets_escapes_and_no_traceback() -> None:
    with serving(sends(error(400, "没有"))) as server:
        command = started("check", server.url, *ONE, "--out", "x.jsonl", PYTHONIOENCODING="latin-1", PYTHONUTF8="0")
        with command as process:
            stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 4, stderr
    assert "Traceback" not in stdout + stderr
    assert "\\u6ca1" in stdout


# --- a plan without a request ---------------------------------------------------------------------------------------


def test_a_dry_run_sends_nothing_and_tells_the_most_that_it_could_cost() -> None:
    with serving(sends(GOOD)) as server:
        told = relayproof_("check", server.url, "--model", "m", "--dry-run", "--out", "x.jsonl", "--html", "x.html")
        assert server.heard == []
    assert told.code == 0
    assert not list(Path().iterdir())
    lines = told.out.splitlines()[1:]
    probes = [line for line in lines if line.split()[0] in PROBES]
    total, more, *_ = lines[len(probes) :]
    most = sum(int(line.rpartition("at most ")[2].split()[0].replace(",", "")) for line in probes)
    requests = sum(len(PROBES[line.split()[0]].steps) for line in probes)
    assert requests > len(probes)
    assert total.startswith(f"{requests} requests, at most {most:,} tokens (no limit); nothing was sent")
    assert more.startswith("with what is sent again, and what makes failures smaller, never more than ")
    assert any(line.startswith("chat.whole ") for line in probes)


def test_beyond_loopback_there_are_limits_and_they_are_told() -> None:
    told = relayproof_(
        "check", "https://relay.invalid", "--model", "m", "--dry-run", RELAYPROOF_API_KEY="sk-0123456789"
    )
    assert "(limits 300 requests, 200,000 tokens)" in told.out
    words = ("--max-requests", "7", "--max-tokens", "9", "--dry-run")
    told = relayproof_("check", "https://relay.invalid", *words, RELAYPROOF_API_KEY="sk-0123456789")
    assert "(limits 7 requests, 9 tokens)" in told.out


def test_a_budget_that_is_spent_is_4_and_told() -> None:
    with serving(sends(GOOD)) as server:
        told = relayproof_("check", server.url, *ONE, "--only", "chat.stream-false", "--max-requests", "1")
        assert len(server.heard) == 1
    assert told.code == 4
    assert "limit of 1 requests" in told.out


def test_a_role_of_which_no_rule_speaks_is_told_in_a_line() -> None:
    with serving(sends(GOOD)) as server:
        told = relayproof_("check", server.url, *ONE, "--model", "rerank=r", "--quiet")
    assert told.code == 0
    assert told.line == "--model rerank: no rule of this version speaks of it"


# --- targets --------------------------------------------------------------------------------------------------------


def test_a_built_in_target_and_a_file_against_the_mock() -> None:
    Path("mine.toml").write_text('name = "mine"\nunsupported = ["n"]\n[models]\nchat = "mock-chat"\n', encoding="utf-8")
    with running("--speed", "max", "--api-key", "sk-mock-0123456789") as base:
        env = {"APISTUDIO_API_KEY": "sk-mock-0123456789", "RELAYPROOF_API_KEY": "sk-mock-0123456789"}
        words = (
            "--model",
            "mock-chat",
            "--model",
            "tools=mock-chat",
            "--out",
            "a.jsonl",
            "--quiet",
            "--concurrency",
            "8",
        )
        told = relayproof_("check", f"{base}/v1/", "--target", "apistudio", *words, **env)
        assert told.code == 0, told.text
        told = relayproof_("check", base, "--target", "mine.toml", "--out", "b.jsonl", "--quiet", **env)
        assert told.code == 0, told.text
    assert run_of(Path("a.jsonl")).header.relay["name"] == "apistudio"
    mine = run_of(Path("b.jsonl"))
    assert mine.header.relay["name"] == "mine"
    assert [v.outcome.value for v in mine.by_rule()["chat.n"]] == ["skipped"]


def test_a_target_of_the_user_may_hold_all_that_a_command_line_holds() -> None:
    with serving(sends(GOOD)) as server:
        text = f'base_url = "{server.url}/v1"\nkey_env = "MINE"\nmax_requests = 3\n[models]\nchat = "m=1"\n'
        Path("mine.toml").write_text(text, encoding="utf-8")
        told = relayproof_("check", "--target", "mine.toml", MINE="sk-mine-0123456789")
        assert told.code in {1, 4}
        assert {heard.key for heard in server.heard} == {"sk-mine-0123456789"}
        assert len(server.heard) == 3
        assert json.loads(server.heard[1].body)["model"] == "m=1"


def test_the_proxies_of_the_environment_and_of_the_command_line() -> None:
    with serving(sends(GOOD)) as server, serving(forwards) as proxy:
        base = f"http://relay.invalid:{server.port}"
        key = {"RELAYPROOF_API_KEY": "sk-0123456789"}
        assert relayproof_("check", base, *ONE, HTTP_PROXY=proxy.url, **key).code == 0
        assert relayproof_("check", base, *ONE, HTTP_PROXY=proxy.url, NO_PROXY="relay.invalid", **key).code == 3
        assert relayproof_("check", base, *ONE, "--proxy", proxy.url, HTTP_PROXY=NOBODY, **key).code == 0
        assert relayproof_("check", server.url, *ONE, HTTP_PROXY=NOBODY).code == 0
        assert len(proxy.heard) == 2
        assert relayproof_("check", base, *ONE, HTTP_PROXY="ftp://x", **key).code == 2


# --- judge and report -----------------------------------------------------------------------------------------------


def test_judging_a_run_again_gives_its_verdicts(good_run: Path) -> None:
    told = relayproof_(
        "judge", good_run, "--out", "new/again.jsonl", "--json", "new/again.json", "--html", "again.html"
    )
    assert told.code == 0
    assert "wrote new/again.jsonl" in told.out
    first, again = run_of(good_run), run_of(Path("new/again.jsonl"))
    assert again.verdicts == first.verdicts
    assert again.exchanges == first.exchanges
    assert again.footer
    assert first.footer
    assert again.footer.outcomes == first.footer.outcomes
    assert again.footer.spent == first.footer.spent


def test_judging_a_whole_run_again_ends_as_the_check_did() -> None:
    with serving(sends(GOOD)) as server:
        first = relayproof_("check", server.url, "--model", "m", "--out", "all.jsonl", "--quiet")
    again = relayproof_("judge", "all.jsonl", "--out", "again.jsonl")
    assert again.code == first.code == 1
    before, after = run_of(Path("all.jsonl")), run_of(Path("again.jsonl"))
    assert sorted(map(repr, after.verdicts)) == sorted(map(repr, before.verdicts))


def test_judging_a_run_that_was_cut_judges_what_is_there(good_run: Path) -> None:
    data = good_run.read_bytes()
    lines = data.splitlines(keepends=True)
    for size in (len(lines[0]) + len(lines[1]), len(data) - 30):
        Path("cut.jsonl").write_bytes(data[:size])
        told = relayproof_("judge", "cut.jsonl")
        assert told.code == 4
        assert "the run did not end" in told.out
    Path("cut.jsonl").write_bytes(data[:-1])  # the last line break is no loss
    assert relayproof_("judge", "cut.jsonl").code == 0
    Path("cut.jsonl").write_bytes(data[: len(lines[0]) + 50])
    assert relayproof_("judge", "cut.jsonl").code == 4


def test_a_folder_of_recordings_is_judged_as_one_run() -> None:
    told = relayproof_("judge", RECORDINGS / "litellm", "--out", "litellm.jsonl")
    assert told.code == 1
    found = run_of(Path("litellm.jsonl"))
    names = sorted(path.stem for path in (RECORDINGS / "litellm").iterdir())
    assert sorted(exchange.id for exchange in found.exchanges) == names
    assert str(found.header.relay["name"]).startswith("recorded: litellm[proxy]")
    alone = relayproof_("judge", RECORDINGS / "litellm" / "chat-n2-stream.jsonl", "--out", "one.jsonl")
    assert alone.code == 1
    of_one = [one for one in found.verdicts if one.exchanges == ("chat-n2-stream",)]
    assert sorted(map(repr, of_one)) == sorted(map(repr, run_of(Path("one.jsonl")).verdicts))


def test_a_folder_without_a_recording_is_2() -> None:
    Path("empty").mkdir()
    assert "no recording is in it" in relayproof_("judge", "empty").line
    Path("empty/x.jsonl").write_text("hello\n", encoding="utf-8")
    told = relayproof_("judge", "empty")
    assert told.code == 2
    assert told.line.startswith("relayproof: empty: ")


@pytest.mark.parametrize("command", ["judge", "report"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"\x00\x01\x02\xff\xfe" * 50,
        b"\x7fELF" + bytes(range(128)),
        b"hello\n",
        b"[]\n",
        b'{"type":"exchange"}\n',
        b'{"type":"header","format":2}\n',
        b'{"type":"header","format":1,"relay":"\x1b[31m"}\n',
        b'{"type":"header","format":1}\n{"type":"verdict"}\n',
        b'{"type":"head',
        b"[" * 100_000 + b"\n",
    ],
    ids=repr,
)
def test_a_file_that_is_no_run_is_2_and_one_line(command: str, content: bytes) -> None:
    Path("x.jsonl").write_bytes(content)
    told = relayproof_(command, "x.jsonl")
    assert (told.code, told.out) == (2, "")
    assert told.line.startswith("relayproof: ")
    assert "x.jsonl" in told.line
    assert "\x1b" not in told.line


@pytest.mark.parametrize("command", ["judge", "report"])
def test_what_is_no_file_is_2_and_one_line(command: str) -> None:
    for path in ("missing.jsonl", "."):
        told = relayproof_(command, path)
        assert told.code == 2
        assert told.line


def test_a_judgement_that_cannot_be_written_is_2(good_run: Path) -> None:
    for option in ("--out", "--json"):
        told = relayproof_("judge", good_run, option, good_run / "below")
        assert told.code == 2
        assert "cannot write" in told.line


def test_a_report_is_what_the_check_wrote(good_run: Path) -> None:
    told = relayproof_(
        "report", good_run, "--html", "new/r.html", "--junit", "r.xml", "--markdown", "r.md", "--json", "r.json"
    )
    assert told.code == 0
    assert all(Path(name).stat().st_size for name in ("new/r.html", "r.xml", "r.md", "r.json"))
    assert relayproof_("report", good_run, "--html", good_run / "below").code == 2


def test_a_run_without_a_footer_is_5_to_its_caller() -> None:
    assert run.Run(run.Header({}, "", "", 0, ""), (), ()).footer is None


# --- rules and spec -------------------------------------------------------------------------------------------------


def test_the_rule_book_whole_by_chapter_and_by_rule() -> None:
    whole = json.loads(relayproof_("rules", "--json").out)["rules"]
    assert len(whole) > 70
    assert {"id", "level", "law", "cites", "on"} <= whole[0].keys()
    (one,) = json.loads(relayproof_("rules", "transport.framing", "--json").out)["rules"]
    assert one in whole
    chapter = json.loads(relayproof_("rules", "sse", "--json").out)["rules"]
    assert chapter
    assert all(rule["id"].startswith("sse.") for rule in chapter)
    told = relayproof_("rules", "transport.framing")
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("transport.framing  MUST\n")


def test_a_rule_that_does_not_exist_is_2_with_its_neighbours() -> None:
    told = relayproof_("rules", "transport.framings")
    assert (told.code, told.out) == (2, "")
    assert "did you mean transport.framing" in told.line
    assert relayproof_("rules", "½").line == "relayproof: no rule '½'"


def test_the_document_is_json_and_has_the_paths() -> None:
    told = relayproof_("spec", "--json")
    assert (told.code, told.err) == (0, "")
    document = json.loads(told.out)
    assert document["openapi"].startswith("3.2")
    assert "/v1/chat/completions" in document["paths"]
    assert relayproof_("spec").code == 0


# --- the demo -------------------------------------------------------------------------------------------------------


def test_the_demo_needs_no_key_and_is_well() -> None:
    told = relayproof_("demo", "--out", "shown", HTTP_PROXY=NOBODY)
    assert told.code == 0, told.text
    assert sorted(path.name for path in Path("shown").iterdir()) == ["demo.html", "demo.jsonl", "demo.md", "demo.xml"]
    found = run_of(Path("shown/demo.jsonl"))
    assert found.footer
    assert found.footer.exit == 0


def test_a_demo_that_cannot_write_is_2() -> None:
    Path("file").write_text("x", encoding="utf-8")
    told = relayproof_("demo", "--out", "file/below")
    assert told.code == 2
    assert "cannot write" in told.line


def test_a_mock_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def dead(*_: str) -> None:
        text = "the mock did not start"
        raise RuntimeError(text)

    monkeypatch.setattr("mock_server.process.running", dead)
    told = relayproof_("demo", "--out", "shown")
    assert told.code == 2
    assert told.line == "relayproof: the mock did not start"


def test_every_command_of_the_table_is_there() -> None:
    context = click.Context(relayproof.cli)
    for name in relayproof.COMMANDS:
        assert isinstance(relayproof.cli.get_command(context, name), click.Command)
