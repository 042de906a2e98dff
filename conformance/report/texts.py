"""What the reports say, one table a language, read from `texts.toml`: a word stands there once, in all languages."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files

from conformance.exit_code import MEANING

LANGUAGES = ("en", "zh")


def _tables() -> dict[str, dict[str, str]]:
    text = files("conformance.report").joinpath("texts.toml").read_text(encoding="utf-8")
    tables: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES}
    tables["en"] |= {f"exit.{code.value}": meaning for code, meaning in MEANING.items()}
    for key, words in tomllib.loads(text).items():
        for language, word in words.items():
            tables[language][key] = word
    return tables


TEXTS: Mapping[str, Mapping[str, str]] = _tables()
ENGLISH = TEXTS["en"]
