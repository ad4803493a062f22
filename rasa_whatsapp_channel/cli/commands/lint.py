"""``rasa-whatsapp lint``: check a bot's responses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from rasa_whatsapp_channel.cli.open import read_outgoing, read_wordless
from rasa_whatsapp_channel.domain.project import find_channels_file
from rasa_whatsapp_channel.domain.read import read_domains, read_source
from rasa_whatsapp_channel.lint.check import Linter
from rasa_whatsapp_channel.lint.media import LinkAnswer
from rasa_whatsapp_channel.lint.report import Report, to_github, to_json, to_text
from rasa_whatsapp_channel.whatsapp.apis import APIS

_EXAMPLES = """
\b
Examples:
  rasa-whatsapp lint                    the bot in this folder
  rasa-whatsapp lint --budget 1         no response may be more than one billed message
  rasa-whatsapp lint domain/ --strict --format github
"""
_FORMATS = {"text": to_text, "json": to_json, "github": to_github}


@click.command(epilog=_EXAMPLES)
@click.argument(
    "paths", nargs=-1, default=["."], metavar="[PATH]...", type=click.Path(path_type=Path)
)
@click.option(
    "--api",
    "apis",
    multiple=True,
    type=click.Choice(list(APIS)),
    default=["cloud"],
    help="Check for this API; may be given several times.",
)
@click.option("--strict", is_flag=True, help="Let warnings count as errors do.")
@click.option(
    "--budget",
    type=click.IntRange(1),
    metavar="N",
    help="Let a response that is more than N billed messages be an error.",
)
@click.option("--check-links", is_flag=True, help="Ask the servers whether media links answer.")
@click.option(
    "--bot",
    "root",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="The folder in which Rasa is started; paths of media begin there.",
)
@click.option(
    "--credentials",
    "--integrations",
    "credentials",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="The file with the channel's block, which says what files may be sent, and in how many "
    "messages; credentials.yml or integrations.yml in the bot's folder, if not given.",
)
@click.option("--format", "form", type=click.Choice(list(_FORMATS)), default="text")
def command(
    paths: Sequence[Path],
    apis: Sequence[str],
    strict: bool,
    budget: int | None,
    check_links: bool,
    root: Path | None,
    credentials: Path | None,
    form: str,
) -> None:
    """
    Check the responses of a bot against WhatsApp and Rasa.

    PATH is a domain file, a folder of them, or the folder of a bot; this folder, if not given.
    Says of each response that is several billed messages which setting or wording makes them fewer.
    Exits with status 1 when there are errors.
    """
    linters = [
        Linter(
            domain,
            [APIS[name] for name in dict.fromkeys(apis)],
            wordless=read_wordless(file),
            outgoing=read_outgoing(file),
            budget=budget,
            integrations=read_source(file) if domain.is_mantle and file.is_file() else None,
        )
        for domain in read_domains(paths, root=root)
        for file in (credentials or find_channels_file(domain.root),)
    ]
    if check_links:
        linters = [_with_answers(linter) for linter in linters]
    report = Report(
        [
            *(finding for linter in linters for finding in linter.findings()),
            *(finding for linter in linters for finding in linter.check_billed()),
        ],
        responses=sum(len(linter.domain.responses) for linter in linters),
        files=sum(len(linter.domain.sources) for linter in linters),
        foreseen=[each for linter in linters for each in linter.foreseen],
        turns=[each for linter in linters for each in linter.turns],
        outside=[each for linter in linters for each in linter.outside],
    )
    for line in _FORMATS[form](report):
        click.echo(line)
    if not report.is_clean(strict=strict):
        click.get_current_context().exit(1)


def _with_answers(linter: Linter) -> Linter:
    import asyncio  # these take their time, and are rarely needed
    import dataclasses

    from rasa_whatsapp_channel.lint.media import ask_all
    from rasa_whatsapp_channel.whatsapp.aiohttp_transport import AiohttpTransport

    async def ask() -> dict[str, LinkAnswer]:
        transport = AiohttpTransport()
        try:
            return await ask_all(transport, linter.links())
        finally:
            await transport.close()

    return dataclasses.replace(linter, answers=asyncio.run(ask()))
