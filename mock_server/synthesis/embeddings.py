"""POST /v1/embeddings: a vector of length 1 for each input, made of a digest of it and of nothing else."""

import base64
import hashlib
import json
import struct
from collections.abc import Sequence
from math import fsum, sqrt

from mock_server.answer import Answer, Asked
from mock_server.synthesis import pace, tokens
from mock_server.synthesis.errors import UnanswerableError, whole
from mock_server.synthesis.prompt import text, whole_number
from mock_server.synthesis.registry import operation
from mock_server.synthesis.seed import digest
from openapi.json_text import Json

DIMENSIONS = 1536  # of text-embedding-3-small
MAX_DIMENSIONS = 4096
DIGITS = 8  # behind the point: far below what float32 tells apart in a vector of length 1


@operation("createEmbedding")
def answer(asked: Asked, names: Sequence[str], now: int) -> Answer:
    """The vectors. Raises UnanswerableError for more dimensions than there are."""
    body = asked.object
    wanted = whole_number(body.get("dimensions"))
    size = DIMENSIONS if wanted is None else wanted
    if not 0 < size <= MAX_DIMENSIONS:
        raise UnanswerableError(f"dimensions must be 1 to {MAX_DIMENSIONS}", "dimensions")
    inputs = _inputs(body.get("input"))
    packed = body.get("encoding_format") == "base64"
    data: list[Json] = [_entry(index, vector(one, size), packed=packed) for index, one in enumerate(inputs)]
    spent = sum(map(_count, inputs))
    usage: Json = {"prompt_tokens": spent, "total_tokens": spent}
    listed: Json = {"object": "list", "data": data, "model": text(body.get("model")), "usage": usage}
    return whole(200, listed, due=pace.WHOLE, request=digest(body, now))


def vector(said: Json, size: int) -> list[float]:
    """The first numbers of the input's own endless row, brought to length 1: so a shorter vector is the beginning of
    a longer one, as of models that were made to be cut."""
    seed = json.dumps(said).encode()
    row = struct.unpack(f"<{size}i", hashlib.shake_256(seed).digest(4 * size))
    length = sqrt(fsum(one * one for one in row)) or 1.0
    return [round(one / length, DIGITS) for one in row]


def _inputs(asked: Json) -> list[Json]:
    """A list of texts or of lists of token ids is several inputs, all else is one."""
    if isinstance(asked, list) and asked and isinstance(asked[0], str | list):
        return asked
    return [asked]


def _count(said: Json) -> int:
    """Tokens of an input, of which an id is one."""
    return len(said) if isinstance(said, list) else tokens.count(text(said))


def _entry(index: int, numbers: list[float], *, packed: bool) -> Json:
    value: Json = [*numbers]
    if packed:
        value = base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
    return {"object": "embedding", "index": index, "embedding": value}
