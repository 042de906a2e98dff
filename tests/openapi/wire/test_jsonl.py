"""Exchanges and recordings on disk: nothing is lost on the way, and what is wrong in a file is named by its line."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openapi import json_text
from openapi.json_text import Json
from openapi.wire.exchange import Auth, End, Exchange, Framing, Oddity, Read, Request
from openapi.wire.jsonl import (
    Recording,
    RecordingError,
    body_in,
    body_out,
    bytes_in,
    bytes_out,
    dump,
    exchange_in,
    exchange_out,
    read_recording,
    write_recording,
)

# --- round trips ----------------------------------------------------------------------------------------------------


def sayable(text: str) -> bool:
    """Whether JSON can say it: two surrogates in a row are one character to every reader."""
    return bool(json.loads(json.dumps(text)) == text)


TEXTS = st.text(st.characters(), max_size=8).filter(sayable)
HEADERS = st.lists(st.tuples(TEXTS, TEXTS), max_size=3).map(tuple)
SECONDS = st.floats(0, 1e9) | st.integers(0, 10**6).map(float)
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.just("b64"), inner, max_size=3),
    max_leaves=8,
)
ODD_BODIES = [
    b"", b'"text"', b"null", b"true", b"0", b'{"b64":"AA=="}', b'{"b64":5}', b'{"b64":"AA==","x":1}', b'{"a":NaN}',
    b"1e999", b'{"a":1,"a":2}', b"\xff\xfe", b'{"a":"\xff"}', b"\xef\xbb\xbf{}", b'["\\ud800"]', b"\xed\xa0\x80", b"{",
    b"[" * 150 + b"]" * 150, b"[" * 800 + b"]" * 800, b"[" * 100_000, b"\0", b"1" * 5000,
]  # fmt: skip
BODIES = st.none() | st.binary(max_size=20) | VALUES.map(json_text.write) | st.sampled_from(ODD_BODIES)
REQUESTS = st.builds(
    Request, TEXTS.map(str.upper).filter(lambda text: text.upper() == text and sayable(text)), TEXTS, HEADERS,
    st.none() | st.sampled_from(Auth), BODIES,
)  # fmt: skip
EXCHANGES = st.builds(
    Exchange,
    id=TEXTS,
    request=REQUESTS,
    status=st.none() | st.integers(0, 999),
    headers=HEADERS,
    reads=st.lists(st.builds(Read, SECONDS, st.binary(max_size=12) | TEXTS.map(dump).map(str.encode)), max_size=4).map(
        tuple
    ),
    end=st.sampled_from(End),
    ended_at=SECONDS,
    http=TEXTS,
    framing=st.none() | st.sampled_from(Framing),
    chunks=st.none() | st.lists(st.integers(0, 10**9), max_size=4).map(tuple),
    first_byte=st.none() | SECONDS,
    sent=TEXTS,
    error=st.none() | TEXTS,
    operation=st.none() | TEXTS,
    probe=st.none() | TEXTS,
    attempt=st.integers(1, 5),
    step=st.none() | TEXTS,
    steps=st.lists(TEXTS, max_size=3).map(tuple),
    repeat=st.integers(1, 5),
    claims=st.dictionaries(TEXTS, st.booleans(), max_size=2),
    reused=st.none() | st.booleans(),
    oddities=st.lists(st.builds(Oddity, TEXTS, TEXTS), max_size=2).map(tuple),
)


def same_body(one: bytes | None, other: bytes | None) -> bool:
    """Equal, or JSON of one value: a request's body is written down as its value."""
    if one == other or one is None or other is None:
        return one == other
    return json_text.read(one) == json_text.read(other) and json_text.read(one).fault is None


def assert_same(found: Exchange, given_one: Exchange) -> None:
    assert same_body(found.request.body, given_one.request.body)
    assert replace(found, request=given_one.request) == given_one
    assert replace(found.request, body=None) == replace(given_one.request, body=None)


@given(EXCHANGES)
def test_an_exchange_comes_back_from_its_line(exchange: Exchange) -> None:
    line = dump(exchange_out(exchange))
    assert "\n" not in line
    line.encode("utf-8")
    again = exchange_in(json_text.read(line).object)
    assert_same(again, exchange)
    assert exchange_in(exchange_out(again)) == again


@given(EXCHANGES, st.sampled_from(["recorded", "authored"]), TEXTS)
def test_a_recording_comes_back_from_its_lines(exchange: Exchange, source: str, of: str) -> None:
    """But for what belongs to a run: the probe with its steps and claims, which time it was, on whose connection."""
    text = write_recording(Recording(source, of, exchange))
    text.encode("utf-8")
    again = read_recording(text, exchange.id)
    assert (again.source, again.of) == (source, of)
    alone = replace(exchange, probe=None, step=None, steps=(), claims={}, repeat=1, attempt=1, reused=None)
    assert_same(again.exchange, alone)
    assert write_recording(again) == text


def test_every_recording_of_the_tree_comes_back_from_its_lines(recording: tuple[str, Exchange]) -> None:
    name, exchange = recording
    assert read_recording(write_recording(Recording("recorded", "x", exchange)), name).exchange == exchange


@given(st.binary(max_size=30))
def test_bytes_are_text_where_they_are_utf8_and_never_lost(data: bytes) -> None:
    assert bytes_in(bytes_out(data)) == data
    assert bytes_in(json_text.read(dump(bytes_out(data))).value) == data


@pytest.mark.parametrize("body", ODD_BODIES)
def test_odd_bodies_are_kept_byte_for_byte(body: bytes) -> None:
    assert body_in(json_text.read(dump(body_out(body))).value) == body


@pytest.mark.parametrize(
    ("body", "written"),
    [
        (None, None),
        (b'{ "n" : 1.50 }', {"n": 1.5}),
        (b"5", 5),
        (b'"text"', '"text"'),
        (b"null", "null"),
        (b'{"b64":"AA=="}', '{"b64":"AA=="}'),
        (b'{"a":NaN}', '{"a":NaN}'),
        (b'{"a":1,"a":2}', '{"a":1,"a":2}'),
        (b"\xff", {"b64": "/w=="}),
        (b"[" * 300 + b"]" * 300, "[" * 300 + "]" * 300),
    ],
)
def test_a_body_is_written_as_its_value_only_where_that_says_all(body: bytes | None, written: Json) -> None:
    assert body_out(body) == written


def test_no_line_holds_another() -> None:
    data = "a\r\n\u2028\u0085b".encode()
    text = write_recording(recording(Read(0.1, data)))
    assert len(text.split("\n")) == 4
    assert read_recording(text.replace("\n", "\r\n"), "x").exchange.body == data


def test_blank_lines_are_no_lines() -> None:
    text = write_recording(recording(Read(0.1, b"a")))
    assert read_recording("\n" + text.replace("\n", "\n \n"), "x") == read_recording(text, "x")


def test_what_may_be_absent_has_its_default() -> None:
    head = {"recording": 1, "source": "authored", "of": "x", "request": {"method": "get", "path": "/"},
            "response": {"status": None}}  # fmt: skip
    found = read_recording(json.dumps(head) + '\n{"end":"reset"}\n', "n").exchange
    assert found == Exchange("n", Request("GET", "/"), end=End.RESET)


# --- files that are wrong -------------------------------------------------------------------------------------------


def recording(*reads: Read) -> Recording:
    request = Request("POST", "/v1/x", (("a", "b"),), Auth.VALID, b'{"model":"m","n":[1,{"a":null}]}')
    exchange = Exchange(
        "x", request, 200, (("c", "d"),), reads, End.COMPLETE, 2.5, "1.1", Framing.CHUNKED, (3, 0), 0.1, "now",
        "an error", "createX",
    )  # fmt: skip
    return Recording("recorded", "software", exchange)


LINES = write_recording(recording(Read(0.25, b"data"), Read(0.5, b"\xff"))).splitlines()


def changed(number: int, old: str, new: str) -> str:
    """The good file with one thing changed in the line of that number."""
    lines = list(LINES)
    assert lines[number - 1].count(old) == 1
    lines[number - 1] = lines[number - 1].replace(old, new)
    return "\n".join(lines) + "\n"


BAD = [
    ("", "a head line and an end line"),
    ("\n \n", "a head line and an end line"),
    (LINES[0], "a head line and an end line"),
    (changed(1, '"recording":1', '"recording":2'), 'line 1: the head line must have "recording": 1'),
    (changed(1, '"recording":1', '"version":1'), 'line 1: the head line must have "recording": 1'),
    (changed(1, '"recorded"', '"invented"'), "line 1: source is recorded or authored, not 'invented'"),
    (changed(1, '"recorded"', '["recorded"]'), "line 1: a text, not "),
    (changed(1, '"source":"recorded",', ""), "line 1: 'source' is missing"),
    (changed(1, '"of":"software",', ""), "line 1: 'of' is missing"),
    (changed(1, '"of":"software"', '"of":null'), "line 1: a text, not null"),
    (changed(1, '"at":"now"', '"at":5'), "line 1: a text, not 5"),
    (changed(1, '"request"', '"request_"'), "line 1: 'request' is missing"),
    (changed(1, '"response"', '"response_"'), "line 1: 'response' is missing"),
    (changed(1, '"method":"POST",', ""), "line 1: 'method' is missing"),
    (changed(1, '"path":"/v1/x"', '"path":null'), "line 1: a text, not null"),
    (changed(1, '"valid"', '"secret"'), "line 1: 'secret' is not a valid Auth"),
    (changed(1, '"valid"', '""'), "line 1: '' is not a valid Auth"),
    (changed(1, '[["a","b"]]', '{"a":"b"}'), "line 1: a list, not "),
    (changed(1, '[["a","b"]]', '[["a"]]'), "line 1: a pair, not "),
    (changed(1, '[["a","b"]]', '[["a",1]]'), "line 1: a text, not 1"),
    (changed(1, '[["a","b"]]', "false"), "line 1: a list, not false"),
    (changed(1, '{"model":"m","n":[1,{"a":null}]}', '{"b64":5}'), "line 1: neither text nor b64: "),
    (changed(1, '{"model":"m","n":[1,{"a":null}]}', '{"b64":"é"}'), "line 1: "),
    (changed(1, '"status":200,', ""), "line 1: 'status' is missing"),
    (changed(1, '"status":200', '"status":"200"'), 'line 1: a whole number, not "200"'),
    (changed(1, '"status":200', '"status":200.5'), "line 1: a whole number, not 200.5"),
    (changed(1, '"status":200', '"status":true'), "line 1: a whole number, not true"),
    (changed(1, '"chunked"', '"http2"'), "line 1: 'http2' is not a valid Framing"),
    (changed(1, "[3,0]", "[-3,0]"), "line 1: a number from zero up, not -3"),
    (changed(1, "[3,0]", "3"), "line 1: a list, not 3"),
    (changed(1, '"first_byte":0.1', '"first_byte":"0.1"'), "line 1: a number, not "),
    (changed(1, '"http":"1.1"', '"http":1.1'), "line 1: a text, not 1.1"),
    (changed(1, '"operation":"createX"', '"operation":7'), "line 1: a text, not 7"),
    (changed(1, '"software"', '"software'), "line 1: not JSON"),
    ("[]\n" + "\n".join(LINES[1:]), "line 1: an object, not []"),
    (changed(2, "[0.25", "[oops"), "line 2: not JSON"),
    (changed(2, '[0.25,"data"]', "{}"), "line 2: a list, not {}"),
    (changed(2, '[0.25,"data"]', "null"), "line 2: a list, not null"),
    (changed(2, '"data"', '"data",1'), "line 2: a pair, not "),
    (changed(2, "0.25", "true"), "line 2: a number, not true"),
    (changed(2, "0.25", "-1"), "line 2: a number from zero up, not -1"),
    (changed(2, "0.25", "NaN"), "line 2: not JSON: NaN"),
    (changed(2, "0.25", "1e999"), "line 2: not JSON: 1e999"),
    (changed(2, "0.25", "1" + "0" * 400), "line 2: int too large"),
    (changed(2, '"data"', "7"), "line 2: neither text nor b64: 7"),
    (changed(3, "/w==", "/w="), "line 3: bad base64"),
    (changed(3, "/w==", "/ w=="), "line 3: bad base64"),
    (changed(3, '"/w=="', '"/w==","b":1'), "line 3: neither text nor b64"),
    (changed(4, "complete", "sudden"), "line 4 (the end line): 'sudden' is not a valid End"),
    (changed(4, '"end":"complete",', ""), "line 4 (the end line): 'end' is missing"),
    (changed(4, '"at":2.5', '"at":[]'), "line 4 (the end line): a number, not []"),
    (changed(4, '"an error"', "1"), "line 4 (the end line): a text, not 1"),
    ("\n".join(LINES[:3]), "line 3 (the end line): an object, not "),
    ("\n".join([LINES[0], *LINES]), "line 2: a list, not "),
]


@pytest.mark.parametrize(("text", "fault"), BAD, ids=[fault for _, fault in BAD])
def test_a_wrong_file_is_refused_by_the_number_of_its_line(text: str, fault: str) -> None:
    with pytest.raises(RecordingError) as caught:
        read_recording(text, "x")
    assert fault in str(caught.value)
    assert len(str(caught.value)) < 200


def test_blank_lines_count_in_the_number() -> None:
    with pytest.raises(RecordingError, match=r"^line 5 \(the end line\): 'sudden'"):
        read_recording("\n" + changed(4, "complete", "sudden"), "x")


DEPTHS = [300, *range(900, 1000), 100_000]  # about the limit of the interpreter each step counts


def test_deep_nesting_is_read_or_refused_and_nothing_else() -> None:
    for depth in DEPTHS:
        deep = "[" * depth + "]" * depth
        headers = changed(1, '[["a","b"]]', deep)
        for text in (headers, changed(1, '"m"', deep), changed(2, '"data"', deep), changed(4, "2.5", deep)):
            with suppress(RecordingError):
                read_recording(text, "x")


def test_a_body_of_any_depth_can_be_written() -> None:
    for depth in DEPTHS:
        body = b"[" * depth + b"]" * depth
        line = dump(exchange_out(Exchange("x", Request("POST", "/", body=body))))
        assert exchange_in(json_text.read(line).object).request.body == body


JUNK: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.just(10**400) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "x", "complete", "valid", "é", "\ud800"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["b64", "end"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip
Place = tuple[str | int, ...]


def places(value: Json, here: Place = ()) -> Iterator[Place]:
    yield here
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield from places(member, (*here, name))


def put(value: Json, place: Place, junk: Json) -> Json:
    """The value with junk in that place."""
    if not place:
        return junk
    name, *rest = place
    if isinstance(value, list):
        return [put(item, tuple(rest), junk) if at == name else item for at, item in enumerate(value)]
    assert isinstance(value, dict)
    return {key: put(item, tuple(rest), junk) if key == name else item for key, item in value.items()}


def without(value: Json, place: Place) -> Json:
    """The value without what stands in that place."""
    if len(place) > 1 and isinstance(value, dict | list):
        inner = value[place[0]]  # type: ignore[index]
        return put(value, place[:1], without(inner, place[1:]))
    if isinstance(value, list):
        return [item for at, item in enumerate(value) if (at,) != place]
    return {key: item for key, item in value.items() if (key,) != place} if isinstance(value, dict) else value


def mangled(draw: st.DataObject, value: Json) -> Json:
    place = draw.draw(st.sampled_from(list(places(value))))
    return without(value, place) if draw.draw(st.booleans()) else put(value, place, draw.draw(JUNK))


def read_or_refused(text: str) -> tuple[Recording | None, str]:
    try:
        return read_recording(text, "x"), ""
    except RecordingError as error:
        return None, str(error)


@settings(max_examples=300)
@given(st.integers(1, len(LINES)), st.data())
def test_junk_anywhere_in_a_file_is_read_back_the_same_or_refused_by_its_line(number: int, draw: st.DataObject) -> None:
    lines = [json.loads(line) for line in LINES]
    lines[number - 1] = mangled(draw, lines[number - 1])
    found, fault = read_or_refused("\n".join(map(json.dumps, lines)))
    assert fault.startswith(f"line {number}" if found is None else "")
    if found:
        assert read_recording(write_recording(found), "x") == replace(
            found, exchange=replace(found.exchange, probe=None, attempt=1)
        )


@settings(max_examples=300)
@given(st.data())
def test_junk_anywhere_in_an_exchange_is_read_back_the_same_or_refused(draw: st.DataObject) -> None:
    line = mangled(draw, exchange_out(recording(Read(0.25, b"data"), Read(0.5, b"\xff")).exchange))
    if not isinstance(line, dict):
        return
    found = None
    with suppress(RecordingError):
        found = exchange_in(line)
    assert found is None or exchange_in(exchange_out(found)) == found


@given(st.integers(0, 2000), st.integers(0, 30), st.text(st.characters(), max_size=6))
def test_no_scratch_in_a_file_makes_another_exception(at: int, length: int, patch: str) -> None:
    text = "\n".join(LINES)
    with suppress(RecordingError):
        read_recording(text[:at] + patch + text[at + length :], "x")


@given(st.text(st.characters(), max_size=60))
def test_no_text_makes_another_exception(text: str) -> None:
    with suppress(RecordingError):
        read_recording(text, "x")


def test_how_a_connection_was_used_and_what_was_odd_survive() -> None:
    plain = Exchange("e1", Request("GET", "/v1/models"), 200)
    odd = (Oddity("a bare LF", "in the head"), Oddity("bytes behind the end", "2 bytes"))
    for exchange in (plain, replace(plain, reused=True), replace(plain, reused=False, oddities=odd)):
        assert exchange_in(exchange_out(exchange)) == exchange
    assert exchange_out(plain).keys().isdisjoint({"reused", "oddities"})
