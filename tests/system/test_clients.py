"""Other people's clients, each in a process of its own, read the mock: what suits only our own reader is no protocol.

They are put in place by `make clients`; what is not there is skipped, and says so.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mock_server.process import running
from mock_server.testing.relay import MockRelay, over_http

CLIENTS = Path(__file__).parent / "clients"
PYTHON = CLIENTS / ".venv" / "bin" / "python"
SLOW = "[{when: {model: mock-slow}, latency: {ttft: 10, itl: 300}}]"
QUIET = {"NO_PROXY": "127.0.0.1", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONWARNINGS": "ignore"}


@dataclass(frozen=True)
class Client:
    """A script, who runs it, and what stands for itself in its folder."""

    name: str
    runner: str
    script: str
    needs: Path
    provider: str = "openai"

    @property
    def fault(self) -> str:
        """One that ends a stream before its end, in the protocol that is spoken."""
        return "claude-error-midstream" if self.provider == "anthropic" else "tx-reset"

    def told_by(self, url: str) -> dict[str, Any]:
        """What it makes of a mock. It is skipped where it was not put in place."""
        runner = shutil.which(self.runner)
        if runner is None or not self.needs.exists():
            pytest.skip(f"{self.name} is not here: {self.runner} and `make clients` put it in place")
        keep = {name: value for name, value in os.environ.items() if not name.upper().endswith(("_PROXY", "_API_KEY"))}
        words = [runner, str(CLIENTS / self.script), url, self.fault, self.provider]
        done = subprocess.run(words, capture_output=True, text=True, timeout=100, env=keep | QUIET, check=False)
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return told


NODE = CLIENTS / "node_modules"
TABLE = [
    Client("openai for Node", "node", "openai.mjs", NODE / "openai"),
    *(
        Client(f"AI SDK, {one}", "node", "ai_sdk.mjs", NODE / "ai", one)
        for one in ("compatible", "openai", "anthropic")
    ),
    *(Client(f"LiteLLM, {one}", str(PYTHON), "litellm_client.py", PYTHON, one) for one in ("openai", "anthropic")),
]


@pytest.fixture(scope="module")
def relay() -> Iterator[MockRelay]:
    """With the pauses of a fast model, so that a client can leave before the end."""
    with running("--speed", "10") as url:
        made = MockRelay(url, over_http(url))
        made.script(SLOW)
        yield made


@pytest.mark.parametrize("client", TABLE, ids=lambda client: client.name)
def test_it_reads_whole_and_streamed_answers_tools_and_failures(client: Client, relay: MockRelay) -> None:
    relay.journal.clear()
    told = client.told_by(relay.url)
    pieces = told["streamed"].pop("pieces")
    assert pieces > 5
    assert told["streamed"] == told["whole"]
    assert told["whole"]["text"]
    assert told["whole"]["finish"] == "stop"
    assert told["whole"]["tokens"] > pieces
    assert [name for name, _ in told["toolWhole"]] == ["weather"]
    assert [list(arguments) for _, arguments in told["toolWhole"]] == [["city"]]
    assert told["toolStreamed"] == told["toolWhole"]
    assert "21 degrees" in told["secondTurn"]
    assert told["refused"] == 404
    assert told["broken"]
    [left] = relay.journal.wait(model="mock-slow")
    assert left["left"], "the mock saw that the client went before the end"
