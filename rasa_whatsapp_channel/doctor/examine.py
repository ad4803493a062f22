"""Everything about a bot, in order: what a mistake keeps from working stands after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from rasa_whatsapp_channel.doctor import account, bot, credentials, store, versions, webhook
from rasa_whatsapp_channel.doctor.ask import ask_cloud, ask_other
from rasa_whatsapp_channel.doctor.look import (
    look_at_bot,
    look_at_versions,
    read_dotenv,
    read_file,
)
from rasa_whatsapp_channel.doctor.place import Machine, Place
from rasa_whatsapp_channel.doctor.probe import probe
from rasa_whatsapp_channel.doctor.storage import try_store
from rasa_whatsapp_channel.doctor.verdict import Verdict, skipped
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.whatsapp.aiohttp_transport import AiohttpTransport
from rasa_whatsapp_channel.whatsapp.transport import Transport


async def examine(place: Place, machine: Machine) -> AsyncIterator[Verdict]:
    """Yield one verdict after the other, as soon as it is known."""
    found = credentials.examine(
        read_file(place.credentials), environ=machine.environ, dotenv=read_dotenv(place.root)
    )
    for verdict in found.verdicts:
        yield verdict
    settings = found.settings
    if settings is None:
        for area in ("account", "webhook", "store"):
            yield skipped(area, "waits for credentials.yml")
    else:
        async for verdict in _examine_network(place, machine, settings):
            yield verdict
        facts = await try_store(settings, place.root, offline=place.offline)
        for verdict in store.judge(facts):
            yield verdict
    for verdict in _examine_bot(place, machine, settings):
        yield verdict
    version_facts = await asyncio.to_thread(look_at_versions, place, machine, settings)
    for verdict in versions.judge(version_facts):
        yield verdict
    if settings is not None:
        for verdict in versions.judge_extras(version_facts, settings):
            yield verdict


async def _examine_network(
    place: Place, machine: Machine, settings: Settings
) -> AsyncIterator[Verdict]:
    if place.offline:
        yield skipped("account", "not asked: --offline")
        yield skipped("webhook", "not called: --offline")
        return
    transport = AiohttpTransport(ca_file=settings.ca_file, verify_tls=settings.verify_tls)
    try:
        registered, verdicts = await _ask(transport, place, machine, settings)
    finally:
        await transport.close()
    for verdict in verdicts:
        yield verdict
    if place.url is None:
        # Without its query, where a token may stand.
        where = f"; WhatsApp calls {registered.partition('?')[0]}" if registered else ""
        yield skipped("webhook", f"not called{where}", "Give its address with --url https://…")
        return
    outside = AiohttpTransport()  # its certificate must be one that WhatsApp trusts
    try:
        facts = await probe(outside, settings, place.url, registered=registered)
    finally:
        await outside.close()
    for verdict in webhook.judge(facts, settings):
        yield verdict


async def _ask(
    transport: Transport, place: Place, machine: Machine, settings: Settings
) -> tuple[str | None, Iterable[Verdict]]:
    """Return the webhook's address as WhatsApp has it, where it tells, and the verdicts."""
    if settings.api == "cloud":
        facts = await ask_cloud(transport, settings, place.account, now=machine.clock())
        return account.registered_webhook(facts), account.judge_cloud(facts)
    answer, health = await ask_other(transport, settings)
    return account.registered_url(answer), account.judge_other(settings.api, answer, health)


def _examine_bot(place: Place, machine: Machine, settings: Settings | None) -> Iterable[Verdict]:
    facts = look_at_bot(place, settings)
    yield from bot.judge_workers(facts, settings, machine.environ)
    yield bot.judge_model(facts)
    yield from bot.judge_domain(facts, settings)
