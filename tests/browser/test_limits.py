"""The messaging limit, and who wants no marketing: seen on the page, and set there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browser import scene
from support.built_in_templates import HELLO, SALE
from support.chromium import Tab
from support.spoken_bot import MAYA, NUMBER, TOKEN, Bot

PICTURES = Path(__file__).parent / "pictures"
SETTLE = "new Promise((done) => setTimeout(done, 250))"
LIMIT = "document.querySelector('.limit select')"
USED = "document.querySelector('.limit p')?.textContent"
NO_MARKETING = "document.querySelector('.chat-title .no-marketing')"


async def writes_first(bot: Bot, phone: str) -> Any:
    """Let the bot write a template to somebody who never wrote; return the API's answer."""
    body = {"messaging_product": "whatsapp", "to": phone, "type": "template", "template": HELLO}
    return await bot.posts("messages", json=body)


async def limit_at_the_api(bot: Bot) -> str:
    name = "whatsapp_business_manager_messaging_limit"
    address = f"{bot.simulator}/v26.0/{NUMBER}?fields={name}"
    async with bot.session.get(address, headers=TOKEN) as answer:
        return str((await answer.json())[name])


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_the_messaging_limit_is_seen_and_set(
    page: Tab, bot: Bot, width: int, dark: bool
) -> None:
    await page.size(width, 844, dark=dark)
    await page.js(f"location.hash = '#/chat/{MAYA}'")
    if width < 1180:
        await page.click(".open-devtools")
    await page.shows(f"{LIMIT}?.selectedOptions[0]?.textContent === 'All people'")

    await writes_first(bot, "4915100000001")
    await page.shows(f"{USED} === '1 written to first within 24 hours'")
    await page.js(f"{LIMIT}.value = '250'; {LIMIT}.dispatchEvent(new Event('change'))")

    await page.shows("!document.querySelector('.limit .window-bar').hidden")
    assert await limit_at_the_api(bot) == "TIER_250"
    await page.js(SETTLE)
    assert await page.shuts_out() == []
    name = f"limit-{width}-{'dark' if dark else 'light'}.png"
    await page.picture(PICTURES / name)


async def test_above_the_limit_the_page_says_that_it_is_used_up(page: Tab, bot: Bot) -> None:
    async with bot.session.post(
        f"{bot.simulator}/simulator/account", json={"messaging_limit": 1}
    ) as answer:
        assert (await answer.json())["messaging_limit"] == {"people": 1, "reached": 0}
    await page.shows(f"{LIMIT}?.selectedOptions[0]?.textContent === '1 person a day'")
    await writes_first(bot, "4915100000001")

    refused = await writes_first(bot, "4915100000002")

    assert "In 24 hours 1 people" in str(refused)
    await page.shows("document.querySelector('.limit .window-bar')?.matches('[data-full]')")
    await page.click("#tab-clock")
    await page.click("[data-jump='25 h']")
    await page.click("#tab-connection")
    await page.shows(f"{USED} === '0 written to first within 24 hours'")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_somebody_stops_marketing_messages_and_resumes_them(
    page: Tab, bot: Bot, width: int, dark: bool
) -> None:
    await page.size(width, 844, dark=dark)
    await page.js(f"location.hash = '#/chat/{MAYA}'")
    await scene.writes(bot, scene.HELLO)
    await page.shows("document.querySelector('article')")
    assert not await page.js(NO_MARKETING)

    await choose_marketing(page)
    await page.shows(f"{NO_MARKETING}?.checkVisibility()")
    assert "stopped marketing messages" in await page.js(f"{NO_MARKETING}.ariaLabel")
    await bot.says({"type": "template", "template": SALE})
    failure = "document.querySelector('[data-type=template] .failure')"
    await page.shows(f"{failure}?.textContent.includes('131050')")
    await page.js(SETTLE)
    assert await page.shuts_out() == []
    name = f"no-marketing-{width}-{'dark' if dark else 'light'}.png"
    await page.picture(PICTURES / name)

    await choose_marketing(page)
    await page.shows(f"!{NO_MARKETING}")


async def choose_marketing(page: Tab) -> None:
    await page.click(".chat-more")
    await page.click(".menu [data-act=marketing]")
