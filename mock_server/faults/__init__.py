"""Named ways to be wrong, and honest variants that only look it. One module a layer.

    deaf     what was asked has no effect            framing    the bytes of the event stream
    order    who speaks first, what ends a stream    transport  HTTP beneath it
    meaning  what chunks and answers say             service    keys and refusals
    tools    calls of functions                      models     the list of models
    video    videos by chat                          usage      what is counted and billed
    refusals legal parameters turned down            completions, embeddings, messages: those operations
    claims   what is said to be there and is not     http       methods, paths, browsers, liberties of a request
    rare     what hangs on a request that nobody would think of
    honest_* legal, and known to break clients       peers      by which suites have been compared

Each fault breaks the rules that it names and as few as it can; each honest variant breaks none.
"""

from mock_server.faults import (
    claims,
    completions,
    deaf,
    embeddings,
    framing,
    honest_bytes,
    honest_members,
    honest_service,
    http,
    meaning,
    messages,
    models,
    order,
    peers,
    rare,
    refusals,
    service,
    tools,
    transport,
    usage,
    video,
)
from mock_server.faults.fault import FAULTS, Fault

__all__ = [
    "FAULTS",
    "Fault",
    "claims",
    "completions",
    "deaf",
    "embeddings",
    "framing",
    "honest_bytes",
    "honest_members",
    "honest_service",
    "http",
    "meaning",
    "messages",
    "models",
    "order",
    "peers",
    "rare",
    "refusals",
    "service",
    "tools",
    "transport",
    "usage",
    "video",
]
