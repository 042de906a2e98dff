"""ASGI on one side, Asked and Answer on the other: reads a request, lets `Relay` decide, and has the answer sent."""

import asyncio
import logging
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server import cost, synthesis
from mock_server.answer import Answer, Asked, Frame
from mock_server.asking import Fields, header
from mock_server.gate import Gate, Ticket, counts
from mock_server.head import Head, Heads
from mock_server.hours import Hours
from mock_server.journal import Done, Journal
from mock_server.library import Library
from mock_server.manners import Relays, UnknownMannerError
from mock_server.metrics import Metrics
from mock_server.options import Options
from mock_server.relay import Relay, dressed, own
from mock_server.replay import Connection, Whole, at_once
from mock_server.respond import EXTENSION, Clock, Moment, Raw, Responder, Say, Sent, date, tell
from mock_server.script import Play
from mock_server.settled import Decision, Settled
from openapi.wire.exchange import Auth, Headers

if TYPE_CHECKING:
    from mock_server.workers.member import Member

DISCARD = 8  # so many times the largest body is read and thrown away, so that a client hears its 413

logger = logging.getLogger(__name__)


class ClientLeft(Exception):  # noqa: N818 - no error
    """The client went away before its request was whole."""


Heard = tuple[Relay, Answer | None]  # the relay that a head asks for, or the usual one with a refusal


class Adapter:
    """ASGI on one side, Asked and Answer on the other."""

    def __init__(
        self,
        relays: Relays,
        options: Options,
        load: Callable[[], Library] | None = None,
        *,
        member: "Member | None" = None,
    ) -> None:
        self.relays = relays
        self.pace = options.pace
        self.journal = Journal(options.journal, number=member.number if member else None)
        self.metrics = Metrics()
        self.under_way = 0
        self._load = load
        self.heads = Heads()
        self._settled = Settled()
        self._began = relays.wanted, relays.script
        owner, zero = (member.owner, member.zero) if member else ("", None)
        self.gate = Gate(relays.ledger, Hours(zero=zero), options.conduct.limits, options.conduct.outages, owner)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _refuse_protocol(send)
            return
        moment, head = Moment(), self.heads.read(scope)
        relay, _ = heard = self._heard(head)
        try:
            raw = await _read_body(receive, head.fields, relay.policy.max_body)
        except ClientLeft:
            return
        await self._send(moment, self._decided(head, heard, raw, moment), scope, receive, send)

    def directly(self, head: Head, body: bytes, say: Say) -> ASGIApp | None:
        """Answers a request that came whole, if its answer is to be sent at once, else says who sends it."""
        moment = Moment()
        done = self._decided(head, self._heard(head), body, moment)
        whole = self._whole(done, head.connection)
        if whole is None:
            return partial(self._send, moment, done)
        data, keep_alive = whole
        after = moment.elapsed()  # before a client can have it, who may ask another worker for the entry
        say(data, keep_alive)
        self._note(moment, done, tell(head.path, Sent(len(data), after, after, 0.0, left=False)))
        self._leave(done)
        return None

    def _whole(self, done: Done, connection: Connection) -> Whole | None:
        """All that is to be sent, where nothing of it is to be waited for."""
        try:
            return at_once(done.common, self.pace, connection, date(), done.own)
        except ValueError:  # an answer that no head can say: told where all answers are sent
            return None

    async def _send(self, moment: Moment, done: Done, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends what was decided, and notes it."""
        raw: Raw | None = scope.get("extensions", {}).get(EXTENSION)
        self.under_way += 1
        try:
            clock = Clock(receive, moment, raw, self.metrics.pieces.add)
            done, sent = await self.serve(scope, receive, send, clock, done)
            self._note(moment, done, sent)
        except asyncio.CancelledError:  # cut, as the server stops
            if raw:
                raw.finish(keep_alive=False)
        except Exception:
            logger.exception("%s %s was not sent", scope["method"], scope["path"])
            raise
        finally:
            self.under_way -= 1
            self._leave(done)

    def _leave(self, done: Done) -> None:
        if done.ticket:
            self.gate.leave(done.ticket, _used(done))

    def _note(self, moment: Moment, done: Done, sent: Sent) -> None:
        self.metrics.add(done, sent)
        self.journal.add(moment.came, done, sent, 0.0 if sent.last is None else moment.elapsed() - sent.last)

    def _heard(self, head: Head) -> Heard:
        """What the head of a request asks for."""
        try:
            return self.relays.of(head.fields), None
        except UnknownMannerError as unknown:
            return self.relays.usual, refused(unknown)

    def _decided(self, head: Head, heard: Heard, raw: bytes | None, moment: Moment) -> Done:
        relay, refusal = heard
        headers: Headers = head.fields
        if raw is not None and head.fields.media[0] == "gzip":
            headers, raw = _uncoded(headers, raw, relay.policy.max_body)
        return self.decide(relay, refusal, (head.connection.method, head.target, headers), raw, int(moment.came))

    async def serve(self, scope: Scope, receive: Receive, send: Send, clock: Clock, done: Done) -> tuple[Done, Sent]:
        """Sends what was decided, and says what was sent."""
        return done, await Responder(scope, receive, send, clock, self.pace).respond(done.answer)

    def decide(
        self, relay: Relay, refusal: Answer | None, asking: tuple[str, str, Headers], raw: bytes | None, second: int
    ) -> Done:
        """What is answered, found again where the same was decided before. `asking` is method, target and headers."""
        method, target, headers = asking
        if refusal:
            return Done(relay.asked(method, target, headers, raw or b""), refusal)
        again = relay is self.relays.usual and self.gate.idle and not self.relays.crowded
        if raw is None or not again or not isinstance(headers, Fields):
            return self._answer(relay, method, target, headers, raw)
        what, how = (target, raw), (method, headers)
        known = self._settled.find(relay, what, how, second)
        if known:
            return Done(known.asked, known.answer, relay, known.play, own(known.asked, known.answer))
        done = self._answer(relay, method, target, headers, raw)
        if done.settled and self._settled.came(what):
            made = None if done.common.recorded else second
            self._settled.keep(what, how, Decision(done.asked.unread, done.common, made, done.play))
        return done

    def _answer(self, relay: Relay, method: str, target: str, headers: Headers, raw: bytes | None) -> Done:
        """The relay's answer; a fault of ours is told in its log, and by 500 in the envelope."""
        asked: Asked | None = None
        try:
            asked = relay.asked(method, target, headers, raw or b"")
            if raw is None:
                return Done(asked, relay.too_large(asked), relay)
            return self._let_in(relay, asked)
        except UnknownMannerError as unknown:
            answer = refused(unknown)
        except Exception:  # one request must not take the others with it
            logger.exception("%s %s", method, target)
            answer = synthesis.error(500, "The mock itself failed; its log tells why.", type="server_error")
        return Done(asked or Asked(method, target, None, headers, raw or b"", None, Auth.NONE), answer)

    def _let_in(self, relay: Relay, asked: Asked) -> Done:
        """What is answered to a request, if the relay is not down and has room for it. Raises UnknownMannerError."""
        gate = self.gate
        down = gate.down(asked, gate.outages) if gate.outages else None
        if down:
            return Done(asked, dressed(asked, down))
        ticket = gate.enter(asked, gate.limited) if gate.limited and counts(asked) else None
        if isinstance(ticket, Answer):
            return Done(asked, dressed(asked, ticket))
        if self.relays.crowded:
            ticket, under_way = gate.join(ticket)
            asked = asked._replace(under_way=under_way)
        try:
            done = self._by_rule(relay, asked, ticket)
        except BaseException:
            if ticket:
                gate.leave(ticket, 0)
            raise
        return done.answering(done.ticket.on(done.answer)) if done.ticket else done

    def _by_rule(self, relay: Relay, asked: Asked, ticket: Ticket | None) -> Done:
        """What is answered to a request that was let in, if the rule that is for it lets it in too."""
        relay, asked, play = self.relays.cast(relay, asked)
        rule = play.rule if play else None
        down = self.gate.down(asked, (rule.outage,)) if rule and rule.outage else None
        if down:
            return Done(asked, dressed(asked, down), None, play, ticket=ticket)
        if rule and rule.limit and counts(asked):
            entered = self.gate.enter(asked, ((rule.name, rule.limit),), ticket)
            if isinstance(entered, Answer):
                return Done(asked, dressed(asked, entered), None, play, ticket=ticket)
            ticket = entered
        done = self.chosen(relay, asked, play)
        return done._replace(ticket=ticket) if ticket else done

    def chosen(self, relay: Relay, asked: Asked, play: Play | None) -> Done:
        """The relay's answer."""
        if relay is self.relays.usual and relay.settles(asked, play):
            settled = relay.settled(asked, play)
            return Done(asked, settled, relay, play, own(asked, settled), settled=True)
        return Done(asked, relay.answer(asked, play), relay, play)

    def reset(self, at: int | None = None) -> None:
        """As it was started; its clock began `at` (microseconds of the machine's), else it begins now."""
        self.relays.wanted, script = self._began
        self.relays.perform(script)
        self.relays.reset()
        self.gate.forget()
        self.gate.hours.put(0, at)
        self.journal.clear()
        self.metrics.reset()

    def reload(self) -> int:
        """The recordings as they are on disk now, and how many. Raises LibraryError: then all stays as it was."""
        if self._load:
            self.relays.borrow(self._load())
        return len(self.relays.usual.library.recordings)


def _used(done: Done) -> int | None:
    """The tokens that the answer told. Nobody knows them where none came."""
    if done.pending:
        return None
    if done.begins is None:
        return cost.told(done.answer)
    return cost.told(replace(done.answer, frames=(*done.answer.frames, Frame(0.0, done.begins.ending))))


def refused(unknown: UnknownMannerError) -> Answer:
    """What is told of a wish that nobody can grant."""
    return synthesis.error(400, str(unknown), type="invalid_request_error", code="unknown_manner")


async def _refuse_protocol(send: Send) -> None:
    """Under a server that speaks WebSocket: no operation of the document does yet."""
    await send({"type": "websocket.close", "code": 1000})


async def _read_body(receive: Receive, headers: Headers, limit: int) -> bytes | None:
    """The body, or None where it is larger than `limit` bytes. Never holds more than that.

    A body that is too large is read on and thrown away for a while, because a client that is still sending does not
    listen. One that asked first (Expect: 100-continue) is not told to go on.
    """
    length = header(headers, "content-length") or ""
    too_large = length.isdigit() and int(length) > limit
    if too_large and header(headers, "expect") is not None:
        return None
    pieces: list[bytes] = []
    size, more = 0, True
    while more and size <= limit * DISCARD:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        more = message.get("more_body", False)
        size += len(message.get("body", b""))
        too_large = too_large or size > limit
        if too_large:
            pieces.clear()
        else:
            pieces.append(message.get("body", b""))
    return None if too_large else b"".join(pieces)


def _uncoded(headers: Headers, raw: bytes, limit: int) -> tuple[Headers, bytes | None]:
    """The request with gzip taken off its body, None where that is larger than `limit` bytes (RFC 9110 section 8.4).

    What says gzip and is none stays as it is, and is refused as any other coding.
    """
    inflate = zlib.decompressobj(wbits=31)
    try:
        body = inflate.decompress(raw, limit + 1)
    except zlib.error:
        return headers, raw
    if len(body) > limit:
        return headers, None
    plain = tuple((name, "identity" if name.lower() == "content-encoding" else value) for name, value in headers)
    return (plain, body) if inflate.eof and not inflate.unused_data else (headers, raw)
