"""The operations that requests are drawn for, each with its role and its plain request."""

from collections.abc import Collection, Mapping

from conformance.probe import MODEL, Role
from conformance.probes import completions, embeddings, messages
from conformance.probes.chat import HELLO, ask
from openapi.json_text import Json

ROLES: Mapping[str, Role] = {
    "createChatCompletion": Role.CHAT,
    "createCompletion": Role.COMPLETIONS,
    "createEmbedding": Role.EMBEDDINGS,
    "createMessage": Role.MESSAGES,
    "countMessageTokens": Role.MESSAGES,
}
DRAWN = (*dict.fromkeys(ROLES.values()), Role.VIDEO)
"""Roles that requests are drawn for; beside chat there are tools too."""
DRAWN_ROLES = f"{', '.join(DRAWN)}, and {Role.TOOLS} beside {Role.CHAT}"
PLAIN: Mapping[str, Json] = {
    "createChatCompletion": ask(HELLO, 16),
    "createCompletion": completions.ask("The sea is", 16),
    "createEmbedding": embeddings.ask("The sky is blue."),
    "createMessage": messages.ask(HELLO, 16),
    "countMessageTokens": {"model": MODEL, "messages": [{"role": "user", "content": HELLO}]},
}
"""The plain request of each operation, towards which failing ones are made smaller."""


def reached_by(roles: Collection[Role]) -> list[Role]:
    """Of the roles that a model is named for those that requests are drawn for."""
    return [role for role in roles if role in DRAWN or (role is Role.TOOLS and Role.CHAT in roles)]
