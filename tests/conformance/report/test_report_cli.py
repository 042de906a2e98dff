"""`relayproof report` translates and writes, and decides nothing."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance import outputs
from conformance.report import texts, wire_text
from conformance.report_cli import report
from conformance.run import lines_of
from tests.conformance.report.made import several_runs, small_run


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "run.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines_of(small_run())), encoding="utf-8")
    return path


def test_without_files_the_summary_is_told(stored: Path) -> None:
    told = CliRunner().invoke(report, [str(stored)])
    assert told.exit_code == 0
    assert told.output.startswith("a-relay  MUST 2/4")


def test_an_output_that_cannot_show_a_mark_gets_the_rest(stored: Path) -> None:
    told = CliRunner(charset="cp1252").invoke(report, [str(stored)])
    assert told.exit_code == 0
    assert "\\u2717 chat.stream.finish-once" in told.output


def test_each_format_goes_to_its_file(stored: Path, tmp_path: Path) -> None:
    names = {"html": "<!doctype html>", "junit": "<?xml", "markdown": "## ", "json": "{"}
    options = [word for name in names for word in (f"--{name}", str(tmp_path / "new" / name))]
    assert CliRunner().invoke(report, [str(stored), *options]).exit_code == 0
    for name, start in names.items():
        assert (tmp_path / "new" / name).read_text(encoding="utf-8").startswith(start)


def test_strict_makes_a_should_a_failure(stored: Path, tmp_path: Path) -> None:
    for options, failures in (([], 'failures="2"'), (["--strict"], 'failures="3"')):
        CliRunner().invoke(report, [str(stored), "--junit", str(tmp_path / "j.xml"), *options])
        assert failures in (tmp_path / "j.xml").read_text(encoding="utf-8")


def test_the_json_of_a_run_cut_short_is_still_written(stored: Path, tmp_path: Path) -> None:
    text = stored.read_text(encoding="utf-8")
    stored.write_text(text[: text.rindex('{"type":"footer"') + 20], encoding="utf-8")
    assert CliRunner().invoke(report, [str(stored), "--json", str(tmp_path / "j")]).exit_code == 0
    assert json.loads((tmp_path / "j").read_text(encoding="utf-8"))["exit"] is None


@pytest.mark.parametrize("content", [b"", b"{}\n", b"no\n", b"\xff\xfe\n"])
def test_a_file_that_is_no_run_is_exit_2(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    told = CliRunner().invoke(report, [str(path)])
    assert told.exit_code == 2
    assert "cannot be read as a run" in told.output


def test_a_file_that_cannot_be_written_is_exit_2(stored: Path) -> None:
    told = CliRunner().invoke(report, [str(stored), "--html", str(stored / "below" / "a-file")])
    assert told.exit_code == 2


def test_several_runs_are_told_side_by_side(stored: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text("".join(f"{line}\n" for line in lines_of(several_runs()[1])), encoding="utf-8")
    page = tmp_path / "page.html"
    told = CliRunner().invoke(report, [str(stored), str(other), "--html", str(page), "--lang", "zh"])
    assert told.exit_code == 0
    assert "errors.no-key" in told.output
    assert f"wrote {page}" in told.output
    text = page.read_text(encoding="utf-8")
    assert '<html lang="zh-CN">' in text
    assert "relayproof report other.jsonl --exchange" in text


def test_a_format_that_tells_of_one_run_is_refused_for_several(stored: Path, tmp_path: Path) -> None:
    told = CliRunner().invoke(report, [str(stored), str(stored), "--junit", str(tmp_path / "j.xml")])
    assert told.exit_code == 2
    assert "--junit tells of one run" in told.output


def test_one_exchange_is_printed_with_all_its_bytes(stored: Path) -> None:
    told = CliRunner().invoke(report, [str(stored), "--exchange", "e2"])
    assert told.exit_code == 0
    exchange = small_run().exchange("e2")
    assert exchange
    assert told.output == wire_text.render(exchange, "https://relay.example/v1")


@pytest.mark.parametrize(("more", "said"), [([], "has no exchange 'e99'"), (["again"], "has no exchange 'e99'")])
def test_an_exchange_that_is_not_there_is_exit_2(stored: Path, more: list[str], said: str) -> None:
    told = CliRunner().invoke(report, [str(stored), *([str(stored)] if more else []), "--exchange", "e99"])
    assert told.exit_code == 2
    assert said in told.output


def test_an_exchange_of_several_runs_is_none(stored: Path) -> None:
    told = CliRunner().invoke(report, [str(stored), str(stored), "--exchange", "e2"])
    assert told.exit_code == 2
    assert "--exchange is of one run" in told.output


def test_the_languages_of_the_option_are_those_of_the_texts() -> None:
    assert outputs.LANGUAGES == texts.LANGUAGES
