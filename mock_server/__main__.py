"""`python -m mock_server` is `relayproof serve`."""

from mock_server.cli import serve

serve(prog_name="relayproof serve")
