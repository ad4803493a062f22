"""``rasa-whatsapp send``: let the running bot send one message of any kind."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from rasa_whatsapp_channel.cli.open import (
    StoreLocation,
    convert_option,
    credentials_option,
    read_settings,
)
from rasa_whatsapp_channel.cli.options import read_pairs, to_person
from rasa_whatsapp_channel.notify.notification import Notification, gaps_of
from rasa_whatsapp_channel.notify.notifications import (
    FAILED,
    QUEUED,
    SCHEDULED,
    WITHHELD,
    Notifications,
    Record,
)
from rasa_whatsapp_channel.presence import Presence
from rasa_whatsapp_channel.settings.roles import BOT, CONSEQUENCES, SENDER
from rasa_whatsapp_channel.store.base import Store
from rasa_whatsapp_channel.whatsapp.identity import at_number

_PAIR: Final[Mapping[str, Any]] = {"multiple": True, "callback": read_pairs}
_SOURCE: Final = "FILE|LINK|ID"
LOOK: Final = 0.1  # seconds between two looks
ROWS: Final = 1000  # of the outbox, in which it is looked for
WAITS: Final = 3  # status of the command, as 1 and 2 are those of mistakes


@click.command()
@click.option(
    "--to",
    type=to_person,
    metavar="NUMBER",
    required=True,
    help="Who gets it, with the country's code.",
)
@click.option(
    "--from",
    "number",
    metavar="PHONE_NUMBER_ID",
    help="Which of the bot's numbers sends it.  [default: the first]",
)
@click.option("--text", help="The message, or what stands above buttons, a list or a link.")
@click.option("--preview-url", is_flag=True, help="With a text: show its first link as a card.")
@click.option("--image", metavar=_SOURCE)
@click.option("--video", metavar=_SOURCE)
@click.option("--audio", metavar=_SOURCE)
@click.option("--voice", metavar=_SOURCE, help="A voice message; any sound is made one.")
@click.option("--document", metavar=_SOURCE)
@click.option("--sticker", metavar=_SOURCE)
@click.option("--caption", help="For image, video and document.")
@click.option("--filename", help="For document; that of the file, if not given.")
@click.option("--location", metavar="LATITUDE,LONGITUDE")
@click.option("--name", help="Of the location.")
@click.option("--address", help="Of the location; shown only with a name.")
@click.option(
    "--contact",
    type=click.File(encoding="utf-8"),
    multiple=True,
    help="A vCard, or WhatsApp's JSON; - for stdin.",
)
@click.option("--button", metavar="TITLE=PAYLOAD", help="Up to three.", **_PAIR)
@click.option(
    "--row", metavar="TITLE=PAYLOAD", help="Of a list, up to ten; TITLE|DESCRIPTION.", **_PAIR
)
@click.option("--list-button", help="What opens the list.  [default: Choose]")
@click.option("--url", metavar="TITLE=LINK", help="A button that opens a link.", **_PAIR)
@click.option("--request-location", is_flag=True, help="A button that sends where they are.")
@click.option("--header", help="A line above buttons, a list or a link; of a template.")
@click.option("--footer", help="A line below buttons, a list or a link.")
@click.option("--reaction", metavar="EMOJI", help='On the message --reply-to; "" takes it away.')
@click.option("--reply-to", metavar="ID", help="The message that is quoted.")
@click.option("--template", metavar="NAME")
@click.option("--language", help="Of the template.  [default: en_US]")
@click.option("--param", multiple=True, help="For template: the body's texts in order.")
@click.option("--named-param", metavar="NAME=TEXT", help="For template: by name.", **_PAIR)
@click.option(
    "--button-param",
    multiple=True,
    help="For template: a payload (with a slash) or the end of a link, for each button.",
)
@click.option("--json", type=click.File(encoding="utf-8"), help="A body of WhatsApp; - for stdin.")
@click.option("--wait", type=float, default=15.0, help="Seconds to wait until it is sent.")
@convert_option
@credentials_option
def command(
    to: str,
    number: str | None,
    wait: float,
    credentials: Path,
    convert: bool | None,
    **options: Any,
) -> None:
    """
    One message of any kind, which the running bot sends.

    It goes the way of a notification: through the bot's store, in order, once, and within its
    limits. Prints the message's id as soon as WhatsApp has it. Exits with status 1 if it fails, and
    with 3 while it waits: it is kept and goes later, so do not send it again. A response of the bot
    is sent by `rasa-whatsapp notify`.

    \b
    rasa-whatsapp send --to 4915112345678 --text "Hello"
    rasa-whatsapp send --to … --image lake.heic --caption "The lake"
    rasa-whatsapp send --to … --voice hello.mp3
    rasa-whatsapp send --to … --location 52.5163,13.3777 --name "Brandenburger Tor"
    rasa-whatsapp send --to … --contact ada.vcf
    rasa-whatsapp send --to … --text "Coming?" --button "Yes=/affirm" --button "No=/deny"
    rasa-whatsapp send --to … --text "Tea?" --row "Assam|strong=/tea1" --row "Sencha=/tea2"
    rasa-whatsapp send --to … --text "Your order" --url "Track=https://shop.example/7"
    rasa-whatsapp send --to … --reaction 👍 --reply-to wamid.HBg…
    rasa-whatsapp send --to … --template order_shipped --language de --param "12:30"
    rasa-whatsapp send --to … --from 206540352242922 --text "From our second number"
    rasa-whatsapp send --to … --json body.json
    """
    from rasa_whatsapp_channel.cli.contents import read_contents
    from rasa_whatsapp_channel.cli.uploads import open_account

    outgoing = read_contents(options)

    async def send() -> None:
        read_settings(credentials, number)
        async with StoreLocation(credentials, None).open() as opened:
            async with open_account(credentials, number=number, convert=convert) as account:
                message = await account.prepare(outgoing.message)
                is_first = number in (None, read_settings(credentials).phone_number_id)
            quoted = {"whatsapp": {"reply_to": outgoing.reply_to}} if outgoing.reply_to else {}
            response = {"custom": message.body(), "metadata": quoted}
            wish = Notification(
                to if is_first else at_number(to, str(number)),
                response,
                slots={name: f"{{{name}}}" for name in gaps_of(response)},  # it is sent as it is
                category="utility",
                urgent=True,
            )
            key = uuid.uuid4().hex
            await Notifications(opened).add(key, wish)
            await _follow(opened, key, until=time.monotonic() + wait)

    asyncio.run(send())


async def _follow(store: Store, key: str, *, until: float) -> None:
    """Print the id of the message as soon as WhatsApp has it, or else why it waits."""
    record: Record | None = Record("")
    while record and record.overall in (SCHEDULED, QUEUED) and time.monotonic() < until:
        await asyncio.sleep(LOOK)
        record = await Notifications(store).get(key)
    sent = await store.ledger.by_key(f"notify:{key}:0")
    if record and record.overall in (FAILED, WITHHELD):
        raise click.ClickException(record.reason)
    if sent is not None:
        click.echo(sent.message_id)
        return
    missing = await Presence(store.values, ()).missing()
    rows = await store.outbox.waiting(ROWS)
    why = [row.last_error or row.cause for row in rows if row.key.startswith(f"notify:{key}:")]
    why += [f"no process {CONSEQUENCES[role]}" for role in (BOT, SENDER) if role in missing]
    click.echo(
        f"Not sent yet: {'; '.join(filter(None, why)) or 'it waits'}. "
        f"`rasa-whatsapp notify --key {key}` tells how far it came.",
        err=True,
    )
    click.get_current_context().exit(WAITS)
