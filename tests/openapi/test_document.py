"""The document: what it holds, how it is put together from its files, how a request finds its operation."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
import yaml
from openapi_spec_validator import OpenAPIV32SpecValidator
from schemathesis.core.result import Ok

from openapi import yaml_subset
from openapi.document import Document, DocumentError, Json, Media, load
from openapi.schema import faults

ROOT = Path(__file__).parents[2] / "openapi"
CHAT = "/v1/chat/completions"
MINIMAL = """\
openapi: 3.2.0
info: {title: t, version: '1'}
paths:
  /a:
    $ref: paths/a.yaml
"""
A_PATH = """\
get:
  operationId: getA
  responses:
    '200':
      description: fine
      content:
        application/json:
          schema: {$ref: ../schemas/s.yaml#/A}
"""


@pytest.fixture
def document() -> Document:
    return load()


def written(folder: Path, **files: str) -> Path:
    """A document in a folder: the minimal one, with these files in place of its own (``__`` for a slash)."""
    contents = {"openapi": MINIMAL, "paths__a": A_PATH, "schemas__s": "A: {type: object}\n", **files}
    for name, text in contents.items():
        file = folder / f"{name.replace('__', '/')}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def refused(folder: Path, **files: str) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        load(written(folder, **files))
    return caught.value


def nodes(value: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Json]]]:
    """Every object in a value, with the way to it."""
    if isinstance(value, dict):
        yield path, value
        for key, child in value.items():
            yield from nodes(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from nodes(child, (*path, str(index)))


# What the document says


def test_the_bundle_is_valid_openapi_3_2(document: Document) -> None:
    assert [str(error) for error in OpenAPIV32SpecValidator(dict(document.bundle)).iter_errors()] == []


def test_the_bundle_has_no_external_reference_and_each_leads_somewhere(document: Document) -> None:
    references = [str(node["$ref"]) for _, node in nodes(dict(document.bundle)) if "$ref" in node]
    assert len(references) > 50
    assert all(reference.startswith("#/") for reference in references)
    for reference in references:
        document.resolve(reference)


def test_schemathesis_reads_the_bundle(document: Document) -> None:
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(document.bundle)))
    results = [result for result in schema.get_all_operations() if isinstance(result, Ok)]
    found = {(result.ok().method.upper(), result.ok().path) for result in results}
    assert found == {(operation.method, operation.path) for operation in document.operations}


def test_the_three_operations(document: Document) -> None:
    assert [(operation.id, operation.method, operation.path) for operation in document.operations][:3] == [
        ("listModels", "GET", "/v1/models"),
        ("retrieveModel", "GET", "/v1/models/{model}"),
        ("createChatCompletion", "POST", CHAT),
    ]
    assert all(operation.summary for operation in document.operations)


def test_chat_answers_200_with_json_and_with_a_stream(document: Document) -> None:
    chat = document.operation("createChatCompletion")
    assert chat.request == "/components/schemas/ChatCompletionRequest"
    assert chat.stream == "chat"
    assert [media for media in chat.media if media.status == "200"] == [
        Media("200", "application/json", "/components/schemas/ChatCompletion"),
        Media("200", "text/event-stream", "/components/schemas/ChatCompletionChunk", "chat"),
    ]


def test_every_operation_answers_failures_with_the_envelope(document: Document) -> None:
    for operation in document.operations:
        statuses = {media.status for media in operation.media}
        assert {"200", "401", "403", "405", "429", "500", "503", "default"} <= statuses
        pointers = {media.pointer for media in operation.media if media.status != "200"}
        own = operation.path.startswith("/v1/messages")
        assert pointers == {f"/components/schemas/{'MessagesError' if own else 'ErrorResponse'}"}


def test_chat_describes_every_status_that_a_rule_asks_for(document: Document) -> None:
    statuses = {media.status for media in document.operation("createChatCompletion").media}
    assert {"400", "402", "404", "413", "415", "422", "502", "529"} <= statuses


@pytest.mark.parametrize("status", ["429", "503", "529"])
def test_a_busy_answer_may_say_when_to_try_again(document: Document, status: str) -> None:
    response = document.resolve(f"/paths/~1v1~1chat~1completions/post/responses/{status}")
    assert isinstance(response, dict)
    assert {"Retry-After", "x-request-id"} == set(dict[str, Json](response["headers"]))  # type: ignore[arg-type]


def test_every_schema_is_open_to_unknown_members(document: Document) -> None:
    schemas = document.bundle["components"]["schemas"]
    closed = [path for path, node in nodes(schemas) if node.get("additionalProperties") is False]
    assert closed == []
    assert not [path for path, node in nodes(schemas) if "unevaluatedProperties" in node]


def test_no_schema_is_dead(document: Document) -> None:
    """Every schema of the files is referred to, so none rots unseen."""
    declared: set[str] = set()
    for file in (ROOT / "schemas").glob("*.yaml"):
        names = yaml_subset.read(file.read_text(encoding="utf-8"))
        assert isinstance(names, dict)
        declared |= set(names)
    assert declared == set(document.bundle["components"]["schemas"])


def test_pyyaml_reads_every_file_as_we_do() -> None:
    """No file leans on our stricter reading: dates, ``on`` and numbers as keys are quoted."""
    files = [*ROOT.rglob("*.yaml")]
    assert len(files) > 10
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert yaml_subset.read(text) == yaml.safe_load(text), file.name


# Examples


def test_every_request_example_obeys_its_schema(document: Document) -> None:
    for operation in document.operations:
        for name, example in operation.examples.items():
            assert operation.request is not None
            assert faults(document, operation.request, example) == (), name


def test_every_answer_example_obeys_its_schema(document: Document) -> None:
    checked = 0
    for path, node in nodes(dict(document.bundle)):
        examples, schema = node.get("examples"), node.get("schema")
        if isinstance(examples, dict) and isinstance(schema, dict) and "requestBody" not in path:
            for example in examples.values():
                assert isinstance(example, dict)
                assert faults(document, str(schema["$ref"])[1:], example["value"]) == (), path
                checked += 1
    assert checked >= 8


def test_every_parameter_and_header_example_obeys_its_schema(document: Document) -> None:
    checked = 0
    for path, node in nodes(dict(document.bundle)):
        if "example" in node and "schema" in node:
            pointer = "".join(f"/{token.replace('~', '~0').replace('/', '~1')}" for token in path)
            assert faults(document, f"{pointer}/schema", node["example"]) == ()
            checked += 1
    assert checked >= 5


def test_every_event_of_the_stream_examples_obeys_the_item_schema_and_the_chunk(document: Document) -> None:
    media = document.resolve("/paths/~1v1~1chat~1completions/post/responses/200/content/text~1event-stream")
    assert isinstance(media, dict)
    assert isinstance(media["examples"], dict)
    for example in media["examples"].values():
        assert isinstance(example, dict)
        events = str(example["serializedValue"]).split("\n\n")
        assert events[-2:] == ["data: [DONE]", ""]
        for event in events[:-1]:
            data = event.removeprefix("data: ")
            assert faults(document, "/components/schemas/ChatCompletionEvent", {"data": data}) == ()
            if data != "[DONE]":
                assert faults(document, "/components/schemas/ChatCompletionChunk", json.loads(data)) == ()


def test_every_event_of_the_examples_of_messages_is_named_and_obeys_its_schema(document: Document) -> None:
    media = document.resolve("/paths/~1v1~1messages/post/responses/200/content/text~1event-stream")
    assert isinstance(media, dict)
    assert isinstance(media["examples"], dict)
    for example in media["examples"].values():
        assert isinstance(example, dict)
        events = str(example["serializedValue"]).removesuffix("\n\n").split("\n\n")
        assert events[-1] == 'event: message_stop\ndata: {"type":"message_stop"}'
        for event in events:
            name, data = event.split("\n")
            said = json.loads(data.removeprefix("data: "))
            assert name == f"event: {said['type']}"
            assert faults(document, "/components/schemas/MessageStreamEvent", said) == ()


def test_a_key_for_messages_comes_in_a_header_of_its_own_or_as_a_bearer(document: Document) -> None:
    own = document.resolve("/paths/~1v1~1messages/post/security")
    assert own == [{"ApiKeyAuth": []}, {"BearerAuth": []}]
    assert document.operation("createMessage").stream == "messages"


@pytest.mark.parametrize(
    ("body", "faulty"),
    [
        ({}, []),
        ({"max_tokens": None}, ["max_tokens"]),
        ({"max_tokens": 0}, ["max_tokens"]),
        ({"system": [{"type": "text", "text": "x"}]}, []),
        ({"system": 5}, ["system"]),
        ({"messages": [{"role": "system", "content": "x"}]}, ["messages[0].role"]),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, ["messages[0].content[0].source"]),
        ({"messages": [{"role": "user", "content": [{"type": "of another day"}]}]}, []),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x"}]}]}, []),
        ({"tools": [{"name": "f"}]}, ["tools[0].input_schema"]),
        ({"tools": [{"name": "f", "type": "custom"}]}, ["tools[0].input_schema"]),
        ({"tools": [{"name": "web_search", "type": "web_search_20250305"}]}, []),
        ({"tool_choice": {"type": "tool"}}, ["tool_choice.name"]),
        ({"thinking": {"type": "enabled"}}, ["thinking.budget_tokens"]),
        ({"thinking": {"type": "disabled"}}, []),
    ],
)
def test_what_a_request_for_a_message_may_be(document: Document, body: dict[str, Json], faulty: list[str]) -> None:
    legal: dict[str, Json] = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
    found = faults(document, "/components/schemas/MessagesRequest", {**legal, **body})
    assert [fault.param for fault in found] == faulty


def test_chat_examples_cover_the_surface(document: Document) -> None:
    examples = document.operation("createChatCompletion").examples
    assert {"text", "stream", "stream-with-usage", "vision-url", "vision-data-uri", "tools", "tool-result"} <= set(
        examples
    )
    assert {"structured-output", "two-choices", "reasoning-effort", "thinking"} <= set(examples)


def test_the_seeds_video_request_is_an_example_as_it_stands(document: Document) -> None:
    example = document.operation("createChatCompletion").examples["sora-create-video"]
    assert isinstance(example, dict)
    assert list(example) == ["model", "max_tokens", "messages", "stream"]
    assert (example["model"], example["max_tokens"], example["stream"]) == ("sora-2", 1000, True)
    messages = example["messages"]
    assert isinstance(messages, list)
    assert isinstance(messages[0], dict)
    prompt = str(messages[0]["content"])
    assert prompt.startswith("an astronaut golden retriever named Sora levitates around an intergalactic pup-themed")
    assert prompt.endswith("the light of the comets shimmers off the fur.")
    assert len(prompt) == 676


def test_a_video_is_edited_by_sending_the_earlier_answer_with_its_sid(document: Document) -> None:
    example = document.operation("createChatCompletion").examples["sora-edit-video"]
    assert isinstance(example, dict)
    assert isinstance(example["messages"], list)
    roles = [message["role"] for message in example["messages"] if isinstance(message, dict)]
    assert roles == ["user", "assistant", "user"]
    assert "\n> sid: s_68f1c2d3e4a5b697887960514233241f\n" in json.loads(json.dumps(example))["messages"][1]["content"]


def test_examples_cannot_be_changed(document: Document) -> None:
    with pytest.raises(TypeError):
        document.operation("createChatCompletion").examples["text"] = None  # type: ignore[index]


# Finding an operation


@pytest.mark.parametrize(
    ("method", "path", "operation", "params"),
    [
        ("GET", "/v1/models", "listModels", {}),
        ("get", "/v1/models?key=abc", "listModels", {}),
        ("GET", "/v1/models/gpt-4o", "retrieveModel", {"model": "gpt-4o"}),
        ("GET", "/v1/models/org/name", "retrieveModel", {"model": "org/name"}),
        ("GET", "/v1/models/org%2Fname", "retrieveModel", {"model": "org/name"}),
        ("GET", "/v1/models/a%3Fb?x=/y", "retrieveModel", {"model": "a?b"}),
        ("GET", "/v1/models/%E6%A8%A1%E5%9E%8B", "retrieveModel", {"model": "模型"}),
        ("GET", "/v1/models/line%0Abreak", "retrieveModel", {"model": "line\nbreak"}),
        ("GET", "/v1%2Fmodels", None, {}),
        ("POST", "/v1/chat%2Dcompletions", None, {}),
        ("POST", "/v1/chat/complet%69ons", "createChatCompletion", {}),
        ("GET", "/v1/models/", None, {}),
        ("GET", "/v1/models//name", None, {}),
        ("GET", "/v1/models/name/", None, {}),
        ("POST", CHAT + "/", None, {}),
        ("GET", CHAT, None, {}),
        ("GET", "v1/models", None, {}),
        ("GET", "", None, {}),
    ],
)
def test_match(document: Document, method: str, path: str, operation: str | None, params: dict[str, str]) -> None:
    match = document.match(method, path)
    assert (match and match.operation.id) == operation
    assert (match.params if match else {}) == params


def test_methods_of_a_known_and_an_unknown_path(document: Document) -> None:
    assert document.methods(CHAT) == ("POST",)
    assert document.methods("/v1/models/org/name?x=1") == ("GET",)
    assert document.methods("/v1/nothing") == ()


def test_an_unknown_operation_is_told_with_the_known_ones(document: Document) -> None:
    with pytest.raises(KeyError, match=r"no operation 'createChat'; there are .*createChatCompletion"):
        document.operation("createChat")


@pytest.mark.parametrize(
    ("status", "media_type", "found"),
    [
        (200, "application/json", ("200", "/components/schemas/ChatCompletion")),
        (200, "Application/JSON; charset=utf-8", ("200", "/components/schemas/ChatCompletion")),
        (200, "text/event-stream", ("200", "/components/schemas/ChatCompletionChunk")),
        (200, "text/html", None),
        (404, "application/json", ("404", "/components/schemas/ErrorResponse")),
        (404, "text/html", None),
        (524, "application/json", ("default", "/components/schemas/ErrorResponse")),
    ],
)
def test_media_for(document: Document, status: int, media_type: str, found: tuple[str, str] | None) -> None:
    media = document.operation("createChatCompletion").media_for(status, media_type)
    assert (media and (media.status, media.pointer)) == found


def test_media_for_prefers_the_exact_status_to_the_range_to_the_default(tmp_path: Path) -> None:
    media = "{description: d, content: {application/json: {schema: {type: %s}}}}"
    answers = "".join(f"    {key}: {media % kind}\n" for key, kind in [("'404'", "'null'"), ("4XX", "string")])
    path = f"get:\n  operationId: a\n  responses:\n{answers}    default: {media % 'object'}\n"
    operation = load(written(tmp_path, paths__a=path)).operation("a")
    statuses = [operation.media_for(status, "application/json") for status in (404, 400, 500)]
    assert [media and media.status for media in statuses] == ["404", "4XX", "default"]
    assert statuses[0] is not None
    assert statuses[0].pointer == "/paths/~1a/get/responses/404/content/application~1json/schema"


def test_the_most_concrete_template_wins(tmp_path: Path) -> None:
    paths = ["/m/{model}", "/m/{model}:run", "/m/list", "/{any}/list", "/t/{id}/{part}", "/jobs/"]
    item = "{get: {operationId: '%s', responses: {'200': {description: d}}}}"
    root = "openapi: 3.2.0\npaths:\n" + "".join(f"  '{path}': {item % path}\n" for path in paths)
    document = load(written(tmp_path, openapi=root))

    def found(path: str) -> tuple[str, dict[str, str]] | None:
        match = document.match("GET", path)
        return (match.operation.path, match.params) if match else None

    assert found("/m/list") == ("/m/list", {})
    assert found("/x/list") == ("/{any}/list", {"any": "x"})
    assert found("/m/a/b:run") == ("/m/{model}:run", {"model": "a/b"})
    assert found("/m/a%3Arun") == ("/m/{model}:run", {"model": "a"})
    assert found("/m/a:b") == ("/m/{model}", {"model": "a:b"})
    assert found("/t/1/2") == ("/t/{id}/{part}", {"id": "1", "part": "2"})
    assert found("/t/1/2/3") is None
    assert found("/jobs/") == ("/jobs/", {})
    assert found("/jobs") is None


# Putting the files together


def test_the_own_document_is_read_once() -> None:
    assert load() is load()
    assert load(ROOT) is not load()
    assert load(ROOT / "openapi.yaml").digest == load().digest


def test_the_digest_follows_the_content_not_the_layout(tmp_path: Path) -> None:
    first = load(written(tmp_path)).digest
    assert first.startswith("sha256:")
    assert len(first) == len("sha256:") + 64
    assert load(written(tmp_path, schemas__s="# a comment\nA:\n  type: object\n")).digest == first
    assert load(written(tmp_path, schemas__s="A: {type: string}\n")).digest != first


def test_a_schema_moves_to_the_components_under_its_name(tmp_path: Path) -> None:
    document = load(written(tmp_path))
    assert document.bundle["components"]["schemas"] == {"A": {"type": "object"}}
    assert document.operation("getA").media[0].pointer == "/components/schemas/A"


def test_a_file_that_is_one_schema_is_named_after_the_file(tmp_path: Path) -> None:
    path = A_PATH.replace("s.yaml#/A", "Whole.yaml")
    document = load(written(tmp_path, paths__a=path, schemas__Whole="{type: string, x: {$ref: s.yaml#/A}}"))
    assert list(document.bundle["components"]["schemas"]) == ["A", "Whole"]


def test_a_reference_below_a_schema_keeps_its_way(tmp_path: Path) -> None:
    path = A_PATH.replace("s.yaml#/A", "s.yaml#/A/properties/b")
    document = load(written(tmp_path, paths__a=path, schemas__s="A: {properties: {b: {type: string}}}"))
    assert document.operation("getA").media[0].pointer == "/components/schemas/A/properties/b"


def test_schemas_may_refer_to_each_other_in_a_circle_through_files(tmp_path: Path) -> None:
    document = load(
        written(
            tmp_path,
            schemas__s="A: {properties: {b: {$ref: t.yaml#/B}}}",
            schemas__t="B: {type: object, properties: {a: {$ref: s.yaml#/A}, b: {$ref: '#/B'}}}",
        )
    )
    pointer = document.operation("getA").media[0].pointer
    assert faults(document, pointer, {"b": {"a": {"b": {"b": {}}}}}) == ()
    assert [fault.pointer for fault in faults(document, pointer, {"b": {"a": {"b": 1}}})] == ["/b/a/b"]


def test_text_beside_a_reference_stays(tmp_path: Path) -> None:
    document = load(written(tmp_path, schemas__s="A: {x: {$ref: '#/B', description: mine}}\nB: {type: object}"))
    beside = document.bundle["components"]["schemas"]["A"]["x"]
    assert beside == {"$ref": "#/components/schemas/B", "description": "mine"}


def test_a_reference_in_an_example_is_data_and_a_property_named_value_is_not(tmp_path: Path) -> None:
    schema = "A: {properties: {value: {$ref: '#/B'}}, default: {$ref: '#/no'}, examples: [{$ref: '#/no'}]}\nB: {}"
    found = load(written(tmp_path, schemas__s=schema)).bundle["components"]["schemas"]["A"]
    assert found["properties"]["value"] == {"$ref": "#/components/schemas/B"}
    assert found["default"] == {"$ref": "#/no"}
    assert found["examples"] == [{"$ref": "#/no"}]


def test_two_schemas_of_one_name_and_equal_content_are_one(tmp_path: Path) -> None:
    two = "A: {x: {$ref: t.yaml#/B}, y: {$ref: '#/B'}}\nB: {type: string}"
    document = load(written(tmp_path, schemas__s=two, schemas__t="B: {type: string}"))
    assert list(document.bundle["components"]["schemas"]) == ["A", "B"]


def test_resolve_follows_a_chain_of_references(tmp_path: Path) -> None:
    document = load(written(tmp_path, schemas__s="A: {$ref: '#/B'}\nB: {$ref: '#/C'}\nC: {type: string}"))
    assert document.resolve("/components/schemas/A") == {"type": "string"}
    assert document.resolve("#/components/schemas/C/type") == "string"
    with pytest.raises(KeyError):
        document.resolve("/components/schemas/D")


@pytest.mark.parametrize(
    ("files", "file", "pointer", "text"),
    [
        ({"openapi": "paths: {/a: {$ref: paths/b.yaml}}"}, "openapi.yaml", "/paths/~1a", "cannot read paths/b.yaml"),
        ({"schemas__s": "A: [\n"}, "schemas/s.yaml", "", "bad YAML: line 2"),
        ({"schemas__s": "A: {}\nA: {}\n"}, "schemas/s.yaml", "", "line 2: the key 'A' stands here twice"),
        ({"schemas__s": "A: &a {}\nB: *a\n"}, "schemas/s.yaml", "", "anchors and aliases are not JSON"),
        ({"schemas__s": "A: !!set {}\n"}, "schemas/s.yaml", "", "tags are not JSON"),
        ({"schemas__s": "A: {}\n---\nA: {}\n"}, "schemas/s.yaml", "", "a second document"),
        ({"schemas__s": "? [A]\n: {}\n"}, "schemas/s.yaml", "", "a key must be a string"),
        ({"schemas__s": ""}, "schemas/s.yaml", "", "the file is empty"),
        ({"schemas__s": "A: \x07\n"}, "schemas/s.yaml", "", "bad YAML"),
        ({"schemas__s": "B: {}\n"}, "paths/a.yaml", "/get/responses/200/content/application~1json/schema", "dangling"),
        ({"schemas__s": "A: {not: {$ref: '#/B'}}"}, "schemas/s.yaml", "/A/not", "dangling $ref"),
        ({"schemas__s": "A: {not: {$ref: ../openapi.yaml#/x}}"}, "schemas/s.yaml", "/A/not", "at #/x"),
        ({"schemas__s": "A: {not: {$ref: '#B'}}"}, "schemas/s.yaml", "/A/not", "JSON pointer"),
        ({"schemas__s": "A: {not: {$ref: 'https://x.example/y'}}"}, "schemas/s.yaml", "/A/not", "inside the document"),
        ({"schemas__s": "A: {not: {$ref: ../../x.yaml}}"}, "schemas/s.yaml", "/A/not", "inside the document"),
        ({"schemas__s": "A: {$ref: '#/B'}\nB: {$ref: '#/A'}"}, "schemas/s.yaml", "", "leads back to itself"),
        ({"paths__a": "$ref: a.yaml"}, "paths/a.yaml", "", "in a circle"),
        ({"paths__a": "get: {responses: {}}"}, "openapi.yaml", "/paths/~1a/get", "no operationId"),
        ({"paths__a": A_PATH + A_PATH.replace("get:", "put:")}, "openapi.yaml", "/paths/~1a/put/operationId", "getA"),
        ({"openapi": "[]"}, "openapi.yaml", "", "must be an object"),
        ({"openapi": "{components: []}"}, "openapi.yaml", "/components", "must be an object"),
        (
            {"schemas__s": "A: {x: {$ref: t.yaml#/A}}", "schemas__t": "A: {type: string}"},
            "schemas/t.yaml",
            "/A",
            "the schema A has another content at schemas/s.yaml#/A",
        ),
        (
            {"openapi": MINIMAL + "components: {schemas: {A: {type: string}}}\n"},
            "openapi.yaml",
            "/components/schemas/A",
            "another content",
        ),
    ],
)
def test_a_wrong_document_is_told_with_file_and_pointer(
    tmp_path: Path, files: dict[str, str], file: str, pointer: str, text: str
) -> None:
    error = refused(tmp_path, **files)
    assert error.file == file
    assert error.pointer.startswith(pointer)
    assert text in str(error)
    assert str(tmp_path) not in str(error)


def test_a_missing_document_is_told(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"cannot read openapi\.yaml"):
        load(tmp_path)


def test_bytes_that_are_not_utf8_are_told(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "schemas/s.yaml").write_bytes(b"A: \xff\n")
    with pytest.raises(DocumentError, match="is not UTF-8"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024-10-22", "2024-10-22"),
        ("on", "on"),
        ("No", "No"),
        ("1_000", "1_000"),
        ("0o17", "0o17"),
        ("017", "017"),
        (".nan", ".nan"),
        ("12:30:45", "12:30:45"),
        ("'1'", "1"),
        ("1", 1),
        ("-1.5e3", -1500.0),
        ("true", True),
        ("null", None),
        ("~", None),
        ("a:", {"a": None}),
        ("'200': x", {"200": "x"}),
        ("[a, 1, {b: c}]", ["a", 1, {"b": "c"}]),
        ("|\n  two\n  lines\n", "two\nlines\n"),
    ],
)
def test_a_plain_scalar_is_json_or_a_string(text: str, value: Json) -> None:
    assert yaml_subset.read(text) == value
    assert type(yaml_subset.read(text)) is type(value)
