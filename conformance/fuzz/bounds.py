"""What a generated request may cost: each gets a limit, and what no limit bounds is left out.

A legal request of the document may ask for 128 choices of a million tokens, for sound, or for thought that is billed
beside the limit. None of that is drawn; a relay is found out for cents.
"""

from collections.abc import Mapping, Sequence

from conformance.fuzz.case import Case, is_legal, of_bytes
from conformance.fuzz.linked import walks
from conformance.fuzz.moves import TURNS, calls, groups, limits
from conformance.probe import MODEL, Role
from openapi import json_text
from openapi.json_text import Json

LIMIT = 200  # tokens of an answer
CHOICES = 4
LARGEST = 6000  # bytes of a body
NO_LIMIT_HOLDS = (  # thought and sound are billed beside it, a prediction by what was wrong in it, a tier as it likes
    "reasoning_effort", "thinking", "modalities", "audio", "prediction", "service_tier", "store", "best_of",
    "mcp_servers", "container", "verbosity",
)  # fmt: skip
LIMITS: Mapping[str, tuple[str, ...]] = {
    "createChatCompletion": ("max_completion_tokens", "max_tokens"),
    "createCompletion": ("max_tokens",),
    "createMessage": ("max_tokens",),
}


def bounded(case: Case, roles: Mapping[Role, str]) -> Case | None:
    """The case within bounds, for the role whose model has what it asks for; None for what is not to be asked."""
    body = case.body
    if case.raw is not None:  # goes out as it is: the model's name is put in here
        name = json_text.write(roles.get(case.role, ""))[1:-1]
        return (
            of_bytes(case.operation, case.role, case.raw.replace(MODEL.encode(), name)) if case.role in roles else None
        )
    if not isinstance(body, dict):
        return case if case.role in roles and _is_whole(case) else None
    body = _without_the_dear(case.operation, body)
    if isinstance(body.get("model"), str) and body["model"]:
        body["model"] = MODEL
    tooled = bool(body.get("tools") or body.get("functions")) or calls(case.data.get("moves"))
    role = Role.TOOLS if tooled and case.operation == "createChatCompletion" else case.role
    held = _limited(case.operation, body)
    data = {**case.data, "body": held}
    if held is None or role not in roles or len(json_text.write(data)) > LARGEST or not _in_words(data):
        return None
    made = Case(case.kind, case.operation, role, data)
    return made if _is_whole(made) else None


def _is_whole(case: Case) -> bool:
    """Whether all that it is made of is asked: the moves of a sequence are those of its machine."""
    match case.kind:
        case "talk":
            told = case.data.get("moves")
            return case.operation in TURNS and bool(groups(case.body, told)) and max(limits(told), default=0) <= LIMIT
        case "links":
            return walks(case.operation, case.data.get("moves"))
    return True


def _without_the_dear(operation: str, body: dict[str, Json]) -> dict[str, Json]:
    """Less what no limit bounds, but for what makes the request illegal: that is refused, or without effect."""
    kept = {name: value for name, value in body.items() if name not in NO_LIMIT_HOLDS}
    if len(kept) == len(body):
        return kept
    return kept if is_legal(operation, body) or not is_legal(operation, kept) else dict(body)


def _limited(operation: str, body: dict[str, Json]) -> dict[str, Json] | None:
    """With a limit, and of few choices. A limit that is none is not asked: who takes it for no limit runs on."""
    n = body.get("n")
    if isinstance(n, int | float) and n > CHOICES:
        body = {**body, "n": CHOICES} if n <= 128 else body
    names = LIMITS.get(operation, ())
    for name in names:
        match body.get(name):
            case bool() | str() | list() | dict() | float():
                return None
            case int(limit) if limit < 1:
                return None
            case int(limit):
                body = {**body, name: min(limit, LIMIT)}
            case None:
                body = {key: value for key, value in body.items() if key != name}
    if names and not any(name in body for name in names):
        body = {**body, names[-1]: LIMIT}
    if isinstance(n, int) and n > 128:
        return {**body, **{name: 1 for name in names if name in body}}
    return _shared(body, names)


def _shared(body: dict[str, Json], names: Sequence[str]) -> dict[str, Json]:
    """Of several prompts each is answered by as many choices: then the limit is for all of them together."""
    prompts, n = body.get("prompt"), body.get("n")
    answers = len(prompts) * (n if isinstance(n, int) and n > 0 else 1) if isinstance(prompts, list) else 1
    most = max(LIMIT * CHOICES // max(answers, 1), 1)
    limits = {name: limit for name in names if isinstance(limit := body.get(name), int)}
    return {**body, **{name: min(limit, most) for name, limit in limits.items()}}


def _in_words(value: Json) -> bool:
    """Whether it holds no picture, sound, file or video: they are dear, and a relay fetches what is linked."""
    if isinstance(value, dict):
        kind = value.get("type")
        media = {"image_url", "input_audio", "file", "video_url", "image", "document", "source"}
        return (
            not (isinstance(kind, str) and kind in media)
            and not media & value.keys()
            and all(map(_in_words, value.values()))
        )
    return all(map(_in_words, value)) if isinstance(value, list) else True
