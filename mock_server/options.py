"""What a mock can be told, in two records: how its relay behaves, and how it is served."""

from dataclasses import dataclass, field
from pathlib import Path

from mock_server.faults import Fault
from mock_server.latency import USUAL as NO_LATENCY
from mock_server.latency import Latency
from mock_server.limits import Limit
from mock_server.outage import Outage
from mock_server.policy import RIGHT, Policy
from mock_server.replay import AS_RECORDED, Pace
from mock_server.script import Script
from mock_server.tls import Tls
from mock_server.upstream import Upstream
from mock_server.validation import Mode
from mock_server.wish import Wish


@dataclass(frozen=True, slots=True)
class Conduct:
    """How a relay behaves. `faults` are always there, `wanted` are granted request by request (`wish.py`). `api_key` is
    the one that it takes, None any; `seed` varies what is legal, 0 nothing; `strict` answers nothing that was neither
    recorded nor scripted. `aliases` are names for models: who asks for the first is answered as by the second. `limits`
    and `outages` hold for all requests."""

    policy: Policy = RIGHT
    faults: tuple[Fault, ...] = ()
    wanted: tuple[Wish, ...] = ()
    api_key: str | None = field(default=None, repr=False)
    seed: int = 0
    script: Script | None = None
    latency: Latency = NO_LATENCY
    strict: bool = False
    mode: Mode = Mode.REJECT
    aliases: tuple[tuple[str, str], ...] = ()
    limits: tuple[Limit, ...] = ()
    outages: tuple[Outage, ...] = ()


PLAIN = Conduct()


@dataclass(frozen=True, slots=True)
class Options:
    """How to serve it. `recordings` None takes the built-in ones; `script` is a file of rules, read when the server
    starts. `control` opens /__relay__/ to this machine, `token` to who has it; `journal` is how many requests are
    remembered. With an `upstream` the mock stands in front of that relay and keeps recordings in `record_to`.
    `grace` is in seconds, for answers under way when it is told to stop; with `watch` files that change are read again.
    """

    host: str = "127.0.0.1"
    port: int = 8787
    conduct: Conduct = PLAIN
    pace: Pace = AS_RECORDED
    recordings: Path | None = None
    script: Path | None = None
    workers: int = 1
    control: bool = True
    token: str | None = field(default=None, repr=False)
    journal: int = 1000
    upstream: Upstream | None = None
    record_to: Path | None = None
    tls: Tls | None = None
    grace: float = 1.0
    watch: bool = False


USUAL = Options()
