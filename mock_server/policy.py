"""What the mock enforces, each a switch or a limit, so that a fault can be a relay that lets something pass."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """A right relay enforces all of it. `max_body` is in bytes, `max_depth` in levels of JSON nesting; above: 413.
    `context` is the room of every model in tokens; who asks for more gets 400.

    `check_key` 401 · `check_model` 404 for a model that is not known, in a body or by its own path · `validate` 400 for
    what the document forbids · `known_paths` 404 (off: a page in HTML with 200) · `methods` 405 with Allow (off: 404) ·
    `media_type` 415 for a body that is not JSON by its header · `preflight` CORS for browsers · `head` HEAD as GET.
    """

    check_key: bool = True
    check_model: bool = True
    validate: bool = True
    known_paths: bool = True
    methods: bool = True
    media_type: bool = True
    preflight: bool = True
    head: bool = True
    max_body: int = 32 << 20
    max_depth: int = 200
    context: int = 1 << 20


RIGHT = Policy()
