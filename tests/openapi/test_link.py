"""Links of the document: what may be asked after an answer, with which of its values."""

import pytest

from openapi import document
from openapi.json_text import Json
from openapi.link import Link

LISTED: Json = {"data": [{"id": "a"}, {"id": "org/b"}]}


def link(expression: Json) -> Link:
    return Link("L", "200", "retrieveModel", {"model": expression})


def test_the_document_links_the_list_of_models_to_each() -> None:
    book = document.load()
    [found] = book.operation("listModels").links
    assert (found.status, found.operation) == ("200", "retrieveModel")
    assert f"{{{next(iter(found.parameters))}}}" in book.operation(found.operation).path
    assert [found.values(LISTED, item) for item in (None, 0, 1, 2)] == [
        {"model": "a"}, {"model": "a"}, {"model": "org/b"}, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("gpt", "gpt"),
        (5, 5),
        ("$response.body#/data/1/id", "org/b"),
        ("$response.body#", LISTED),
        ("$response.body#/data/x", None),
        ("$response.body#data", None),
        ("$response.header.location", None),
        ("$url", None),
    ],
)
def test_an_expression_stands_for_what_the_answer_tells(expression: Json, value: Json) -> None:
    assert link(expression).values(LISTED) == (None if value is None else {"model": value})


@pytest.mark.parametrize("answer", [None, [], "x", {"data": {}}, {"data": [5]}], ids=str)
def test_an_answer_that_has_it_not_leads_nowhere(answer: Json) -> None:
    assert link("$response.body#/data/0/id").values(answer, 3) is None
