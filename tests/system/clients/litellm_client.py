"""LiteLLM: what it makes of a mock, as one line of JSON. Words: its URL, a fault that ends a stream, a provider."""

import json
import sys
from collections.abc import Callable
from typing import Any

import litellm

URL, FAULT, PROVIDER = sys.argv[1:]
BASE = f"{URL}/v1" if PROVIDER == "openai" else URL
MESSAGES = [{"role": "user", "content": "What is the weather?"}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FORCED: dict[str, Any] = {
    "tools": [{"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}],
    "tool_choice": "required",
}


def ask(model: str = "mock-chat", messages: list[Any] = MESSAGES, **more: Any) -> Any:
    """One request, tried once."""
    named = f"{PROVIDER}/{model}"
    return litellm.completion(named, messages, api_base=BASE, api_key="any-key", num_retries=0, max_tokens=500, **more)


def called(message: Any) -> list[Any]:
    return [[call.function.name, json.loads(call.function.arguments)] for call in message.tool_calls or []]


def whole() -> dict[str, Any]:
    answer = ask()
    [choice] = answer.choices
    return {"text": choice.message.content, "finish": choice.finish_reason, "tokens": answer.usage.total_tokens}


def streamed(model: str = "mock-chat") -> dict[str, Any]:
    chunks = list(ask(model, stream=True, stream_options={"include_usage": True}))
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    joined = litellm.stream_chunk_builder(chunks)
    finish, tokens = joined.choices[0].finish_reason, joined.usage.total_tokens
    return {"pieces": len(texts), "text": "".join(texts), "finish": finish, "tokens": tokens}


def tool_streamed() -> list[Any]:
    return called(litellm.stream_chunk_builder(list(ask(**FORCED, stream=True))).choices[0].message)


def second_turn() -> str:
    message = ask(**FORCED).choices[0].message
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "21 degrees"}
    text: str = (
        ask(messages=[*MESSAGES, message.model_dump(), result], tools=FORCED["tools"]).choices[0].message.content
    )
    return text


def failing(call: Callable[[], object]) -> Exception | None:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - which one is LiteLLM's business
        return error
    return None


def leave() -> bool:
    stream = ask("mock-slow", stream=True)
    next(iter(stream))
    return True  # and the process ends


print(
    json.dumps(
        {
            "whole": whole(),
            "streamed": streamed(),
            "toolWhole": called(ask(**FORCED).choices[0].message),
            "toolStreamed": tool_streamed(),
            "secondTurn": second_turn(),
            "refused": getattr(failing(lambda: ask("no-such-model")), "status_code", None),
            "broken": failing(lambda: streamed(f"mock-chat+{FAULT}")) is not None,
            "left": leave(),
        }
    )
)
