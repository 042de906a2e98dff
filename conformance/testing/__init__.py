"""The suite in pytest: what `conformance.pytest_plugin` loads once somebody names a relay.

setup.py    what the options say             hooks.py      what pytest is told: collection, order, summary
asking.py   the probes, asked once           items.py      one item a rule and probe, and how it is shown
shared.py   one budget for all workers       loop.py       an event loop in a thread of its own
relay.py    the fixture `relay`              responses.py  an answer of somebody else's client
"""

from conformance.testing.relay import BrokenContractError, NotVerifiedError, OverBudgetError, Relay

__all__ = ["BrokenContractError", "NotVerifiedError", "OverBudgetError", "Relay"]
