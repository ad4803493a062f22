"""``rasa-whatsapp send``: send one message or one response without a running bot."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from rasa_whatsapp_channel.cli.open import convert_option, credentials_option, read_settings
from rasa_whatsapp_channel.cli.options import read_pairs, slot_option, to_person
from rasa_whatsapp_channel.common import ChannelError
from rasa_whatsapp_channel.store.base import StoreError
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.identity import at_number

if TYPE_CHECKING:
    from rasa_whatsapp_channel.settings import Settings
    from rasa_whatsapp_channel.whatsapp.clients import Accepted

_PAIR: Final[Mapping[str, Any]] = {"multiple": True, "callback": read_pairs}
_SOURCE: Final = "FILE|LINK|ID"


class OverLimit(ChannelError):
    """A limit of `billing` stops the message."""


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
@click.option("--response", metavar="NAME", help="A response of the bot's domain.")
@slot_option
@click.option(
    "--domain",
    type=click.Path(path_type=Path),
    help="Where the response is: a file or a folder.  [default: this folder]",
)
@convert_option
@credentials_option
def command(
    to: str, number: str | None, credentials: Path, convert: bool | None, **options: Any
) -> None:
    """
    One message of any kind, or one response of the bot.

    Prints the message's id. WhatsApp tells the bot's webhook whether it arrives; when the person
    has not written for 24 hours, only a template does.

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
    rasa-whatsapp send --to … --response utter_offer --slot name=Ada
    rasa-whatsapp send --to … --from 206540352242922 --text "From our second number"
    rasa-whatsapp send --to … --json body.json
    """
    from rasa_whatsapp_channel.cli.contents import find_kind, read_contents

    sending = _Sending(credentials, to, number, convert)
    if find_kind(options) == "response":
        asyncio.run(sending.response(options))
    else:
        asyncio.run(sending.messages([read_contents(options)]))


@dataclass(frozen=True)
class _Sending:
    """
    From one of the bot's numbers, *number* or the first, to one person.

    Prints each id at once: where the next message fails, this one was sent all the same.
    """

    credentials: Path
    to: str
    number: str | None
    convert: bool | None

    async def response(self, options: Mapping[str, Any]) -> None:
        from rasa_whatsapp_channel.cli.responses import read_response
        from rasa_whatsapp_channel.compose import compose
        from rasa_whatsapp_channel.media.access import FileAccess
        from rasa_whatsapp_channel.outbound.simulator_header import response_header, write_changes

        settings, name = read_settings(self.credentials), options["response"]
        _, response = read_response(options["domain"] or Path(), name, dict(options["slot"]))
        composed = compose(
            {**response, "utter_action": name},
            api=settings.platform,
            captions=settings.captions,
            markdown=settings.markdown,
            reply_to=options["reply_to"],
            recipient_id=self.to,
            unknown_keys=settings.unknown_keys,
            images=settings.markdown_images,
            access=FileAccess.of(settings.media),
        )
        for change in composed.changes:
            click.echo(f"{change.code} {change.text}", err=True)
        if not composed.messages:
            raise InvalidMessage(name, "has nothing that WhatsApp would take")
        await self.messages(
            composed.messages,
            payloads=composed.payloads,
            choices=composed.choices,
            headers=response_header(name, write_changes(composed.changes)),
        )

    async def messages(
        self,
        messages: Sequence[Any],
        *,
        payloads: Mapping[str, str] | None = None,
        choices: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        from rasa_whatsapp_channel.cli.uploads import open_account
        from rasa_whatsapp_channel.conversation.payloads import commands_of

        async with AsyncExitStack() as stack:
            account = await stack.enter_async_context(
                open_account(self.credentials, number=self.number, convert=self.convert)
            )
            ready = [(await account.prepare(each.message), each.reply_to) for each in messages]
            tapped = any(True for message, _ in ready for _ in commands_of(message))
            if tapped or payloads or choices:
                await self._tell_bot([message for message, _ in ready], payloads, choices)
            for message, reply_to in ready:
                await self._count(account.settings, message)
                accepted = await account.client.send(
                    self.to, message, reply_to=reply_to, local_headers=headers
                )
                click.echo(accepted.message_id)
                await self._tell_names(accepted)

    async def _count(self, settings: Settings, message: Any) -> None:
        """Count *message* towards the limits of `billing`; raises `OverLimit` if it may not go."""
        from rasa_whatsapp_channel.account import AccountState
        from rasa_whatsapp_channel.cli.open import StoreLocation
        from rasa_whatsapp_channel.conversation.identity import People
        from rasa_whatsapp_channel.metrics import Metrics
        from rasa_whatsapp_channel.outbound.limit_gate import LimitGate
        from rasa_whatsapp_channel.outbound.message import OutboxMessage
        from rasa_whatsapp_channel.store.base import QueueItem

        if settings.billing.at_limit is None:
            return
        async with StoreLocation(self.credentials, None).open() as store:
            account = AccountState(store.values)
            gate = LimitGate(
                store, account, billing=settings.billing, metrics=Metrics(), clock=time.time
            )
            item = QueueItem(f"send:{uuid.uuid4().hex}", self.to, {}, 1, time.time())
            person = await People(store.values).of(self.to)
            over = await gate.hold(item, OutboxMessage(self.to, message.body()), person)
        if over is not None:
            raise OverLimit(over.reason)

    async def _tell_bot(
        self,
        messages: Sequence[Any],
        payloads: Mapping[str, str] | None,
        choices: Mapping[str, Any] | None,
    ) -> None:
        """Note in the bot's store what taps on these messages mean, as the channel does."""
        from rasa_whatsapp_channel.cli.open import StoreLocation
        from rasa_whatsapp_channel.conversation.identity import People
        from rasa_whatsapp_channel.conversation.numbered_replies import NumberedReplies
        from rasa_whatsapp_channel.conversation.payloads import Payloads

        try:
            async with StoreLocation(self.credentials, None).open() as store:
                name = self._conversation(await People(store.values).conversation_of(self.to))
                kept = Payloads(store.values)
                await kept.keep(payloads or {})
                if choices:
                    turn_id = f"out:{uuid.uuid4().hex}"
                    await NumberedReplies(store.values).offer(name, turn_id, choices)
                for message in messages:
                    await kept.note_sent(name, message)
        except StoreError as error:
            click.echo(
                f"Taps on this will be heard as the buttons' labels, not as commands: {error}",
                err=True,
            )

    async def _tell_names(self, accepted: Accepted) -> None:
        """Note in the bot's store where WhatsApp knows the person by another number."""
        from rasa_whatsapp_channel.cli.open import StoreLocation
        from rasa_whatsapp_channel.conversation.identity import People

        names = (accepted.user_id, accepted.wa_id)
        if not set(names) - {None, self.to}:
            return
        try:
            async with StoreLocation(self.credentials, None).open() as store:
                people = People(store.values)
                await people.tie(await people.conversation_of(self.to), *names)
        except StoreError as error:
            click.echo(
                f"WhatsApp writes this number otherwise; the bot will not know it again: {error}",
                err=True,
            )

    def _conversation(self, person: str) -> str:
        """Return the name of the person's chat with the number; the first one is not named."""
        if self.number in (None, read_settings(self.credentials).phone_number_id):
            return person
        return at_number(person, str(self.number))
