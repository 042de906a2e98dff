"""Exchanges and recordings as JSONL, both ways.

    Recording = header line, one line a network read, end line      (a file: one exchange)
    Exchange  = one line of a run                                   (a file: many)

What is read in has come from a file that anybody may have written: whatever is wrong in it is a RecordingError that
names the place.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from openapi import json_text, json_value
from openapi.json_text import Json
from openapi.wire.exchange import Auth, End, Exchange, Framing, Headers, Oddity, Read, Request

T = TypeVar("T")
N = TypeVar("N", int, float)
RESPONSE = ("status", "headers", "framing", "chunks", "first_byte", "http", "oddities")  # of a recording's head


class RecordingError(ValueError):
    """A line of JSONL that is not what it should be; the message names the line."""


@dataclass(frozen=True)
class Recording:
    """One exchange kept for replay. `source` is `recorded` or `authored`, `of` says from what software or document."""

    source: str
    of: str
    exchange: Exchange


def bytes_out(data: bytes) -> Json:
    """Text where the bytes are UTF-8, else `{"b64": …}`."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(data).decode("ascii")}


def bytes_in(value: Json) -> bytes:
    """The inverse of `bytes_out`. Raises ValueError for anything else."""
    match value:
        case str():
            return value.encode("utf-8", "surrogatepass")
        case {"b64": str(text), **more} if not more:
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error as error:
                msg = f"bad base64: {error}"
                raise ValueError(msg) from None
    msg = f"neither text nor b64: {json.dumps(value)[:60]}"
    raise ValueError(msg)


def body_out(body: bytes | None) -> Json:
    """A request body: its JSON value, or null where there is none.

    Text where it is not JSON, and where its value could be taken for another thing (a string, null, b64) or is nested
    too deeply to be written.
    """
    if body is None:
        return None
    parsed = json_text.read(body)
    value = parsed.value
    if parsed.fault or isinstance(value, str) or value is None or _looks_b64(value) or json_value.survey(value).refusal:
        return bytes_out(body)
    return value


def body_in(value: Json) -> bytes | None:
    """The inverse of `body_out`, in compact JSON."""
    if value is None:
        return None
    return bytes_in(value) if isinstance(value, str) or _looks_b64(value) else json_text.write(value)


def _looks_b64(value: Json) -> bool:
    return isinstance(value, dict) and value.keys() == {"b64"}


def request_out(request: Request) -> dict[str, Json]:
    record: dict[str, Json] = {
        "method": request.method,
        "path": request.path,
        "headers": _headers_out(request.headers),
    }
    if request.auth:
        record["auth"] = request.auth.value
    return record | {"body": body_out(request.body)}


def exchange_out(exchange: Exchange) -> dict[str, Json]:
    """One line of a run; the caller adds `type`."""
    record: dict[str, Json] = {"id": exchange.id}
    for name in ("probe", "step", "operation"):
        if getattr(exchange, name) is not None:
            record[name] = getattr(exchange, name)
    for name in ("repeat", "attempt"):
        if getattr(exchange, name) > 1:
            record[name] = getattr(exchange, name)
    if exchange.steps:
        record["steps"] = list(exchange.steps)
    if exchange.claims:
        record["claims"] = dict(exchange.claims)
    if exchange.reused is not None:
        record["reused"] = exchange.reused
    if exchange.oddities:
        record["oddities"] = [[odd.kind, odd.detail] for odd in exchange.oddities]
    return record | {
        "sent": exchange.sent,
        "request": request_out(exchange.request),
        "http": exchange.http,
        "status": exchange.status,
        "headers": _headers_out(exchange.headers),
        "framing": exchange.framing.value if exchange.framing else None,
        "chunks": list(exchange.chunks) if exchange.chunks is not None else None,
        "first_byte": exchange.first_byte,
        "reads": [_read_out(read) for read in exchange.reads],
        "end": exchange.end.value,
        "at": exchange.ended_at,
        "error": exchange.error,
    }


def exchange_in(record: dict[str, Json]) -> Exchange:
    """The inverse of `exchange_out`. Raises RecordingError."""
    with _Place("exchange"):
        exchange = _answered(record, record)
        reads = tuple(_read_in(line) for line in _list(record["reads"]))
        exchange = _ended(exchange, reads, record)
        return replace(exchange, id=_text(record["id"]), sent=_text(_given(record, "sent", "")))


def write_recording(recording: Recording) -> str:
    """The JSONL of one recording."""
    reads = map(_read_out, recording.exchange.reads)
    lines: list[Json] = [recording_head(recording), *reads, recording_end(recording.exchange)]
    return "".join(dump(record) + "\n" for record in lines)


def recording_head(recording: Recording) -> dict[str, Json]:
    """The first line of a recording."""
    exchange = recording.exchange
    line = exchange_out(replace(exchange, reads=()))
    head: dict[str, Json] = {"recording": 1, "source": recording.source, "of": recording.of, "at": exchange.sent}
    if exchange.operation is not None:
        head["operation"] = exchange.operation
    head["request"] = line["request"]
    head["response"] = {name: line[name] for name in RESPONSE if name in line}
    return head


def recording_end(exchange: Exchange) -> dict[str, Json]:
    """The last line of a recording."""
    end: dict[str, Json] = {"end": exchange.end.value, "at": exchange.ended_at}
    if exchange.error is not None:
        end["error"] = exchange.error
    return end


def read_recording(text: str, name: str) -> Recording:
    """One recording from its JSONL; `name` becomes the exchange's id. Raises RecordingError with the line's number."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(lines) < 2:
        msg = "a recording has at least a head line and an end line"
        raise RecordingError(msg)
    (first, *middle, last) = [(number, _load(number, line)) for number, line in lines]
    with _Place(f"line {first[0]}"):
        head = _dict(first[1])
        if head.get("recording") != 1:
            msg = 'the head line must have "recording": 1'
            raise RecordingError(msg)
        source, of = _text(head["source"]), _text(head["of"])
        if source not in {"recorded", "authored"}:
            msg = f"source is recorded or authored, not {source[:60]!r}"
            raise RecordingError(msg)
        exchange = _answered(head, _dict(head["response"]))
        exchange = replace(exchange, id=name, sent=_text(_given(head, "at", "")))
    reads: list[Read] = []
    for number, line in middle:
        with _Place(f"line {number}"):
            reads.append(_read_in(line))
    with _Place(f"line {last[0]} (the end line)"):
        return Recording(source, of, _ended(exchange, tuple(reads), _dict(last[1])))


def dump(value: Json) -> str:
    """One JSONL line, without its line end. Lone surrogates are escaped, so that the file stays UTF-8."""
    return json_text.write(value).decode("utf-8")


def _answered(record: dict[str, Json], response: dict[str, Json]) -> Exchange:
    chunks, framing, status = response.get("chunks"), response.get("framing"), response["status"]
    first_byte = response.get("first_byte")
    return Exchange(
        id="",
        request=_request_in(_dict(record["request"])),
        status=None if status is None else _int(status),
        headers=_headers_in(_given(response, "headers", [])),
        http=_text(_given(response, "http", "1.1")),
        framing=None if framing is None else Framing(_text(framing)),
        chunks=None if chunks is None else tuple(_int(size) for size in _list(chunks)),
        first_byte=None if first_byte is None else _number(first_byte),
        operation=_optional(record.get("operation")),
        probe=_optional(record.get("probe")),
        attempt=_int(_given(record, "attempt", 1)),
        step=_optional(record.get("step")),
        steps=tuple(map(_text, _list(_given(record, "steps", [])))),
        repeat=_int(_given(record, "repeat", 1)),
        reused=None if record.get("reused") is None else record["reused"] is True,
        oddities=tuple(Oddity(_text(kind), _text(more)) for kind, more in _pairs(_given(response, "oddities", []))),
        claims={name: claimed is True for name, claimed in _dict(_given(record, "claims", {})).items()},
    )


def _ended(exchange: Exchange, reads: tuple[Read, ...], record: dict[str, Json]) -> Exchange:
    return replace(
        exchange,
        reads=reads,
        end=End(_text(record["end"])),
        ended_at=_number(_given(record, "at", 0.0)),
        error=_optional(record.get("error")),
    )


def _request_in(record: dict[str, Json]) -> Request:
    auth = record.get("auth")
    return Request(
        _text(record["method"]).upper(),
        _text(record["path"]),
        _headers_in(_given(record, "headers", [])),
        None if auth is None else Auth(_text(auth)),
        body_in(record.get("body")),
    )


def _given(record: dict[str, Json], name: str, default: Json) -> Json:
    """A member that may be absent or null."""
    value = record.get(name)
    return default if value is None else value


def _headers_out(headers: Headers) -> list[Json]:
    return [[name, value] for name, value in headers]


def _headers_in(value: Json) -> Headers:
    return tuple((_text(name), _text(text)) for name, text in _pairs(value))


def _read_out(read: Read) -> Json:
    return [read.at, bytes_out(read.data)]


def _read_in(line: Json) -> Read:
    ((at, data),) = _pairs([line])
    return Read(_number(at), bytes_in(data))


class _Place:
    """Turns what parsing raises into a RecordingError that names the place."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KeyError):
            msg = f"{self.place}: {error.args[0]!r} is missing"
            raise RecordingError(msg) from error
        if isinstance(error, ValueError | TypeError | OverflowError | RecursionError):
            msg = f"{self.place}: {error}"
            raise RecordingError(msg) from error


def _load(number: int, line: str) -> Json:
    parsed = json_text.read(line)
    if not parsed.readable:
        msg = f"line {number}: {parsed.fault}"
        raise RecordingError(msg)
    return parsed.value


def _pairs(value: Json) -> Iterator[tuple[Json, Json]]:
    for item in _list(value):
        pair = _list(item)
        if len(pair) != 2:
            msg = f"a pair, not {json.dumps(item)[:60]}"
            raise TypeError(msg)
        yield pair[0], pair[1]


def _expect(value: Json, kind: type[T] | tuple[type[T], ...], name: str) -> T:
    if not isinstance(value, kind) or isinstance(value, bool):
        msg = f"{name}, not {json.dumps(value)[:60]}"
        raise TypeError(msg)
    return value


def _list(value: Json) -> list[Json]:
    return cast("list[Json]", _expect(value, list, "a list"))


def _dict(value: Json) -> dict[str, Json]:
    return cast("dict[str, Json]", _expect(value, dict, "an object"))


def _text(value: Json) -> str:
    return _expect(value, str, "a text")


def _optional(value: Json) -> str | None:
    return None if value is None else _text(value)


def _int(value: Json) -> int:
    return _natural(_expect(value, int, "a whole number"))


def _number(value: Json) -> float:
    return float(_natural(_expect(value, (int, float), "a number")))


def _natural(number: N) -> N:
    if number < 0:
        msg = f"a number from zero up, not {number}"
        raise ValueError(msg)
    return number
