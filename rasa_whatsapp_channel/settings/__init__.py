"""
The block in credentials.yml → `Settings`, checked as a whole.

Every key is declared once, at its field: what kind of value, for which APIs, and the line to write
when it is missing. All mistakes of a block are reported together, so that nobody mends them one
start of Rasa at a time.

    kinds      what a value may be
    keys       how a key is declared, and a block read
    groups     media, numbers, inbound
    problems   what must stand together
    elsewhere  what other connectors call things
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rasa_whatsapp_channel.settings import groups, kinds
from rasa_whatsapp_channel.settings.elsewhere import CHANNEL
from rasa_whatsapp_channel.settings.groups import MediaSettings, NumberSettings
from rasa_whatsapp_channel.settings.keys import key, read_keys
from rasa_whatsapp_channel.settings.problems import problems_of_api
from rasa_whatsapp_channel.whatsapp.apis import APIS, CLOUD, DIALOG360, ON_PREMISES, TURN, Api
from rasa_whatsapp_channel.whatsapp.errors import SettingsError
from rasa_whatsapp_channel.whatsapp.networks import Network

__all__ = ["CHANNEL", "MediaSettings", "NumberSettings", "Settings"]

_DEFAULT_URLS: Final = {
    CLOUD.name: "https://graph.facebook.com",
    TURN.name: "https://whatsapp.turn.io",
    DIALOG360.name: "https://waba-v2.360dialog.io",
}


@dataclass(frozen=True)
class Settings:
    """What a bot's credentials.yml says. Secrets do not print."""

    api: str = key(kinds.choice(*APIS), CLOUD.name)
    base_url: str = key(
        kinds.url, "", required=(ON_PREMISES,), line="base_url: https://your-whatsapp-client:9090"
    )
    api_version: str = key(kinds.maybe_empty, "v25.0", apis=(CLOUD,))
    phone_number_id: str = key(
        kinds.text, "", apis=(CLOUD,), required=(CLOUD,), line='phone_number_id: "106540352242922"'
    )
    access_token: str = key(
        kinds.text,
        "",
        apis=(CLOUD, TURN, DIALOG360),
        required=(CLOUD, TURN, DIALOG360),
        secret=True,
        line="access_token: ${WHATSAPP_ACCESS_TOKEN}",
    )
    username: str = key(
        kinds.text, "", apis=(ON_PREMISES,), required=(ON_PREMISES,), line="username: admin"
    )
    password: str = key(
        kinds.text,
        "",
        apis=(ON_PREMISES,),
        required=(ON_PREMISES,),
        secret=True,
        line="password: ${WHATSAPP_PASSWORD}",
    )
    numbers: tuple[NumberSettings, ...] = key(groups.numbers, (), apis=(CLOUD,))
    app_secret: str | tuple[str, ...] = key(kinds.secrets, "", apis=(CLOUD,), secret=True)
    verify_token: str = key(
        kinds.text,
        "",
        apis=(CLOUD,),
        required=(CLOUD,),
        secret=True,
        line="verify_token: ${WHATSAPP_VERIFY_TOKEN}",
    )
    webhook_secret: str | tuple[str, ...] = key(
        kinds.secrets, "", apis=(TURN, DIALOG360), secret=True
    )
    webhook_username: str = key(kinds.text, "", apis=(ON_PREMISES, DIALOG360))
    webhook_password: str = key(kinds.text, "", apis=(ON_PREMISES, DIALOG360), secret=True)
    webhook_token: str = key(kinds.text, "", apis=(ON_PREMISES, DIALOG360), secret=True)
    allow_unsigned_webhooks: bool = key(kinds.flag, False)
    allowed_networks: tuple[Network, ...] = key(kinds.networks, ())
    trusted_proxies: tuple[Network, ...] = key(kinds.networks, ())
    max_age: float | None = key(kinds.positive, None)
    ca_file: str | None = key(kinds.text, None, apis=(ON_PREMISES,))
    verify_tls: bool = key(kinds.flag, True, apis=(ON_PREMISES,))
    store: str = key(kinds.text, "sqlite:///whatsapp.db", secret=True)  # may hold Redis' password
    captions: str = key(kinds.choice("merge", "separate"), "merge")
    markdown: bool = key(kinds.flag, True)
    typing_indicator: bool = key(kinds.flag, True, apis=(CLOUD, DIALOG360))
    mark_read: bool = key(kinds.flag, True, apis=(CLOUD, ON_PREMISES, DIALOG360))
    commands: tuple[str, ...] = key(kinds.commands, ())
    sender_id: str = key(kinds.choice("phone", "user_id"), "phone")
    wait_for_delivered: str = key(kinds.choice("none", "media", "all"), "media")
    delivered_timeout: float = key(kinds.seconds, 3.0)
    max_messages_per_second: float = key(kinds.positive, 80.0)
    reengagement_template: Mapping[str, Any] | None = key(kinds.template, None)
    wait_for_window: float = key(kinds.seconds, 86_400.0)
    failure_intent: str | None = key(kinds.text, None)
    media: MediaSettings = key(groups.media, MediaSettings())
    inbound: Mapping[str, str] | None = key(groups.inbound, None)
    debounce: float = key(kinds.seconds, 0.0)
    transcribe: str | None = key(kinds.dotted, None)

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
    ) -> Settings:
        """
        Read the block under the channel's name; Rasa hands over None when it is empty.

        A secret that is not in the block is taken from the variable ``WHATSAPP_<KEY>``.
        Raises `SettingsError` with one paragraph for each mistake.
        """
        values, problems = read_block(credentials, environ=environ)
        if problems:
            raise SettingsError("credentials.yml: " + "\ncredentials.yml: ".join(problems))
        return cls(**values)


def read_block(
    credentials: Mapping[str, Any] | None, *, environ: Mapping[str, str] = os.environ
) -> tuple[dict[str, Any], list[str]]:
    """Return the values of `Settings` in a block, and its mistakes, each a text of its own."""
    block = dict(credentials or {})
    values, problems = read_keys(Settings, block)
    api = values.get("api") or (None if block.get("api") else CLOUD.name)
    for field in dataclasses.fields(Settings):
        fallback = environ.get(f"WHATSAPP_{field.name.upper()}", "").strip()
        absent = field.name not in block and api in field.metadata["apis"]
        if field.metadata["secret"] and absent and fallback:
            values[field.name] = fallback
    if api is not None:
        problems += problems_of_api(Settings, api, block, values)
    values.setdefault("base_url", _DEFAULT_URLS.get(api or "", ""))
    return values, problems
