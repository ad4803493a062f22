"""``rasa-whatsapp simulate``: run the simulator."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from rasa_whatsapp_channel.cli.load_run import LoadRun
from rasa_whatsapp_channel.cli.options import Function
from rasa_whatsapp_channel.simulator.config import (
    DEFAULT_PORT,
    DEFAULT_WEBHOOK,
    ESCALATION,
    PRIMARY,
    BusinessAccount,
    Config,
    Number,
    credentials_block,
)
from rasa_whatsapp_channel.simulator.feed import describe
from rasa_whatsapp_channel.simulator.weather import ROUGH, WEATHERS
from rasa_whatsapp_channel.whatsapp.apis import APIS

if TYPE_CHECKING:
    from rasa_whatsapp_channel.simulator.load_test import Load

MOST_PEOPLE: Final = 5000
MOST_RATE: Final = 1000
MOST_SECONDS: Final = 3600


class Duration(click.ParamType):  # type: ignore[type-arg, unused-ignore]  # generic since click 8.2
    """Seconds, or a time such as 100ms, 30s, 2m."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        from rasa_whatsapp_channel.transcript.steps import parse_seconds

        text = str(value).strip()
        seconds = parse_seconds(text[:-2]) if text.endswith("ms") else parse_seconds(text)
        if seconds is None:
            self.fail(f"{value!r} is no time such as 100ms, 30s or 2m", param, ctx)
        return seconds / 1000 if text.endswith("ms") else seconds


def _read_load(options: dict[str, Any]) -> Load | None:
    """Take the options of a load test out of *options*; None if there is none."""
    people = options.pop("people")
    rate, duration = options.pop("rate"), options.pop("duration")
    text = options.pop("say")
    if people is None:
        return None
    from rasa_whatsapp_channel.simulator.load_test import Load

    if duration > MOST_SECONDS:
        raise click.UsageError("A load test takes at most an hour: --duration 1h.")
    return Load(people=people, rate=rate, duration=duration, text=text)


_DEFAULTS = Config()


def _setting(name: str, meaning: str, **options: Any) -> Callable[[Function], Function]:
    """An option for a field of `Config`, whose default is that of the field."""
    default = getattr(_DEFAULTS, name.replace("-", "_"))
    return click.option(f"--{name}", default=default, help=meaning, **options)


def _switch(name: str, meaning: str) -> Callable[[Function], Function]:
    """An option that switches a field of `Config` on or off."""
    return click.option(f"--{name}/--no-{name}", default=True, help=meaning)


def _read_numbers(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[Number, ...]:
    numbers = []
    for value in values:
        number_id, _, rest = value.partition(":")
        phone, _, name = rest.partition(":")
        if not number_id.isdigit() or not (phone or number_id).isdigit():
            raise click.BadParameter(f"{value!r} does not begin with digits")
        numbers.append(Number(number_id, phone or number_id, name or f"Your bot {phone}".strip()))
    return tuple(numbers)


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT)
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    help="Another name the simulator is reached by, e.g. host.docker.internal.",
)
@click.option("--webhook", default=DEFAULT_WEBHOOK, help="Where the bot takes webhooks.")
@click.option("--api", type=click.Choice(list(APIS)), default="cloud")
@click.option("--phone-number-id", default=_DEFAULTS.number.phone_number_id, help="For cloud.")
@click.option(
    "--number",
    "more_numbers",
    multiple=True,
    callback=_read_numbers,
    metavar="ID[:PHONE[:NAME]]",
    help="A further number of the bot's, e.g. 1234567890:15550001111:Sales.",
)
@_setting("access-token", "For cloud, turn and 360dialog.")
@_setting("app-secret", "For cloud: signs webhooks.")
@_setting("verify-token", "For cloud.")
@_setting("username", "For on_premises.")
@_setting("password", "For on_premises.")
@_setting("webhook-secret", "For turn and 360dialog: signs webhooks.")
@_setting("webhook-token", "For on_premises: added to the webhook's address.")
@_setting("webhook-username", "For on_premises and 360dialog: HTTP Basic instead.")
@_setting("webhook-password", "For on_premises and 360dialog: HTTP Basic instead.")
@click.option(
    "--media-root",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the files of the chats; without one they go away at the end.",
)
@_switch("window", "Let messages fail that are no templates, 24 hours after a person's last one.")
@_switch("direct-send", "Let the account use Direct Send.")
@_setting(
    "review",
    "How long the review of a new template takes.",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="SQLite file that keeps the chats from one start to the next.",
)
@click.option("--rasa", metavar="URL", help="Rasa run with --enable-api: the page shows trackers.")
@click.option("--rasa-token", help="What Rasa was given as --auth-token.")
@click.option(
    "--token-hours",
    type=click.FloatRange(min=0, min_open=True),
    help="Let the access token of the Cloud API end after so many hours.",
)
@click.option(
    "--rate-card",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Meta's CSV of rates; GET /simulator/bill tells what the bot's messages cost.",
)
@_setting("free-messages", "Replies of a number that are free in a month.", type=click.IntRange(0))
@click.option(
    "--templates",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of YAML files with the bot's templates; others are then refused.",
)
@_switch("limits", "Refuse more than the number may send, and more than one person may get.")
@_setting("throughput", "Messages a second of one number.", type=click.IntRange(1))
@click.option(
    "--messaging-limit",
    type=click.IntRange(1),
    help="People a day who may be written to outside of their windows.  [default: all]",
)
@_setting(
    "weather",
    "rough: answers get lost, statuses come early and twice, files die.",
    type=click.Choice(WEATHERS),
)
@_setting("seed", "Of rough weather: the same traffic meets the same again.", type=int)
@_switch("lasting", "In rough weather, let a few messages fail for good as well.")
@_setting(
    "routing",
    "The bot's role beside another app: primary gets what nobody has, escalation may take.",
    type=click.Choice((PRIMARY, ESCALATION)),
)
@_switch(
    "explanations", "Say in each refusal which rule was broken, in a field WhatsApp does not have."
)
@click.option(
    "--load",
    "people",
    type=click.IntRange(1, MOST_PEOPLE),
    help="Load test: so many people write to the bot at once.",
)
@click.option(
    "--rate",
    type=click.FloatRange(0.1, MOST_RATE),
    default=50.0,
    help="Load test: messages a second, of all people together.",
)
@click.option(
    "--duration",
    type=Duration(),
    default="30s",
    help="Load test: how long they write, at most an hour.",
)
@click.option("--say", default="hi", help="Load test: what they write.")
@click.option(
    "--latency",
    type=Duration(),
    default="0s",
    help="How long WhatsApp takes to answer the bot, e.g. 100ms.",
)
def command(api: str, phone_number_id: str, token_hours: float | None, **options: Any) -> None:
    """
    WhatsApp simulator: a page to chat with your bot.

    With --weather rough it behaves as WhatsApp does on a bad day, which the bot should get over,
    e.g. --weather rough --seed 7. What happens is told here and on the page.

    With --load many people write to the bot at once, e.g. --load 200 --rate 50 --duration 1m. What
    one of them gets alone, before the others begin, is what everybody must get.
    Exits with status 1 when something was lost, doubled or out of order.
    """
    from rasa_whatsapp_channel.simulator import server  # it brings aiohttp, which takes its time

    wanted = _read_load(options)
    load = LoadRun(wanted) if wanted is not None else None
    number = Number(phone_number_id=phone_number_id)
    ends = int(time.time() + token_hours * 3600) if token_hours is not None else 0
    account = BusinessAccount(token_ends=ends)
    config = Config(api=APIS[api], number=number, account=account, **options)
    server.run(
        config,
        started=lambda address: click.echo(_greeting(config, address)),
        on_event=_print,
        work=load.run if load is not None else None,
    )
    if load is not None:
        load.end()


def _greeting(config: Config, address: str) -> str:
    return "\n".join(
        (
            f"The simulator's page: {address}/",
            f"Webhooks go to:       {config.webhook}",
            *([f"Rough weather:        seed {config.seed}"] if config.weather == ROUGH else []),
            "",
            "In credentials.yml, or in integrations.yml below `channels:`:",
            "",
            credentials_block(config, address),
            "",
            "Press Ctrl-C to stop.",
        )
    )


def _print(event: dict[str, Any]) -> None:
    line = describe(event)
    if line is not None:
        click.echo(line, err=True)
