"""Doctor runner: runs all checks in order, and skips those that an earlier error prevents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from rasa_whatsapp_channel.doctor.checks import account, bot, credentials, store, versions, webhook
from rasa_whatsapp_channel.doctor.checks.desk import check_desk
from rasa_whatsapp_channel.doctor.collect import (
    Environment,
    Project,
    collect_bot,
    collect_store,
    collect_versions,
    read_dotenv,
    read_file,
)
from rasa_whatsapp_channel.doctor.collect_remote import (
    collect_cloud,
    collect_desk,
    collect_other,
    collect_webhook,
)
from rasa_whatsapp_channel.doctor.results import CheckResult, skipped
from rasa_whatsapp_channel.factories import make_transport
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.whatsapp.aiohttp_transport import AiohttpTransport
from rasa_whatsapp_channel.whatsapp.transport import Transport


async def run_checks(project: Project, environment: Environment) -> AsyncIterator[CheckResult]:
    """Run all checks and yield each result as soon as it is known."""
    found = credentials.check_credentials(
        read_file(project.credentials),
        environ=environment.environ,
        dotenv=read_dotenv(project.root),
    )
    for result in found.results:
        yield result
    settings = found.settings
    if settings is None:
        for area in ("account", "webhook", "store"):
            yield skipped(area, f"waits for {project.credentials.name}")
    else:
        async for result in _check_network(project, environment, settings):
            yield result
        facts = await collect_store(settings, project.root, offline=project.offline)
        for result in store.check_store(facts):
            yield result
    for result in _check_bot(project, environment, settings):
        yield result
    version_facts = await asyncio.to_thread(collect_versions, project, environment, settings)
    for result in versions.check_versions(version_facts):
        yield result
    if settings is not None:
        for result in versions.check_extras(version_facts, settings):
            yield result


async def _check_network(
    project: Project, environment: Environment, settings: Settings
) -> AsyncIterator[CheckResult]:
    if project.offline:
        yield skipped("account", "not asked: --offline")
        yield skipped("webhook", "not called: --offline")
        return
    transport = make_transport(settings)
    try:
        registered, results = await _check_account(transport, project, environment, settings)
    finally:
        await transport.close()
    for result in results:
        yield result
    if settings.handoff is not None and settings.handoff.desk:
        desk = AiohttpTransport()
        try:
            found = await collect_desk(desk, settings.handoff, project.url, now=environment.clock())
        finally:
            await desk.close()
        for result in check_desk(found, settings.handoff):
            yield result
    if project.url is None:
        # Without its query, where a token may stand.
        where = f"; WhatsApp calls {registered.partition('?')[0]}" if registered else ""
        yield skipped("webhook", f"not called{where}", "Give its address with --url https://…")
        return
    outside = AiohttpTransport()  # its certificate must be one that WhatsApp trusts
    try:
        facts = await collect_webhook(outside, settings, project.url, registered=registered)
    finally:
        await outside.close()
    for result in webhook.check_webhook(facts, settings):
        yield result


async def _check_account(
    transport: Transport, project: Project, environment: Environment, settings: Settings
) -> tuple[str | None, Iterable[CheckResult]]:
    """Return the webhook URL that WhatsApp has, where it is told, and the results."""
    if settings.api == "cloud":
        facts = await collect_cloud(transport, settings, project.account, now=environment.clock())
        return account.registered_webhook(facts), account.check_cloud(facts)
    answer, health = await collect_other(transport, settings)
    return account.registered_url(answer), account.check_other(settings.api, answer, health)


def _check_bot(
    project: Project, environment: Environment, settings: Settings | None
) -> Iterable[CheckResult]:
    facts = collect_bot(project, settings)
    yield from bot.check_engine(facts, settings)
    yield from bot.check_workers(facts, settings, environment.environ)
    yield bot.check_model(facts)
    yield from bot.check_domain(facts, settings)
