"""Factories: settings → store, transports, clients and other parts, one function for each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rasa_whatsapp_channel.domain.project import is_mantle
from rasa_whatsapp_channel.media.cleanup import MediaCleanup
from rasa_whatsapp_channel.media.convert.converter import Converter
from rasa_whatsapp_channel.media.folder import MediaFolder
from rasa_whatsapp_channel.media.kept import CONVERTED
from rasa_whatsapp_channel.media.links import Links
from rasa_whatsapp_channel.media.object_store import MediaObjectStore, is_url
from rasa_whatsapp_channel.media.values import MediaStore
from rasa_whatsapp_channel.outbound.policy import SendPolicy
from rasa_whatsapp_channel.settings import MediaSettings, Settings
from rasa_whatsapp_channel.settings.parsers import Function, SettingsError, load_function
from rasa_whatsapp_channel.store import base, check_store, open_store
from rasa_whatsapp_channel.store.base import (
    Clock,
    Store,
)
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.aiohttp_transport import AiohttpTransport, Watch
from rasa_whatsapp_channel.whatsapp.clients import (
    Client,
    CloudClient,
    Dialog360Client,
    OnPremisesClient,
    TurnClient,
)
from rasa_whatsapp_channel.whatsapp.clients.templates import TemplatesClient
from rasa_whatsapp_channel.whatsapp.transport import Transport
from rasa_whatsapp_channel.whatsapp.webhook import WebhookAuth


def check_settings(settings: Settings, root: Path) -> None:
    """
    Raise `SettingsError` or `StoreError` for what does not suit the bot in *root*, or this machine.
    """
    if settings.failure_intent and is_mantle(root):
        raise SettingsError(
            "integrations.yml: 'failure_intent' is for engines with intents, and Mantle has none. "
            "Take it away; what did not arrive is an event in the tracker."
        )
    check_store(settings.store)
    load_functions(settings)


def load_functions(settings: Settings) -> Mapping[str, Function]:
    """Return the author's functions by the setting that names them; raises `SettingsError`."""
    named = {"transcribe": settings.transcribe, "account_events": settings.account_events}
    return {key: load_function(key, name) for key, name in named.items() if isinstance(name, str)}


def make_store(settings: Settings, *, clock: Clock | None = None) -> Store:
    retention = base.Retention(ledger=settings.keep_sent_days * DAY)
    # Servers that share a Redis share its clock.
    shared = settings.store.startswith(("redis://", "rediss://"))
    return open_store(settings.store, clock=None if shared else clock, retention=retention)


def make_folder(settings: Settings, client: Client, root: Path) -> MediaStore | None:
    media = settings.media
    if not media.download:
        return None
    if is_url(media.store):
        return MediaObjectStore(media.store, client, max_bytes=media.max_bytes)
    return MediaFolder(root / media.store, client, max_bytes=media.max_bytes)


def make_transport(settings: Settings, watch: Watch | None = None) -> AiohttpTransport:
    """Raises `SettingsError` where ``ca_file`` cannot be read."""
    try:
        return AiohttpTransport(
            ca_file=settings.ca_file, verify_tls=settings.verify_tls, watch=watch
        )
    except ValueError as error:
        raise SettingsError(f"'ca_file': {error}") from error


def make_client(settings: Settings, transport: Transport | None = None) -> Client:
    """Return the client of the API that *settings* name."""
    transport = transport or make_transport(settings)
    if settings.api == "on_premises":
        return OnPremisesClient(
            transport,
            base_url=settings.base_url,
            username=settings.username,
            password=settings.password,
        )
    if settings.api == "turn":
        return TurnClient(transport, base_url=settings.base_url, access_token=settings.access_token)
    if settings.api == "360dialog":
        return Dialog360Client(
            transport, base_url=settings.base_url, access_token=settings.access_token
        )
    return CloudClient(
        transport,
        base_url=settings.base_url,
        api_version=settings.api_version,
        phone_number_id=settings.phone_number_id,
        access_token=settings.access_token,
    )


def make_templates_client(
    settings: Settings, transport: Transport, account: str | None = None
) -> TemplatesClient:
    """Return the client for the templates of *account*. Raises `SettingsError` without the API."""
    if settings.api != "cloud":
        raise SettingsError(f"api {settings.api} has other ways to templates; this needs cloud")
    return TemplatesClient(
        transport,
        base_url=settings.base_url,
        api_version=settings.api_version,
        access_token=settings.access_token,
        account=account,
    )


def make_cleanup(settings: Settings, root: Path) -> MediaCleanup | None:
    media = settings.media
    if media.keep_days is None:
        return None
    return MediaCleanup(media.store, root=root, keep_days=media.keep_days)


def make_links(settings: Settings) -> Links:
    """Return the link fetcher; its connections do not use ``ca_file`` and ``verify_tls``."""
    private = settings.media.private_links
    transport = AiohttpTransport(public_only=not private)
    return Links(transport, private=private, proxy_of=transport.proxy_of)


def make_converter(settings: Settings, root: Path) -> Converter | None:
    """Return the converter; its results are stored beside the media that people send."""
    if not settings.media.convert:
        return None
    store = settings.media.store
    return Converter(root / (MediaSettings.store if is_url(store) else store) / CONVERTED)


def make_policy(settings: Settings) -> SendPolicy:
    return SendPolicy(
        wait_for_delivered=settings.wait_for_delivered,
        delivered_timeout=settings.delivered_timeout,
        max_per_second=settings.max_messages_per_second,
        wait_for_window=settings.wait_for_window,
    )


def make_webhook_auth(settings: Settings) -> WebhookAuth:
    """Return how callers of the webhook authenticate."""
    return WebhookAuth(
        app_secrets=settings.app_secret,
        turn_secrets=settings.webhook_secret if settings.api == "turn" else (),
        dialog360_secrets=settings.webhook_secret if settings.api == "360dialog" else (),
        username=settings.webhook_username or None,
        password=settings.webhook_password or None,
        token=settings.webhook_token or None,
        allow_unsigned=settings.allow_unsigned_webhooks,
    )


def account(settings: Settings) -> str:
    """Return the name of the account that owns uploaded media."""
    return f"{settings.api}:{settings.base_url}:{settings.phone_number_id or settings.username}"
