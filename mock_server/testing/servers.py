"""Mocks in processes of their own, one for each way to start it, kept for the session."""

from contextlib import ExitStack

from mock_server.process import running
from mock_server.testing.relay import MockRelay, over_http
from mock_server.testing.wanted import Start, Wanted


class Servers:
    """Those that were started. They end with the stack."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._running: dict[Start, MockRelay] = {}

    def of(self, wanted: Wanted) -> MockRelay:
        """The mock of these options, as this test wants it.

        Raises ValueError for what it does not know, and RuntimeError where it does not start.
        """
        if wanted.start not in self._running:
            url = self._stack.enter_context(running(*wanted.start.words))
            self._running[wanted.start] = MockRelay(url, over_http(url))
        relay = self._running[wanted.start]
        relay.play(wanted)
        return relay
