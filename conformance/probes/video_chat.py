"""Chat-format video, from the examples of the document. Dear: asked only where a video model is named."""

from collections.abc import Sequence

from conformance.answers import reply_of
from conformance.probe import MODEL, Probe, Role, Step
from conformance.rule import MEDIA
from conformance.rules.video_chat import link_to_fetch
from openapi import document
from openapi.json_text import Json
from openapi.wire.exchange import Exchange

CHANGE = "Let it rain, and leave all else as it is."
_EXAMPLES = document.load().operation("createChatCompletion").examples


def _example(name: str) -> Json:
    body = _EXAMPLES[name]
    assert isinstance(body, dict)
    return body | {"model": MODEL, "stream": True}


_FETCH = Step(MEDIA, link=lambda sofar: link_to_fetch(sofar[0]))


def _row(id: str, example: str, *needs: str, control: bool = False) -> Probe:  # noqa: A002
    body = _example(example)
    return Probe(id, Role.VIDEO, body=body, needs=frozenset(needs), control=control, step="video", then=(_FETCH,))


_SHORT: Json = {
    "model": MODEL,
    "max_tokens": 1000,
    "messages": [{"role": "user", "content": "A cat walks over a piano."}],
    "stream": True,
}


def edit(sofar: Sequence[Exchange]) -> Json:
    """The second turn, with the whole text of the first answer in it; nowhere where that has none."""
    choice = reply_of(sofar[0]).choices.get(0)
    messages = sofar[0].request.object.get("messages")
    if sofar[0].status != 200 or not choice or not choice.content or not isinstance(messages, list):
        return None
    turn: list[Json] = [{"role": "assistant", "content": choice.content}, {"role": "user", "content": CHANGE}]
    return {"model": MODEL, "stream": True, "messages": [*messages, *turn]}


ROWS = (
    _row("video.create", "sora-create-video", control=True),
    _row("video.create-with-image", "sora-create-video-with-image", "video_image"),
    Probe(
        "video.edit",
        Role.VIDEO,
        body=_SHORT,
        needs=frozenset({"video_edit"}),
        step="create",
        then=(Step("edit", edit),),
    ),
)
