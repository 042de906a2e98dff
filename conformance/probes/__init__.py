"""The rows, one module an operation. A new module adds its ROWS here."""

from conformance.probes import chat, errors, models, tools, video_chat

PROBES = (*models.ROWS, *chat.ROWS, *tools.ROWS, *video_chat.ROWS, *errors.ROWS)
