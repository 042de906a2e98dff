"""Log probabilities of tokens, made up but of the right shape: sorted, below zero, the token itself on top."""

from mock_server.synthesis.seed import number, pick
from openapi.json_text import Json

OTHERS = (" the", " a", ".", ",", " and", " is", " of", " to", "\n", " in", " it", "的", "。", " one", "!", "?", " on")


def logprobs(tokens: tuple[str, ...], top: int) -> Json:
    """The member `logprobs` of a choice; `top` alternatives stand beside each token."""
    return {"content": [_told(token, top) for token in tokens], "refusal": None}


def _told(token: str, top: int) -> Json:
    best = -0.01 - number(400, "logprob", token) / 1000
    alternatives = [_entry(token, best)]
    alternatives += [_entry(_other(token, rank), best - 1.5 * rank) for rank in range(1, top)]
    return {**_entry(token, best), "top_logprobs": [*alternatives[:top]]}


def _other(token: str, rank: int) -> str:
    first = pick(range(len(OTHERS)), "other", token)
    candidates = [*OTHERS[first:], *OTHERS[:first], " ever", " so", " no", " by"]
    return [one for one in candidates if one != token][rank - 1]


def _entry(token: str, logprob: float) -> dict[str, Json]:
    return {"token": token, "logprob": round(logprob, 4), "bytes": [*token.encode("utf-8", "replace")]}
