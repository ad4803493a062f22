"""What people see of costs: of a chat, of a message and why, and of the month."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browser import scene
from browser.test_pictures import PICTURES, SETTLE
from support.chromium import Tab
from support.spoken_bot import MAYA, Bot

CARD = Path(__file__).parents[1] / "support" / "rate_card.csv"
TWO_FREE = {"free_messages": 2}
IN_DOLLARS = {**TWO_FREE, "rate_card": CARD}
LUIZA = "5511987654321"  # in Brazil


def text(body: str) -> dict:
    return {"type": "text", "text": {"body": body}}


async def chat(bot: Bot) -> None:
    """Two free replies to Maya and one that is billed; one that is billed to Luiza, in Brazil."""
    person = {"name": "Luiza", "phone": LUIZA}
    await bot.simulates("people", person)
    for who in (MAYA, LUIZA):
        await scene.writes(bot, scene.HELLO, who)
    for body in ("Hello Maya", "The lake is calm today.", "Shall I book a boat?"):
        await bot.says(text(body))
    await bot.says({**text("Hello Luiza"), "to": LUIZA})


async def inspects(page: Tab, words: str, cost: str = "") -> None:
    """Open the details of the message with *words*, and wait until they tell its *cost*."""
    found = (
        "[...document.querySelectorAll('article.message')]"
        f".find((node) => node.textContent.includes('{words}'))"
    )
    await page.shows(found)
    await page.js(f"{found}.focus()")
    await page.click("article:focus-within .inspect, article:focus .inspect")
    row = "[...document.querySelectorAll('.details dt')].find((dt) => dt.textContent === 'Cost')"
    await page.shows(f"{row}?.nextElementSibling.innerText.includes({json.dumps(cost)})")


async def panel(page: Tab) -> str:
    """Return the text of the costs that are shown, once they tell the whole chat."""
    shown = "document.querySelector('.costs')?.innerText.split(/\\s+/).join(' ')"
    await page.shows(f"({shown} ?? '').includes('Luiza')")
    return str(await page.js(shown))


@pytest.mark.parametrize("bot", [IN_DOLLARS], indirect=True)
async def test_a_chat_a_message_and_the_month_tell_what_they_cost(page: Tab, bot: Bot) -> None:
    pill = "document.querySelector('.chat-cost')"
    assert await page.js(f"{pill}.hidden")
    await chat(bot)
    await page.shows(f"{pill}.textContent === '$0.0064'")
    assert await page.js(f"{pill}.ariaLabel") == ("$0.0064. Cost of this chat: 1 billed, 2 free")

    await inspects(
        page,
        "The lake is calm",
        "Free\n\nOne of the 2 free replies of this number and month.",
    )
    await page.click(".devtools-close")
    await inspects(
        page,
        "Shall I book",
        "$0.0064\n\nReply to Germany: the free replies of this month are used up.",
    )

    await page.click(".chat-cost")
    shown = await panel(page)
    for fact in (
        "$0.0132 2 billed · 2 free",
        "2 of 2 used",
        "Brazil $0.0068 1 × reply",
        "Germany $0.0064 1 × reply",
        "Maya $0.0064 1 billed, 2 free",
        "Luiza $0.0068 1 billed, 0 free",
    ):
        assert fact in shown

    await bot.simulates("clock", {"advance": 40 * 86_400})
    await page.shows("document.querySelector('.costs').innerText.includes('0 of 2 used')")


@pytest.mark.parametrize("bot", [TWO_FREE], indirect=True)
async def test_without_a_rate_card_messages_are_counted(page: Tab, bot: Bot) -> None:
    await chat(bot)
    await page.shows("document.querySelector('.chat-cost').textContent === '1 billed'")

    await inspects(page, "Shall I book", "Billed\n\nReply to Germany")
    await page.click(".chat-cost")
    shown = await panel(page)
    for fact in ("2 billed 2 free", "2 of 2 used", "Brazil 1 1 × reply", "--rate-card"):
        assert fact in shown


async def test_what_did_not_arrive_and_what_came_from_an_ad_is_free(page: Tab, bot: Bot) -> None:
    ad = {"referral": {"source_type": "ad", "source_id": "1", "source_url": "https://a.example"}}
    await scene.writes(bot, {**scene.HELLO, **ad})
    await bot.says(text("From an ad"))
    rule = {"on": "statuses", "when": {"next": 1}, "do": {"code": 131026}}
    await bot.simulates("faults", rule)
    await bot.says(text("Not for you"))
    await page.shows("document.querySelector('.chat-cost').textContent === 'Free'")

    await inspects(page, "From an ad", "72 hours")
    await page.click(".devtools-close")
    await inspects(page, "Not for you", "Free\n\nIt was not delivered.")


@pytest.mark.parametrize("bot", [IN_DOLLARS], indirect=True)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_costs_are_shown_so_that_everybody_can_read_them(
    page: Tab, bot: Bot, width: int, dark: bool
) -> None:
    async def picture(what: str) -> None:
        await page.js(SETTLE)
        assert await page.shuts_out() == []
        theme = "dark" if dark else "light"
        await page.picture(PICTURES / f"costs-{what}-{width}-{theme}.png")

    await page.size(width, 844, dark=dark)
    await chat(bot)
    await page.js(f"location.hash = '#/chat/{MAYA}'")
    await page.shows("document.querySelector('.chat-cost').textContent === '$0.0064'")
    await picture("chat")
    await inspects(page, "Shall I book")
    await picture("message")
    await page.click(".devtools-close")
    if width < 1180:
        await page.click("dialog .dialog-head .round")
    await page.click(".chat-cost")
    await panel(page)
    await picture("month")
