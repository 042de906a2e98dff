"""What `serve` says first: all that a newcomer needs to point a client at it."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from mock_server.faults import FAULTS
from mock_server.options import Options

HELLO = '{"model":"mock-chat","stream":true,"messages":[{"role":"user","content":"Hello"}]}'


def lines(url: str, options: Options, recordings: int, rules: int, recovered: Iterable[Path] = ()) -> Iterator[str]:
    """The first line is what `process.running` waits for. `recovered` are recordings that a killed process left."""
    yield f"relayproof mock on {url}/v1"
    key = "YOUR-KEY" if options.conduct.api_key else "any-key"
    for name, text in _facts(options, recordings, rules, recovered):
        yield f"  {name:11} {text}"
    trust = f" --cacert {options.tls.authority}" if options.tls and options.tls.authority else ""
    yield f"  try         curl -N{trust} {url}/v1/chat/completions -H 'Authorization: Bearer {key}' \\"
    yield "                -H 'Content-Type: application/json' \\"
    yield f"                -d '{HELLO}'"
    yield f"  Python      openai.OpenAI(base_url='{url}/v1', api_key='{key}')"
    yield f"              anthropic.Anthropic(base_url='{url}', api_key='{key}')"
    yield f"  Node        new OpenAI({{ baseURL: '{url}/v1', apiKey: '{key}' }})"
    if options.control:
        yield f"  look        curl{trust} {url}/__relay__/journal"


def _facts(options: Options, recordings: int, rules: int, recovered: Iterable[Path]) -> Iterator[tuple[str, str]]:
    if options.upstream:
        yield "upstream", options.upstream.url
        yield "recorded in", str(options.record_to)
        for path in recovered:
            yield "recovered", f"{path}, which was cut short"
        if options.recordings:
            yield "recordings", f"{recordings}, for the rules of a script alone"
    else:
        yield "key", "the one of --api-key" if options.conduct.api_key else "any (none is 401)"
        yield "recordings", f"{recordings}{', read again as they change' if options.watch else ''}"
    if rules:
        yield "script", f"{rules} rules"
    for name, model in options.conduct.aliases:
        yield "alias", f"{name} is {model}"
    for limit in options.conduct.limits:
        yield "limit", limit.text
    for outage in options.conduct.outages:
        yield "outage", outage.text
    for wish in options.conduct.wanted:
        yield "fault", f"{wish.text}: {FAULTS[wish.fault].text}"
    if options.tls and options.tls.authority:
        yield "trust", f"{options.tls.authority} (curl --cacert, or the variable SSL_CERT_FILE), as long as it runs"
