"""The faults that a mock in front of another relay cannot play, each with why: what the upstream alone decides."""

from mock_server.faults.fault import FAULTS, Fault

ENFORCED = "what is refused is the upstream's own affair"
LET_IN = "whom it lets in is the upstream's own affair"
WORDS = "the words are the upstream's own"
DECIDED = {
    "auth-any-key": LET_IN,
    "auth-key-optional": LET_IN,
    "auth-other-scheme-taken": LET_IN,
    "models-no-auth": LET_IN,
    "honest-other-words": WORDS,
    "head-with-body": "to HEAD the upstream sends no body",
}


def beyond(fault: Fault) -> str | None:
    """Why a proxy cannot play it; None where it can."""
    return ENFORCED if fault.policy else DECIDED.get(fault.id)


def beyond_all(names: tuple[str, ...]) -> str | None:
    """Of several, in a line, the first that a proxy cannot play; None where it can play all."""
    told = ((name, beyond(FAULTS[name])) for name in names)
    return next((f"{name} cannot be played by a proxy: {why}" for name, why in told if why), None)
