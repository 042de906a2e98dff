"""The book, one module a chapter. Importing this package fills the catalogue."""

from conformance.rules import chat, chat_stream, errors, models, sse, tools, transport, usage, video_chat

__all__ = ["chat", "chat_stream", "errors", "models", "sse", "tools", "transport", "usage", "video_chat"]
