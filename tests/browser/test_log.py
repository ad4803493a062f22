"""The log of webhooks and requests: who, what, and the way to the message and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import scene
from support.chromium import Tab
from support.spoken_bot import MAYA, Bot

PICTURES = Path(__file__).parent / "pictures"
SETTLE = "new Promise((done) => setTimeout(done, 250))"
ROWS = "[...document.querySelectorAll('#log li')].map((row) => row.querySelector('summary')"
ROWS += ".innerText.split(/\\s+/).join(' '))"


async def shows_row(page: Tab, words: str) -> None:
    await page.shows(f"{ROWS}.some((row) => row.includes({words!r}))")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_each_row_names_person_kind_and_text(page: Tab, bot: Bot, dark: bool) -> None:
    await page.size(1280, 900, dark=dark)
    name = "dark" if dark else "light"
    await scene.writes(bot, {"type": "text", "text": {"body": "What can I do at the lake?"}})
    said = await bot.says({"type": "text", "text": {"body": "Sail, swim, sleep"}})
    failed = {"message_id": said, "status": "failed"}
    await bot.simulates(f"people/{MAYA}/status", failed)
    await bot.simulates(f"people/{MAYA}/echoes", {**scene.HELLO, "by": "phone"})
    await shows_row(page, "200 text Maya")
    await shows_row(page, "What can I do at the lake?")
    await shows_row(page, "delivered Maya")
    await shows_row(page, "echo: text Maya")
    await shows_row(page, "failed Maya")
    assert await page.js("document.querySelector('.log-kind[data-failed]').textContent") == "failed"
    await page.js("document.querySelector('#log').scrollIntoView()")
    await page.js(SETTLE)
    assert await page.shuts_out() == []
    await page.picture(PICTURES / f"log-webhooks-{name}.png")

    image = await bot.uploads("lake.jpg", "image/jpeg")
    await bot.says({"type": "image", "image": {"id": image, "caption": "The lake at six"}})
    await bot.says({"type": "text", "text": {}})
    await page.click(".log-tabs [data-name=requests]")
    await shows_row(page, "200 image Maya")
    await shows_row(page, "The lake at six")
    await shows_row(page, "200 upload")
    await shows_row(page, "400 text Maya")
    await page.js(SETTLE)
    assert await page.shuts_out() == []
    await page.picture(PICTURES / f"log-requests-{name}.png")
    await page.click(".filter [data-name=failed]")
    await page.shows("document.querySelectorAll('#log li').length === 1")


@pytest.mark.parametrize("width", [390, 1280])
async def test_from_a_row_to_its_message_and_back(page: Tab, bot: Bot, width: int) -> None:
    ravi = await scene.joins(bot, "Ravi")
    said = await bot.says({"type": "text", "text": {"body": "The lake"}})
    await bot.says({"type": "text", "text": {}})
    await page.size(width, 844)
    await scene.opens(page, ravi)
    await page.shows("document.querySelector('.phone').ariaLabel === 'Phone of Ravi'")
    if width < 1180:
        await page.click(".open-devtools")
    await page.click(".log-tabs [data-name=requests]")

    await page.click("#log li:last-child .log-go")
    await page.shows(f"document.activeElement?.dataset.messageId === {said!r}")

    await page.click(".phone .inspect")
    await page.click(".to-log")
    await page.shows("document.activeElement?.innerText?.includes('The lake')")
    assert await page.js("document.activeElement.closest('details').open")

    await page.click(".filter [data-name=failed]")
    await page.click("#log li .log-go")
    await page.shows("document.activeElement?.matches('.refusal')")
    await page.click(".refusal-log")
    await page.shows("document.activeElement?.innerText?.startsWith('400')")
    await page.picture(PICTURES / f"log-opened-{width}.png")
