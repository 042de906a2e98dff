"""`relayproof explain`: what a code of a violation means, what draws it, and how it is mended."""

import json
import sys

import click


@click.command()
@click.argument("code", required=False)
def explain(code: str | None) -> None:
    """Say what a code of X-Relay-Violations means: V-TYPE. Without one, list them all."""
    from mock_server.validation import CODES  # noqa: PLC0415 - a command loads what it needs

    if code is None:
        for one in CODES.values():
            click.echo(f"{one.name:10} {one.meaning}")
        return
    found = CODES.get(code.upper())
    if found is None:
        click.echo(f"relayproof: no code {code[:40]!r}; there are {', '.join(CODES)}", err=True)
        sys.exit(2)
    name, value = found.example
    click.echo(f"{found.name}: {found.meaning}")
    if value is not None:
        click.echo(f"  drawn by  {json.dumps({name: value})}")
    click.echo(f"  to mend   {found.mend}")
    click.echo(f"  keywords  {', '.join(sorted(found.keywords))}")
