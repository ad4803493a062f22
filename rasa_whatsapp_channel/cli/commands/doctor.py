"""``rasa-whatsapp doctor``: find what is wrong with a bot's set-up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import click

from rasa_whatsapp_channel.cli.open import credentials_option, environment_of
from rasa_whatsapp_channel.cli.options import json_option
from rasa_whatsapp_channel.doctor.collect import Environment, Project
from rasa_whatsapp_channel.doctor.results import CheckResult, is_healthy
from rasa_whatsapp_channel.domain.project import is_mantle


@click.command()
@credentials_option
@click.option(
    "--endpoints",
    type=click.Path(path_type=Path),
    help="The bot's endpoints; endpoints.yml beside the credentials, if not given, for Mantle "
    "integrations.yml.",
)
@click.option(
    "--model",
    "models",
    type=click.Path(path_type=Path),
    help="The model, or a folder of them; models/ beside the credentials, if not given.",
)
@click.option(
    "--url",
    help="Where the bot is reached from outside: the webhook is called there as WhatsApp does.",
)
@click.option("--account", metavar="ID", help="The business account, if the token does not tell.")
@click.option("--offline", is_flag=True, help="Leave out all that needs the network.")
@json_option
def command(
    credentials: Path,
    endpoints: Path | None,
    models: Path | None,
    url: str | None,
    account: str | None,
    offline: bool,
    as_json: bool,
) -> None:
    """
    Find the mistake in a bot's set-up, and say how to fix it.

    Looks at credentials.yml or integrations.yml, the token, the number, the webhook, the store, the
    model and the domain. Changes nothing. Exits with status 1 when something must be fixed.

    \b
    Examples:
      rasa-whatsapp doctor
      rasa-whatsapp doctor --url https://bot.example
      rasa-whatsapp doctor --offline --json
    """
    root = credentials.parent
    project = Project(
        credentials,
        endpoints or (credentials if is_mantle(root) else root / "endpoints.yml"),
        models or root / "models",
        url=url,
        account=account,
        offline=offline,
    )
    results = asyncio.run(_run(project, _silent if as_json else _printer()))
    if as_json:
        from rasa_whatsapp_channel.doctor.results import to_json

        click.echo(to_json(results))
    else:
        from rasa_whatsapp_channel.doctor.results import summary

        click.echo(f"\n{summary(results)}")
    if not is_healthy(results):
        click.get_current_context().exit(1)


def _silent(_verdict: CheckResult) -> None:
    """JSON is one document, so it comes at the end."""


def _printer() -> Callable[[CheckResult], None]:
    from rasa_whatsapp_channel.doctor.results import Lines

    lines = Lines()

    def show(result: CheckResult) -> None:
        for line in lines.of(result):
            click.echo(line)

    return show


async def _run(project: Project, show: Callable[[CheckResult], None]) -> list[CheckResult]:
    import time

    from rasa_whatsapp_channel.doctor import collect
    from rasa_whatsapp_channel.doctor.run import run_checks

    environment = Environment(
        environment_of(project.root),
        collect.installed(),
        collect.python_version(),
        collect.load_in_rasa,
        time.time,
    )
    results = []
    async for result in run_checks(project, environment):
        show(result)
        results.append(result)
    return results
