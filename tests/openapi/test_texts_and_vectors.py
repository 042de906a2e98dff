"""What the document says of text completions and of embeddings: values that are legal, and values that are not."""

from typing import Any

import pytest

from openapi.document import load
from openapi.schema import faults

C = "/components/schemas/"
TEXT: dict[str, Any] = {"model": "m", "prompt": "One"}
VECTOR: dict[str, Any] = {"model": "m", "input": "One"}
CHOICE: dict[str, Any] = {"index": 0, "text": "a", "finish_reason": "stop"}
ANSWER: dict[str, Any] = {"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": [CHOICE]}
ENTRY: dict[str, Any] = {"object": "embedding", "index": 0, "embedding": [1.0, 0, -0.5]}
LIST: dict[str, Any] = {
    "object": "list",
    "data": [ENTRY],
    "model": "m",
    "usage": {"prompt_tokens": 1, "total_tokens": 1},
}

LEGAL = [
    ("CompletionRequest", TEXT),
    ("CompletionRequest", {"model": "m", "prompt": None}),
    ("CompletionRequest", TEXT | {"prompt": ["a", ""]}),
    ("CompletionRequest", TEXT | {"prompt": [1, 2]}),
    ("CompletionRequest", TEXT | {"prompt": [[1], [2, 3]]}),
    ("CompletionRequest", TEXT | {"logprobs": 0, "max_tokens": 0, "echo": True, "suffix": "", "best_of": 20}),
    ("CompletionRequest", TEXT | dict.fromkeys(("n", "best_of", "echo", "logprobs", "max_tokens", "stop", "stream"))),
    ("Completion", ANSWER),
    ("Completion", ANSWER | {"x": 1, "choices": [CHOICE | {"logprobs": None}]}),
    ("Completion", ANSWER | {"choices": [CHOICE | {"logprobs": {"tokens": None, "content": []}}]}),
    (
        "Completion",
        ANSWER | {"choices": [CHOICE | {"logprobs": {"token_logprobs": [None, -1], "top_logprobs": [None]}}]},
    ),
    ("CompletionChunk", ANSWER | {"choices": [], "usage": None}),
    ("CompletionChunk", ANSWER | {"choices": [{"index": 0, "text": ""}]}),
    ("EmbeddingRequest", VECTOR),
    ("EmbeddingRequest", VECTOR | {"input": ["a", "b"], "encoding_format": "base64", "dimensions": 1, "user": "u"}),
    ("EmbeddingRequest", VECTOR | {"input": [1, 2]}),
    ("EmbeddingRequest", VECTOR | {"input": [[1], [2, 3]]}),
    ("EmbeddingRequest", VECTOR | {"input": ["a"] * 2048}),
    ("EmbeddingList", LIST),
    ("EmbeddingList", LIST | {"data": [ENTRY | {"embedding": "AAAAPw=="}]}),
]
ILLEGAL = [
    ("CompletionRequest", {"model": "m"}),
    ("CompletionRequest", {"prompt": "a"}),
    ("CompletionRequest", TEXT | {"prompt": []}),
    ("CompletionRequest", TEXT | {"prompt": 5}),
    ("CompletionRequest", TEXT | {"prompt": ["a", 1]}),
    ("CompletionRequest", TEXT | {"prompt": [[]]}),
    ("CompletionRequest", TEXT | {"prompt": [-1]}),
    ("CompletionRequest", TEXT | {"logprobs": True}),
    ("CompletionRequest", TEXT | {"logprobs": 6}),
    ("CompletionRequest", TEXT | {"n": 0}),
    ("CompletionRequest", TEXT | {"best_of": 21}),
    ("CompletionRequest", TEXT | {"max_tokens": -1}),
    ("CompletionRequest", TEXT | {"stop": ["a"] * 5}),
    ("Completion", ANSWER | {"object": "chat.completion"}),
    ("Completion", ANSWER | {"choices": []}),
    ("Completion", ANSWER | {"choices": [CHOICE | {"finish_reason": None}]}),
    ("Completion", ANSWER | {"choices": [CHOICE | {"finish_reason": "tool_calls"}]}),
    ("Completion", ANSWER | {"choices": [CHOICE | {"text": None}]}),
    ("Completion", ANSWER | {"choices": [CHOICE | {"logprobs": {"tokens": [1]}}]}),
    ("CompletionChunk", ANSWER | {"choices": [{"index": 0}]}),
    ("CompletionChunk", ANSWER | {"choices": [CHOICE | {"finish_reason": ""}]}),
    ("EmbeddingRequest", {"model": "m"}),
    ("EmbeddingRequest", VECTOR | {"input": ""}),
    ("EmbeddingRequest", VECTOR | {"input": []}),
    ("EmbeddingRequest", VECTOR | {"input": ["a", ""]}),
    ("EmbeddingRequest", VECTOR | {"input": [[]]}),
    ("EmbeddingRequest", VECTOR | {"input": ["a", 1]}),
    ("EmbeddingRequest", VECTOR | {"input": ["a"] * 2049}),
    ("EmbeddingRequest", VECTOR | {"input": None}),
    ("EmbeddingRequest", VECTOR | {"dimensions": 0}),
    ("EmbeddingRequest", VECTOR | {"encoding_format": "int8"}),
    ("EmbeddingList", LIST | {"data": []}),
    ("EmbeddingList", LIST | {"data": [ENTRY | {"embedding": []}]}),
    ("EmbeddingList", LIST | {"data": [ENTRY | {"embedding": ""}]}),
    ("EmbeddingList", LIST | {"data": [ENTRY | {"embedding": [None]}]}),
    ("EmbeddingList", LIST | {"data": [ENTRY | {"object": "vector"}]}),
    ("EmbeddingList", {name: value for name, value in LIST.items() if name != "usage"}),
]


@pytest.mark.parametrize(("schema", "value"), LEGAL)
def test_it_is_legal(schema: str, value: Any) -> None:
    assert faults(load(), C + schema, value) == ()


@pytest.mark.parametrize(("schema", "value"), ILLEGAL)
def test_it_is_not_legal(schema: str, value: Any) -> None:
    assert faults(load(), C + schema, value) != ()


@pytest.mark.parametrize(
    ("identifier", "path", "stream", "answer"),
    [
        ("createCompletion", "/v1/completions", "completions", "Completion"),
        ("createEmbedding", "/v1/embeddings", None, "EmbeddingList"),
    ],
)
def test_the_operation(identifier: str, path: str, stream: str | None, answer: str) -> None:
    match = load().match("POST", path)
    assert match
    operation = match.operation
    assert (operation.id, operation.stream) == (identifier, stream)
    media = operation.media_for(200, "application/json")
    assert media
    assert media.pointer == C + answer
    assert {"400", "402", "404", "413", "415", "422", "502", "529"} <= {one.status for one in operation.media}
