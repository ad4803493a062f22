"""What a simulator is started with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from rasa_whatsapp_channel.common import DAY
from rasa_whatsapp_channel.settings.errors import SettingsError
from rasa_whatsapp_channel.simulator.weather import CALM
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360, ON_PREMISES, TURN, Api

DEFAULT_PORT: Final = 8400
DEFAULT_WEBHOOK: Final = "http://127.0.0.1:5005/webhooks/whatsapp/webhook"


@dataclass(frozen=True)
class Number:
    """A business number the bot speaks from."""

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
    """
    What Meta tells of the number's business account, and of the token.

    *token_ends* is a unix time, 0 for never. *apps* are those that get the webhooks, by id;
    *registered* is the webhook's address that Meta has, if it is not the one that is called.
    """

    id: str = "102290129340398"
    app: str = "670843887433847"
    apps: Mapping[str, str] = field(default_factory=lambda: {"670843887433847": "Simulator"})
    scopes: tuple[str, ...] = ("whatsapp_business_management", "whatsapp_business_messaging")
    token_ends: int = 0
    quality: str = "GREEN"
    status: str = "CONNECTED"
    registered: str | None = None


@dataclass(frozen=True)
class Config:
    """
    What the simulator plays, and the secrets both sides share.

    The secrets have fixed values, so that a block in credentials.yml stays valid from one start to
    the next; they protect nothing but a simulator on one's own machine. *api* picks the shape of
    the webhooks; requests are understood in every shape. Pauses and lives are in seconds.
    """

    api: Api = CLOUD
    webhook: str = DEFAULT_WEBHOOK
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    allowed_hosts: tuple[str, ...] = ()  # further names the simulator may be reached by
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
    explanations: bool = True  # beside each error, the rule in plain words
    media_root: Path | None = (
        None  # where files are kept; a folder that goes away, if none is given
    )
    login_life: float = 7 * DAY
    webhook_timeout: float = 10.0
    link_timeout: float = 20.0
    # Short at first, for a bot that is started a little later; the last one repeats.
    retry_pauses: tuple[float, ...] = (*(1, 2, 4, 8, 15, 30, 30, 60), *(120, 300, 900, 3600), DAY)
    retry_life: float = 7 * DAY  # the platform gives a webhook up after that
    limits: bool = True  # are too many messages refused, of the number and per person?
    throughput: int = 80  # messages a second of one number
    latency: float = 0.0  # seconds until the API answers a request
    state: Path | None = None  # a SQLite file that keeps the chats
    rasa: str | None = None  # where `rasa run --enable-api` answers
    rasa_token: str | None = field(default=None, repr=False)
    templates: Path | None = None  # a folder of YAML files
    window: bool = True  # does a message outside of the 24 hours fail?
    weather: str = CALM  # or rough: what goes wrong by itself
    seed: int = 1  # of the weather
    lasting: bool = True  # does rough weather bring what no sender gets over, too?

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
        """Does the webhook carry a user name and a password?"""
        return self.api in (ON_PREMISES, DIALOG360) and self.webhook_username is not None

    @property
    def webhook_address(self) -> str:
        """Where webhooks go: an on-premises client proves itself by a token in the address."""
        if self.api is not ON_PREMISES or self.basic_webhook:
            return self.webhook
        parts = urlsplit(self.webhook)
        query = dict(parse_qsl(parts.query))
        query.setdefault("token", self.webhook_token)
        return urlunsplit(parts._replace(query=urlencode(query)))

    @property
    def v1(self) -> Api:
        """The API behind /v1: both of these have their addresses there."""
        return TURN if self.api is TURN else ON_PREMISES


def credentials_block(config: Config, base_url: str) -> str:
    """Return the block as YAML, with the keys its API knows."""
    keys = {"api": config.api.name, "base_url": base_url, **_account(config), **_proof(config)}
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


def _proof(config: Config) -> dict[str, str]:
    """The keys by which the channel knows that a webhook comes from here."""
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
