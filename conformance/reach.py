"""How a relay is reached, as a command line says it: which target, with which key, over which way."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

if TYPE_CHECKING:
    from decimal import Decimal

    from conformance.known import Known
    from conformance.target import Target
    from conformance.transport import Link


class _Seconds(click.FloatRange):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401
        seconds = float(super().convert(value, param, ctx))
        if not isfinite(seconds):  # NaN is within every range
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return seconds


SECONDS = _Seconds(min=0, min_open=True)


class _Money(click.ParamType):  # type: ignore[type-arg] # generic in later versions of click alone
    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Decimal":  # noqa: ANN401
        from conformance.price import PriceError, amount  # noqa: PLC0415

        try:
            return amount(value, "it")
        except PriceError as error:
            self.fail(str(error), param, ctx)


MONEY = _Money()

REACHING = (
    click.option("--api-key-env", metavar="VAR", help="The variable that holds the key. Default: RELAYPROOF_API_KEY."),
    click.option(
        "--model",
        "models",
        multiple=True,
        metavar="[ROLE=]NAME",
        help="A model and what it is named for; a bare name is for chat.",
    ),
    click.option("--max-requests", type=click.IntRange(0), metavar="N", help="Never send more requests."),
    click.option("--max-tokens", type=click.IntRange(0), metavar="N", help="Never cause more tokens, at their worst."),
    click.option("--max-cost", type=MONEY, metavar="N", help="Never cause more cost, in the currency of the prices."),
    click.option("--timeout", type=SECONDS, metavar="S", help="Seconds for an answer (120; video 1800)."),
    click.option("--idle-timeout", type=SECONDS, metavar="S", help="Seconds of silence (60; video 300)."),
    click.option("--header", "headers", multiple=True, metavar="K:V", help="One more header on each request."),
    click.option("--proxy", metavar="URL", help="A proxy; HTTP_PROXY and its like count otherwise."),
    click.option("--ca-file", type=click.Path(exists=True, dir_okay=False), metavar="F", help="Certificates to trust."),
)


def reaching(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say how a relay is reached, and what it may cost."""
    for option in reversed(REACHING):
        command = option(command)
    return command


def reached(given: dict[str, Any]) -> "tuple[Target, Link]":
    """The target that is to be judged, and the way to it. Raises ConfigurationError."""
    target = target_of(given)
    link = link_of(given, target)
    return (target.without_key() if link.key is None else target), link


def known_of(given: dict[str, Any]) -> "Known":
    """What may excuse, today. Raises ConfigurationError."""
    from conformance.baseline import read_baseline  # noqa: PLC0415 - a command loads what it needs
    from conformance.dialect import read_dialect  # noqa: PLC0415
    from conformance.known import Known  # noqa: PLC0415

    waivers = read_baseline(given["baseline"]) if given["baseline"] else ()
    return Known(waivers, tuple(map(read_dialect, dict.fromkeys(given["dialects"]))), datetime.now(UTC).date())


def target_of(given: dict[str, Any]) -> "Target":
    from conformance.target import ConfigurationError, Target, base_of, models_of, read_target  # noqa: PLC0415

    url: str | None = given["base_url"]
    if url is None and given["target_name"] is None:
        msg = "whom to judge? give a BASE_URL, or --target NAME"
        raise ConfigurationError(msg)
    base = None if url is None else base_of(url)
    target = read_target(given["target_name"]) if given["target_name"] else Target(urlsplit(base or "").netloc, "")
    if base is not None:
        target = replace(target, base=base)
    if not target.base:
        msg = f"the target {target.name} names no host: give its BASE_URL too"
        raise ConfigurationError(msg)
    named = models_of(given["models"])
    target = replace(target, models={**target.models, **named})
    for limit in ("max_requests", "max_tokens", "max_cost"):
        if given[limit] is not None:
            target = replace(target, **{limit: given[limit]})
    return target.bounded()


def link_of(given: dict[str, Any], target: "Target") -> "Link":
    from conformance.target import KEY_VARIABLE, ConfigurationError  # noqa: PLC0415
    from conformance.transport import Link  # noqa: PLC0415

    named = given["api_key_env"] or target.key_variable
    key = os.environ.get(named or KEY_VARIABLE)
    if given["api_key_env"] and not key:
        msg = f"the variable {named} is not set, or empty"
        raise ConfigurationError(msg)
    if not key and not target.is_local and not given["dry_run"]:
        msg = f"no key: set {named or KEY_VARIABLE}, or name its variable with --api-key-env"
        raise ConfigurationError(msg)
    if key and (not key.isascii() or any(character < " " or character == "\x7f" for character in key)):
        msg = f"the key in {named or KEY_VARIABLE} has characters that no header can hold"
        raise ConfigurationError(msg)
    defaults = Link("")
    return Link(
        base=target.base,
        key=key or None,
        headers=(*_own_headers(target), *map(_header, given["headers"])),
        proxy=given["proxy"],
        ca_file=given["ca_file"],
        total=given["timeout"] or defaults.total,
        idle=given["idle_timeout"] or defaults.idle,
    )


def _own_headers(target: "Target") -> list[tuple[str, str]]:
    where = f"the target {target.name}, headers"
    return [_header(f"{name}:{value}", where) for name, value in target.headers.items()]


def _header(text: str, where: str = "--header") -> tuple[str, str]:
    from conformance.target import ConfigurationError  # noqa: PLC0415

    name, colon, value = text.partition(":")
    token = name.strip()
    good = token.isascii() and token and all(c.isalnum() or c in "!#$%&'*+-.^_`|~" for c in token)
    if not colon or not good or not value.isascii() or any(c < " " and c != "\t" for c in value):
        msg = f"{where}: expected NAME:VALUE, in ASCII and on one line"
        raise ConfigurationError(msg)
    if token.lower() in {"content-length", "transfer-encoding"}:
        msg = f"{where}: {token} would break the framing of the requests"
        raise ConfigurationError(msg)
    if token.lower() == "authorization":
        msg = f"{where}: the key comes from a variable, see --api-key-env"
        raise ConfigurationError(msg)
    return token.lower(), value.strip()


def harmless(word: str) -> str:
    """A word of the command line as it may be written down: no value of a header, no user in a proxy's URL."""
    if ":" in word and not word.startswith(("http://", "https://")):
        return word.partition(":")[0] + ":…"
    return word if "@" not in word else "…"
