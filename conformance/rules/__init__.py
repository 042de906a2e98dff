"""The book, one module a chapter. Importing a chapter declares its rules."""

from conformance.rule import declared
from conformance.rules import chat, chat_stream, errors, models, sse, tools, transport, usage, video_chat

BOOK = declared()

__all__ = [
    "BOOK",
    "chat",
    "chat_stream",
    "errors",
    "models",
    "sse",
    "tools",
    "transport",
    "usage",
    "video_chat",
]
