"""A generated case: data, from which its kind makes the requests of a probe.

The data is JSON, so that a case can be made smaller, written down and asked again; the id of its probe is a hash of it.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from conformance.fuzz import moves
from conformance.fuzz.kinds import KINDS, SEQUENCES, steps_of
from conformance.probe import JSON_TYPE, Probe, Role, Step
from conformance.probes import messages
from conformance.rule import GENERATED
from openapi import document, json_text, schema
from openapi.json_text import Json
from openapi.template import fill
from openapi.wire.exchange import Headers

HEADERS: Mapping[str, Headers] = {"createMessage": messages.HEADERS, "countMessageTokens": messages.HEADERS}
EDITING = frozenset({"video_edit"})  # what a video case needs: each refers to an earlier answer
TOOLING = frozenset({"messages_tools"})
HASH = 10  # hexadecimal digits in the id of a probe


@dataclass(frozen=True)
class Case:
    """One generated probe. `data` has the `body` that its kind starts from, or `raw`, the text of one that is no JSON
    (`b64` where that is not UTF-8), and what else its kind takes: the `moves` of a sequence, the parameters that stand
    in the path (`params`), and others."""

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

    @cached_property
    def probe(self) -> Probe:
        """Its probe, named after what is asked."""
        described = document.load().operation(self.operation)
        first, *rest = steps_of(self.kind, self.operation, self.data) if self.raw is None else (Step("", self.raw),)
        return Probe(
            self.name,
            self.role,
            described.method,
            fill(described.path, self._params),
            first.body if not callable(first.body) else None,
            HEADERS.get(self.operation, JSON_TYPE if described.request else ()),
            needs=self._needs,
            free=described.method == "GET",
            step=first.name or None,
            then=tuple(rest),
        )

    @property
    def _params(self) -> dict[str, str]:
        """What stands in the path."""
        told = self.data.get("params")
        return {name: str(value) for name, value in told.items()} if isinstance(told, dict) else {}

    @property
    def _needs(self) -> frozenset[str]:
        """The capabilities that it needs: a talk in Claude's protocol also says so of tools."""
        begun = moves.begins(self.body) is moves.State.CALLED
        tooled = self.operation == "createMessage" and self.kind == "talk"
        tooled = tooled and (begun or moves.calls(self.data.get("moves")))
        more = (EDITING if self.role is Role.VIDEO else frozenset()) | (TOOLING if tooled else frozenset())
        return needs(self.body) | more

    @cached_property
    def name(self) -> str:
        text = json_text.write([self.kind, self.operation, self.role.value, dict(self.data)])
        return f"{GENERATED}{self.operation}.{hashlib.sha256(text).hexdigest()[:HASH]}"

    @property
    def size(self) -> tuple[int, int]:
        """Moves, and bytes of what it is made from."""
        told = self.data.get("moves")
        count = len(told) if isinstance(told, list) else 0
        return count, len(self.raw if self.raw is not None else json_text.write([self.body, told]))

    def record(self) -> dict[str, Json]:
        return {"kind": self.kind, "operation": self.operation, "role": self.role.value, "data": dict(self.data)}


def read_case(record: Mapping[str, Json]) -> Case:
    """A case from its record. Raises KeyError, TypeError or ValueError for what is none."""
    missing = sorted({"kind", "operation", "role", "data"} - record.keys())
    if missing:
        msg = f"a case has {', '.join(missing)}"
        raise ValueError(msg)
    kind, operation, data = str(record["kind"]), str(record["operation"]), record["data"]
    if kind not in KINDS.keys() | SEQUENCES.keys() or not isinstance(data, dict):
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
    bodies = [step.body for step in steps_of(case.kind, case.operation, case.data)]
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
