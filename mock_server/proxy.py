"""In front of a live relay: what it answers passes through as it comes, byte for byte, and is recorded.

    client ──request──► mock ──the same──► upstream
           ◄──bytes────      ◄──bytes────           each read goes on at once, and to the tape

Where a fault is wanted, the upstream is asked what a deaf relay hears, and the client gets the fault; what is recorded
is always what the upstream was asked and sent. What a proxy cannot play is refused (`faults/beyond.py`).
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

from mock_server import synthesis
from mock_server.adapter import Adapter
from mock_server.answer import Answer, Asked
from mock_server.asking import keys_of
from mock_server.faults.beyond import beyond_all
from mock_server.journal import Beginning, Done
from mock_server.library import Library
from mock_server.manners import Relays, UnknownMannerError
from mock_server.options import Options
from mock_server.passing import Passing
from mock_server.recorder import Recorder, Tape
from mock_server.relay import Relay
from mock_server.replay import Connection, Whole, answer_of
from mock_server.respond import EXTENSION, Clock, Raw, Sent
from mock_server.script import Play
from mock_server.upstream import Reader, Upstream, UpstreamError
from openapi.wire import secrets
from openapi.wire.exchange import Auth, End, Exchange, Request
from openapi.wire.http1 import FRAMING_FAULT
from openapi.wire.redaction import Redactor

if TYPE_CHECKING:
    from mock_server.workers.member import Member

NOT_YET = Answer(502, ())  # nobody was asked yet
LEFT = "the client left before the answer was over"
IDLE = 600.0  # seconds of an upstream's silence
PIECE = 65536

logger = logging.getLogger(__name__)


class Proxy(Adapter):
    """The adapter of a mock that asks a live relay: `upstream` is that, and `recorder` keeps what it answers."""

    def __init__(
        self,
        relays: Relays,
        options: Options,
        load: Callable[[], Library] | None,
        upstream: Upstream,
        recorder: Recorder | None,
        *,
        member: "Member | None" = None,
    ) -> None:
        super().__init__(relays, options, load, member=member)
        self.upstream = upstream
        self.recorder = recorder

    def _whole(self, done: Done, connection: Connection) -> Whole | None:
        return None if done.pending else super()._whole(done, connection)

    def chosen(self, relay: Relay, asked: Asked, play: Play | None) -> Done:
        """What a script says. The rest is asked of the upstream: `relay` then says with which faults. Raises
        UnknownMannerError for those that only the upstream could have."""
        unplayable = beyond_all(tuple(fault.id for fault in relay.faults))
        if unplayable:
            raise UnknownMannerError(unplayable)
        if play and play.answers:
            return Done(asked, relay.answer(asked, play), None, play)
        return Done(asked, NOT_YET, relay, play, pending=True)

    async def serve(self, scope: Scope, receive: Receive, send: Send, clock: Clock, done: Done) -> tuple[Done, Sent]:
        """Asks the upstream, and passes on what comes."""
        if not done.pending or done.relay is None:
            return await super().serve(scope, receive, send, clock, done)
        asked, heard = done.asked, done.relay.heard(done.asked)
        sent = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        base = Exchange("upstream", _asked(heard), sent=sent, operation=asked.operation)
        raw: Raw | None = scope.get("extensions", {}).get(EXTENSION)
        as_it_is = done.relay.plain and scope.get("http_version") == "1.1"  # else it is framed anew
        through = raw if as_it_is else None
        passing = Passing(base, clock, self._tape(base), through, done.ticket.headers if done.ticket else ())
        try:
            exchange = await self._ask(heard, passing, receive)
        except UpstreamError as error:
            passing.drop()
            text = f"The upstream {self.upstream.url} gave no answer: {error}"
            refused = synthesis.error(502, text, type="server_error", code="bad_gateway", operation=asked.operation)
            return await self._own(scope, receive, send, clock, done.answering(refused))
        except BaseException:
            passing.drop()
            raise
        if passing.tape:
            tape = passing.tape
            await asyncio.to_thread(tape.end_long if passing.long else tape.end, exchange)
        answer = exchange.view(answer_of)
        if through:
            clock.stop()
            begins = Beginning(passing.size, b"".join(passing.ending)) if passing.long else None
            return done.answering(answer)._replace(pending=False, begins=begins), clock.sent
        bent = done.relay.bend(asked, answer)
        return await self._own(scope, receive, send, clock, done.answering(bent))

    async def _own(self, scope: Scope, receive: Receive, send: Send, clock: Clock, done: Done) -> tuple[Done, Sent]:
        """Sends an answer that is not passed on as it is, with what its request was let in with."""
        answer = done.ticket.on(done.answer) if done.ticket else done.answer
        return await super().serve(scope, receive, send, clock, done.answering(answer)._replace(pending=False))

    def _tape(self, base: Exchange) -> Tape | None:
        """A recording that begins; none where nothing is recorded, or the folder cannot be written."""
        if self.recorder is None:
            return None
        request = base.request
        known = secrets.presented(request.headers, request.path, request.json.value)
        known |= frozenset(filter(None, (self.upstream.key,)))
        try:
            return self.recorder.begin(base, Redactor(known), known)
        except OSError as error:
            logger.warning("not recorded: %s: %s", self.recorder.folder, error.strerror)
            return None

    async def _ask(self, asked: Asked, passing: Passing, receive: Receive) -> Exchange:
        """The exchange with the upstream, over when its answer is or the client leaves. Raises UpstreamError."""
        async with self.upstream.connected() as (reader, writer):
            writer.write(self.upstream.request(asked.method, asked.path, asked.headers, asked.raw))
            reading = asyncio.ensure_future(_read(reader, passing))
            leaving = asyncio.ensure_future(_left(receive))
            try:
                await asyncio.wait({reading, leaving}, return_when=asyncio.FIRST_COMPLETED)
                passing.clock.left = not reading.done()
                end, error = (End.CLIENT_ABORTED, LEFT) if passing.clock.left else reading.result()
            finally:
                for task in (reading, leaving):
                    task.cancel()
                await asyncio.gather(reading, leaving, return_exceptions=True)
        passing.finish(end)
        return _with_auth(passing.exchange(end, error), asked)


async def _read(reader: Reader, passing: Passing) -> tuple[End, str | None]:
    """Reads to the end: how it ended, and why where that was no end."""
    while not passing.over:
        try:
            data = await asyncio.wait_for(reader.read(PIECE), IDLE)
        except TimeoutError:
            return End.TIMEOUT, f"no byte for {IDLE:g} s"
        if not data:
            break
        await passing.feed(data)
    if passing.reader.fault:
        return End.TRUNCATED, FRAMING_FAULT + passing.reader.fault
    if reader.broken and not passing.reader.complete:
        return passing.reader.close(reset=True), "the connection was reset"
    end = passing.reader.close()
    return end, None if end is End.COMPLETE else "the connection ended before the answer did"


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _asked(asked: Asked) -> Request:
    kept = tuple((name, value) for name, value in asked.headers if not name.lower().startswith("x-relay-"))
    return Request(asked.method, asked.path, kept, None, asked.raw or None)


def _with_auth(exchange: Exchange, asked: Asked) -> Exchange:
    """What stood in the place of the key, as the upstream took it."""
    auth = Auth.NONE if not keys_of(asked.headers) else Auth.WRONG if exchange.status in {401, 403} else Auth.VALID
    return replace(exchange, request=replace(exchange.request, auth=auth))
