"""Log probabilities of tokens, made up but of the right shape: sorted, below zero, the token itself on top."""

from itertools import accumulate

from mock_server.synthesis.seed import number, pick
from openapi.json_text import Json

OTHERS = (" the", " a", ".", ",", " and", " is", " of", " to", "\n", " in", " it", "的", "。", " one", "!", "?", " on")


def logprobs(tokens: tuple[str, ...], top: int) -> Json:
    """The member `logprobs` of a choice; `top` alternatives stand beside each token."""
    return {"content": [_told(token, top) for token in tokens], "refusal": None}


def _told(token: str, top: int) -> Json:
    return {**_entry(token, _best(token)), "top_logprobs": [*_alternatives(token, top)]}


def _best(token: str) -> float:
    return -0.01 - number(400, "logprob", token) / 1000


def _alternatives(token: str, top: int) -> list[dict[str, Json]]:
    """The likeliest tokens, the one itself on top."""
    best = _best(token)
    others = (_entry(_other(token, rank), best - 1.5 * rank) for rank in range(1, top))
    return [_entry(token, best), *others][:top]


def _other(token: str, rank: int) -> str:
    first = pick(range(len(OTHERS)), "other", token)
    candidates = [*OTHERS[first:], *OTHERS[:first], " ever", " so", " no", " by"]
    return [one for one in candidates if one != token][rank - 1]


def _entry(token: str, logprob: float) -> dict[str, Json]:
    return {"token": token, "logprob": round(logprob, 4), "bytes": [*token.encode("utf-8", "replace")]}


def lists(tokens: tuple[str, ...], top: int, offset: int, *, first_is_given: bool) -> Json:
    """The older form: four lists of one length. `offset` is where the first token begins in the text; one that was
    given, and not made, has no probability."""
    told = [_entry(token, _best(token)) for token in tokens]
    alternatives: list[Json] = [_by_token(token, max(top, 1)) for token in tokens]
    values: list[Json] = [one["logprob"] for one in told]
    if first_is_given:
        values[:1], alternatives[:1] = [None], [None]
    starts = accumulate((len(token) for token in tokens[:-1]), initial=offset)
    return {
        "tokens": [*tokens],
        "token_logprobs": values,
        "top_logprobs": alternatives,
        "text_offset": [*starts] if tokens else [],
    }


def _by_token(token: str, top: int) -> Json:
    return {str(one["token"]): one["logprob"] for one in _alternatives(token, top)}
