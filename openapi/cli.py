"""`relayproof spec`: prints the bundled document."""

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, bundled to one file.")
def spec(*, as_json: bool) -> None:
    """Print the OpenAPI document, bundled to one file: as YAML, or as JSON."""
    import json  # noqa: PLC0415 - a command loads what it needs

    from openapi import document  # noqa: PLC0415

    bundle = document.load().bundle
    if as_json:
        click.echo(json.dumps(bundle, ensure_ascii=False, indent=2))
        return
    import yaml  # noqa: PLC0415

    click.echo(yaml.safe_dump(json.loads(json.dumps(bundle)), allow_unicode=True, sort_keys=False, width=120), nl=False)
