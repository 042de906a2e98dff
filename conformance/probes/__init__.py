"""The rows, one module an operation. A new module adds its ROWS here."""

from collections.abc import Mapping
from types import MappingProxyType

from conformance.probe import Probe
from conformance.probes import (
    chat,
    completions,
    embeddings,
    errors,
    http,
    messages,
    models,
    same,
    tools,
    usage,
    video_chat,
)

ROWS = (
    *models.ROWS,
    *chat.ROWS,
    *tools.ROWS,
    *same.ROWS,
    *video_chat.ROWS,
    *completions.ROWS,
    *embeddings.ROWS,
    *messages.ROWS,
    *usage.ROWS,
    *errors.ROWS,
    *http.ROWS,
)
PROBES: Mapping[str, Probe] = MappingProxyType({row.id: row for row in ROWS})  # by id, in the order of asking
