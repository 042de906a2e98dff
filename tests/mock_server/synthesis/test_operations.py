"""Operations, models and refusals."""

import json

import pytest

from mock_server import synthesis
from mock_server.answer import Answer, Asked
from mock_server.synthesis.registry import operation
from openapi.wire.exchange import Auth


def get(path: str, identifier: str | None) -> Asked:
    return Asked("GET", path, identifier, (), b"", None, Auth.VALID)


def test_the_list_has_each_model_once() -> None:
    got = synthesis.answer(get("/v1/models", "listModels"), ["a", "b", "a"])
    assert [one["id"] for one in json.loads(got.body)["data"]] == ["a", "b"]


def test_the_models_of_the_mock_are_listed() -> None:
    got = json.loads(synthesis.models().body)
    assert got["object"] == "list"
    assert tuple(one["id"] for one in got["data"]) == synthesis.MODELS
    assert {(one["object"], type(one["created"]), one["owned_by"]) for one in got["data"]} == {
        ("model", int, "relayproof-mock")
    }


@pytest.mark.parametrize("path", ["/v1/models/org%2Fname", "/v1/models/org/name?x=1"])
def test_a_known_model_is_retrieved_by_its_id(path: str) -> None:
    got = synthesis.answer(get(path, "retrieveModel"), ["org/name"])
    assert (got.status, json.loads(got.body)["id"]) == (200, "org/name")


def test_an_unknown_model_is_404_with_the_whole_envelope() -> None:
    got = synthesis.answer(get("/v1/models/nobody", "retrieveModel"))
    error = json.loads(got.body)["error"]
    assert got.status == 404
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == "model_not_found"
    assert got.body == synthesis.unknown_model("nobody").body


def test_an_operation_without_synthesis_is_404() -> None:
    assert synthesis.answer(get("/v1/else", None)).status == 404


def test_an_error_has_its_headers() -> None:
    got = synthesis.error(429, "slow down", type="rate_limit_error", headers=(("retry-after", "1"),))
    assert dict(got.headers)["retry-after"] == "1"
    assert dict(got.headers)["content-type"] == "application/json"


def test_a_second_synthesis_of_an_operation_is_refused() -> None:
    def make(*_: object) -> Answer:
        raise NotImplementedError

    with pytest.raises(ValueError, match="listModels"):
        operation("listModels")(make)
