"""Plausible values: what a property's name and the prompt suggest."""

import re
from collections.abc import Callable

from openapi.json_text import Json

CITIES = (
    "New York|San Francisco|Los Angeles|Hong Kong|Rio de Janeiro|Paris|London|Berlin|Rome|Madrid|Tokyo|Beijing|Shanghai"
    "|Oslo|Vienna|Boston|Chicago|Sydney|Moscow|Cairo|Seoul|Lisbon|Dublin|Athens|Prague|Toronto|Mumbai|Delhi|Singapore"
    "|Amsterdam|Stockholm|Helsinki|Copenhagen|Zurich|Munich|北京|上海|广州|深圳|杭州|成都|南京|武汉|西安|重庆|天津|苏州"
    "|巴黎|伦敦|东京|纽约|柏林|罗马"
)

_CITY = re.compile(CITIES)
_PLACE = re.compile(r"\b(?:in|at|of|for|from|to|near|and)\s+([A-Z][\w'’-]+(?:\s[A-Z][\w'’-]+)?)")
_QUOTED = re.compile(r"[\"“「`]([^\"”」`]{1,200})[\"”」`]")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,15})?(?!\.?\w)")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
_URL = re.compile(r"https?://[^\s\"'<>)]+")
_PERSON = re.compile(r"\b(?:named|called|is|am|name:)\s+([A-Z][a-z]+(?:\s[A-Z][a-z]+)?)")
_KEYS = re.compile(r"(?:\b(?:keys?|fields?|propert(?:y|ies)|members?)\b|字段|键)", re.IGNORECASE)
_NO_KEYS = ("and", "for", "with", "in", "of", "about")
_SERIES = re.compile(r"[a-zA-Z]\w*(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+|、|和)[a-zA-Z]\w*)*")

PLACE_NAMES = re.compile(r"city|location|place|town|destination|origin|capital|城市|地点", re.IGNORECASE)


def places(prompt: str) -> list[str]:
    """Cities that the prompt names, in its order, each once; else what stands where a place would."""
    found = _CITY.findall(prompt) or _PLACE.findall(prompt)
    return list(dict.fromkeys(found))


def numbers(prompt: str) -> list[int | float]:
    """The numbers of the prompt, in its order."""
    return [float(one) if "." in one else int(one) for one in _NUMBER.findall(prompt)]


def word(name: str, prompt: str, nth: int) -> str:
    """A text for a property: from the prompt where its name says what to look for."""
    for pattern, find in _FINDERS:
        if re.search(pattern, name, re.IGNORECASE):
            found = find(prompt)
            return found[nth % len(found)]
    quoted = _QUOTED.findall(prompt)
    if quoted:
        return str(quoted[nth % len(quoted)])
    return f"{name or 'text'} {nth + 1}"


def keys(prompt: str) -> list[str]:
    """Names of members that the prompt asks for, as `with the keys "name" and "age"`."""
    behind = _KEYS.search(prompt)
    if not behind:
        return []
    rest = prompt[behind.end() :]
    series = _SERIES.match(rest.lstrip(" :："))
    named = _QUOTED.findall(rest) or re.findall(r"\w+", series[0] if series else "")
    return [one for one in dict.fromkeys(named) if re.fullmatch(r"[\w .-]{1,40}", one) and one not in _NO_KEYS]


def object_of(prompt: str) -> dict[str, Json]:
    """An object with the members that the prompt asks for, or some."""
    named = keys(prompt) or ["answer", "topic"]
    found = numbers(prompt)
    value: dict[str, Json] = {}
    for nth, name in enumerate(named):
        is_count = re.search(r"age|count|number|year|total|population|price", name, re.IGNORECASE)
        value[name] = (found[0] if found else 30 + nth) if is_count else word(name, prompt, 0)
    return value


def _first(pattern: re.Pattern[str], default: str) -> Callable[[str], list[str]]:
    return lambda prompt: pattern.findall(prompt) or [default]


_FINDERS: tuple[tuple[str, Callable[[str], list[str]]], ...] = (
    (PLACE_NAMES.pattern, lambda prompt: places(prompt) or ["Paris"]),
    ("country", lambda _: ["France"]),
    ("date|day", _first(_DATE, "2025-06-01")),
    ("e-?mail", _first(_EMAIL, "ada@example.com")),
    ("url|link|uri", _first(_URL, "https://example.com/")),
    ("time_?zone", lambda _: ["Europe/Paris"]),
    ("query|question|prompt|search|expression|text|message", lambda prompt: [prompt.strip()[:200] or "hello"]),
    ("name|person|author", _first(_PERSON, "Ada")),
    ("colou?r", lambda _: ["blue", "green", "red"]),
    ("unit", lambda _: ["celsius"]),
    ("answer", lambda _: ["A short answer."]),
    ("topic|title|subject", lambda _: ["General"]),
)
