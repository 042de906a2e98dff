"""The list of models, and one model."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps

from mock_server.answer import Answer, Asked
from mock_server.faults.chunks import (
    objects,
)
from mock_server.faults.edit import (
    Object,
    media_type,
    on_json,
    with_body,
)
from mock_server.faults.fault import Answering, hears, sends
from openapi import json_text
from openapi.json_text import Json
from openapi.wire.exchange import Auth


def _on_list(change: Callable[[list[Object]], Json]) -> Answering:
    """A change of the entries of the list."""

    @wraps(change)
    def bend(asked: Asked, answer: Answer) -> Answer:
        if asked.operation != "listModels" or answer.status != 200 or media_type(answer) != "application/json":
            return answer
        return on_json(answer, lambda body: body.update(data=change(objects(body.get("data")))))

    return bend


@hears("models-no-auth", "models.no-key")
def list_open(asked: Asked) -> Asked:
    """The list is shown to anybody: what the relay serves, and to whom it sells, is public."""
    return asked._replace(auth=Auth.VALID) if asked.operation == "listModels" and asked.auth is Auth.NONE else asked


@sends("models-top-level-array", "models.list")
def list_array(asked: Asked, answer: Answer) -> Answer:
    """The list is a bare array: SDKs find no `data` in it."""
    if asked.operation != "listModels" or answer.status != 200:
        return answer
    return with_body(answer, json_text.write(json_text.read(answer.body).object.get("data")))


@sends("models-created-text", "models.list")
@_on_list
def list_created(entries: list[Object]) -> Json:
    """created is a date in words: typed clients refuse the whole list."""
    return [{**entry, "created": "2025-01-01"} for entry in entries]


@sends("models-duplicate-id", "models.unique")
@_on_list
def list_duplicate(entries: list[Object]) -> Json:
    """Models are listed once for each channel: menus show them twice, and keyed lists crash."""
    return [*entries, *entries[:1]]


@sends("models-retrieve-wrong-id", "models.retrieve")
def retrieve_wrong(asked: Asked, answer: Answer) -> Answer:
    """Another model comes than was asked for: its limits and prices are taken for the wrong one."""
    if asked.operation != "retrieveModel" or answer.status != 200:
        return answer
    return on_json(answer, lambda body: body.update(id="backend-01"))


@sends("models-unknown-200-error", "models.unknown", "errors.not-200")
def unknown_200(asked: Asked, answer: Answer) -> Answer:
    """An unknown model is 200 with an error in the body: a client takes the error for a model."""
    if asked.operation != "retrieveModel" or answer.status != 404:
        return answer
    return replace(answer, status=200)


@sends("models-unknown-answered", "models.unknown")
def unknown_answered(asked: Asked, answer: Answer) -> Answer:
    """Any name is confirmed as a model: a typing error is seen only when it is used."""
    if asked.operation != "retrieveModel" or answer.status != 404:
        return answer
    name = asked.path.partition("?")[0].rpartition("/")[2]
    model: Object = {"id": name, "object": "model", "created": 0, "owned_by": "unknown"}
    return with_body(replace(answer, status=200), json_text.write(model))
