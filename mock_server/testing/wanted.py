"""How a test wants its mock: what `@pytest.mark.relay(…)` says."""

import difflib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

NAMES = ("recording", "recordings", "fault", "faults", "script", "speed", "seed", "api_key", "strict", "hosts")


class WantedError(ValueError):
    """Words of a marker that say nothing."""


@dataclass(frozen=True, slots=True)
class Start:
    """How a mock is started; tests that want the same share it. `speed` is a factor, `inf` leaves no pause."""

    recordings: Path | None = None
    speed: float = float("inf")
    seed: int = 0
    api_key: str | None = None
    strict: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """As options of `serve`."""
        speed = "max" if self.speed == float("inf") else str(self.speed)
        return (
            *("--speed", speed, "--seed", str(self.seed)),
            *(("--recordings", str(self.recordings)) if self.recordings else ()),
            *(("--api-key", self.api_key) if self.api_key else ()),
            *(("--strict-match",) if self.strict else ()),
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one test wants of it: faults, a script in YAML, recordings that answer everything in turn, and whom of
    httpx's hosts it stands for."""

    start: Start = Start()
    faults: tuple[str, ...] = ()
    script: str | None = None
    recording: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


def wanted(given: Mapping[str, object], folder: Path) -> Wanted:
    """What the words say; files are named from this folder on. Raises WantedError."""
    for name in given:
        _check(name)
    if given.get("script") is not None and given.get("recording") is not None:
        raise WantedError(
            "script and recording both say which answer is given: a rule of a script may name a recording"
        )
    return Wanted(
        Start(
            _folder(given.get("recordings"), folder),
            _speed(given.get("speed")),
            _seed(given.get("seed")),
            _text("api_key", given.get("api_key")),
            _flag("strict", given.get("strict")),
        ),
        (*_texts("fault", given.get("fault")), *_texts("faults", given.get("faults"))),
        _script(given.get("script"), folder),
        _texts("recording", given.get("recording")),
        _texts("hosts", given.get("hosts")),
    )


def rule_of(recording: Collection[str], known: Collection[str]) -> str:
    """A script whose one rule answers whatever names a model, known or not, with these recordings.

    Raises WantedError for one that is not there.
    """
    for name in recording:
        if name not in known:
            near = ", ".join(difflib.get_close_matches(name, known, 3, 0.4)) or "none is named like it"
            raise WantedError(f"there is no recording {name!r}; near: {near}")
    return json.dumps([{"name": "recording", "when": {"model": "*"}, "recording": list(recording), "then": "cycle"}])


def _check(name: str) -> None:
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, 1)
        hint = f", did you mean {near[0]}?" if near else ""
        raise WantedError(f"{name!r} is unknown{hint} (there are {', '.join(NAMES)})")


def _folder(value: object, folder: Path) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, str | Path) or not (folder / value).is_dir():
        raise WantedError(f"recordings: {str(value)!r} is no folder beside the test")
    return (folder / value).resolve()


def _speed(value: object) -> float:
    if value is None or value == "max":
        return float("inf")
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise WantedError(f"speed: {value!r} is neither a factor above 0 nor 'max'")
    return float(value)


def _seed(value: object) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise WantedError(f"seed: {value!r} is no whole number from 0")
    return value


def _text(name: str, value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise WantedError(f"{name}: {value!r} is no text")
    return value


def _flag(name: str, value: object) -> bool:
    if value is not None and not isinstance(value, bool):
        raise WantedError(f"{name}: {value!r} is neither True nor False")
    return bool(value)


def _texts(name: str, value: object) -> tuple[str, ...]:
    found = (value,) if isinstance(value, str) else value
    if found is None:
        return ()
    if not isinstance(found, list | tuple) or not all(isinstance(one, str) for one in found):
        raise WantedError(f"{name}: {value!r} is neither a text nor several")
    return tuple(found)


def _script(value: object, folder: Path) -> str | None:
    """A path is read, a text is YAML."""
    if not isinstance(value, Path):
        return _text("script", value)
    try:
        return (folder / value).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise WantedError(f"script: {value}: {reason}") from None
