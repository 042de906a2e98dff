"""Vectors of the mock: deterministic, of length 1, in the form and length that were asked for."""

import base64
import json
import struct
from math import dist, fsum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server import synthesis
from mock_server.answer import Answer, Asked
from mock_server.synthesis import tokens
from openapi import document
from openapi.schema import faults
from openapi.wire.exchange import Auth

Body = dict[str, Any]
LIST = "/components/schemas/EmbeddingList"

inputs = st.one_of(
    st.text(min_size=1, max_size=30),
    st.lists(st.text(min_size=1, max_size=10), min_size=1, max_size=4),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=5),
    st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=3), min_size=1, max_size=3),
)


def answered(said: Any, **more: Any) -> Answer:
    body = {"model": "mock-embed", "input": said, **more}
    raw = json.dumps(body).encode()
    return synthesis.answer(Asked("POST", "/v1/embeddings", "createEmbedding", (), raw, body, Auth.VALID), now=1)


def listed(said: Any, **more: Any) -> Body:
    got = answered(said, **more)
    assert got.status == 200
    value: Body = json.loads(got.body)
    assert faults(document.load(), LIST, value) == ()
    return value


def vectors(said: Any, **more: Any) -> list[Any]:
    return [one["embedding"] for one in listed(said, **more)["data"]]


def unpacked(text: str) -> list[float]:
    data = base64.b64decode(text, validate=True)
    return [*struct.unpack(f"<{len(data) // 4}f", data)]


@given(inputs, st.integers(1, 40))
def test_one_vector_for_each_input_as_long_as_asked_and_of_length_1(said: Any, size: int) -> None:
    answer = listed(said, dimensions=size)
    several = isinstance(said, list) and isinstance(said[0], str | list)
    assert [one["index"] for one in answer["data"]] == [*range(len(said) if several else 1)]
    for one in answer["data"]:
        assert len(one["embedding"]) == size
        assert fsum(number * number for number in one["embedding"]) == pytest.approx(1, abs=1e-6)


@given(inputs)
def test_base64_is_the_same_to_a_millionth(said: Any) -> None:
    numbers, packed = vectors(said, dimensions=32), vectors(said, dimensions=32, encoding_format="base64")
    for one, other in zip(numbers, packed, strict=True):
        assert isinstance(other, str)
        assert unpacked(other) == pytest.approx(one, abs=1e-6)


def test_a_text_has_its_vector_whatever_stands_beside_it() -> None:
    assert vectors(["red", "green"]) == [*vectors("red"), *vectors("green")]
    assert vectors("red") != vectors("green")
    assert vectors([[1, 2], [3]]) == [*vectors([1, 2]), *vectors([3])]


def test_a_shorter_vector_is_the_beginning_of_the_longer() -> None:
    [long], [short] = vectors("red"), vectors("red", dimensions=8)
    scale = short[0] / long[0]
    assert dist(short, [scale * number for number in long[:8]]) < 1e-5
    assert len(long) == 1536


def test_what_the_inputs_cost() -> None:
    assert listed(["One, two", "三"])["usage"] == dict.fromkeys(
        ("prompt_tokens", "total_tokens"), tokens.count("One, two") + tokens.count("三")
    )
    assert listed([[1, 2], [3]])["usage"]["total_tokens"] == 3


def test_more_dimensions_than_there_are_is_refused() -> None:
    refused = answered("red", dimensions=4097)
    assert refused.status == 400
    assert json.loads(refused.body)["error"]["param"] == "dimensions"
    assert len(vectors("red", dimensions=4096)[0]) == 4096


@pytest.mark.parametrize("said", [None, "", [], [[]], {}, 5, "\ud800"])
def test_nonsense_that_was_let_in_is_answered(said: Any) -> None:
    """`request-not-validated` is a fault of the mock: what is behind it must not break."""
    assert answered(said, dimensions=4).status == 200
