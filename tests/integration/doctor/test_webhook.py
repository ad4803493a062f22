"""The webhook of a bot that runs, called as WhatsApp calls it."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from rasa_whatsapp_channel.doctor.checks.webhook import PATH, address_of, other_addresses
from rasa_whatsapp_channel.doctor.results import CheckResult, State
from rasa_whatsapp_channel.simulator.config import Config
from rasa_whatsapp_channel.whatsapp.apis import APIS

from .conftest import Online, Setup, write_credentials

# What each API wants to know of its number, and how its webhooks prove themselves.
SERVED: dict[str, dict[str, Any]] = {
    "cloud": {"app_secret": "simulator-secret", "verify_token": "simulator"},
    "turn": {"webhook_secret": "simulator-secret"},
    "360dialog": {"webhook_secret": "simulator-secret"},
    "on_premises": {"webhook_token": "simulator"},
}
NOT_FOR = {
    "turn": ("phone_number_id", "app_secret", "verify_token"),
    "360dialog": ("phone_number_id", "app_secret", "verify_token"),
    "on_premises": ("phone_number_id", "app_secret", "verify_token", "access_token"),
}


async def nobody(_said: object) -> None:
    """A bot that says nothing."""


def served(api: str, **changes: Any) -> dict[str, Any]:
    """Return what the served channel is told beside its usual settings; None takes a key away."""
    login = {"username": "simulator", "password": "x"} if api == "on_premises" else {}
    away = dict.fromkeys(NOT_FOR.get(api, ()))
    return {"api": api, **away, **login, **SERVED[api], **changes}


def problems(results: list[CheckResult]) -> dict[str, str]:
    return {each.check: each.text for each in results if each.state is not State.OK}


async def connect(setup: Setup, online: Online, url: str, api: str = "cloud") -> None:
    setup.config = Config(api=APIS[api], webhook=f"{url}/webhook", account=setup.config.account)
    write_credentials(setup, "http://127.0.0.1:9")
    setup.url = url
    await online()


@pytest.mark.parametrize("api", APIS)
async def test_of_a_right_setup_it_says_nothing_but_ok(setup, online, serve, api):
    async with serve(nobody, **served(api)) as running:
        await connect(setup, online, running.url, api)

        results = await setup.run_checks()

        assert problems(results) == {}
        checks = {each.check for each in results}
        assert {"account.token", "webhook.signature", "store.write", "bot.model"} <= checks
        # The bot was not bothered by it.
        health = await running.health()
        assert (health["inbox"]["waiting"], health["inbox"]["dead_letters"]) == (0, 0)
        assert running.agent.heard == []


@pytest.mark.parametrize(
    ("changes", "check", "text", "remedy"),
    [
        ({"verify_token": "another"}, "webhook.verify_token", "another verify_token", "same word"),
        ({"app_secret": "another"}, "webhook.signature", "this file's app_secret", "started with"),
        (
            {"app_secret": None, "allow_unsigned_webhooks": True},
            "webhook.forged",
            "anybody can write",
            "without allow_unsigned_webhooks",
        ),
    ],
)
async def test_a_bot_that_was_started_with_other_settings_is_told(
    setup, online, serve, changes, check, text, remedy
):
    async with serve(nobody, **served("cloud", **changes)) as running:
        await connect(setup, online, running.url)

        results = await setup.run_checks()

    assert list(problems(results)) == [check]
    [found] = [each for each in results if each.check == check]
    assert (text in found.text, remedy in found.remedy) == (True, True), found


async def test_a_wrong_path_is_told_apart_and_the_right_one_named(setup, online, serve):
    async with serve(nobody, **served("cloud")) as running:
        await connect(setup, online, running.url)
        setup.url = running.url.replace("/webhooks/whatsapp", "/bots/rasa")

        found = problems(await setup.run_checks())

    assert list(found) == ["webhook.path"]
    assert f"the webhook is at {running.url}/webhook" in found["webhook.path"]


async def test_an_address_that_whatsapp_does_not_call_is_told(setup, online, serve):
    setup.account(registered="https://old.example/webhooks/whatsapp/webhook")
    async with serve(nobody, **served("cloud")) as running:
        await connect(setup, online, running.url)

        found = problems(await setup.run_checks())

    assert list(found) == ["webhook.registered"]
    assert "WhatsApp calls https://old.example/webhooks" in found["webhook.registered"]


@pytest.mark.parametrize(
    ("status", "text", "headers", "told"),
    [
        (502, "Bad Gateway", {}, "the bot behind it is not"),
        (301, "", {"Location": "https://elsewhere.example/"}, "sends callers on to https://else"),
        (404, "Hello from Rasa: 3.6.21", {}, "Rasa answers there, but has no channel"),
        (404, "nothing", {}, "there is no webhook"),
        (403, "<html>Please log in</html>", {}, "not as the channel does"),
        (200, "<html>Visit site</html>", {}, "answered with something else"),
    ],
)
async def test_somebody_else_at_the_address_is_told(setup, online, status, text, headers, told):
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, text=text, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    server = TestServer(app)
    await server.start_server()
    await connect(setup, online, str(server.make_url("/webhooks/whatsapp")))
    try:
        found = problems(await setup.run_checks())
    finally:
        await server.close()

    assert any(told in words for words in found.values()), found


async def test_an_address_where_nobody_listens_is_told(setup, online):
    await connect(setup, online, "http://127.0.0.1:9/webhooks/whatsapp")

    found = problems(await setup.run_checks())

    assert "webhook.reach" in found
    assert "Cannot connect" in found["webhook.reach"]


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("bot.example", f"https://bot.example{PATH}"),
        ("https://bot.example/", f"https://bot.example{PATH}"),
        ("https://bot.example/rasa", f"https://bot.example/rasa{PATH}"),
        ("https://bot.example/webhooks", f"https://bot.example{PATH}"),
        ("https://bot.example/webhooks/whatsapp/", f"https://bot.example{PATH}"),
        (f"https://bot.example{PATH}?token=x", f"https://bot.example{PATH}"),
    ],
)
def test_a_host_a_prefix_and_a_whole_address_are_understood(given, address):
    assert address_of(given) == address


def test_a_prefix_too_many_and_one_too_few_are_looked_for():
    assert f"https://a.example{PATH}" in other_addresses(f"https://a.example/rasa{PATH}")
    assert f"https://a.example/rasa{PATH}" in other_addresses(f"https://a.example{PATH}")
