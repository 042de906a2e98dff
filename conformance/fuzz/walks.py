"""Conversations drawn: hypothesis walks the machine of `moves`, and what it does is written down, not done.

A move is asked when the answers before it are there, and those are the relay's: so a walk is drawn whole, and each of
its requests is made later, of what came (`moves.follows`).
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from conformance.fuzz.case import Case
from conformance.fuzz.drawn import no_constants_of_ours
from conformance.fuzz.moves import BACK, CHANGES, EDGES, MOST, TURNS, State
from conformance.probe import MODEL, Role
from conformance.probes.chat import HELLO, SKY
from conformance.probes.tools import ONE
from openapi.json_text import Json

LIMIT = 60  # tokens of each answer, until a move changes it
TIMES = 3  # walks for each that is wanted: some ask nothing, and the first are much alike
STEPS = 7  # moves at most, those that ask nothing too
ROLES = {"createChatCompletion": Role.CHAT, "createMessage": Role.MESSAGES}


def _parts(*texts: str) -> list[Json]:
    return [{"type": "text", "text": text} for text in texts]


SAID: tuple[Json, ...] = (
    *(HELLO, SKY, "And now?", "你好！🐉", "a\u2028b\r\n\u200bc", "naïve 👩‍👩‍👧"),
    *(_parts("One more."), _parts("One.", "Two."), _parts("龙")),
)
RESULTS: tuple[Json, ...] = (
    *('{"temperature":21}', "", "21 °C", "null", '{"error":"no such city"}', "龙\n\n🐉"),
    *(_parts("21"), _parts("21", "°C")),
)
_said, _results = st.sampled_from(SAID), st.sampled_from(RESULTS)
_back = {state: st.sampled_from(ways) for state, ways in BACK.items()}


class Talk(RuleBasedStateMachine):
    """One walk: what is asked first, and the moves behind it."""

    tools: ClassVar[bool] = True
    walked: ClassVar[list["Talk"]]

    def __init__(self) -> None:
        super().__init__()
        self.first: Json = ""
        self.streamed = self.streaming = self.called = False
        self.moves: list[dict[str, Json]] = []
        self.asked = 0
        self.state = State.ANSWERED
        self.walked.append(self)

    @initialize(content=_said, streamed=st.booleans(), called=st.booleans())
    def begin(self, content: Json, streamed: bool, called: bool) -> None:
        self.streamed, self.streaming, self.called = streamed, streamed, called and self.tools
        self.first = ONE if self.called else content
        self.state = State.CALLED if self.called else State.ANSWERED

    @precondition(lambda self: self.may("say"))
    @rule(content=_said, back=_back[State.ANSWERED])
    def say(self, content: Json, back: str) -> None:
        self.ask("say", content, back)

    @precondition(lambda self: self.tools and self.may("call"))
    @rule(back=_back[State.ANSWERED])
    def call(self, back: str) -> None:
        self.ask("call", ONE, back)

    @precondition(lambda self: self.may("result"))
    @rule(content=_results, back=_back[State.CALLED])
    def result(self, content: Json, back: str) -> None:
        self.ask("result", content, back)

    @precondition(lambda self: self.may("proceed"))
    @rule(content=_results, back=_back[State.CALLED])
    def proceed(self, content: Json, back: str) -> None:
        self.ask("proceed", content, back)

    @precondition(lambda self: self.is_new("stream"))
    @rule()
    def switch(self) -> None:
        self.streaming = not self.streaming
        self.moves.append({"move": "stream", "to": self.streaming})

    @precondition(lambda self: self.is_new("limit"))
    @rule(limit=st.sampled_from([1, 12, 40, 90]))
    def limit(self, limit: int) -> None:
        self.moves.append({"move": "limit", "to": limit})

    @precondition(lambda self: self.is_new("system"))
    @rule(content=st.sampled_from(["You answer briefly.", _parts("You answer", "briefly.")]))
    def system(self, content: Json) -> None:
        self.moves.append({"move": "system", "content": content})

    def may(self, name: str) -> bool:
        return self.asked < MOST and (self.state, name) in EDGES

    def is_new(self, name: str) -> bool:
        """Whether a change is not the same again: two of three always are."""
        return not self.moves or self.moves[-1]["move"] != name

    def ask(self, name: str, content: Json, back: str) -> None:
        self.asked += 1
        self.state = EDGES[self.state, name]
        self.moves.append({"move": name, "content": content, "back": back})

    def case(self, operation: str) -> Case:
        """What it comes to, less the changes that nothing is asked behind."""
        body: dict[str, Json] = {"model": MODEL, "messages": [{"role": "user", "content": self.first}]}
        body |= {"max_tokens": LIMIT, "temperature": 0}
        body |= {"stream": True} if self.streamed else {}
        kept = [*self.moves]
        while kept and kept[-1]["move"] in CHANGES:
            kept.pop()
        held: dict[str, Json] = {"body": TURNS[operation].calling(body) if self.called else body, "moves": [*kept]}
        return Case("talk", operation, ROLES[operation], held)


def talks(operation: str, seed: int, count: int, *, tools: bool) -> Iterator[Case]:
    """So many conversations of two to four requests, or fewer, each once."""
    machine = _machine(tools=tools)
    machine.walked.clear()
    how = settings(
        max_examples=TIMES * count,
        stateful_step_count=STEPS + 1,  # the first begins
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    with no_constants_of_ours():
        run_state_machine_as_test(seeded(seed)(machine), settings=how)
    made = {case.name: case for one in machine.walked if (case := one.case(operation)).data["moves"]}
    machine.walked.clear()
    yield from [*made.values()][:count]


@lru_cache
def _machine(*, tools: bool) -> type[Talk]:
    """A class once made is never forgotten by hypothesis."""
    return type("Talk", (Talk,), {"tools": tools, "walked": []})
