"""A mock relay in a test: what the fixtures of `mock_server.pytest_plugin` hand out, for annotations and other runners.

wanted.py   how a test wants it          relay.py    the hand that a test has on it: journal, faults, script
servers.py  in processes of their own    local.py    in this process: `memory.py` and `streams.py` are its
                                         connections, `httpx_client.py` and `httpx2_client.py` who asks over them
"""

from mock_server.testing.relay import Journal, MockRelay

__all__ = ["Journal", "MockRelay"]
