"""All cases for one target, in the order in which they are asked: the same seed, the same order."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from conformance.fuzz import chat, claude, described, models, video
from conformance.fuzz.bounds import bounded
from conformance.fuzz.case import Case
from conformance.fuzz.mistakes import mistakes
from conformance.fuzz.plain import PLAIN, ROLES
from conformance.fuzz.walks import talks
from conformance.probe import Role
from openapi.json_value import survey

BARREN = 12  # times in a row that random cases are drawn and none of them is new


@dataclass(frozen=True, slots=True)
class Effort:
    """How many of each kind: `random` are those that schemathesis draws for each operation that has a body, dear to
    generate and asked for by name."""

    random: int = 0
    combinations: int = 200
    unicode: int = 48
    conversations: int = 32
    schemas: int = 32
    relations: int = 48
    turns: int = 10
    talks: int = 48  # sequences, of each protocol that has conversations
    listed: int = 2  # lists of models, of which entries are asked for
    unheard: int = 24  # names of models that nobody has
    videos: int = 4  # of each kind, where a video model is named
    coverage: int = 160  # of each operation, legal and illegal


Watch = Callable[[str, int], None]
"""Told while random cases are drawn: the operation, and how many there are so far."""


def _unwatched(_operation: str, _many: int) -> None:
    """Nobody looks."""


def cases(roles: Mapping[Role, str], seed: int, effort: Effort, watch: Watch = _unwatched) -> list[Case]:
    """The cases for the models of these roles, each once. A video is asked for only where its model is named."""
    asked = {operation: role for operation, role in ROLES.items() if role in roles}
    kinds = [kind for operation, role in asked.items() for kind in _kinds(operation, role, roles, seed, effort)]
    if Role.CHAT in roles:
        kinds += [list(models.listed(seed, effort.listed)), list(models.unheard(seed, effort.unheard))]
    if Role.VIDEO in roles:
        kinds += [list(video.histories(seed, effort.videos)), list(video.edits(seed, effort.videos))]
    held = [list(_held(kind, roles)) for kind in kinds]
    known = {case.name for kind in held for case in kind}
    for operation, role in asked.items() if effort.random else ():
        watched = partial(watch, operation)
        held.append(_new(described.random_cases(operation, role, seed), roles, known, effort.random, watched))
    found: dict[str, Case] = {}
    for case in _in_turn(held):
        found.setdefault(case.name, case)
    return list(found.values())


def _held(made: Iterable[Case], roles: Mapping[Role, str]) -> Iterator[Case]:
    """Those within bounds, as far as they can be sent."""
    for case in made:
        held = bounded(case, roles)
        if held is not None and _can_be_sent(held):
            yield held


def _new(
    batches: Iterable[Sequence[Case]],
    roles: Mapping[Role, str],
    known: set[str],
    wanted: int,
    watch: Callable[[int], None],
) -> list[Case]:
    """So many that are within bounds and not known yet; fewer where many draws in a row bring nothing new."""
    found: dict[str, Case] = {}
    barren = 0
    for batch in batches:
        new = {case.name: case for case in _held(batch, roles) if case.name not in known and case.name not in found}
        barren = 0 if new else barren + 1
        found |= new
        watch(min(len(found), wanted))
        if len(found) >= wanted or barren >= BARREN:
            break
    known |= found.keys()
    return [*found.values()][:wanted]


def _can_be_sent(case: Case) -> bool:
    return survey(case.body).refusal is None


def _kinds(
    operation: str, role: Role, roles: Mapping[Role, str], seed: int, effort: Effort
) -> Iterator[Sequence[Case]]:
    plain = PLAIN[operation]
    assert isinstance(plain, dict)
    yield described.examples(operation, role)
    yield list(mistakes(operation, role, plain))
    yield _sample(described.coverage(operation, role), seed, effort.coverage)
    if operation == claude.MESSAGES:
        yield list(claude.conversations(seed, effort.conversations))
        yield list(talks(operation, seed, effort.talks, tools=True))
    if operation == chat.CHAT:
        tools = Role.TOOLS in roles
        yield list(chat.combinations(seed, effort.combinations, tools=tools))
        yield list(chat.unicode_texts(seed, effort.unicode))
        yield list(chat.conversations(seed, effort.conversations, tools=tools))
        yield list(chat.nested_schemas(seed, effort.schemas, tools=tools))
        yield list(chat.relations(seed, effort.relations))
        yield list(chat.tool_turns(seed, effort.turns)) if tools else []
        yield list(talks(operation, seed, effort.talks, tools=tools))


def _sample(made: Sequence[Case], seed: int, count: int) -> list[Case]:
    """So many of them in an order of the seed's, so that one seed after the other comes to all."""
    shuffled = list(made)
    Random(seed).shuffle(shuffled)  # noqa: S311 - it draws tests, no secrets
    return shuffled[:count]


def _in_turn(kinds: Sequence[Sequence[Case]]) -> Iterator[Case]:
    """One of each kind after the other, so that a budget that ends early leaves something of each."""
    for at in range(max(map(len, kinds), default=0)):
        yield from (kind[at] for kind in kinds if at < len(kind))
