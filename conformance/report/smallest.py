"""What generated probes found, as a report shows it: the smallest request of each finding, as curl and as SDK code."""

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.report.curl import command
from conformance.report.sdk import code
from conformance.run import Found, Generated, Run
from openapi.wire.exchange import Exchange, Request

MANY = 20  # findings that a report shows
MOST = 4  # requests of one of them


@dataclass(frozen=True, slots=True)
class Smallest:
    """One finding, with the exchanges of the smallest probe that shows it, and the code that asks it again."""

    found: Found
    exchanges: tuple[Exchange, ...]
    curl: tuple[str, ...]
    python: tuple[str, ...]

    @property
    def rule(self) -> str:
        return self.found.identity.partition(" ")[0]

    @property
    def asked(self) -> tuple[str, ...]:
        """What is asked: of a sequence each request, else the first; a body, or the path of one that has none."""
        data = self.found.case.get("data")
        shown = self.exchanges[:MOST] if isinstance(data, dict) and data.get("moves") else self.exchanges[:1]
        return tuple(_asked(one.request) for one in shown)

    @property
    def ids(self) -> str:
        return ", ".join(one.id for one in self.exchanges[:MOST])


def _asked(request: Request) -> str:
    return f"{request.method} {request.path}" if request.body is None else request.body.decode("utf-8", "replace")


def smallest(run: Run) -> tuple[Smallest, ...]:
    """The findings of a run's generated probes, as many as a report shows."""
    generated = run.footer.generated if run.footer else None
    return tuple(_smallest(run, one) for one in (generated.found if generated else ())[:MANY])


def told(generated: Generated) -> Iterator[str]:
    """What became of the generated probes, in sentences."""
    left = f", {generated.left} left out by the budget" if generated.left else ""
    tries = f"; {generated.tries} requests made failures smaller" if generated.tries else ""
    yield f"{generated.asked} of {generated.drawn} generated probes asked{left}{tries}"
    yield from (f"mended: {identity}" for identity in generated.mended)


def _smallest(run: Run, found: Found) -> Smallest:
    exchanges = tuple(one for one in run.exchanges if one.probe == found.probe)
    base = run.header.relay.get("base_url")
    requests = list(dict.fromkeys(one.request for one in exchanges))[:MOST]
    python = (code(request, base) for request in requests)
    return Smallest(found, exchanges, tuple(command(one, base) for one in requests), tuple(filter(None, python)))
