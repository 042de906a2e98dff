"""What the schema of chat cannot say: parameters that act on each other, conversations, unicode, schemas in schemas.

Every body is plain in all but what it is about, at temperature 0, and asks for few tokens.
"""

from collections.abc import Iterator, Mapping, Sequence

from hypothesis import strategies as st

from conformance.fuzz.case import Case
from conformance.fuzz.covering import covering
from conformance.fuzz.drawn import drawn
from conformance.probe import MODEL, Role
from conformance.probes.chat import COUNT, HELLO, SKY, ask
from conformance.probes.tools import CLOCK, NAMED, ONE, WEATHER
from openapi.json_text import Json

CHAT = "createChatCompletion"
Object = dict[str, Json]
PAIR: Json = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "population": {"type": "integer"}},
    "required": ["city", "population"],
    "additionalProperties": False,
}
PARAMETERS: Mapping[str, Mapping[str, Object]] = {  # the first of each is as if it were not asked for
    "n": {"": {}, "1": {"n": 1}, "2": {"n": 2}, "3": {"n": 3}},
    "stop": {"": {}, "text": {"stop": "8"}, "list": {"stop": ["8", "ZZZ"]}, "4": {"stop": ["ZZ", "YY", ", 9", "。"]}},
    "stream": {
        "": {},
        "false": {"stream": False},
        "true": {"stream": True},
        "usage": {"stream": True, "stream_options": {"include_usage": True}},
        "no-usage": {"stream": True, "stream_options": {"include_usage": False}},
    },
    "logprobs": {"": {}, "plain": {"logprobs": True}, "top": {"logprobs": True, "top_logprobs": 2}},
    "format": {
        "": {},
        "text": {"response_format": {"type": "text"}},
        "object": {"response_format": {"type": "json_object"}},
        "schema": {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "city", "strict": True, "schema": PAIR},
            }
        },
    },
    "tools": {
        "": {},
        "auto": {"tools": [WEATHER, CLOCK]},
        "none": {"tools": [WEATHER], "tool_choice": "none"},
        "required": {"tools": [WEATHER], "tool_choice": "required"},
        "named": {"tools": [WEATHER, CLOCK], "tool_choice": NAMED},
        "serial": {"tools": [WEATHER, CLOCK], "tool_choice": "required", "parallel_tool_calls": False},
    },
    "limit": {
        "": {"max_tokens": 150},
        "12": {"max_tokens": 12},
        "new": {"max_completion_tokens": 24},
        "1": {"max_tokens": 1},
    },
    "sampling": {
        "": {"temperature": 0, "seed": 7},
        "warm": {"temperature": 1, "top_p": 0.5},
        "penalties": {"temperature": 0, "presence_penalty": 0.5, "frequency_penalty": -0.5, "user": "relayproof"},
    },
}


def combinations(seed: int, rows: int, *, tools: bool) -> Iterator[Case]:
    """Requests in which each three values of what is above meet, as far as so many rows go; most of the others are as
    if they were not asked for, lest one hide what another does."""
    choices = {name: list(values) for name, values in PARAMETERS.items() if tools or name != "tools"}
    for row in covering(choices, seed, rows):
        body: Object = {"model": MODEL, "messages": [{"role": "user", "content": _prompt(row)}]}
        for name, value in row.items():
            body |= PARAMETERS[name][value]
        yield _one(body, row.get("tools", ""))


def _prompt(row: Mapping[str, str]) -> str:
    """What makes the parameters tell: an answer that has the form, calls the tool, or runs into a stop or a limit."""
    if row.get("tools"):
        return ONE
    if row["format"] in {"object", "schema"}:
        return "Give Paris as JSON with the members city and population."
    return COUNT if row["stop"] or row["limit"] else SKY


def _one(body: Object, tools: str = "", kind: str = "one", more: Mapping[str, Json] | None = None) -> Case:
    return Case(kind, CHAT, Role.TOOLS if tools else Role.CHAT, {"body": body, **(more or {})})


# --- texts ----------------------------------------------------------------------------------------------------------

BORDERS = (  # where readers of UTF-8, UTF-16, SSE and JSON have gone wrong
    *("é", "\u0301a", "龙", "🐉", "👩‍👩‍👧‍👦", "ß", "İ", "ﷺ", "𝔘"),
    *("\ufeff", "\u2028", "\u2029", "\u200b", "\u202e", "\uffff", "\U0010ffff", "\ud83d", "\udc09"),
    *("\x7f", "\x1b", "\x00", "\r\n", "\n\n", "\r", "\t", "\\", '"', "\\u0000"),
    *("</script>", "data: [DONE]\n\n"),
)
texts = st.lists(st.sampled_from([*BORDERS, "a", " ", "7", "naïve"]), min_size=1, max_size=5).map("".join)


def unicode_texts(seed: int, count: int) -> Iterator[Case]:
    """Each border alone, said again in a stream, then mixtures: in a prompt, a name of a user, a stop sequence."""
    alone = [_one(_said(one, stream=True)) for one in BORDERS]
    mixed = [_one(body) for body in drawn(_unicode_bodies(), seed, max(count - len(alone), 1))]
    yield from alone[:count]
    yield from mixed


def _said(text: str, *, stream: bool) -> Object:
    body = ask(f"Repeat this word exactly and write nothing else: dragon{text}fly", 60, stream=stream)
    return body if isinstance(body, dict) else {}


@st.composite
def _unicode_bodies(draw: st.DrawFn) -> Object:
    text = draw(texts)
    body = _said(text, stream=draw(st.booleans()))
    place = draw(st.sampled_from(["prompt", "system", "stop", "user", "history"]))
    if place == "stop":
        body |= {"stop": [text]}
    if place == "user":
        body |= {"user": text}
    if place in {"system", "history"}:
        first: Object = {"role": "system", "content": text} if place == "system" else {"role": "user", "content": text}
        said: list[Json] = [] if place == "system" else [{"role": "assistant", "content": text}]
        body |= {"messages": [first, *said, {"role": "user", "content": HELLO}]}
    return body


# --- conversations --------------------------------------------------------------------------------------------------


def conversations(seed: int, count: int, *, tools: bool) -> Iterator[Case]:
    """Turns of a user, an assistant and its tools, each as a client may write it."""
    for body in drawn(_conversations(tools=tools), seed, count):
        yield _one(body, "tools" if "tools" in body else "")


@st.composite
def _conversations(draw: st.DrawFn, *, tools: bool) -> Object:
    head: Object = {"role": draw(st.sampled_from(["system", "developer"])), "content": "You answer briefly."}
    messages: list[Json] = [head] if draw(st.booleans()) else []
    called = False
    for at in range(draw(st.integers(0, 3))):
        messages.append({"role": "user", "content": draw(_contents)})
        if tools and draw(st.booleans()):
            called = True
            messages += draw(_rounds(at))
        else:
            messages.append({"role": "assistant", "content": draw(_contents)})
    if not called or draw(st.booleans()):
        messages.append({"role": "user", "content": draw(_contents)})
    body: Object = {"model": MODEL, "messages": messages, "max_tokens": 24, "temperature": 0}
    if called or (tools and draw(st.booleans())):
        body["tools"] = [WEATHER, CLOCK]
    return body | draw(st.sampled_from([{}, {"stream": True}]))


def _parts(*texts: str) -> list[Json]:
    return [{"type": "text", "text": text} for text in texts]


_SAID: tuple[Json, ...] = (HELLO, SKY, "你好！", "And now?", _parts("Hello"), _parts("龙"), _parts("One.", "Two."))
_contents: st.SearchStrategy[Json] = st.sampled_from(_SAID)


@st.composite
def _rounds(draw: st.DrawFn, at: int) -> list[Json]:
    """An assistant's message with calls, and their results in an order of their own."""
    names = draw(st.lists(st.sampled_from(["get_weather", "get_time"]), min_size=1, max_size=3))
    calls: list[Json] = [
        {
            "id": f"call_{at}_{number}",
            "type": "function",
            "function": {"name": name, "arguments": '{"city":"Paris"}' if name == "get_weather" else "{}"},
        }
        for number, name in enumerate(names)
    ]
    said: Object = {"role": "assistant", "tool_calls": calls}
    said |= draw(st.sampled_from([{}, {"content": None}, {"content": ""}, {"content": "Let me see."}]))
    results: list[Json] = [
        {"role": "tool", "tool_call_id": f"call_{at}_{number}", "content": draw(_results)}
        for number in draw(st.permutations(range(len(names))))
    ]
    return [said, *results]


_RESULTS: tuple[Json, ...] = (
    *('{"temperature":21}', "", "21 °C", "null", '{"error":"no such city"}', "龙\n\n🐉"),
    _parts("21"),
)
_results: st.SearchStrategy[Json] = st.sampled_from(_RESULTS)

# --- schemas in schemas ---------------------------------------------------------------------------------------------


def nested_schemas(seed: int, count: int, *, tools: bool) -> Iterator[Case]:
    """Forms that an answer, or the arguments of a call, must have: objects in lists in objects."""
    for at, (form, streamed) in enumerate(drawn(st.tuples(_objects(), st.booleans()), seed, count)):
        stream: Object = {"stream": True} if streamed else {}
        if tools and at % 2:
            function: Json = {"name": "book", "description": "Book a journey", "strict": True, "parameters": form}
            made = ask("Book a journey to Paris for two.", 300, tools=[{"type": "function", "function": function}],
                       tool_choice={"type": "function", "function": {"name": "book"}}, **stream)  # fmt: skip
        else:
            wanted: Json = {"type": "json_schema", "json_schema": {"name": "form", "strict": True, "schema": form}}
            made = ask("Fill in the form for a journey to Paris, briefly.", 300, response_format=wanted, **stream)
        yield _one(made if isinstance(made, dict) else {}, "tools" if tools and at % 2 else "")


_names = ["city", "days", "guests", "meals", "旅程", "price"]
_LEAVES: tuple[Object, ...] = (
    {"type": "string"},
    {"type": "integer"},
    {"type": "number"},
    {"type": "boolean"},
    {"type": "string", "enum": ["early", "late"]},
    {"type": ["string", "null"]},
)
_leaves = st.sampled_from(_LEAVES)


def _objects() -> st.SearchStrategy[Object]:
    """Strict ones, as the API wants them: every member required, and no other."""
    inner: st.SearchStrategy[Object] = st.recursive(
        _leaves, lambda some: st.one_of(_lists(some), _object(some)), max_leaves=5
    )
    return _object(inner)


def _object(some: st.SearchStrategy[Object]) -> st.SearchStrategy[Object]:
    members = st.dictionaries(st.sampled_from(_names), some, min_size=1, max_size=3)
    return members.map(
        lambda found: {
            "type": "object",
            "properties": dict(found),
            "required": list(found),
            "additionalProperties": False,
        }
    )


def _lists(some: st.SearchStrategy[Object]) -> st.SearchStrategy[Object]:
    return some.map(lambda one: {"type": "array", "items": one})


# --- answers beside each other --------------------------------------------------------------------------------------


SHAPES: Mapping[str, Mapping[str, Object]] = {
    "stream": {"": {}, "stream": {"stream": True, "stream_options": {"include_usage": True}}},
    "n": {"": {}, "2": {"n": 2}},
    "name": {"": {"max_tokens": 60}, "new": {"max_completion_tokens": 60}},
}
PROMPTS = (SKY, COUNT, "用两句话说明天空为什么是蓝色的。", HELLO, "List three colours.", "Name a river and a hill. 🐉")
STOPS: tuple[Json, ...] = ("8", ["ZZZ", "9"], ", 1", ["a", "b", "c", "。"], "e", ["11", "12"])
LESS = (1, 2, 3, 5, 8, 13)
STRANGE: tuple[Json, ...] = (None, True, "x", {"a": [1, None]}, [], 1e9)
RELATED: Mapping[str, Sequence[dict[str, Json]]] = {
    "forms": ({},),
    "limit": tuple({"less": less} for less in LESS),
    "stop": tuple({"stop": stop} for stop in STOPS),
    "order": ({},),
    "unknown": tuple({"stranger": one} for one in STRANGE),
    "longer": ({},),
}
"""What each kind takes beside the body."""


def relations(seed: int, count: int) -> Iterator[Case]:
    """Requests that are asked in several forms, whose answers must agree with each other."""
    shapes = {name: list(values) for name, values in SHAPES.items()}
    shapes |= {"prompt": [str(at) for at in range(len(PROMPTS))], "more": [str(at) for at in range(len(STRANGE))]}
    for at, row in enumerate(covering(shapes, seed, count, strength=2)):
        kind = list(RELATED)[at % len(RELATED)]
        more = dict(RELATED[kind][int(row["more"]) % len(RELATED[kind])])
        asked: Object = {"temperature": 0, "seed": 7}
        for name, values in SHAPES.items():
            asked |= values[row[name]]
        if "stop" in more:
            asked["stop"] = more.pop("stop")
        messages: list[Json] = [{"role": "user", "content": PROMPTS[int(row["prompt"])]}]
        yield _one({"model": MODEL, "messages": messages, **asked}, kind=kind, more=more)


# --- sequences ------------------------------------------------------------------------------------------------------


def tool_turns(seed: int, count: int) -> Iterator[Case]:
    """A forced call, and the turn behind it, whose result is what tools give: long, empty, no JSON."""
    for bare, stream, form in drawn(st.tuples(st.booleans(), st.booleans(), _objects()), seed, count):
        function: Json = {"name": "book", "description": "Book a journey", "parameters": form}
        more: Object = {"stream": True} if stream else {}
        body = ask("Book a journey to Paris.", 300, tools=[{"type": "function", "function": function}],
                   tool_choice="required", **more)  # fmt: skip
        yield Case("turns", CHAT, Role.TOOLS, {"body": body, "bare": bare})
