"""Vectors: how many, in which order, how long, in which form."""

import base64
import struct
from collections.abc import Callable
from dataclasses import replace
from functools import wraps

from mock_server.answer import Answer, Asked
from mock_server.faults.chunks import objects
from mock_server.faults.deaf import asking
from mock_server.faults.edit import Object, media_type, on_json, with_body
from mock_server.faults.fault import Answering, hears, honest, sends
from openapi import json_text
from openapi.json_text import Json

EMBEDDINGS = "createEmbedding"


def _answered(asked: Asked, answer: Answer) -> bool:
    is_json = answer.status == 200 and media_type(answer) == "application/json"
    return asked.operation == EMBEDDINGS and is_json


def on_body(change: Callable[[Object], None]) -> Answering:
    """A change, in place, of an answer with vectors."""

    @wraps(change)
    def bend(asked: Asked, answer: Answer) -> Answer:
        return on_json(answer, change) if _answered(asked, answer) else answer

    return bend


def on_entries(change: Callable[[list[Object]], Json]) -> Answering:
    """A change of the list of entries."""
    return on_body(wraps(change)(lambda body: body.update(data=change(objects(body.get("data"))))))


# --- what is heard --------------------------------------------------------------------------------------------------


@hears("embeddings-dimensions-ignored", "embeddings.dimensions")
@asking(EMBEDDINGS)
def dimensions_ignored(body: Object) -> Object:
    """dimensions is lost: a store with columns of that length refuses the vectors."""
    return {name: value for name, value in body.items() if name != "dimensions"}


@hears("embeddings-base64-ignored", "embeddings.base64")
@asking(EMBEDDINGS)
def base64_ignored(body: Object) -> Object:
    """Numbers come where base64 was asked for: clients that decode them get a vector of rubbish, or crash."""
    return {name: value for name, value in body.items() if name != "encoding_format"}


@hears("embeddings-base64-forced", "embeddings.float")
@asking(EMBEDDINGS)
def base64_forced(body: Object) -> Object:
    """base64 comes where numbers were asked for: a client computes with a text."""
    return {**body, "encoding_format": "base64"}


@hears("embeddings-empty-input-answered", "embeddings.empty-input")
@asking(EMBEDDINGS)
def empty_answered(body: Object) -> Object:
    """An empty input gets a vector: an empty document is found as the likest of all."""
    return {**body, "input": " "} if body.get("input") in ("", []) else body


# --- what is sent ---------------------------------------------------------------------------------------------------


@sends("embeddings-batch-500", "embeddings.answered")
def batch_500(asked: Asked, answer: Answer) -> Answer:
    """A list of texts makes the relay fail: whoever indexes documents cannot use it."""
    if not _answered(asked, answer) or not isinstance(asked.object.get("input"), list):
        return answer
    error: Object = {"message": "cannot unmarshal array", "type": "server_error", "param": None, "code": None}
    return with_body(replace(answer, status=500), json_text.write({"error": error}))


@sends("embeddings-nan", "embeddings.content-type")
def nan(asked: Asked, answer: Answer) -> Answer:
    """A vector holds NaN, which is no JSON: clients in most languages cannot read the answer."""
    if not _answered(asked, answer):
        return answer
    return with_body(answer, answer.body.replace(b'"embedding":[', b'"embedding":[NaN,'))


@sends("embeddings-object-missing", "embeddings.schema")
@on_entries
def object_missing(entries: list[Object]) -> Json:
    """Entries do not say that they are an embedding: typed clients refuse them."""
    return [{name: value for name, value in entry.items() if name != "object"} for entry in entries]


@sends("embeddings-model-upstream-name", "embeddings.model")
@on_body
def model_upstream(body: Object) -> None:
    """The vendor's own name of the model comes back: a store that keeps models apart by name mixes them up."""
    body["model"] = "backend-01"


@sends("embeddings-last-lost", "embeddings.count")
@on_entries
def last_lost(entries: list[Object]) -> Json:
    """The last vector of a batch is lost: the last document is never found."""
    return list(entries[: max(1, len(entries) - 1)])


@sends("embeddings-index-zero", "embeddings.index")
@on_entries
def index_zero(entries: list[Object]) -> Json:
    """Every entry has index 0, of the single requests that a batch was cut into: all but one are overwritten."""
    return [{**entry, "index": 0} for entry in entries]


@sends("embeddings-out-of-order", "embeddings.order", "embeddings.batch-alone")
@on_entries
def out_of_order(entries: list[Object]) -> Json:
    """Vectors come as they were finished, and are numbered then: documents are filed under others' vectors."""
    return [{**entry, "index": index} for index, entry in enumerate(reversed(entries))]


@sends("embeddings-all-the-same", "embeddings.order", "embeddings.batch-alone")
@on_entries
def all_the_same(entries: list[Object]) -> Json:
    """All texts of a batch have the vector of the first: everything is as like as everything else."""
    return [{**entry, "embedding": entries[0].get("embedding")} for entry in entries]


@sends("embeddings-lengths-differ", "embeddings.same-length")
@on_entries
def lengths_differ(entries: list[Object]) -> Json:
    """A vector in a batch is cut short: a store refuses the whole batch."""
    return [
        {**entry, "embedding": numbers[:-1]} if index == 1 and isinstance(numbers, list) else entry
        for index, entry in enumerate(entries)
        for numbers in [entry.get("embedding")]
    ]


@sends("embeddings-base64-nan", "embeddings.finite")
@on_entries
def packed_nan(entries: list[Object]) -> Json:
    """A packed vector begins with NaN: each likeness that is computed of it is NaN too."""
    return [_packed(entry, lambda data: struct.pack("<f", float("nan")) + data[4:]) for entry in entries]


@sends("embeddings-base64-cut", "embeddings.base64")
@on_entries
def packed_cut(entries: list[Object]) -> Json:
    """A packed vector lacks its last byte: it cannot be decoded to numbers."""
    return [_packed(entry, lambda data: data[:-1]) for entry in entries]


def _packed(entry: Object, change: Callable[[bytes], bytes]) -> Object:
    value = entry.get("embedding")
    if not isinstance(value, str):
        return entry
    return {**entry, "embedding": base64.b64encode(change(base64.b64decode(value))).decode()}


@sends("embeddings-base64-coarse", "embeddings.forms")
@on_entries
def packed_coarse(entries: list[Object]) -> Json:
    """Packed vectors went through half precision: the two forms of one text are two points in a store."""

    def halved(data: bytes) -> bytes:
        numbers = struct.unpack(f"<{len(data) // 4}f", data)
        return struct.pack(
            f"<{len(numbers)}f", *struct.unpack(f"<{len(numbers)}e", struct.pack(f"<{len(numbers)}e", *numbers))
        )

    return [_packed(entry, halved) for entry in entries]


@sends("embeddings-batch-swapped", "embeddings.batch-alone")
@on_entries
def batch_swapped(entries: list[Object]) -> Json:
    """The second and the fourth text of a batch have each other's vector: both are filed under the wrong document."""
    if len(entries) < 4:
        return list(entries)
    second, fourth = entries[1].get("embedding"), entries[3].get("embedding")
    swapped = {1: fourth, 3: second}
    return [{**entry, "embedding": swapped.get(index, entry.get("embedding"))} for index, entry in enumerate(entries)]


@sends("embeddings-not-of-length-1", "embeddings.norm")
@on_entries
def longer(entries: list[Object]) -> Json:
    """Vectors are three times as long as the vendor's: a store that takes the dot product ranks wrongly."""

    def tripled(data: bytes) -> bytes:
        numbers = struct.unpack(f"<{len(data) // 4}f", data)
        return struct.pack(f"<{len(numbers)}f", *(3 * number for number in numbers))

    return [
        {**entry, "embedding": [3 * one for one in numbers if isinstance(one, float | int)]}
        if isinstance(numbers, list)
        else _packed(entry, tripled)
        for entry in entries
        for numbers in [entry.get("embedding")]
    ]


@sends("embeddings-usage-missing", "embeddings.usage")
@on_body
def usage_missing(body: Object) -> None:
    """There is no usage: clients that read it crash, or bill nothing."""
    body.pop("usage", None)


@sends("embeddings-usage-zero", "embeddings.usage")
@on_body
def usage_zero(body: Object) -> None:
    """usage counts nothing although vectors were delivered: budgets never fill."""
    body["usage"] = {"prompt_tokens": 0, "total_tokens": 0}


@honest("honest-embeddings-members")
@on_body
def members(body: Object) -> None:
    """Members that nobody knows stand everywhere, and usage counts completion tokens: none."""
    body["provider"] = {"name": "x"}
    usage = body.get("usage")
    if isinstance(usage, dict):
        usage.update(completion_tokens=0, prompt_tokens_details=None)
    for entry in objects(body.get("data")):
        entry["encoding_format"] = "float"
