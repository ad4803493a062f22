"""Simulator settings, and the credentials.yml block that matches them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timezone, tzinfo
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.simulator.weather import CALM
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360, ON_PREMISES, TURN, Api

PRIMARY: Final = "primary"
ESCALATION: Final = "escalation"
DEFAULT_PORT: Final = 8400
DEFAULT_WEBHOOK: Final = "http://127.0.0.1:5005/webhooks/whatsapp/webhook"


@dataclass(frozen=True)
class Number:
    """A business phone number of the bot."""

    phone_number_id: str = "106540352242922"
    display_phone_number: str = "15550783881"
    name: str = "Your bot"

    def to_json(self) -> dict[str, str]:
        return {
            "phone_number_id": self.phone_number_id,
            "display_phone_number": self.display_phone_number,
            "name": self.name,
        }


@dataclass(frozen=True)
class BusinessAccount:
    """The business account of the number, and its access token, as Meta reports them."""

    id: str = "102290129340398"
    app: str = "670843887433847"
    #: subscribed apps: id → name
    apps: Mapping[str, str] = field(default_factory=lambda: {"670843887433847": "Simulator"})
    scopes: tuple[str, ...] = ("whatsapp_business_management", "whatsapp_business_messaging")
    #: unix time when the token expires; 0: never
    token_ends: int = 0
    quality: str = "GREEN"
    status: str = "CONNECTED"
    #: the webhook's URL as registered at Meta, if it differs from the one that is called
    registered: str | None = None


@dataclass(frozen=True)
class Config:
    """
    Settings of one simulator.

    The secrets are fixed, so that a block in credentials.yml stays valid after a restart; they
    protect only a simulator on a local machine. *api* selects the format of webhooks; requests are
    accepted in every format. Pauses and lifetimes are in seconds.
    """

    api: Api = CLOUD
    webhook: str = DEFAULT_WEBHOOK
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    allowed_hosts: tuple[str, ...] = ()  # further host names of the simulator
    number: Number = Number()
    account: BusinessAccount = field(default_factory=BusinessAccount)
    more_numbers: tuple[Number, ...] = ()
    access_token: str = field(default="simulator-token", repr=False)
    app_secret: str = field(default="simulator-secret", repr=False)
    verify_token: str = field(default="simulator", repr=False)
    username: str = "simulator"
    password: str = field(default="simulator-password", repr=False)
    webhook_secret: str = field(default="simulator-secret", repr=False)
    webhook_token: str = field(default="simulator", repr=False)
    webhook_username: str | None = None
    webhook_password: str | None = field(default=None, repr=False)
    explanations: bool = True  # add the broken rule to each error
    media_root: Path | None = None  # folder of the files; a temporary one by default
    login_life: float = 7 * DAY
    webhook_timeout: float = 10.0
    link_timeout: float = 20.0
    # Short at first, for a bot that is started later; the last one repeats.
    retry_pauses: tuple[float, ...] = (*(1, 2, 4, 8, 15, 30, 30, 60), *(120, 300, 900, 3600), DAY)
    retry_life: float = 7 * DAY  # a webhook is dropped after that
    limits: bool = True  # enforce rate limits per number and per person
    throughput: int = 80  # messages per second of one number
    messaging_limit: int | None = None  # people a day outside of their windows
    latency: float = 0.0  # seconds before each response of the API
    state: Path | None = None  # SQLite file that stores the chats
    rasa: str | None = None  # address of Rasa's HTTP API
    rasa_token: str | None = field(default=None, repr=False)
    templates: Path | None = None  # folder of YAML files
    review: float = 2.0  # seconds that the review of a template takes
    direct_send: bool = True  # whether the account may use Direct Send
    window: bool = True  # enforce the 24-hour window
    weather: str = CALM  # or rough: random faults
    rate_card: Path | None = None  # CSV of rates, for the bill
    free_messages: int = 1000  # of a number in a month
    time_zone: tzinfo = timezone.utc  # in which the month begins
    seed: int = 1  # seed of the weather
    lasting: bool = True  # include permanent failures in rough weather
    routing: str = PRIMARY  # the bot's role beside another app: primary, or escalation

    def __post_init__(self) -> None:
        if (self.webhook_username is None) != (self.webhook_password is None):
            raise SettingsError("user name and password of the webhook go together")

    @property
    def numbers(self) -> tuple[Number, ...]:
        return (self.number, *self.more_numbers)

    def find_number(self, phone_number_id: str | None) -> Number | None:
        """Return the number with this id; the first one for None."""
        if phone_number_id is None:
            return self.number
        found = (each for each in self.numbers if each.phone_number_id == phone_number_id)
        return next(found, None)

    @property
    def basic_webhook(self) -> bool:
        """Whether webhooks carry a user name and a password."""
        return self.api in (ON_PREMISES, DIALOG360) and self.webhook_username is not None

    @property
    def webhook_address(self) -> str:
        """URL of the webhook; for an on-premises client it includes the token."""
        if self.api is not ON_PREMISES or self.basic_webhook:
            return self.webhook
        parts = urlsplit(self.webhook)
        query = dict(parse_qsl(parts.query))
        query.setdefault("token", self.webhook_token)
        return urlunsplit(parts._replace(query=urlencode(query)))

    @property
    def v1(self) -> Api:
        """The API below /v1."""
        return TURN if self.api is TURN else ON_PREMISES


def credentials_block(config: Config, base_url: str) -> str:
    """Return the block of credentials.yml for a bot that uses this simulator."""
    keys = {
        "api": config.api.name,
        "base_url": base_url,
        **_account(config),
        **_webhook_auth(config),
    }
    lines = [f"  {key}: {json.dumps(value)}" for key, value in keys.items()]
    return "\n".join(["rasa_whatsapp_channel.WhatsAppInput:", *lines])


def _account(config: Config) -> dict[str, Any]:
    if config.api.name == "on_premises":
        return {"username": config.username, "password": config.password}
    token = {"access_token": config.access_token}
    if config.api.name != "cloud":
        return token
    more = [{"phone_number_id": number.phone_number_id} for number in config.more_numbers]
    first = {"phone_number_id": config.number.phone_number_id}
    return {**first, **token, **({"numbers": more} if more else {})}


def _webhook_auth(config: Config) -> dict[str, str]:
    """Return the keys that authenticate webhooks."""
    if config.api.name == "cloud":
        return {"app_secret": config.app_secret, "verify_token": config.verify_token}
    if config.basic_webhook:
        return {
            "webhook_username": config.webhook_username or "",
            "webhook_password": config.webhook_password or "",
        }
    if config.api.name == "on_premises":
        return {"webhook_token": config.webhook_token}
    return {"webhook_secret": config.webhook_secret}
