"""A generated case: data, from which its kind makes the requests of a probe.

The data is JSON, so that a case can be made smaller, written down and asked again; the id of its probe is a hash of it.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from conformance.fuzz.kinds import KINDS
from conformance.probe import JSON_TYPE, Probe, Role, Step
from conformance.probes import messages
from conformance.rule import GENERATED
from openapi import document, json_text, schema
from openapi.json_text import Json
from openapi.wire.exchange import Headers

HEADERS: Mapping[str, Headers] = {"createMessage": messages.HEADERS, "countMessageTokens": messages.HEADERS}
EDITING = frozenset({"video_edit"})  # what a video case needs: each refers to an earlier answer
HASH = 10  # hexadecimal digits in the id of a probe


@dataclass(frozen=True)
class Case:
    """One generated probe. `data` has the `body` that its kind starts from, or `raw`, the text of one that is no JSON
    (`b64` where that is not UTF-8), and what else its kind takes."""

    kind: str
    operation: str
    role: Role
    data: Mapping[str, Json]

    @property
    def body(self) -> Json:
        return self.data.get("body")

    @property
    def raw(self) -> bytes | None:
        """The bytes that go out as they are, None where there is a body to be written."""
        match self.data:
            case {"raw": str(text)}:
                return text.encode("utf-8", "surrogatepass")
            case {"b64": str(text)}:
                return base64.b64decode(text)
        return None

    def having(self, body: Json) -> "Case":
        """The same with another body."""
        return replace(self, data={**self.data, "body": body})

    @cached_property
    def probe(self) -> Probe:
        """Its probe, named after what is asked."""
        described = document.load().operation(self.operation)
        first, *rest = KINDS[self.kind](self.data) if self.raw is None else (("", self.raw),)
        return Probe(
            self.name,
            self.role,
            described.method,
            described.path,
            first[1] if not callable(first[1]) else None,
            HEADERS.get(self.operation, JSON_TYPE),
            needs=needs(self.body) | (EDITING if self.role is Role.VIDEO else set()),
            step=first[0] or None,
            then=tuple(Step(*one) for one in rest),
        )

    @cached_property
    def name(self) -> str:
        text = json_text.write([self.kind, self.operation, self.role.value, dict(self.data)])
        return f"{GENERATED}{self.operation}.{hashlib.sha256(text).hexdigest()[:HASH]}"

    @property
    def size(self) -> int:
        """Bytes of what it is made from."""
        return len(self.raw if self.raw is not None else json_text.write(self.body))

    def record(self) -> dict[str, Json]:
        return {"kind": self.kind, "operation": self.operation, "role": self.role.value, "data": dict(self.data)}


def read_case(record: Mapping[str, Json]) -> Case:
    """A case from its record. Raises KeyError, TypeError or ValueError for what is none."""
    kind, operation, data = str(record["kind"]), str(record["operation"]), record["data"]
    if kind not in KINDS or not isinstance(data, dict):
        msg = f"no case of kind {kind!r}"
        raise ValueError(msg)
    document.load().operation(operation)
    return Case(kind, operation, Role(str(record["role"])), data)


def of_bytes(operation: str, role: Role, raw: bytes) -> Case:
    """A case of a body that goes out as it is."""
    try:
        data: dict[str, Json] = {"raw": raw.decode("utf-8")}
    except UnicodeDecodeError:
        data = {"b64": base64.b64encode(raw).decode("ascii")}
    return Case("one", operation, role, data)


def bodies_of(case: Case) -> list[Json]:
    """The bodies of its requests, less those that follow from answers."""
    if case.raw is not None:
        return []
    bodies = [body for _, body in KINDS[case.kind](case.data)]
    return [body for body in bodies if not callable(body) and not isinstance(body, bytes)]


def is_legal(operation: str, body: Json) -> bool:
    """Whether the document allows such a body."""
    pointer = document.load().operation(operation).request
    return pointer is None or schema.is_valid(document.load(), pointer, body)


def needs(body: Json) -> frozenset[str]:
    """The capabilities that a target may say it has not, as probes name them."""
    if not isinstance(body, dict):
        return frozenset()
    n, form = body.get("n"), body.get("response_format")
    kind = form.get("type") if isinstance(form, dict) else None
    wanted = {
        "n": isinstance(n, int) and n > 1,
        "stop": bool(body.get("stop")),
        "logprobs": body.get("logprobs") is True,
        "json_object": kind == "json_object",
        "json_schema": kind == "json_schema",
        "parallel_tool_calls": "parallel_tool_calls" in body,
    }
    return frozenset(name for name, is_wanted in wanted.items() if is_wanted)
