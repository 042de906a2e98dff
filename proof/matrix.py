"""What trials prove: rules × faults, on a terminal and as `reports/kill-matrix.md`."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import wrap

from conformance.rule import Level
from conformance.rules import BOOK
from mock_server.faults import FAULTS
from proof.book import TITLES, WIDTH, entries
from proof.faulty import GOOD, Trial


def is_honest(name: str) -> bool:
    """Whether nothing may be found: an honest variant, or the mock as it is."""
    return name == GOOD or FAULTS[name].honest


def killed(trials: Sequence[Trial]) -> dict[str, list[str]]:
    """For each rule the faults that were seen to kill it: which name it, and made it fail."""
    return {name: sorted({one.fault for one in trials if name in one.named and name in one.failed}) for name in BOOK}


def proven(trials: Sequence[Trial], *, whole: bool = True) -> bool:
    """Whether every fault broke exactly what it names, no honest one anything, and every rule was killed."""
    return all(one.holds for one in trials) and (not whole or all(killed(trials).values()))


def line(trial: Trial) -> str:
    """One trial in one line, with what is wrong with it."""
    name = trial.fault or "the mock as it is"
    said = [f"broke {', '.join(sorted(trial.weighty & trial.named)) or 'nothing'}"]
    said += [f"{what}: {', '.join(sorted(names))}" for what, names in _wrong(trial) if names]
    if trial.code is not None and trial.exit != trial.code:
        said.append(f"exit code {trial.exit}, not {trial.code}")
    elif trial.code is None and trial.exit == 1:
        said.append("exit code 1, though no MUST is named")
    found = dict(trial.told)
    said += [f"{rule}: {found[rule]!r}" for rule in sorted(trial.unexpected) if rule in found]
    seed = f" (seed {trial.seed})" if trial.seed else ""
    return f"{'ok  ' if trial.holds else 'BAD '} {name}{seed}: {'; '.join(said)}"


def _wrong(trial: Trial) -> tuple[tuple[str, frozenset[str]], ...]:
    return (
        ("NOT NAMED, yet broken", trial.unexpected),
        ("NAMED, yet not broken", trial.missed),
        ("check raised", trial.broken),
        ("left open", trial.unverified),
    )


def summary(trials: Sequence[Trial], *, whole: bool = True) -> Iterator[str]:
    """The matrix: a line a rule with its killers, then what is wrong, then the counts."""
    found = killed(trials)
    for name, rule in BOOK.items():
        if found[name] or whole:
            yield f"{rule.level.value:6} {name}: {', '.join(found[name]) or 'KILLED BY NOTHING'}"
    bad = [one for one in trials if not one.holds]
    if bad:
        yield ""
        yield from map(line, bad)
    honest = [one for one in trials if is_honest(one.fault)]
    faults = [one for one in trials if not is_honest(one.fault)]
    yield ""
    seeds = f"{len({one.fault for one in honest})} honest variants over {len({one.seed for one in honest})} seeds"
    if not faults:
        yield f"{seeds}: {sum(one.holds for one in honest)} of {len(honest)} clean"
        return
    yield (
        f"{sum(map(bool, found.values()))} of {len(BOOK)} rules killed; "
        f"{sum(one.holds for one in faults)} of {len(faults)} faults broke exactly what they name; "
        f"{seeds}, {sum(not one.holds for one in honest)} with a finding"
    )


def markdown(trials: Sequence[Trial]) -> str:
    """`reports/kill-matrix.md`: free of times, so that equal proofs are equal texts."""
    return "\n".join(_markdown(trials)) + "\n"


def _markdown(trials: Sequence[Trial]) -> Iterator[str]:
    found = killed(trials)
    honest = [one for one in trials if is_honest(one.fault)]
    yield "# The kill matrix"
    yield ""
    yield from wrap(
        "Made by `relayproof selftest --markdown reports/kill-matrix.md`; do not edit. The mock played each fault "
        "over a socket, and the whole suite judged it: it broke every rule that it names and no other MUST or SHOULD. "
        "Honest variants are legal and known to break clients: they may break nothing.",
        WIDTH,
    )
    yield ""
    *_, last = summary(trials)
    yield f"**{last}.**"
    for chapter, group in groupby(entries(), key=lambda entry: entry.rule.chapter):
        yield ""
        yield f"## {TITLES.get(chapter, chapter)}"
        yield ""
        yield "| rule | level | killed by |"
        yield "| --- | --- | --- |"
        for entry in group:
            killers = ", ".join(f"`{name}`" for name in found[entry.rule.id]) or "**nothing**"
            yield f"| `{entry.rule.id}` | {entry.rule.level.value} | {killers} |"
    yield ""
    yield "## Faults"
    yield ""
    yield "| fault | what it does, and to whom | broke | exit code | as named |"
    yield "| --- | --- | --- | ---: | :---: |"
    for one in sorted((one for one in trials if not is_honest(one.fault)), key=_place):
        broke = "<br>".join(f"`{rule}`" for rule in sorted(one.weighty))
        text = FAULTS[one.fault].text.replace("|", "\\|").replace("<", "&lt;")
        yield f"| `{one.fault}` | {text} | {broke} | {one.exit} | {'yes' if one.holds else '**no**'} |"
    yield ""
    yield "## Honest variants"
    yield ""
    yield "| variant | what it looks like | seeds | MUST or SHOULD found | told (MAY) |"
    yield "| --- | --- | ---: | ---: | --- |"
    for name, seeds in groupby(sorted(honest, key=_place), key=lambda one: one.fault):
        seen = list(seeds)
        text = FAULTS[name].text if name else "The mock as it is."
        told = sorted({rule for one in seen for rule in one.failed if BOOK[rule].level is Level.MAY})
        wrong = sum(len(one.weighty) for one in seen)
        cells = (f"`{name or 'good'}`", text.replace("|", "\\|").replace("<", "&lt;"), str(len(seen)), str(wrong))
        yield f"| {' | '.join(cells)} | {', '.join(f'`{rule}`' for rule in told)} |"


def _place(trial: Trial) -> tuple[int, int]:
    """Where a fault stands in the catalogue, the good mock first."""
    order = list(FAULTS)
    return (order.index(trial.fault) if trial.fault else -1, trial.seed)
