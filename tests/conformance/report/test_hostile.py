"""What a relay says is shown, never obeyed: each hostile text in each place, through each format."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from conformance.report import html, json_out, junit, markdown, terminal
from conformance.report.escape import HIDDEN
from conformance.report.summary import Laws
from conformance.run import Run
from tests.conformance.report.made import BOOK, HOSTILE, hostile_run

RENDERERS: list[Callable[[Run, Laws], str]] = [html.render, junit.render, markdown.render, terminal.render]

hostile = pytest.mark.parametrize("text", HOSTILE, ids=[repr(text[:12]) for text in HOSTILE])


@hostile
@pytest.mark.parametrize("render", RENDERERS, ids=["html", "junit", "markdown", "terminal"])
def test_nothing_hidden_reaches_a_report(text: str, render: Callable[[Run, Laws], str]) -> None:
    shown = render(hostile_run(text), BOOK)
    assert not HIDDEN.search(shown.replace("\n", ""))
    assert len(shown) < 1_000_000
    shown.encode("utf-8")


@hostile
def test_the_page_has_the_tags_of_its_template_and_no_other(text: str) -> None:
    tags: dict[str, set[str]] = {}

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.setdefault(tag, set()).update(name for name, _ in attrs)

    Tags().feed(html.render(hostile_run(text), BOOK))
    assert not {"img", "iframe", "object", "link", "base", "form", "bold"} & tags.keys()
    assert not any(name.startswith("on") or name in {"style", "src"} for names in tags.values() for name in names)
    assert tags["script"] == tags["style"] == set()


@hostile
def test_a_page_of_several_hostile_relays_hides_nothing_and_is_bounded(text: str) -> None:
    shown = html.render([hostile_run(text), hostile_run(text[::-1]), hostile_run(text)], BOOK, names=[text] * 3)
    assert not HIDDEN.search(shown.replace("\n", ""))
    assert len(shown.encode()) < 1_000_000
    assert shown.count("<script>") == shown.count("</script>") == shown.count("</style>") == 1


@hostile
def test_junit_is_xml_whatever_the_text(text: str) -> None:
    root = ET.fromstring(junit.render(hostile_run(text), BOOK))
    allowed = {"testsuites", "testsuite", "testcase", "properties", "property"}
    assert {element.tag for element in root.iter()} <= allowed | {"failure", "error", "skipped", "system-out"}


@hostile
def test_markdown_keeps_its_tables(text: str) -> None:
    pipes = 0
    for line in markdown.render(hostile_run(text), BOOK).split("\n"):
        assert not re.search(r"<(?!/?(details|summary|sub)>)", line)
        here = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) if line.startswith("| ") else 0
        assert pipes in {0, here} or here == 0
        pipes = here


@hostile
def test_json_is_json_whatever_the_text(text: str) -> None:
    shown = json_out.render(hostile_run(text), BOOK)
    shown.encode("utf-8")
    assert json.loads(shown)["verdicts"][0]["findings"][0]["text"] == text


@hostile
def test_terminal_without_colour_has_no_escape_and_rich_markup_is_text(text: str) -> None:
    shown = terminal.render(hostile_run(text), BOOK, width=200)
    assert "\x1b" not in shown
    if "[bold]" in text:
        assert "[bold]markup[/bold] :warning:" in shown
