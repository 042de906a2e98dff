"""Where a law stands is a link: into the page's own copy of the document, or to the standard."""

import pytest

from conformance.report.citations import EXCERPT, anchor, cited, excerpts
from conformance.rules import BOOK
from openapi import document
from tests.conformance.report.made import HOSTILE


@pytest.mark.parametrize(
    ("text", "href", "link"),
    [
        ("RFC 9112 section 7.1", "https://www.rfc-editor.org/rfc/rfc9112#section-7.1", "RFC 9112 section 7.1"),
        ("openapi#/a/Usage, sum", "#d-a-Usage", "openapi#/a/Usage"),
        ("see https://x.example/a#b; and more", "https://x.example/a#b", "https://x.example/a#b"),
    ],
)
def test_a_citation_links_to_where_the_law_stands(text: str, href: str, link: str) -> None:
    before, after = text.split(link)
    assert cited(text) == f'{before}<a href="{href}">{link}</a>{after}'


def test_a_citation_without_an_address_is_text() -> None:
    assert cited("OpenAI API reference, stream") == "OpenAI API reference, stream"


def test_the_readers_algorithm_is_cited_by_its_address() -> None:
    assert 'href="https://html.spec.whatwg.org/' in cited("WHATWG HTML section 9.2.6; RFC 8259 section 8.1")


@pytest.mark.parametrize("text", HOSTILE, ids=[repr(text[:12]) for text in HOSTILE])
def test_a_hostile_citation_is_text(text: str) -> None:
    shown = cited(f"https://x.example/{text}")
    assert shown.count("<") == shown.count("<a ") + shown.count("</a>") + shown.count("<i ") + shown.count("</i>")
    assert "javascript:" not in shown.partition('href="')[2].partition('"')[0]


def test_each_part_that_the_book_cites_is_there_once_and_short() -> None:
    told = excerpts([rule.cites for rule in BOOK.values()], document.load())
    assert len({pointer for pointer, _, _ in told}) == len(told) > 30
    assert all(place == anchor(pointer) for pointer, place, _ in told)
    assert max(len(text.striptags()) for _, _, text in told) < EXCERPT + 20


def test_a_part_that_the_document_does_not_have_is_left_out() -> None:
    assert excerpts(["openapi#/components/schemas/Nothing"], document.load()) == []
