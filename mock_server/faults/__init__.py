"""Named ways to be wrong, and honest variants that only look it. One module a layer.

    deaf     what was asked has no effect            framing    the bytes of the event stream
    order    who speaks first, what ends a stream    transport  HTTP beneath it
    meaning  what chunks and answers say             service    keys and refusals
    tools    calls of functions                      models     the list of models
    video    videos by chat                          honest_*   legal, and known to break clients

Each fault breaks the rules that it names and as few as it can; each honest variant breaks none.
"""

from mock_server.faults import (
    deaf,
    framing,
    honest_bytes,
    honest_members,
    meaning,
    models,
    order,
    service,
    tools,
    transport,
    video,
)
from mock_server.faults.fault import FAULTS, Fault

__all__ = [
    "FAULTS",
    "Fault",
    "deaf",
    "framing",
    "honest_bytes",
    "honest_members",
    "meaning",
    "models",
    "order",
    "service",
    "tools",
    "transport",
    "video",
]
