"""``rasa-whatsapp providers``: logins for links, stored by an on-premises client."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from rasa_whatsapp_channel.cli.open import credentials_option, with_admin


@click.group()
def command() -> None:
    """Logins for links, stored by an on-premises client."""


@command.command(name="list")
@credentials_option
def list_all(credentials: Path) -> None:
    """List the names and how each logs in, without secrets."""
    for provider in with_admin(credentials, lambda admin: admin.providers()):
        click.echo(f"{provider.get('name')}  {_describe(provider.get('config'))}")


@command.command(name="set")
@click.argument("name")
@click.option("--bearer-env", metavar="VARIABLE", help="The variable that holds a bearer token.")
@click.option("--username", help="For HTTP Basic.")
@click.option("--password-env", metavar="VARIABLE", help="The variable that holds its password.")
@credentials_option
def set_one(
    name: str,
    bearer_env: str | None,
    username: str | None,
    password_env: str | None,
    credentials: Path,
) -> None:
    """Add the provider NAME, or overwrite it. Asks for secrets that no variable holds."""
    if bool(username) and bool(bearer_env):
        raise click.UsageError("A provider has a bearer token or a user name, not both.")
    if username:
        password = _secret(password_env, "Password")
        config: dict[str, Any] = {"basic": {"username": username, "password": password}}
    else:
        config = {"bearer": _secret(bearer_env, "Bearer token")}
    with_admin(credentials, lambda admin: admin.set_provider(name, config))
    click.echo(f"{name} is set; use it as provider: {name} beside a link.")


@command.command()
@click.argument("name")
@credentials_option
def delete(name: str, credentials: Path) -> None:
    """Delete the provider NAME."""
    with_admin(credentials, lambda admin: admin.delete_provider(name))
    click.echo(f"{name} is deleted.")


def _secret(variable: str | None, what: str) -> str:
    if variable is None:
        return str(click.prompt(what, hide_input=True))
    value = os.environ.get(variable, "")
    if not value:
        raise click.UsageError(f"The variable {variable} is not set.")
    return value


def _describe(config: object) -> str:
    match config:
        case {"basic": {"username": username}}:
            return f"HTTP Basic as {username}"
        case {"bearer": _}:
            return "bearer token"
    return "unknown"
