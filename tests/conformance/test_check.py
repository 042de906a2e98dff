"""A check against relays of a few lines: what is asked again, what stops it, and what each ending is called."""

import asyncio
import importlib.metadata
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from conformance import budget as budgets
from conformance import check as checking
from conformance import plan as planning
from conformance.budget import usage_of
from conformance.check import Options, Progress, check
from conformance.probe import Probe, Role, Step
from conformance.probes import PROBES
from conformance.probes.chat import ask
from conformance.repeats import NEEDED
from conformance.rule import Outcome
from conformance.rules import BOOK
from conformance.run import Run, Writer, outcome_of, read_run
from conformance.target import Target
from conformance.transport import Link, Transport, UnreachableError
from openapi.json_text import Json
from openapi.wire.exchange import Exchange, Request
from tests.system.hostile import (
    JSON,
    Connection,
    Heard,
    Relay,
    drips,
    error,
    floods,
    head,
    reply,
    said,
    sends,
    serving,
)

KEY = "sk-relayproof-check-0123456789"
GOOD = said(200, reply())
MODELS = {Role.CHAT: "m"}
REFUSED = error(401, "Incorrect API key provided", code="invalid_api_key")
NO_MODEL = error(404, "The model `m` does not exist", code="model_not_found")


@dataclass
class Done:
    """A run as it was returned and as it stands written, what the relay heard, and the progress that was told."""

    run: Run
    written: Run
    heard: Sequence[Heard]
    told: Sequence[Progress]

    @property
    def exit(self) -> int:
        assert self.run.footer
        return self.run.footer.exit

    @property
    def note(self) -> str:
        assert self.run.footer
        return self.run.footer.note or ""

    @property
    def probes(self) -> list[str]:
        return [exchange.probe or "" for exchange in self.run.exchanges]

    def outcome(self, name: str) -> Outcome:
        return outcome_of(self.run.by_rule()[name])


def judged(
    relay: Relay | bytes,
    *only: str,
    models: Mapping[Role, str] = MODELS,
    key: str | None = KEY,
    limits: tuple[int | None, int | None] = (None, None),
    options: Options | None = None,
    base: str | None = None,
    probes: Mapping[str, Probe] = PROBES,
    fetch_media: bool = False,
) -> Done:
    out = io.StringIO()
    told: list[Progress] = []
    with serving(sends(relay) if isinstance(relay, bytes) else relay) as server:
        target = Target("t", base or server.url, models=models, max_requests=limits[0], max_tokens=limits[1])
        plan = planning.plan(target, BOOK, probes, only, fetch_media=fetch_media)
        link = Link(target.base, key, total=10, idle=5)
        chosen = options or Options(patience=0.01)
        run = asyncio.run(check(target, link, plan, chosen, out=Writer(out), watch=told.append))
    return Done(run, read_run(out.getvalue()), server.heard, told)


def written_equals_returned(done: Done) -> bool:
    def shown(run: Run) -> tuple[object, ...]:
        return (
            run.verdicts,
            run.footer,
            run.header,
            {(e.id, e.status, e.end, e.error, e.body, e.probe, e.attempt) for e in run.exchanges},
        )

    return shown(done.run) == shown(done.written)


# --- try later ------------------------------------------------------------------------------------------------------


def test_a_relay_that_asks_to_try_later_and_then_answers_is_judged_once() -> None:
    busy = error(429, "slow down", "Retry-After: 0")
    done = judged(sends(busy, busy, GOOD), "chat.whole")
    assert [(one.id[-2:], one.attempt, one.status) for one in done.run.exchanges][1:] == [
        (".2", 2, 429),
        (".3", 3, 200),
    ]
    assert [verdict.outcome for verdict in done.run.by_rule()["chat.schema"]] == [Outcome.PASS]
    assert [verdict.exchanges for verdict in done.run.by_rule()["chat.schema"]] == [(done.run.exchanges[-1].id,)]
    assert done.exit == 0
    assert written_equals_returned(done)


@pytest.mark.parametrize("status", [429, 503, 529])
def test_a_relay_that_asks_to_try_later_for_ever_is_inconclusive(status: int) -> None:
    done = judged(error(status, "busy"), "chat.whole")
    assert [one.attempt for one in done.run.exchanges] == [1, 2, 3, 4]
    assert done.outcome("chat.schema") is Outcome.INCONCLUSIVE
    assert done.exit == 4


def test_the_waits_double_where_nothing_is_said_and_are_those_that_are_asked_for() -> None:
    def waits(*answers: bytes) -> list[float | None]:
        exchanges = judged(sends(*answers), "chat.whole").run.exchanges
        return [checking._pause(one, number) for number, one in enumerate(exchanges, 1)]

    assert waits(error(429, "busy")) == [1.0, 2.0, 4.0, None]
    assert waits(error(429, "busy", "Retry-After: 3"), GOOD) == [3.0, None]
    assert waits(error(429, "busy", "Retry-After: 61"), GOOD) == [None]


def test_a_date_to_try_again_is_a_wait_too() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=30)
    wait = checking._retry_after(format_datetime(moment, usegmt=True))
    assert wait
    assert 27 < wait <= 30
    assert checking._retry_after(format_datetime(moment.replace(tzinfo=None))) == pytest.approx(wait, abs=1)
    assert checking._retry_after(format_datetime(moment - timedelta(hours=1), usegmt=True)) == 0


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "1.5",
        "-1",
        "٣",
        "Wed, 21 Oct 99999999999999999999 07:28:00 GMT",
        "Wed, 99 Oct 2015 07:28:00 GMT",
        "\0",
    ],
)
def test_a_wait_that_nobody_can_read_is_none(value: str) -> None:
    assert checking._retry_after(value) is None


def test_a_wait_of_a_thousand_digits_is_not_waited_for() -> None:
    assert (checking._retry_after("9" * 1000) or 0) > checking.LONGEST_WAIT
    assert checking._retry_after(None) is None


# --- what stops a check ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        error(402, "pay first"),
        error(429, "You exceeded your current quota", code="insufficient_quota"),
        error(403, "用户额度不足", code="insufficient_user_quota"),
    ],
    ids=["402", "openai", "new-api"],
)
def test_out_of_quota_stops_at_once(answer: bytes) -> None:
    done = judged(answer)
    assert done.exit == 3
    assert done.note.startswith("out of quota: ")
    assert len(done.heard) == 1
    assert written_equals_returned(done)
    assert {v.outcome for v in done.run.verdicts if v.reason == done.note} == {Outcome.UNTESTABLE}


def test_out_of_quota_in_the_middle_keeps_what_was_captured() -> None:
    done = judged(sends(GOOD, GOOD, GOOD, error(402, "pay")), options=Options(concurrency=1, patience=0.01))
    assert (done.exit, len(done.heard)) == (3, 4)
    assert sorted(one.status or 0 for one in done.run.exchanges) == [200, 200, 200, 402]


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_everywhere_is_no_verdict(status: int) -> None:
    done = judged(error(status, "no"))
    assert done.exit == 3
    assert done.note.startswith("the relay refused the key: ")
    assert sorted(done.probes) == ["chat.whole", "models.list"]
    assert judged(error(status, "no"), key=None).note.startswith(
        "the relay asks for a key, and none was given (RELAYPROOF_API_KEY"
    )


def test_a_wrong_base_url_accuses_nobody() -> None:
    done = judged(error(404, "Invalid URL (POST /v2/v1/chat/completions)"))
    assert done.exit == 3
    assert done.note.startswith("the base URL seems wrong, nothing is served there: ")
    assert sorted(done.probes) == ["chat.whole", "models.list"]


def test_a_key_that_is_refused_for_chat_alone_is_judged() -> None:
    def relay(connection: Connection) -> None:
        listed = said(200, {"object": "list", "data": []})
        connection.send(listed if connection.heard.method == "GET" else REFUSED)

    done = judged(relay, "models.list", "chat.schema")
    assert done.exit == 4
    assert not done.note


def test_a_relay_that_is_not_there_is_told_with_every_rule_untestable() -> None:
    done = judged(GOOD, base="http://no-such-relay.invalid")
    assert done.exit == 3
    assert done.note.startswith("the relay could not be reached: ")
    assert done.run.exchanges == ()
    assert {verdict.outcome for verdict in done.run.verdicts} == {Outcome.UNTESTABLE, Outcome.SKIPPED}
    assert written_equals_returned(done)


def test_a_relay_that_is_not_there_when_the_first_probe_is_beyond_the_budget() -> None:
    done = judged(GOOD, "chat", base="http://127.0.0.1:1", limits=(None, 220))
    assert done.exit == 3
    assert done.run.exchanges == ()


def test_a_relay_that_goes_away_leaves_its_probes_inconclusive(monkeypatch: pytest.MonkeyPatch) -> None:
    send = Transport.send
    calls = 0

    async def gone(one: Transport, request: Request, **more: float | None) -> Exchange:
        nonlocal calls
        calls += 1
        if calls > 1:
            text = "refused"
            raise UnreachableError(text)
        return await send(one, request, **more)

    monkeypatch.setattr(Transport, "send", gone)
    done = judged(GOOD, "chat.whole", "chat.stream-false")
    assert [(one.status, one.error) for one in done.run.exchanges][1:] == [(None, "no connection: refused")]
    assert done.outcome("transport.answered") is Outcome.PASS
    verdicts = [one for one in done.run.verdicts if one.probe == "chat.stream-false"]
    assert {one.outcome for one in verdicts} == {Outcome.INCONCLUSIVE}
    assert done.exit == 4


@pytest.mark.parametrize(
    "answer",
    [
        NO_MODEL,
        error(503, "No available channel for model m under group default", code="model_not_found"),
        error(404, "The model `m` does not exist or you do not have access to it."),
        error(400, "unknown model m"),
    ],
)
def test_a_model_that_is_refused_leaves_its_role_untestable(answer: bytes) -> None:
    def relay(connection: Connection) -> None:
        asks_m = b'"m"' in connection.heard.body or connection.heard.target.endswith("/m")
        connection.send(answer if asks_m else GOOD)

    done = judged(relay, models={Role.CHAT: "n", Role.VISION: "m"})
    assert [name for name in done.probes if name.startswith("vision")] == ["vision.whole"]
    assert "chat.stream" in done.probes
    reasons = {verdict.reason for verdict in done.run.verdicts if verdict.probe == "vision.stream"}
    assert len(reasons) == 1
    assert reasons.pop().startswith("the relay does not know the model 'm': ")  # type: ignore[union-attr]


def test_an_unknown_model_for_all_is_untestable_and_not_unreachable() -> None:
    done = judged(NO_MODEL, "chat")
    assert done.exit == 4
    assert done.outcome("chat.n") is Outcome.UNTESTABLE
    assert len(done.heard) == 1


def test_an_error_with_status_200_is_judged() -> None:
    wrong = said(200, {"error": {"message": "boom", "type": "server_error", "param": None, "code": None}})
    done = judged(wrong, "errors.not-200")
    assert done.exit == 1
    assert done.outcome("errors.not-200") is Outcome.FAIL


# --- the budget -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [0, 1, 5, 9])
@pytest.mark.parametrize("answer", [GOOD, error(429, "busy")], ids=["well", "busy"])
def test_no_more_requests_are_sent_than_allowed_repeats_included(limit: int, answer: bytes) -> None:
    done = judged(answer, limits=(limit, None))
    assert len(done.heard) == limit
    assert done.run.footer
    assert done.run.footer.spent["requests"] == limit
    assert done.exit in {1, 4}
    told = {verdict.reason for verdict in done.run.verdicts if verdict.outcome is Outcome.UNTESTABLE}
    assert told == {f"the limit of {limit} requests does not allow it"}


@pytest.mark.parametrize("limit", [0, 300, 1000, 3000])
@pytest.mark.parametrize("share", [1.0, 0.2, 0.0], ids=["all", "a-fifth", "all-untold"])
def test_no_more_tokens_are_caused_than_allowed(limit: int, share: float) -> None:
    """A relay that counts: each answer is as long as its limit, or as a part of it."""
    caused: list[int] = []

    def relay(connection: Connection) -> None:
        asked = json.loads(connection.heard.body)
        most = asked.get("max_tokens") or asked["max_completion_tokens"]
        prompt, completion = len(connection.heard.body) // 4, int(most * asked.get("n", 1) * (share or 1))
        caused.append(prompt + completion)
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": caused[-1]}
        connection.send(said(200, reply(usage=usage if share else None)))

    done = judged(relay, "chat", limits=(None, limit))
    assert sum(caused) <= limit
    assert done.exit in {1, 4}
    if limit == 3000:
        assert len(caused) > 4


def test_a_budget_that_is_cut_is_exit_4_where_nothing_failed() -> None:
    done = judged(GOOD, "chat.whole", "chat.stream-false", limits=(1, None))
    assert done.exit == 4


def test_no_more_is_kept_than_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "MAX_RECEIVED", 1 << 20)
    done = judged(floods(head(200, JSON), b"a" * 65536, 1 << 19), options=Options(concurrency=1))
    assert len(done.heard) == 3
    assert done.exit in {1, 4}
    assert any((verdict.reason or "").startswith("the answers were more than") for verdict in done.run.verdicts)


def test_numbers_that_are_no_counts_are_not_counted() -> None:
    usages: list[Json] = [{"prompt_tokens": -1, "completion_tokens": 2}, {"prompt_tokens": "9"}, None, [], 10**400]
    for usage in usages:
        done = judged(said(200, reply(usage=usage)), "chat.whole")
        assert usage_of(done.run.exchanges[0]) is None
        assert done.run.footer
        assert done.run.footer.spent["completion_tokens"] == 0


def test_a_count_beyond_all_bounds_is_written_and_read() -> None:
    huge = {"prompt_tokens": 10**30, "completion_tokens": 1, "total_tokens": 10**30 + 1}
    done = judged(said(200, reply(usage=huge)), "chat.whole")
    assert written_equals_returned(done)


# --- the rest -------------------------------------------------------------------------------------------------------


def test_a_whole_check_is_written_as_it_is_returned_and_told_probe_by_probe() -> None:
    done = judged(GOOD)
    assert written_equals_returned(done)
    numbers = [int(one.id[1:].partition("-")[0]) for one in done.run.exchanges]
    assert numbers == sorted(numbers)
    probes = len(set(numbers))
    assert [told.done for told in done.told] == list(range(1, probes + 1))
    assert {told.total for told in done.told} == {probes}


def test_what_is_written_when_a_check_is_cut_short_is_a_run_without_footer() -> None:
    out = io.StringIO()

    async def cut(base: str) -> None:
        target = Target("t", base, models=MODELS)
        plan = planning.plan(target, BOOK, PROBES)
        work = check(target, Link(base, KEY), plan, Options(), out=Writer(out), watch=lambda _: None)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(work, 0.5)

    def relay(connection: Connection) -> None:
        (sends(GOOD) if connection.number < 4 else drips(head(200, JSON), b"x", 0.02))(connection)

    with serving(relay) as server:
        asyncio.run(cut(server.url))
    run = read_run(out.getvalue())
    assert (len(run.exchanges), run.footer) == (3, None)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(), {(None, None), (1800.0, 300.0)}),
        (Options(total=7.0, idle=3.0), {(7.0, 3.0)}),
    ],
)
def test_a_video_has_times_of_its_own(
    monkeypatch: pytest.MonkeyPatch, options: Options, expected: set[tuple[float | None, float | None]]
) -> None:
    asked: set[tuple[float | None, float | None]] = set()
    send = Transport.send

    async def timed(one: Transport, request: Request, *, total: float | None, idle: float | None) -> Exchange:
        asked.add((total, idle))
        return await send(one, request)

    monkeypatch.setattr(Transport, "send", timed)
    judged(GOOD, models={Role.VIDEO: "sora-2"}, options=options)
    assert asked == expected


def test_strict_lets_a_should_count() -> None:
    redirect = head(302, "Location: /elsewhere", "Content-Length: 0")
    assert judged(redirect, "transport.redirect").exit == 0
    assert judged(redirect, "transport.redirect", options=Options(strict=True)).exit == 1


def test_a_suite_that_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert checking._version() == "unreleased"
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "1.2.3")
    assert checking._version() == "1.2.3"


# --- probes of several requests -------------------------------------------------------------------------------------


def follow(sofar: Sequence[Exchange]) -> Json:
    """Repeats what was said, where anything was."""
    choices = sofar[-1].object.get("choices")
    return ask(f"Again: {choices}", 5) if choices else None


def steps(*then: Step, together: bool = False) -> dict[str, Probe]:
    probe = Probe("chat.steps", Role.CHAT, body=ask("hello", 5), step="first", then=then, together=together)
    return {"chat.whole": PROBES["chat.whole"], probe.id: probe}


def names(done: Done) -> list[str]:
    return [one.step for one in done.run.exchanges if one.step]


def test_the_requests_of_a_probe_follow_one_another() -> None:
    done = judged(GOOD, probes=steps(Step("second", follow), Step("third", ask("bye", 5))))
    assert [(one.id, one.step) for one in done.run.exchanges if one.step] == [
        ("e2-first", "first"),
        ("e2-second", "second"),
        ("e2-third", "third"),
    ]
    (second,) = (one for one in done.run.exchanges if one.step == "second")
    assert "Again: " in str(second.request.object["messages"])
    assert written_equals_returned(done)
    assert done.run.header.plan["requests"] == 4


def test_a_request_goes_over_the_connection_of_the_one_before_where_that_is_wanted() -> None:
    done = judged(GOOD, probes=steps(Step("second", ask("bye", 5), reuse=True)))
    assert {one.step: one.reused for one in done.run.exchanges} == {None: None, "first": None, "second": False}


def test_a_probe_ends_where_its_answers_lead_nowhere() -> None:
    refused = judged(sends(GOOD, error(500, "down"), GOOD), probes=steps(Step("second", follow), Step("third")))
    assert names(refused) == ["first"]


def test_a_request_that_follows_is_not_sent_where_it_is_larger_than_planned() -> None:
    long = steps(Step("second", lambda _: ask("x" * 9000, 5)))
    assert names(judged(GOOD, probes=long)) == ["first"]


def test_requests_that_go_out_together_all_go_out() -> None:
    done = judged(GOOD, probes=steps(Step("second", ask("b", 5)), Step("third", ask("c", 5)), together=True))
    assert sorted(names(done)) == ["first", "second", "third"]


def test_a_step_that_the_budget_does_not_allow_leaves_the_probe_untestable() -> None:
    done = judged(GOOD, probes=steps(Step("second", follow)), limits=(2, None))
    assert names(done) == ["first"]
    assert done.exit in {1, 4}
    assert "the limit of 2 requests does not allow it" in {verdict.reason for verdict in done.run.verdicts}


# --- repeats --------------------------------------------------------------------------------------------------------

BAD = said(200, {"object": "chat.completion"})
AGAIN = Options(patience=0.01, repeats=NEEDED)


def repeats(*answers: bytes, options: Options = AGAIN) -> Done:
    return judged(sends(*answers), "chat.whole", options=options)


def test_a_probe_that_fails_always_is_made_as_often_as_it_takes() -> None:
    done = repeats(BAD)
    assert [one.repeat for one in done.run.exchanges] == list(range(1, NEEDED + 2))
    assert done.run.exchanges[1].id == f"{done.run.exchanges[0].id}~2"
    (verdict,) = done.run.by_rule()["chat.schema"]
    assert (verdict.outcome, verdict.flaky, len(verdict.exchanges)) == (Outcome.FAIL, None, NEEDED + 1)
    assert done.exit == 1
    assert written_equals_returned(done)


def test_a_probe_that_fails_now_and_then_is_flaky_with_its_rate() -> None:
    (verdict,) = repeats(BAD, GOOD, BAD, GOOD).run.by_rule()["chat.schema"]
    assert verdict.flaky
    assert (verdict.flaky.failed, verdict.flaky.of) == (2, NEEDED + 1)
    assert verdict.flaky.low < 2 / (NEEDED + 1) < verdict.flaky.high


def test_a_probe_that_passes_is_not_made_again() -> None:
    assert [one.repeat for one in repeats(GOOD).run.exchanges] == [1]


def test_repeats_stop_at_the_limit_and_leave_nothing_untestable() -> None:
    done = judged(BAD, "chat.whole", limits=(3, None), options=AGAIN)
    assert len(done.run.exchanges) == 3
    assert {verdict.outcome for verdict in done.run.verdicts if verdict.reason} <= {
        Outcome.INCONCLUSIVE,
        Outcome.NOT_SEEN,
    }
    assert done.exit == 1


# --- links ----------------------------------------------------------------------------------------------------------


def makes_videos(connection: Connection) -> None:
    """Links to itself; what is there is a page that speaks of a model and of money."""
    if connection.heard.method == "GET":
        connection.send(error(402, "The model does not exist", code="insufficient_quota"))
        return
    [host] = connection.heard.headers("host")
    parts = [{"role": "assistant", "content": f"> ID: `task_1` 50% [play](http://{host}/made.mp4)"}, {}]
    made = {"id": "c", "object": "chat.completion.chunk", "created": 1700000000, "model": "sora-2"}
    choices = [{"index": 0, "delta": part, "finish_reason": None if part else "stop"} for part in parts]
    events = [json.dumps(made | {"choices": [choice]}) for choice in choices]
    body = "".join(f"data: {data}\n\n" for data in [*events, "[DONE]"]).encode()
    connection.send(head(200, "Content-Type: text/event-stream", f"Content-Length: {len(body)}") + body)


VIDEO = {Role.VIDEO: "sora-2"}


def test_a_link_is_fetched_where_that_is_wanted_and_stops_nothing() -> None:
    done = judged(makes_videos, "video.create", models=VIDEO, fetch_media=True)
    assert [(heard.method, heard.target, heard.key) for heard in done.heard] == [
        ("POST", "/v1/chat/completions", KEY),
        ("GET", "/made.mp4", None),
    ]
    video, media = done.run.exchanges
    assert (video.step, media.step, media.probe) == ("video", "media", "video.create")
    assert media.id == f"{video.id.removesuffix('video')}media"
    assert media.request.path.endswith("/made.mp4")
    assert [verdict.rule for verdict in done.run.verdicts if media.id in verdict.exchanges] == ["video.link-type"]
    assert done.outcome("video.link-type") is Outcome.INCONCLUSIVE  # a 402 says nothing of the link
    assert done.outcome("video.link") is Outcome.PASS
    assert (done.exit, done.note) == (0, "")
    assert done.run.footer
    assert done.run.footer.spent["requests"] == 2
    assert written_equals_returned(done)


def test_no_link_is_fetched_unasked() -> None:
    done = judged(makes_videos, models=VIDEO)
    assert "/made.mp4" not in {heard.target for heard in done.heard}
    assert done.outcome("video.link-type") is Outcome.SKIPPED
    assert "media" not in {exchange.step for exchange in done.run.exchanges}


def test_a_link_that_is_not_there_is_not_fetched() -> None:
    done = judged(GOOD, "video.create", models=VIDEO, fetch_media=True)
    assert len(done.heard) == 1
    assert done.outcome("video.link-type") is Outcome.INCONCLUSIVE


def test_a_link_beyond_the_budget_is_told_and_costs_no_exit_code() -> None:
    done = judged(makes_videos, "video.create", models=VIDEO, fetch_media=True, limits=(1, None))
    assert len(done.heard) == 1
    [verdict] = done.run.by_rule()["video.link-type"]
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "the limit of 1 requests" in (verdict.reason or "")
    assert done.exit == 0


def test_a_link_behind_a_flood_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "MAX_RECEIVED", 10)
    done = judged(makes_videos, "video.create", models=VIDEO, fetch_media=True)
    assert len(done.heard) == 1
    [verdict] = done.run.by_rule()["video.link-type"]
    assert "more than" in (verdict.reason or "")
