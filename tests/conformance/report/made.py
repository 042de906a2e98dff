"""Runs to report on: a small one with every outcome, made from recordings, and any that hypothesis can think of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from conformance.exit_code import exit_of
from conformance.rule import Finding, Flaky, Level, Outcome, Verdict
from conformance.run import Earlier, Footer, Found, Generated, Header, Note, Run, Short, Stale, counts
from mock_server.library import RECORDINGS
from openapi.json_text import Json
from openapi.wire.exchange import Auth, End, Exchange, Framing, Read, Request
from openapi.wire.jsonl import read_recording

HOSTILE = (
    "<script>window.pwned=1</script>",
    '"><img src=x onerror=window.pwned=1>',
    "'/*`${7}`*/ {{ 7*7 }} {% raw %}",
    "]]> <!-- --> </style></script></template>",
    "\x1b[31mred\x1b[0m\x1b]8;;http://x\x07",
    "[bold]markup[/bold] :warning:",
    "\u202eright to left\u2066\u200f\u2028\ufeff",
    "NUL \x00 \x08 \x0b \x7f \x9b \ufffe \uffff",
    "lone \ud800 surrogate \udfff",
    "| a | `b` | **c** | @everyone | [x](javascript:alert(1)) | ![](http://x/y.png)",
    "# heading\n---\n\n<details>\r\n```",
    "; rm -rf / $(touch x) `touch y` 'quoted' \\",
    "x" * 1_200_000,
)


@dataclass(frozen=True)
class Row:
    """A rule of a book that is made up."""

    id: str
    level: Level
    law: str
    cites: str = "RFC 9112 section 7.1"


BOOK: Mapping[str, Row] = {
    row.id: row
    for row in (
        Row("sse.json", Level.MUST, "Each `data` is `[DONE]` or one JSON object."),
        Row("chat.answered", Level.MUST, "A legal request is answered."),
        Row("chat.stream.finish-once", Level.MUST, "Each choice ends with exactly one finish_reason that is not null."),
        Row("chat.stream.role-first", Level.SHOULD, "The first delta of each choice has role assistant."),
        Row("tools.called", Level.MUST, "tool_choice required is followed by a call."),
        Row("tools.index", Level.MUST, "Calls of a stream are numbered from 0."),
        Row("errors.no-key", Level.MUST, "A request without a key is answered 401."),
        Row("errors.wrong-type", Level.SHOULD, "A wrong type is answered with a 4xx."),
        Row("transport.request-id", Level.MAY, "Answers carry a request id."),
        Row("usage.sum", Level.MUST, "The total is the sum of its parts."),
        Row("video.link", Level.MUST, "A job that succeeded says where the video is."),
        Row("video.sid", Level.MAY, "The answer holds a sid."),
    )
}

HEADER = Header(
    relay={"name": "a-relay", "base_url": "https://relay.example/v1", "models": {"chat": "gpt-x"}},
    document="sha256:4be1c09d",
    suite="0.1.0",
    seed=7,
    started="2026-11-22T12:42:50Z",
    plan={"probes": 7, "requests": 7},
    command="relayproof check https://relay.example/v1 --model gpt-x",
)


def recorded(name: str, id: str, probe: str) -> Exchange:  # noqa: A002
    text = (RECORDINGS / f"{name}.jsonl").read_text(encoding="utf-8")
    return replace(read_recording(text, name).exchange, id=id, probe=probe)


def ended(run: Run, code: int | None = None) -> Run:
    """The run with the footer that `check` would have written."""
    outcomes = {outcome.value: count for outcome, count in counts(run.verdicts).items()}
    spent: dict[str, Json] = {"requests": len(run.exchanges), "prompt_tokens": 4213, "completion_tokens": 877}
    left = int(exit_of(run.verdicts)) if code is None else code
    return replace(run, footer=Footer(outcomes, spent, "2026-11-22T12:44:31Z", left))


def small_run() -> Run:
    """Each outcome once at least, on exchanges of a real relay."""
    exchanges = (
        recorded("litellm/chat-n2-stream", "e1", "chat.n"),
        recorded("litellm/chat-stream", "e2", "chat.stream"),
        recorded("litellm/err-no-auth", "e3", "errors.no-key"),
        recorded("litellm/chat-tools-required", "e4", "tools.required"),
        recorded("litellm/stream-client-abort", "e5", "chat.abort"),
    )
    must, should, may = Level.MUST, Level.SHOULD, Level.MAY
    unwanted = Finding("expected 401, the answer was 500: Internal Server Error")
    early = (Finding("choice 0: text before the role", 2), Finding("choice 1: text before the role", 30))
    verdicts = (
        Verdict("chat.answered", must, Outcome.PASS, "chat.n", ("e1",)),
        Verdict("chat.answered", must, Outcome.PASS, "chat.stream", ("e2",)),
        Verdict("sse.json", must, Outcome.PASS, "chat.n", ("e1",)),
        Verdict("chat.stream.finish-once", must, Outcome.PASS, "chat.stream", ("e2",)),
        Verdict(
            "chat.stream.finish-once",
            must,
            Outcome.FAIL,
            "chat.n",
            ("e1",),
            (Finding("choice 1: no finish_reason in the whole stream", 50),),
        ),
        Verdict("chat.stream.role-first", should, Outcome.FAIL, "chat.n", ("e1",), early),
        Verdict("errors.no-key", must, Outcome.FAIL, "errors.no-key", ("e3",), (unwanted,)),
        Verdict("errors.wrong-type", should, Outcome.PASS, "errors.wrong-type", ("e3",)),
        Verdict("tools.called", must, Outcome.INCONCLUSIVE, "tools.required", ("e4",), (), "cut by length", mood=True),
        Verdict("tools.index", must, Outcome.NOT_SEEN, "tools.required", ("e4",), (), "not a tool call"),
        Verdict("transport.request-id", may, Outcome.FAIL, "chat.n", ("e1",), (Finding("no request id"),)),
        Verdict("usage.sum", must, Outcome.UNTESTABLE, "chat.usage", (), (), "the budget ran out"),
        Verdict("video.link", must, Outcome.SKIPPED, None, (), (), "the target does not claim video"),
        Verdict("later.rule", should, Outcome.BROKEN, "chat.abort", ("e5",), (), "the check raised KeyError: 'x'"),
    )
    return ended(Run(HEADER, exchanges, verdicts))


def known_run() -> Run:
    """Failures that are known: one waived, one a habit, one of each, one that is both and not excused; one flaky."""
    run = small_run()
    must, should = Level.MUST, Level.SHOULD
    early = (Finding("choice 0: text before the role", 2, "text-before-the-role"),)
    waived, habit = "until the gateway is new (ops, until 2026-11-27)", "ND-503-MODEL: unknown models are 503."
    verdicts = (
        Verdict("chat.answered", must, Outcome.PASS, "chat.n", ("e1",)),
        Verdict("chat.stream.role-first", should, Outcome.FAIL, "chat.n", ("e1",), early, waived=waived),
        Verdict("errors.no-key", must, Outcome.FAIL, "errors.no-key", ("e3",), (Finding("got 500"),), dialect=habit),
        Verdict("usage.sum", must, Outcome.FAIL, "chat.n", ("e1",), (Finding("3 is not 2"),), waived=waived),
        Verdict("usage.sum", must, Outcome.FAIL, "chat.stream", ("e2",), (Finding("4 is not 2"),), dialect=habit),
        Verdict("tools.index", must, Outcome.FAIL, "tools.required", ("e4",), (Finding("index 1"),), waived=waived),
        Verdict(
            "tools.index",
            must,
            Outcome.FAIL,
            "chat.n",
            ("e1", "e2"),
            (Finding("index 7", 3, "/choices/*/index", "e2"),),
            flaky=Flaky(3, 6, 0.188, 0.812),
        ),
    )
    notes = (
        Note(Stale.EXPIRES_SOON, "usage.sum chat.n", "it excuses until 2026-11-27", 5),
        Note(Stale.UNUSED, "sse.json **", "nothing of this run is what it excuses"),
    )
    judged = ended(replace(run, verdicts=verdicts))
    assert judged.footer
    return replace(judged, footer=replace(judged.footer, dialect="new-api", notes=notes))


def hostile_run(text: str) -> Run:
    """That text in every place that a relay, or whoever wrote the file, can reach."""
    request = Request("POST", f"/v1/{text[:500]}", ((text, text),), Auth.VALID, text.encode("utf-8", "surrogatepass"))
    body = text.encode("utf-8", "surrogatepass")
    event = b"data: " + body.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n\n"
    stream = Exchange(
        text,
        request,
        200,
        (("Content-Type", "text/event-stream"), (text, text)),
        (Read(0.1, event), Read(1e300, b": " + body)),
        End.RESET,
        float("inf"),
        framing=Framing.CHUNKED,
        sent=text,
        error=text,
        probe=text,
    )
    whole = replace(stream, id=f"{text[:50]}2", headers=(("content-type", text),), reads=(Read(0.1, body),))
    verdicts = tuple(
        Verdict(f"{text[:99]}.{outcome.value}", level, outcome, text, (text,), (Finding(text, 0, text),), text)
        for level in Level
        for outcome in Outcome
    )
    excused = Verdict(
        f"{text[:99]}.x", Level.MUST, Outcome.FAIL, text, (text,), (Finding(text),), waived=text, dialect=text
    )
    relay: dict[str, Json] = {"name": text, "base_url": text, "models": {text: text}, text: [text]}
    header = Header(relay, text, text, 7, text, {text: text}, text)
    notes = tuple(Note(kind, text, text, 3) for kind in Stale)
    footer = Footer({text: 1}, {text: text, "x": float("inf")}, text, 1, text, text, notes)
    return Run(header, (stream, whole), (*verdicts, excused), footer)


# --- any run ----------------------------------------------------------------------------------------------------------

texts = st.text(max_size=30) | st.sampled_from(HOSTILE[:-1])
names = st.sampled_from([*BOOK, "later.rule", "x.<y>", "\x1b.z"])
seconds = st.floats(0, 100, allow_nan=False)
json_values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
records = st.dictionaries(st.sampled_from(["a", "b", "requests"]), json_values, max_size=3)
headers = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)
requests = st.builds(
    Request,
    method=st.sampled_from(["GET", "POST", "HEAD"]),
    path=texts.map(lambda text: f"/v1/{text}"),
    headers=headers,
    auth=st.none() | st.sampled_from(Auth),
    body=st.none() | st.binary(max_size=60) | texts.map(lambda text: text.encode("utf-8", "replace")),
)
bodies = st.lists(
    st.binary(max_size=40) | st.sampled_from([b'data: {"a":1}\n\n', b"data: [DONE]\n\n", b": hi\n\n"]), max_size=6
)
exchanges = st.builds(
    Exchange,
    id=st.sampled_from(["e1", "e2", "e3", "e4"]),
    request=requests,
    status=st.none() | st.integers(100, 599),
    headers=headers | st.just((("content-type", "text/event-stream"),)),
    reads=bodies.flatmap(lambda parts: st.tuples(*(st.builds(Read, seconds, st.just(part)) for part in parts))),
    end=st.sampled_from(End),
    ended_at=seconds,
    http=st.sampled_from(["1.0", "1.1", "2"]),
    framing=st.none() | st.sampled_from(Framing),
    chunks=st.none() | st.lists(st.integers(0, 99), max_size=3).map(tuple),
    first_byte=st.none() | seconds,
    sent=texts,
    error=st.none() | texts,
    operation=st.none() | texts,
    probe=st.none() | texts,
    attempt=st.integers(1, 4),
)


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    """Of any outcome, the rule at its own level, or MUST where it is unknown."""
    rule = draw(names)
    ids = st.none() | st.sampled_from(["e1", "e9"])
    found = st.builds(Finding, texts, st.none() | st.integers(-1, 60), texts, ids)
    outcome = draw(st.sampled_from(Outcome))
    failed = outcome is Outcome.FAIL
    rates = st.builds(Flaky, st.integers(1, 5), st.integers(6, 9), st.floats(0, 0.5), st.floats(0.5, 1))
    return Verdict(
        rule,
        BOOK[rule].level if rule in BOOK else Level.MUST,
        outcome,
        draw(st.none() | texts),
        tuple(draw(st.lists(st.sampled_from(["e1", "e2", "e9"]), max_size=2))),
        tuple(draw(st.lists(found, max_size=3))),
        draw(st.none() | texts),
        draw(st.booleans()),
        draw(st.none() | rates) if failed else None,
        draw(st.none() | texts) if failed else None,
        draw(st.none() | texts) if failed else None,
    )


relays: st.SearchStrategy[dict[str, Json]] = st.fixed_dictionaries(
    {}, optional={"name": texts, "base_url": texts, "models": st.dictionaries(texts, texts, max_size=2)}
)
noted = st.builds(Note, st.sampled_from(Stale), texts, texts, st.none() | st.integers(0, 14))
counted = st.integers(0, 2**40)
findings = st.builds(
    Found,
    *(texts, st.sampled_from([Level.MUST, Level.SHOULD]), texts, texts, texts, counted, records),
    flaky=st.none() | st.booleans(),
    short=st.none() | st.sampled_from(Short),
)
identities: st.SearchStrategy[tuple[str, ...]] = st.lists(texts, max_size=2).map(tuple)
drawn = st.builds(
    Generated,
    *(counted, counted, counted, counted),
    found=st.lists(findings, max_size=2).map(tuple),
    mended=identities,
    stopped=st.none() | st.text(min_size=1, max_size=30),
    earlier=st.none()
    | st.builds(Earlier, st.integers(1, 99), identities, identities, st.dictionaries(texts, texts, max_size=2)),
)
footers = st.builds(
    Footer,
    outcomes=st.dictionaries(st.sampled_from([outcome.value for outcome in Outcome]), st.integers(0, 9)),
    spent=records,
    finished=texts,
    exit=st.integers(0, 6),
    note=st.none() | texts,
    dialect=st.none() | texts,
    notes=st.lists(noted, max_size=3).map(tuple),
    generated=st.none() | drawn,
)
runs = st.builds(
    Run,
    header=st.builds(Header, relays, texts, texts, st.integers(-9, 2**40), texts, records, texts),
    exchanges=st.lists(exchanges, max_size=4, unique_by=lambda exchange: exchange.id).map(tuple),
    verdicts=st.lists(verdicts(), max_size=12).map(tuple),
    footer=st.none() | footers,
)


# --- several ----------------------------------------------------------------------------------------------------------


def named(run: Run, name: str, **verdicts: Outcome) -> Run:
    """The run as one of another relay, where each of these rules (a dot is `_`) came out as told."""
    told = {rule.replace("__", "-").replace("_", "."): outcome for rule, outcome in verdicts.items()}
    changed = tuple(
        replace(one, outcome=told[one.rule], findings=()) if one.rule in told else one for one in run.verdicts
    )
    header = replace(run.header, relay={**run.header.relay, "name": name, "base_url": f"https://{name}.example/v1"})
    return ended(replace(run, header=header, verdicts=changed))


def dead_run() -> Run:
    """A relay that could not be reached: nothing of it is decided."""
    reason = "the relay could not be reached: connection refused"
    verdicts = tuple(Verdict(rule, row.level, Outcome.UNTESTABLE, "p", (), (), reason) for rule, row in BOOK.items())
    header = replace(HEADER, relay={"name": "dead", "base_url": "http://127.0.0.1:9"})
    return ended(Run(header, (), verdicts), 3)


def several_runs() -> tuple[Run, Run, Run]:
    """A relay with failures, one that mends a MUST, and one that is dead."""
    small = small_run()
    return small, named(small, "b-relay", errors_no__key=Outcome.PASS), dead_run()
