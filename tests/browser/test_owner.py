"""Who answers in a chat: seen on the page, and changed by a colleague's phone and another app."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import scene
from support.chromium import Tab
from support.spoken_bot import MAYA, MEDIA, Bot

PICTURES = Path(__file__).parent / "pictures"
SETTLE = "new Promise((done) => setTimeout(done, 250))"
OWNER = "document.querySelector('.owner').dataset.owner"
AGENT = ".phone[data-writer=phone]"


async def tells(bot: Bot, owner: str, **more: object) -> None:
    """Let the bot say who answers Maya, as this package's channel does."""
    await bot.simulates("owners", {"to": MAYA, "owner": owner, **more})


async def write(page: Tab, phone: str, text: str) -> None:
    await page.click(f"{phone} .composer-text")
    await page.type(text)
    await page.press_enter()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_a_colleague_takes_a_chat_sends_a_picture_and_gives_it_back(
    page: Tab, bot: Bot, width: int, dark: bool
) -> None:
    name = f"{width}-{'dark' if dark else 'light'}"

    async def picture(what: str) -> None:
        await page.js(SETTLE)
        assert await page.shuts_out() == []
        await page.picture(PICTURES / f"owner-{what}-{name}.png")

    await page.size(width, 844, dark=dark)
    await page.js(f"location.hash = '#/chat/{MAYA}'")
    await scene.writes(bot, {"type": "text", "text": {"body": "I want my money back!"}})
    await bot.hears()
    await bot.says({"type": "text", "text": {"body": "I fetch somebody who can decide that."}})
    await page.shows(f"{OWNER} === 'bot'")
    await picture("bot")
    await tells(bot, "waiting", reason="a refund", return_words=["robot"])
    await page.shows(f"{OWNER} === 'waiting'")
    assert "a refund" in await page.js("document.querySelector('.owner').innerText")
    await picture("waiting")

    await page.click("[data-act=phone]")
    await page.shows(f"location.hash.includes('{MAYA}@phone')")
    await page.shows(f"document.querySelector('{AGENT} .chat-title h2')?.textContent === 'Maya'")
    await write(page, AGENT, "Hello Maya, this is Kim.")
    echo = await bot.overhears()
    assert (echo["type"], echo["text"]["body"]) == ("text", "Hello Maya, this is Kim.")
    await tells(bot, "human", by="app", return_words=["robot"])
    await page.choose_files(f"{AGENT} .file-image", MEDIA / "lake.jpg")
    await write(page, AGENT, "This is the boat, isn't it?")
    echo = await bot.overhears()
    assert (echo["type"], echo["image"]["caption"]) == ("image", "This is the boat, isn't it?")
    shown = f"document.querySelector('{AGENT} [data-type=image]')"
    await page.shows(f"{shown}?.dataset.side === 'own'")
    await page.shows(f"{shown}.querySelector('img').naturalWidth > 0")
    await picture("human")

    await page.click(f"{AGENT} [data-act=return]")
    assert (await bot.overhears())["text"]["body"] == "robot"
    await tells(bot, "bot", return_words=["robot"])
    await page.shows(f"{OWNER} === 'bot'")


async def test_the_person_sees_who_wrote_and_reads_it_on_their_own_phone(
    page: Tab, bot: Bot
) -> None:
    await page.click("[data-act=phone]")
    await write(page, AGENT, "Hello Maya, this is Kim.")

    hers = "document.querySelector('.phone[data-writer=person] [data-by=phone]')"
    await page.shows(f"{hers}?.querySelector('.author').textContent === 'Agent’s phone'")
    await page.shows(f"{hers}.dataset.side === 'other'")
    await page.shows(f"{hers}.dataset.status === 'read'")
    await page.shows("document.querySelector('#chats .chat-owner').textContent === 'Colleague'")


async def test_a_colleague_edits_and_deletes_what_they_wrote(page: Tab, bot: Bot) -> None:
    mine = f"{AGENT} [data-by=phone]"
    await page.click("[data-act=phone]")
    await write(page, AGENT, "Hello Mia")
    await bot.overhears()
    await page.shows(f"document.querySelector('{mine}')")
    await page.js(f"document.querySelector('{mine}').focus()")
    await page.click(f"{AGENT} .edit")
    await page.js("document.querySelector('dialog textarea').value = 'Hello Maya'")
    await page.click("dialog .primary")

    assert (await bot.overhears())["edit"]["message"]["text"]["body"] == "Hello Maya"
    await page.shows(f"document.querySelector('{mine} .text').textContent === 'Hello Maya'")
    await page.shows(f"document.querySelector('{mine} .meta').textContent.includes('Edited')")

    await page.js(f"document.querySelector('{mine}').focus()")
    await page.click(f"{AGENT} .revoke")

    assert (await bot.overhears())["type"] == "revoke"
    await page.shows("document.querySelectorAll('.revoked').length === 2")


async def test_a_bot_without_a_word_for_it_says_how_a_chat_is_given_back(
    page: Tab, bot: Bot
) -> None:
    await page.click("[data-act=phone]")
    await write(page, AGENT, "Hello")
    await page.click(f"{AGENT} [data-act=return]")

    said = await page.js("document.querySelector('dialog').innerText")
    assert f"rasa-whatsapp handoff return {MAYA}" in said


async def test_another_app_takes_the_chat_writes_and_passes_it_back(page: Tab, bot: Bot) -> None:
    menu = "document.querySelector('.menu')"

    async def choose(words: str) -> None:
        await page.click("[data-act=more]")
        item = f"[...{menu}.children].find((item) => item.textContent === {words!r})"
        await page.js(f"{item}.click()")

    await choose("Another app takes the chat")
    await page.shows(f"{OWNER} === 'app'")
    assert await bot.says({"type": "text", "text": {"body": "too late"}}) == ""
    await page.shows("document.querySelector('[data-refused]')?.innerText.includes('Another app')")

    await choose("Write as the other app")
    await page.click("dialog .primary")
    await page.shows("document.querySelector('[data-by=app] .author')?.textContent === 'Other app'")
    await page.picture(PICTURES / "owner-app.png")

    await choose("It passes the chat to the bot")
    await page.shows(f"{OWNER} === 'bot'")
    assert await bot.says({"type": "text", "text": {"body": "here I am"}})
