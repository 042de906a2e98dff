"""What no recording answers: a deterministic answer that obeys the request.

One operation, one module: its function is registered under the operation's id (`registry.py`) and found by being here.
Nothing here knows a clock or a die: what varies hangs on a digest of the request, and the time is handed in.
"""

import time
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

from mock_server.answer import Answer, Asked
from mock_server.synthesis.errors import LIMITS, UnanswerableError, error, failure_of, no_room, unknown_model
from mock_server.synthesis.models import MODELS, model, models
from mock_server.synthesis.registry import OPERATIONS

__all__ = ["LIMITS", "MODELS", "answer", "error", "failure_of", "model", "models", "no_room", "unknown_model"]

for _module in iter_modules(__path__, __name__ + "."):
    import_module(_module.name)


def answer(asked: Asked, models: Sequence[str] = MODELS, now: int | None = None) -> Answer:
    """The answer to any request, whatever its key. `models` are the known names, `now` is in seconds since 1970.

    What cannot be answered as asked is refused with 400; a path that has no operation here is 404.
    """
    make = OPERATIONS.get(asked.operation or "")
    if make is None:
        message = f"Invalid URL ({asked.method} {asked.path.partition('?')[0]})"
        return error(404, message, type="invalid_request_error", code="not_found")
    try:
        return make(asked, models, int(time.time()) if now is None else now)
    except UnanswerableError as refused:
        kind = "invalid_request_error"
        return error(400, str(refused), type=kind, param=refused.param, code=refused.code, operation=asked.operation)
