"""What is billed: a short prompt and a long one, each with a short answer."""

from conformance.probe import MODEL, Probe, Role, Step
from conformance.probes.chat import ask
from openapi.json_text import Json

TALE = (
    "A lighthouse keeper wrote down every evening which ships had passed, how high the waves had been and whether the "
    "lamp had needed new oil. When he had filled a book he put it on a shelf beside the stairs and began another one. "
    "After forty years the shelf was so long that visitors had to climb over the last volumes to reach the lamp. One "
    "winter a storm broke the window, and the wind turned the pages as if somebody were looking for a certain day. The "
    "keeper closed the shutters, lit a small candle and began to read where the wind had stopped. It was the day on "
    "which he had come to the island, and the first line said that nothing had happened and that the sea was calm. He "
    "laughed, took his pen and wrote below it that a great deal had happened, only that he had not yet known it then. "
)

TURNS: list[Json] = [
    {"role": "user", "content": "Name a river and a hill, each in a word of its own."},
    {"role": "assistant", "content": "Wye, Snowdon."},
    {"role": "user", "content": "hi"},
]

ROWS = (
    Probe(
        "usage.prompt",
        Role.CHAT,
        body=ask("hi", 16),
        step="short-prompt",
        then=(Step("long-prompt", ask(f"Answer with one word: what did the keeper write in? {TALE * 5}", 8)),),
    ),
    Probe(
        "usage.longer",
        Role.CHAT,
        body=ask("hi", 8),
        step="short-prompt",
        then=(
            Step("short-prompt-again", ask("hi", 8)),
            Step("long-prompt", {"model": MODEL, "messages": TURNS, "max_tokens": 8, "temperature": 0, "seed": 7}),
        ),
    ),
)
