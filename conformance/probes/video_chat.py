"""Chat-format video, from the examples of the document. Dear: asked only where a video model is named."""

from conformance.probe import MODEL, Probe, Role
from openapi import document
from openapi.json_text import Json

_EXAMPLES = document.load().operation("createChatCompletion").examples


def _example(name: str) -> Json:
    body = _EXAMPLES[name]
    assert isinstance(body, dict)
    return body | {"model": MODEL, "stream": True}


def _row(id: str, example: str, *needs: str, control: bool = False) -> Probe:  # noqa: A002
    return Probe(id, Role.VIDEO, body=_example(example), needs=frozenset(needs), control=control)


ROWS = (
    _row("video.create", "sora-create-video", control=True),
    _row("video.create-with-image", "sora-create-video-with-image", "video_image"),
    _row("video.edit", "sora-edit-video", "video_edit"),
)
