"""
Settings: the keys of the channel's block in credentials.yml, read and checked as a whole.

Each key is declared once, at its field: section, parser, default, APIs, description, and the line
to write when it is missing. All mistakes of a block are reported together.

    parsers       read one value
    keys          declare a key, read a block
    validation    check the keys of a block together
    billing       the group ``billing:``
    consent       the group ``consent:``
    handoff       the group ``handoff:``
    inbound       the group ``inbound:``
    media         the group ``media:``
    numbers       the list ``numbers:``
    calls         the group ``calls:``
    transcription the group ``transcribe:``
    foreign_keys  names that other connectors use
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rasa_whatsapp_channel.settings import inbound as inbound_settings
from rasa_whatsapp_channel.settings import parsers, transcription
from rasa_whatsapp_channel.settings import roles as role_settings
from rasa_whatsapp_channel.settings.billing import BillingSettings
from rasa_whatsapp_channel.settings.calls import CallSettings
from rasa_whatsapp_channel.settings.consent import ConsentSettings
from rasa_whatsapp_channel.settings.foreign_keys import CHANNEL
from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.settings.keys import key, read_keys
from rasa_whatsapp_channel.settings.media import MediaSettings
from rasa_whatsapp_channel.settings.numbers import NumberSettings, parse_numbers
from rasa_whatsapp_channel.settings.parsers import QuietHours, SettingsError
from rasa_whatsapp_channel.settings.transcription import TranscriptionSettings
from rasa_whatsapp_channel.settings.validation import find_problems
from rasa_whatsapp_channel.whatsapp.apis import (
    APIS,
    CLOUD,
    DIALOG360,
    GRAPH_VERSION,
    ON_PREMISES,
    TURN,
    Api,
)
from rasa_whatsapp_channel.whatsapp.networks import Network

__all__ = [
    "CHANNEL",
    "BillingSettings",
    "CallSettings",
    "ConsentSettings",
    "HandoffSettings",
    "MediaSettings",
    "NumberSettings",
    "Settings",
    "TranscriptionSettings",
]


@dataclass(frozen=True)
class Settings:
    """The channel's block in credentials.yml. Secrets do not print."""

    api: str = key(
        parsers.choice(*APIS),
        CLOUD.name,
        section="The API",
        means="Which API the channel speaks to.",
    )
    base_url: str = key(
        parsers.base_url,
        "",
        required=(ON_PREMISES,),
        line="base_url: https://your-whatsapp-client:9090",
        means="Another host: the simulator, a proxy, your own client. Only `on_premises` "
        "needs it; the others know their own.",
    )
    api_version: str = key(
        parsers.graph_version,
        GRAPH_VERSION,
        apis=(CLOUD,),
        means='The Graph version in the address; `""` for none.',
    )
    phone_number_id: str = key(
        parsers.identifier,
        "",
        apis=(CLOUD,),
        required=(CLOUD,),
        line='phone_number_id: "106540352242922"',
        means="The id of your number, in quotes. It is not the number itself.",
    )
    access_token: str = key(
        parsers.access_token,
        "",
        apis=(CLOUD, TURN, DIALOG360),
        required=(CLOUD, TURN, DIALOG360),
        secret=True,
        line="access_token: ${WHATSAPP_ACCESS_TOKEN}",
        means="How the channel logs in. At 360dialog it is the API key.",
    )
    username: str = key(
        parsers.string,
        "",
        apis=(ON_PREMISES,),
        required=(ON_PREMISES,),
        line="username: admin",
        means="The login of your client.",
    )
    password: str = key(
        parsers.string,
        "",
        apis=(ON_PREMISES,),
        required=(ON_PREMISES,),
        secret=True,
        line="password: ${WHATSAPP_PASSWORD}",
        means="Its password. The channel renews the token it gets for them.",
    )
    ca_file: str | None = key(
        parsers.string,
        None,
        apis=(ON_PREMISES,),
        means="A file with the certificates to trust; default: the system's.",
    )
    verify_tls: bool = key(
        parsers.flag, True, apis=(ON_PREMISES,), means="`false`: any certificate is trusted."
    )
    numbers: tuple[NumberSettings, ...] = key(
        parse_numbers,
        (),
        apis=(CLOUD,),
        means="Further numbers of the same bot, each with an `access_token` of its own if it "
        "needs one: [several numbers](how-to/several-numbers.md).",
    )
    verify_token: str = key(
        parsers.string,
        "",
        apis=(CLOUD,),
        required=(CLOUD,),
        secret=True,
        line="verify_token: ${WHATSAPP_VERIFY_TOKEN}",
        section="Webhook authentication",
        means="Any word you choose. Meta repeats it when you enter the webhook.",
    )
    app_secret: tuple[str, ...] = key(
        parsers.secrets,
        (),
        apis=(CLOUD,),
        secret=True,
        means="The key of the webhook's signature; a list of two while you replace it.",
    )
    webhook_secret: tuple[str, ...] = key(
        parsers.secrets,
        (),
        apis=(TURN, DIALOG360),
        secret=True,
        means="The key of the webhook's signature, or a list. At 360dialog only partners have one.",
    )
    webhook_token: str = key(
        parsers.string,
        "",
        apis=(ON_PREMISES, DIALOG360),
        secret=True,
        means="The webhook's address must end in `?token=…`.",
    )
    webhook_username: str = key(
        parsers.string,
        "",
        apis=(ON_PREMISES, DIALOG360),
        means="The webhook's caller must log in with HTTP Basic.",
    )
    webhook_password: str = key(
        parsers.string,
        "",
        apis=(ON_PREMISES, DIALOG360),
        secret=True,
        means="The password of that login.",
    )
    allow_unsigned_webhooks: bool = key(
        parsers.flag,
        False,
        means="Accept webhooks without authentication. Never on the open internet.",
    )
    allowed_networks: tuple[Network, ...] = key(
        parsers.networks,
        (),
        means="Only these networks may call the webhook. This is checked in addition to "
        "the signature.",
    )
    trusted_proxies: tuple[Network, ...] = key(
        parsers.networks,
        (),
        means="Networks of your proxies, whose `X-Forwarded-For` is trusted.",
    )
    max_age: float | None = key(
        parsers.positive,
        None,
        means="A message that comes later than so many seconds after it was written becomes "
        "a dead letter, and is not answered.",
    )
    sender_id: str = key(
        parsers.choice("phone", "user_id"),
        "phone",
        section="Incoming messages",
        means="The sender id in Rasa: the phone number, or WhatsApp's user id; the other one where "
        "it is missing. [Who is who](inbound.md#who-is-who)",
    )
    commands: tuple[str, ...] = key(
        parsers.commands, (), means="Commands with a slash that people may type."
    )
    inbound: Mapping[str, str] | None = key(
        inbound_settings.parse_group,
        None,
        means="What becomes of each kind of message without words, of payments and missed calls: "
        "`turn`, `event` or `ignore`, or the text that Rasa gets: "
        "[turn, event or nothing](inbound.md#turn-event-or-nothing).",
    )
    media_text: str | None = key(
        parsers.choice("intent", "readable"),
        None,
        means="What Rasa gets where `inbound` has no text: an `intent` such as "
        "`/whatsapp_image{…}`, or a `readable` line such as `[image: The lake]`. Default: "
        "`readable` with Rasa Pro's engine Mantle, else `intent`. "
        "[Words for a model](inbound.md#words-for-a-model)",
    )
    calls: CallSettings = key(
        CallSettings.parse,
        CallSettings(),
        apis=(CLOUD, DIALOG360),
        means="What becomes of calls, a group of keys, below. [Calls](inbound.md#calls)",
    )
    consent: ConsentSettings | None = key(
        ConsentSettings.parse,
        None,
        means="Words such as `STOP` after which somebody gets no marketing template; the bot hears "
        "them all the same. [No marketing](how-to/templates.md#no-marketing)",
    )
    handoff: HandoffSettings | None = key(
        HandoffSettings.parse,
        None,
        means="A group of keys, below; `{}` is enough to let [a person take "
        "over](how-to/handoff.md) a conversation, and give it back.",
    )
    debounce: float = key(
        parsers.seconds,
        0.0,
        means="How long a text waits for more, so that several in a row are one turn; never "
        "for taps.",
    )
    transcribe: str | TranscriptionSettings | None = key(
        transcription.parse,
        None,
        means="For voice notes: a function of yours that takes path and MIME type and returns the "
        "text, or a group of keys, below. [Voice notes as text](inbound.md#voice-notes-as-text)",
    )
    account_events: str | None = key(
        parsers.dotted,
        None,
        means="A function of yours for what WhatsApp reports about the account: paused "
        "templates, restrictions, limits. [Account events](platform.md#account-events)",
    )
    mark_read: bool = key(
        parsers.flag,
        True,
        apis=(CLOUD, ON_PREMISES, DIALOG360),
        means="Mark a message as read when the bot begins its turn.",
    )
    typing_indicator: bool = key(
        parsers.flag,
        True,
        apis=(CLOUD, DIALOG360),
        means="Show a typing indicator while the bot works.",
    )
    turn_timeout: float = key(
        parsers.positive,
        300.0,
        means="How long the bot may take for a turn. One that takes longer is ended, and "
        "its message is a dead letter: it is not begun again.",
    )
    on_hangup: str = key(
        parsers.choice("new_conversation", "silence"),
        "new_conversation",
        means="When somebody writes whose conversation Rasa Pro has ended for good (`hangup`): a "
        "`new_conversation` begins, or `silence`. "
        "[Ended conversations](inbound.md#while-nobody-answers)",
    )
    wait_for_action_server: bool = key(
        parsers.flag,
        False,
        means="While the action server is away, a turn that needs it is begun again later. "
        "Otherwise it goes on without the action, as Rasa does it. "
        "[Outages](inbound.md#while-something-of-rasas-is-away)",
    )
    captions: str = key(
        parsers.choice("merge", "separate"),
        "merge",
        section="Outgoing messages",
        means="`merge`: the text beside a file is its caption. `separate`: it is a message of "
        "its own.",
    )
    markdown: bool = key(
        parsers.flag,
        True,
        means="`**bold**`, headings, tables, `[links](…)` and code become WhatsApp's formatting.",
    )
    markdown_images: str = key(
        parsers.choice("all", "files", "none"),
        "all",
        means="Which pictures written in a text, as `![The lake](media/lake.jpg)`, are sent: "
        "`files` of `media.folders` and https links, `files` only, or `none`. "
        "[Pictures in a text](responses.md#pictures-in-a-text)",
    )
    combine: str = key(
        parsers.combine,
        "off",
        means="`turn`: what the bot says in one turn goes in as few messages as possible, since "
        "each is billed: [fewer messages](responses.md#fewer-messages).",
    )
    combine_wait: float = key(
        parsers.positive,
        3.0,
        means="How long `combine: turn` keeps what was said while the turn goes on.",
    )
    combine_skip: tuple[str, ...] = key(
        parsers.names,
        (),
        means="Responses such as `utter_wait` that `combine: turn` leaves out where the turn says "
        "something else: the typing indicator says it.",
    )
    unknown_keys: str = key(
        parsers.choice("pass", "refuse"),
        "pass",
        means="Keys and types in [WhatsApp's own bodies](responses.md#whatsapps-own-bodies) that "
        "the channel does not know. `pass`: they go as they are written, with a warning. "
        "`refuse`: the message is not sent.",
    )
    wait_for_delivered: str = key(
        parsers.choice("none", "media", "all"),
        "media",
        means="Before the next message to that person wait until the one before was delivered: "
        "never, after files, or always.",
    )
    delivered_timeout: float = key(
        parsers.seconds, 3.0, means="How long to wait for it at most, in seconds."
    )
    max_messages_per_second: float = key(
        parsers.positive,
        80.0,
        means="For the whole number. WhatsApp allows 80, and 1,000 when it has raised your number.",
    )
    messaging_limit: int | None = key(
        parsers.whole,
        None,
        means="How many people may be written to outside of their 24-hour windows within a day, "
        "until WhatsApp tells it: [pauses](how-to/notify.md#pauses).",
    )
    reengagement_template: Mapping[str, Any] | None = key(
        parsers.template,
        None,
        means="What is sent when [the 24-hour window](how-to/templates.md) is closed. `{text}` in "
        "it stands for the text that the bot says.",
    )
    direct_send: bool = key(
        parsers.flag,
        False,
        apis=(CLOUD, DIALOG360),
        means="While the window is closed, texts and buttons go by [Direct "
        "Send](how-to/templates.md#direct-send), without a template. Only for what Meta calls "
        "utility.",
    )
    wait_for_window: float = key(
        parsers.seconds,
        86_400.0,
        means="How long messages outside the window wait for the person to write.",
    )
    failure_intent: str | None = key(
        parsers.string,
        None,
        means="The intent triggered when a message finally fails, with the entities `code`, "
        "`reason` and `response`. Without it [an event](inbound.md#what-did-not-arrive) in the "
        "tracker tells.",
    )
    notify_token: str = key(
        parsers.token,
        "",
        secret=True,
        section="Notifications",
        means="The password with which your own servers ask for [notifications]"
        "(how-to/notify.md); without it nobody can.",
    )
    notify_webhook: str = key(
        parsers.url,
        "",
        means="An address of yours that is told how far each notification came, signed with "
        "`notify_token` as Standard Webhooks has it.",
    )
    quiet_hours: QuietHours | None = key(
        parsers.quiet_hours,
        None,
        means="When nobody is written to by a notification, by the clock of their country, such "
        "as `21:00-08:00`.",
    )
    store: str = key(
        parsers.string,
        "sqlite:///whatsapp.db",
        secret=True,
        section="Storage",
        means="Where messages are stored: a file beside the bot, `redis://…` for [several "
        "servers](several-servers.md), or `memory:` for the life of the process.",
    )  # may hold Redis' password
    keep_sent_days: float = key(
        parsers.days,
        35.0,
        means="How long the store remembers what was sent: to whom, which response, whether it "
        "arrived, and what it cost. Fewer days take less room in Redis: [how large a "
        "deployment](performance.md#how-large-a-deployment).",
    )
    roles: tuple[str, ...] = key(
        role_settings.parse,
        role_settings.ROLES,
        means="What Rasa's process does: takes webhooks (`door`), runs turns (`bot`), sends "
        "(`sender`). `[bot]` where `rasa-whatsapp serve` does the rest: "
        "[door, bot and sender apart](several-servers.md#door-bot-and-sender-apart).",
    )
    media: MediaSettings = key(
        MediaSettings.parse, MediaSettings(), means="A group of keys, below."
    )
    billing: BillingSettings = key(
        BillingSettings.parse,
        BillingSettings(),
        means="A group of keys, below, for [what messages cost](how-to/costs.md).",
    )

    @property
    def platform(self) -> Api:
        return APIS[self.api]

    def by_number(self) -> Mapping[str, Settings]:
        """Return the settings of each business number; the first is that of the block itself."""
        numbers = {self.phone_number_id: self}
        for number in self.numbers:
            numbers[number.phone_number_id] = dataclasses.replace(
                self,
                phone_number_id=number.phone_number_id,
                access_token=number.access_token or self.access_token,
            )
        return numbers

    @classmethod
    def from_credentials(
        cls,
        credentials: Mapping[str, Any] | None,
        *,
        environ: Mapping[str, str] = os.environ,
        file: str = "credentials.yml",
    ) -> Settings:
        """
        Read the block under the channel's name; Rasa hands over None when it is empty.

        A secret that is not in the block is taken from the variable ``WHATSAPP_<KEY>``; mistakes
        begin with the *file*. Raises `SettingsError` with one paragraph for each mistake.
        """
        values, problems = read_block(credentials, environ=environ)
        if problems:
            raise SettingsError("\n".join(f"{file}: {problem}" for problem in problems))
        return cls(**values)


def read_block(
    credentials: Mapping[str, Any] | None, *, environ: Mapping[str, str] = os.environ
) -> tuple[dict[str, Any], list[str]]:
    """Return the values of `Settings` in a block, and its mistakes, each a text of its own."""
    if not isinstance(credentials or {}, Mapping):
        return {}, ["the block must be a map of keys, each on a line of its own."]
    block = dict(credentials or {})
    values, problems = read_keys(Settings, block)
    api = values.get("api") or (None if block.get("api") else CLOUD.name)
    found: dict[str, str] = {}
    for field in dataclasses.fields(Settings):
        fallback = environ.get(f"WHATSAPP_{field.name.upper()}", "").strip()
        absent = field.name not in block and api in field.metadata["apis"]
        if field.metadata["secret"] and absent and fallback:
            found[field.name] = fallback
    of_environment, wrong = read_keys(Settings, found)
    values |= of_environment
    problems += wrong
    if api is not None:
        problems += find_problems(Settings, api, block, values)
        values.setdefault("base_url", APIS[api].base_url)
    return values, problems
