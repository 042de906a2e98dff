"""What is wrong with a request by the document: each fault with a code, the place, what is expected and what came.

A refusal has the first in `param` and all in its message; the header X-Relay-Violations names all with their codes,
and who sends `X-Relay-Explain: true` finds them in the error, each as a record. `relayproof explain CODE` says more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from openapi.json_text import Json
from openapi.schema import SchemaFault

HEADER = "x-relay-violations"
MOST = 8  # that the header names
CHOSEN = "x-relay-validate"  # the mode of one request
EXPLAINED = "x-relay-explain"


class Mode(StrEnum):
    """What becomes of a request that the document forbids: refused, answered with a header that warns, or answered."""

    REJECT = "reject"
    WARN = "warn"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of fault: its name, the keywords of JSON Schema that find it, what it means, the member of a chat
    request that draws it, and what to do."""

    name: str
    keywords: frozenset[str]
    meaning: str
    example: tuple[str, Json]
    mend: str


def _code(name: str, keywords: str, meaning: str, example: tuple[str, Json], mend: str) -> Code:
    return Code(name, frozenset(keywords.split(",")), meaning, example, mend)


CODES = {
    code.name: code
    for code in (
        _code(
            "V-MISSING",
            "required,dependentRequired",
            "A member that must be there is not.",
            ("messages", [{"role": "tool", "content": "17 degrees"}]),
            "Add the member; its name stands at the end of the place.",
        ),
        _code(
            "V-TYPE",
            "type",
            "A value is of another type than the document says; JSON has no numbers in quotes.",
            ("temperature", "hot"),
            "Send a value of that type.",
        ),
        _code(
            "V-VALUE",
            "enum,const",
            "A value is none of those that there are.",
            ("reasoning_effort", "enormous"),
            "Take one of the values that are listed.",
        ),
        _code(
            "V-RANGE",
            "minimum,maximum,exclusiveMinimum,exclusiveMaximum,multipleOf",
            "A number is outside of its range.",
            ("temperature", 3),
            "Stay within the range.",
        ),
        _code(
            "V-LENGTH",
            "minLength,maxLength,minItems,maxItems,minProperties,maxProperties,uniqueItems,contains",
            "A text, list or object has too few or too many parts.",
            ("messages", []),
            "Add or leave out parts.",
        ),
        _code(
            "V-FORM",
            "pattern,format,contentEncoding,contentMediaType",
            "A text is not of the form that is asked for.",
            ("tools", [{"type": "function", "function": {"name": "not a name"}}]),
            "Write it in that form.",
        ),
        _code(
            "V-UNKNOWN",
            "additionalProperties,unevaluatedProperties,propertyNames,false schema",
            "A member stands where the document allows none of that name.",
            ("anything", None),
            "Leave it out, or spell it as the document does.",
        ),
        _code(
            "V-NESTING",
            "nesting",
            "A value is nested deeper than any reader takes.",
            ("metadata", None),
            "Nest less.",
        ),
        _code(
            "V-SHAPE",
            "anyOf,oneOf,allOf,not,if,then,else",
            "A value fits none of the shapes that there are, or several.",
            ("tool_choice", None),
            "Send one of the shapes, and nothing of another.",
        ),
    )
}
OTHER = CODES["V-SHAPE"]


def code_of(fault: SchemaFault) -> Code:
    """The kind of a fault."""
    return next((code for code in CODES.values() if fault.keyword in code.keywords), OTHER)


def named(faults: Sequence[SchemaFault]) -> str:
    """What the header says: `3: V-TYPE temperature, V-RANGE n`, in ASCII and bounded."""
    told = [f"{code_of(one).name} {_place(one)}" for one in faults[:MOST]]
    more = f", and {len(faults) - MOST} more" if len(faults) > MOST else ""
    return f"{len(faults)}: {', '.join(told)}{more}"


def _place(fault: SchemaFault) -> str:
    place = fault.param or "(the body)"
    safe = "".join(one if " " < one <= "~" and one != "," else "?" for one in place)
    return safe if len(safe) <= 80 else safe[:79] + "~"


def records(faults: Sequence[SchemaFault]) -> list[Json]:
    """Each as an object."""
    return [
        {
            "code": code_of(one).name,
            "path": one.pointer,
            "param": one.param,
            "expected": one.expected,
            "got": one.got,
            "message": one.message,
        }
        for one in faults
    ]
