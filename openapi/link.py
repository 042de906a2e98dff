"""Links (OpenAPI 3.2, "Link Object"): what may be asked after an answer, with which of its values.

    links:
      ListedModel:
        operationId: retrieveModel
        parameters: {model: $response.body#/data/0/id}

Of runtime expressions those are read that point into the JSON of the answer. A link can name but one entry of a list,
and means any: `item` says which.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from openapi.json_text import Json
from openapi.pointer import at, join, split

ANSWER = "$response.body#"


@dataclass(frozen=True, slots=True)
class Link:
    """A link by its name: the answers that have it, the operation behind it, and where its parameters come from."""

    name: str
    status: str
    operation: str
    parameters: Mapping[str, Json] = field(hash=False)

    def values(self, answer: Json, item: int | None = None) -> dict[str, Json] | None:
        """The parameters as an answer tells them, of entry `item` where they stand in a list; None where it tells one
        of them not."""
        found: dict[str, Json] = {}
        for name, expression in self.parameters.items():
            try:
                found[name] = _value(expression, answer, item)
            except (KeyError, ValueError):
                return None
        return found


def _value(expression: Json, answer: Json, item: int | None) -> Json:
    """What an expression stands for; a constant stands for itself. Raises KeyError where there is nothing."""
    if not isinstance(expression, str) or not expression.startswith("$"):
        return expression
    if not expression.startswith(ANSWER):
        raise KeyError(expression)
    tokens = split(expression.removeprefix(ANSWER))
    first = next((place for place, token in enumerate(tokens) if token.isdigit()), None)
    if item is not None and first is not None:
        tokens[first] = str(item)
    return at(answer, join(tokens))
