"""How the bot is, beside the log of webhooks: what a person reads there, and when it is asked."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from browser import scene
from browser.conftest import served
from browser.test_looks import TWO_FRAMES
from support.chromium import Tab
from support.spoken_bot import MAYA, Bot

from rasa_whatsapp_channel.simulator.config import Config, Number
from rasa_whatsapp_channel.simulator.server import create_app

# In the page's own time: whatever it means to ask within three seconds, it has asked before.
AGAIN = "new Promise((done) => setTimeout(done, 3100))"
PICTURES = Path(__file__).parent / "pictures"
NONE = {"waiting": 0, "dead_letters": 0, "oldest": None, "failing": 0, "last_error": None}
WAITS = {**NONE, "waiting": 3, "oldest": 1764400000.5}
FAILS = {**WAITS, "failing": 2, "dead_letters": 1, "last_error": "HTTP 401: <b>token</b> (190)"}
WELL = {"status": "ok", "inbox": NONE, "outbox": NONE, "desk": NONE}
PAUSED = {
    "status": "sending paused",
    "paused": {"first": "token"},
    "inbox": NONE,
    "outbox": FAILS,
    "desk": {**WAITS, "failing": 1, "last_error": "it answers HTTP 503"},
}
AWAY = {
    "status": "degraded",
    "away": [
        {
            "what": "tracker store",
            "since": "2026-11-29T09:00:04+00:00",
            "reason": "Connection refused",
        }
    ],
    "inbox": WAITS,
    "outbox": NONE,
    "desk": WAITS,
}


async def tells(page: Tab, *words: str) -> None:
    """Wait until all *words* are shown about the bot."""
    text = "document.querySelector('#bot')?.innerText.split(/\\s+/).join(' ')"
    for each in words:
        await page.shows(f"{text}?.includes({each!r})")


async def asks(page: Tab, bot: Bot) -> int:
    """Ask from the page as well; return how often was asked, which is now all of it."""
    await page.js("fetch('/simulator/bot').then((answer) => answer.json())")
    return bot.health_asked


async def test_a_bot_without_a_health_page_answers_and_no_more_is_said(page: Tab) -> None:
    await tells(page, "Status Reachable It has no health page.")


async def test_where_no_bot_runs_the_page_is_connected_and_the_bot_is_not(page: Tab) -> None:
    async with served(create_app(Config(webhook="http://127.0.0.1:9/webhook"))) as simulator:
        await page.call("Page.navigate", url=f"{simulator}/")
        await tells(page, "Status Not reachable Connection refused Start it with “rasa run”.")
        panel = await page.js("document.querySelector('.panel').innerText.split(/\\s+/).join(' ')")
        await page.picture(PICTURES / "bot-not-reachable.png")
        await page.call("Page.navigate", url="about:blank")

    assert "The simulator This page Connected" in panel


async def test_what_goes_wrong_is_told_after_the_next_message_and_its_end_by_itself(
    page: Tab, bot: Bot
) -> None:
    bot.health = WELL
    await scene.writes(bot, scene.HELLO)
    await tells(page, "Status OK", "Inbox Nothing waiting", "Outbox Nothing waiting")

    bot.health = PAUSED
    await scene.writes(bot, scene.HELLO)
    await tells(
        page,
        "Status Sending paused WhatsApp rejects its access token: use the credentials.yml",
        "Outbox 3 waiting (2 failing), 1 dead letter",
        "Last error: HTTP 401: <b>token</b> (190)",
        "Desk 3 waiting (1 failing) Last error: it answers HTTP 503",
        "Details rasa-whatsapp queue list",
    )

    bot.health = WELL  # nobody touches the page
    await tells(page, "Status OK")
    assert await page.js("document.querySelector('#bot').innerText.includes('queue list')") is False


async def test_what_of_rasa_is_away_is_told(page: Tab, bot: Bot) -> None:
    bot.health = AWAY
    await scene.writes(bot, scene.HELLO)

    await tells(page, "Degraded The tracker store is unavailable: Connection refused", "3 waiting")


async def test_words_that_the_page_does_not_know_are_shown_as_they_are(page: Tab, bot: Bot) -> None:
    bot.health = {**PAUSED, "status": "constructor", "paused": {"first": "toString"}}
    await scene.writes(bot, scene.HELLO)

    await tells(page, "Status constructor toString Inbox")


@pytest.mark.parametrize(
    "bot", [{"more_numbers": (Number("2", "15550100002", "Shop"),)}], indirect=True
)
async def test_of_several_numbers_the_one_that_is_paused_is_named(page: Tab, bot: Bot) -> None:
    bot.health = {**PAUSED, "paused": {"2": "throughput"}}
    await scene.writes(bot, scene.HELLO)

    await tells(page, "Shop: WhatsApp limits its rate")


async def test_a_page_that_shows_something_else_asks_nothing(page: Tab, bot: Bot) -> None:
    bot.health = PAUSED
    await scene.writes(bot, scene.HELLO)
    await tells(page, "Sending paused")
    await page.click("#tab-clock")
    await page.shows("document.querySelector('.clock-face')")
    await page.js(TWO_FRAMES)  # it has seen that the panel is away
    asked = await asks(page, bot)

    for _ in range(3):
        await scene.writes(bot, scene.HELLO)
    await page.shows("document.querySelectorAll('.phone article').length === 4")
    await page.js(AGAIN)

    assert await asks(page, bot) == asked + 1
    await page.click("#tab-connection")
    await page.shows("document.querySelector('#bot .details')")
    bot.health = WELL
    await tells(page, "Status OK")


async def test_many_messages_at_once_are_few_questions(page: Tab, bot: Bot) -> None:
    bot.health = WELL
    await scene.writes(bot, scene.HELLO)
    await tells(page, "Status OK")
    asked, began = await asks(page, bot), time.monotonic()

    await asyncio.gather(*(scene.writes(bot, scene.HELLO) for _ in range(30)))
    await page.shows("document.querySelectorAll('#log li').length >= 31")
    await page.js(AGAIN)

    # On a busy machine the messages take longer, and a question may come each second.
    questions = await asks(page, bot) - asked - 1
    took = time.monotonic() - began
    assert 1 <= questions <= 5 + took


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_the_panel_to_look_at(page: Tab, bot: Bot, width: int, dark: bool) -> None:
    async def picture(what: str) -> None:
        await page.js("new Promise((done) => setTimeout(done, 250))")
        await page.picture(PICTURES / f"bot-{what}-{width}-{'dark' if dark else 'light'}.png")

    await page.size(width, 844, dark=dark)
    if width < 1180:
        await page.js(f"location.hash = '#/chat/{MAYA}'")
        await page.click(".open-devtools")
    for word, health in (("OK", WELL), ("Degraded", AWAY), ("Sending paused", PAUSED)):
        bot.health = health
        await scene.writes(bot, scene.HELLO)
        await tells(page, word)
        await picture(word.replace(" ", "-").lower())

    assert await page.shuts_out() == []
