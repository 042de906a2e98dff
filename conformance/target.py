"""Whom we judge: where, with which key variable, which models, what it claims, and what it may cost.

ConfigurationError    wrong use: one line for the user, exit code 2
"""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from importlib.resources import files
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from conformance.price import PriceError, Prices, amount, price_for, read_prices
from conformance.probe import Role
from openapi.wire.secrets import is_secret_header

KEY_VARIABLE = "RELAYPROOF_API_KEY"
AUTH = "auth"
MAX_FILE = 1 << 20  # bytes of a configuration file
MAX_REQUESTS = 300  # beyond loopback, unless said otherwise
MAX_TOKENS = 200_000
ENDPOINTS = ("/chat/completions", "/completions", "/models", "/embeddings", "/messages", "/responses")


class ConfigurationError(ValueError):
    """Wrong use or configuration; the message is one line for the user."""


@dataclass(frozen=True, slots=True)
class Target:
    """One relay. `base` is scheme, host and path prefix, without a final /v1; `unsupported` are capabilities that it
    does not claim, by the names in `Probe.needs`, and `claims` those that it does, None where it lists none. Limits are
    None where nothing bounds them; `max_cost` is in the currency of the prices."""

    name: str
    base: str
    key_variable: str | None = None
    models: Mapping[Role, str] = field(default_factory=dict)
    unsupported: frozenset[str] = frozenset()
    max_requests: int | None = None
    max_tokens: int | None = None
    notes: str = ""
    claims: frozenset[str] | None = None
    max_cost: Decimal | None = None
    currency: str = ""
    prices: Prices = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)  # one more each on every request, and no secret
    absent: frozenset[str] = frozenset()  # operations that it has not, `POST /v1/rerank`: told as not claimed
    concurrency: int | None = None  # requests at a time, where several relays are asked

    @property
    def is_local(self) -> bool:
        return is_loopback(self.base)

    def without_key(self) -> "Target":
        """The same where no key is sent: on this machine who is asked without one is not blamed for answering."""
        return replace(self, unsupported=self.unsupported | {AUTH}) if self.is_local else self

    def claimed(self, needs: Iterable[str]) -> dict[str, bool]:
        """Which of these capabilities it claims; empty where it lists none. That it checks keys is no capability of an
        answer: every relay claims it that is not said not to."""
        if self.claims is None:
            return {}
        return {need: need in self.claims for need in sorted(needs) if need != AUTH}

    @property
    def unpriced(self) -> list[str]:
        """The models of which no price is known."""
        return sorted({model for model in self.models.values() if price_for(self.prices, model) is None})

    def bounded(self) -> "Target":
        """The same, with the limits that hold where the user named none: none on loopback, ours elsewhere. Raises
        ConfigurationError where a limit on money bounds nothing, for want of a price."""
        if self.max_cost is not None and self.unpriced:
            msg = f"a limit on cost needs prices, and a target's [prices] has none of {', '.join(self.unpriced)}"
            raise ConfigurationError(msg)
        if self.is_local:
            return self
        return replace(
            self,
            max_requests=MAX_REQUESTS if self.max_requests is None else self.max_requests,
            max_tokens=MAX_TOKENS if self.max_tokens is None else self.max_tokens,
        )


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def base_of(url: str) -> str:
    """A base URL without its final slash and /v1; a path prefix is kept. Raises ConfigurationError."""
    try:
        parts = urlsplit(url)
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        port_is_right = False
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_right:
        msg = f"{url!r} is no base URL: expected something like https://relay.example/v1"
        raise ConfigurationError(msg)
    if "@" in parts.netloc:
        msg = "a base URL holds no user and password: the key comes from an environment variable"
        raise ConfigurationError(msg)
    if parts.query or parts.fragment:
        msg = f"{url!r} is no base URL: it has a query or a fragment"
        raise ConfigurationError(msg)
    path = parts.path.rstrip("/")
    if path.endswith(ENDPOINTS):
        msg = f"{url!r} is an endpoint: give the base URL, what stands before {path.rpartition('/v1')[2] or path}"
        raise ConfigurationError(msg)
    path = path.removesuffix("/v1").rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def models_of(words: tuple[str, ...]) -> dict[Role, str]:
    """`--model ROLE=NAME`, or a bare name for chat. A name may hold `=`; a role may not. Raises ConfigurationError."""
    models: dict[Role, str] = {}
    for word in words:
        role, equals, name = word.partition("=")
        if not equals:
            role, name = Role.CHAT, word
        if role not in set(Role):
            msg = f"--model {word!r}: no role {role!r}; there are {', '.join(Role)}"
            raise ConfigurationError(msg)
        if not name:
            msg = f"--model {word!r} names no model"
            raise ConfigurationError(msg)
        models[Role(role)] = name
    return models


def read_target(name: str) -> Target:
    """A target by the name of a built-in file or by path. Raises ConfigurationError."""
    return parse_target(named_text(name, "target"), Path(name).stem)


def named_text(name: str, kind: str) -> str:
    """The text of a built-in file of `conformance/<kind>s/` by its name, or of another by its path. Raises
    ConfigurationError."""
    path = Path(name)
    if name.endswith(".toml") or path.exists():
        return text_of(path, f"the {kind} {name}")
    folder = files("conformance") / f"{kind}s"
    known = sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))
    if name not in known:
        msg = f"no {kind} {name!r}; there are {', '.join(known)}, or give the path of a .toml"
        raise ConfigurationError(msg)
    return (folder / f"{name}.toml").read_text(encoding="utf-8")


def text_of(path: Path, what: str) -> str:
    """The text of a configuration file. Raises ConfigurationError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
        if len(data) > MAX_FILE:
            msg = f"{what} is too large: more than {MAX_FILE:,} bytes"
            raise ConfigurationError(msg)
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{what} cannot be read: {error}"
        raise ConfigurationError(msg) from None


def toml_of(text: str, what: str) -> dict[str, Any]:
    """The table that a TOML text is. Raises ConfigurationError."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # more than TOML's own errors: a number of 5,000 digits is one
        msg = f"{what} is no TOML: {str(error)[:200]}"
        raise ConfigurationError(msg) from None


def parse_target(text: str, name: str) -> Target:
    """A target from TOML. An unknown member is an error: a misspelt limit must not be no limit."""
    return _checked(toml_of(text, f"the target {name}"), name)


def read_targets(path: Path) -> list[Target]:
    """The targets of a file: its `[[target]]` tables, each with a name of its own, or the one that it is. Raises
    ConfigurationError."""
    table = toml_of(text_of(path, f"the targets {path}"), f"the targets {path}")
    tables = table.pop("target", None)
    if tables is None:
        return [_checked(table, path.stem)]
    if table or not isinstance(tables, list) or not tables or not all(isinstance(one, dict) for one in tables):
        msg = f"the targets {path}: [[target]] tables and nothing else"
        raise ConfigurationError(msg)
    targets = [_checked(one, f"{path.stem}-{number}") for number, one in enumerate(tables, 1)]
    name, count = Counter(target.name for target in targets).most_common(1)[0]
    if count > 1:
        msg = f"the targets {path}: {name} is the name of {count}"
        raise ConfigurationError(msg)
    return targets


def _checked(table: dict[str, Any], name: str) -> Target:
    known: dict[str, type | tuple[type, ...]] = {
        "name": str,
        "base_url": str,
        "key_env": str,
        "models": dict,
        "unsupported": list,
        "claims": list,
        "max_requests": int,
        "max_tokens": int,
        "max_cost": (int, float),
        "currency": str,
        "prices": dict,
        "notes": str,
        "concurrency": int,
        "absent": list,
        "headers": dict,
    }
    for member, value in table.items():
        if member not in known or not isinstance(value, known[member]) or isinstance(value, bool):
            msg = f"the target {name}: {member} = {value!r} is not understood; there are {', '.join(known)}"
            raise ConfigurationError(msg)
    if table.get("concurrency", 1) < 1:
        msg = f"the target {name}: concurrency is one or more"
        raise ConfigurationError(msg)
    if any(table.get(limit, 0) < 0 for limit in ("max_requests", "max_tokens", "max_cost")):
        msg = f"the target {name}: a limit is not negative"
        raise ConfigurationError(msg)
    for member in ("unsupported", "claims", "absent"):
        strangers = [item for item in table.get(member, []) if not isinstance(item, str)]
        if strangers:
            msg = f"the target {name}: {member} holds {strangers[0]!r:.60}; it is a list of names"
            raise ConfigurationError(msg)
    odd = next((name for name, value in table.get("headers", {}).items() if not isinstance(value, str)), None)
    if odd is not None or any(map(is_secret_header, table.get("headers", {}))):
        msg = f"the target {name}: headers holds texts, and none that is a key: that comes from the variable in key_env"
        raise ConfigurationError(msg)
    both = sorted({*table.get("unsupported", [])} & {*table.get("claims", [])})
    if both:
        msg = f"the target {name}: {', '.join(both)} stands in claims and in unsupported"
        raise ConfigurationError(msg)
    return _target(table, name)


def _target(table: dict[str, Any], name: str) -> Target:
    try:
        prices = read_prices(table.get("prices", {}))
        max_cost = amount(table["max_cost"], "max_cost") if "max_cost" in table else None
    except PriceError as error:
        msg = f"the target {name}: {error}"
        raise ConfigurationError(msg) from None
    models = models_of(tuple(f"{role}={model}" for role, model in table.get("models", {}).items()))
    return Target(
        name=table.get("name", name),
        base=base_of(table["base_url"]) if table.get("base_url") else "",
        key_variable=table.get("key_env"),
        models=models,
        unsupported=frozenset(table.get("unsupported", [])),
        max_requests=table.get("max_requests"),
        max_tokens=table.get("max_tokens"),
        notes=table.get("notes", ""),
        claims=frozenset(table["claims"]) if "claims" in table else None,
        max_cost=max_cost,
        currency=table.get("currency", "USD" if prices else ""),
        prices=prices,
        concurrency=table.get("concurrency"),
        headers=table.get("headers", {}),
        absent=frozenset(table.get("absent", [])),
    )
