"""Which faults prove a rule, and how much of what is known to matter the suite judges: data that `make docs` makes.

The suite knows no fault. What kills its rules is written down by the package above it, and shown as it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from openapi import json_text


@dataclass(frozen=True)
class Proof:
    """Counts of laws, and the faults of each rule, each with the sentence that says what is wrong with it."""

    judged: int = 0
    killed: int = 0
    not_judged: int = 0
    rules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)

    def of(self, rule: str) -> tuple[tuple[str, str], ...]:
        """The faults that a rule is proven by, by name, each with its sentence."""
        return tuple((name, self.faults.get(name, "")) for name in self.rules.get(rule, ()))


@cache
def proof() -> Proof:
    """That of this version."""
    text = files("conformance").joinpath("data", "proof.json").read_text(encoding="utf-8")
    kept = json_text.read(text).object
    rules, faults = kept["rules"], kept["faults"]
    assert isinstance(rules, dict)
    assert isinstance(faults, dict)
    counts = (kept[name] for name in ("judged", "killed", "not_judged"))
    judged, killed, not_judged = (count if isinstance(count, int) else 0 for count in counts)
    names = {rule: tuple(map(str, killers)) for rule, killers in rules.items() if isinstance(killers, list)}
    return Proof(judged, killed, not_judged, names, {name: str(text) for name, text in faults.items()})
