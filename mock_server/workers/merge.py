"""What several workers say to one command, as if one had said it."""

from collections.abc import Sequence
from typing import Any

from mock_server.commands import Command, Told, number, refusal
from mock_server.metrics import added_up


def merged(command: Command, told: Sequence[Told]) -> Told:
    """One answer. Where a worker refuses what all should do, that is the answer."""
    if not told:
        return refusal(503, "no worker answered")
    if command.name == "entry":
        return next((one for one in told if one.status == 200), told[0])
    refused = next((one for one in told if one.status >= 400), None)
    return refused or Told(told[0].status, _value(command, [one.value for one in told]))


def _value(command: Command, values: list[Any]) -> Any:  # noqa: ANN401 - JSON
    match command.name, command.method:
        case "journal", "GET":
            entries = sorted((entry for value in values for entry in value), key=lambda entry: int(entry["number"]))
            limit = number(command.query, "limit", int, 100)
            return entries[max(len(entries) - limit, 0) :]
        case "health", _:
            sums = {name: sum(value[name] for value in values) for name in ("answered", "under_way")}
            return values[0] | sums | {"workers": len(values), "worker": [one["worker"] for one in values]}
        case "metrics", _:
            return added_up(values)
    return values[0]
