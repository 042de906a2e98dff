"""The same answer in other clothes: what a seed varies, and no client may depend on.

The order of members, when pieces leave, how many tokens a chunk carries and where the network cuts. All of it hangs on
the seed and the request, so that a run can be repeated. Recordings keep their bytes, and are paced and cut anew.
"""

import random
from collections.abc import Iterator
from dataclasses import replace

from mock_server.answer import Answer, Asked, Frame
from openapi import json_text
from openapi.json_text import Json
from openapi.wire import sse
from openapi.wire.exchange import Framing

LATER = 0.02  # seconds that a piece may be late
CUT = 0.3  # of the pieces are cut in two


def varied(asked: Asked, answer: Answer) -> Answer:
    """The answer as another relay would send it that means the same."""
    die = random.Random(f"{asked.seed} {asked.method} {asked.path} {asked.raw!r}")  # noqa: S311 - no secret
    frames = answer.frames if answer.recorded else tuple(_reordered(frame, die) for frame in answer.frames)
    frames = tuple(_cut(_late(frames, die), die)) if answer.framing is Framing.CHUNKED else tuple(_late(frames, die))
    last = max((frame.due for frame in frames), default=answer.ended_at)
    return replace(answer, frames=frames, ended_at=max(last, answer.ended_at))


def _reordered(frame: Frame, die: random.Random) -> Frame:
    """The frame with the members of its JSON in another order: a whole answer, or one event."""
    whole = json_text.read(frame.data)
    if isinstance(whole.value, dict):
        return replace(frame, data=json_text.write(_shuffled(whole.value, die)))
    items = list(sse.decode(frame.data))
    if not any(isinstance(item, sse.Message) for item in items):
        return frame
    return replace(frame, data=sse.encode([_said(item, die) for item in items]))


def _said(item: sse.Item, die: random.Random) -> sse.Item:
    if not isinstance(item, sse.Message):
        return item
    value = json_text.read(item.data).value
    return replace(item, data=json_text.write(_shuffled(value, die)).decode()) if isinstance(value, dict) else item


def _shuffled(value: Json, die: random.Random) -> Json:
    match value:
        case dict():
            names = list(value)
            die.shuffle(names)
            return {name: _shuffled(value[name], die) for name in names}
        case list():
            return [_shuffled(item, die) for item in value]
    return value


def _late(frames: tuple[Frame, ...], die: random.Random) -> Iterator[Frame]:
    """Each piece a little later than it was due, and none before the one ahead of it."""
    due = 0.0
    for frame in frames:
        due = max(due, frame.due + die.uniform(0, LATER))
        yield replace(frame, due=due)


def _cut(frames: Iterator[Frame], die: random.Random) -> Iterator[Frame]:
    """Some pieces in two, the cut anywhere: within a line, within a character."""
    for frame in frames:
        if len(frame.data) > 1 and die.random() < CUT:
            at = die.randrange(1, len(frame.data))
            yield replace(frame, data=frame.data[:at])
            yield replace(frame, data=frame.data[at:])
        else:
            yield frame
