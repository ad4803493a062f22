"""Events of the platform and the status of templates: sent from the page, told by the bot."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import scene
from support.chromium import Tab
from support.spoken_bot import MAYA, Bot

PICTURES = Path(__file__).parent / "pictures"
NONE = {"waiting": 0, "dead_letters": 0, "oldest": None, "failing": 0, "last_error": None}
TROUBLE = {
    "status": "account in trouble",
    "account": [
        {"topic": "template", "subject": "hello_world (en_US)", "event": "PAUSED"},
        {
            "topic": "restriction of messages",
            "event": "ACCOUNT_RESTRICTION",
            "detail": "until 2026-11-30 09:00 UTC",
        },
    ],
    "paused": {"first": "account"},
    "inbox": NONE,
    "outbox": NONE,
    "desk": NONE,
}
SENT = (
    "fetch('/simulator/webhooks').then((answer) => answer.json())"
    ".then((all) => all.map((each) => each.body.entry[0].changes[0]))"
)
CHOICE = "document.querySelector('.platform-events select')"


async def choose(page: Tab, name: str) -> None:
    option = f"[...{CHOICE}.options].find((one) => one.text.startsWith({name!r})).value"
    await page.js(
        f"{CHOICE}.value = {option};{CHOICE}.dispatchEvent(new Event('change', {{bubbles: true}}))"
    )


async def sent_fields(page: Tab) -> list[str]:
    return [change["field"] for change in await page.js(SENT)]


async def test_an_event_is_chosen_changed_and_sent(page: Tab, bot: Bot) -> None:
    await page.click("#tab-events")
    await page.shows(f"{CHOICE}?.options.length > 30")
    await choose(page, "Violation of a policy")
    await page.shows("document.querySelector('[name=values]').value.includes('SPAM')")
    await page.js(
        "const text = document.querySelector('[name=values]');"
        "text.value = text.value.replace('SPAM', 'SCAM')"
    )

    await page.click(".platform-events .primary")

    await page.shows("document.body.innerText.includes('Sent: Violation of a policy')")
    await page.shows(f"{SENT}.then((all) => all.length === 1)")
    [change] = await page.js(SENT)
    assert change["value"]["violation_info"] == {"violation_type": "SCAM"}


async def test_an_event_of_a_person_is_that_of_the_person_on_the_phone(page: Tab, bot: Bot) -> None:
    await page.click("#tab-events")
    await page.shows(f"{CHOICE}?.options.length > 30")
    await choose(page, "Calls, and is missed")
    await page.shows(f"document.querySelector('[name=values]').value.includes('{MAYA}')")

    await page.click(".platform-events .primary")

    await page.shows(f"{SENT}.then((all) => all.length === 2)")
    assert await sent_fields(page) == ["calls", "calls"]


async def test_what_is_chosen_and_written_stays_when_another_phone_opens(
    page: Tab, bot: Bot
) -> None:
    ravi = await scene.joins(bot, "Ravi")
    await page.click("#tab-events")
    await page.shows(f"{CHOICE}?.options.length > 30")
    await choose(page, "Violation of a policy")
    await page.js("document.querySelector('[name=values]').value = '[\"mine\"]'")
    await page.js(f"{CHOICE}.dataset.old = 'yes'")

    await scene.opens(page, ravi)

    await page.shows(f"!{CHOICE}.dataset.old")  # the examples are Ravi's now
    assert await page.js("document.querySelector('[name=values]').value") == '["mine"]'
    assert await page.js(f"{CHOICE}.selectedOptions[0].text") == "Violation of a policy"


async def test_what_is_no_json_is_not_sent(page: Tab, bot: Bot) -> None:
    await page.click("#tab-events")
    await page.shows(f"{CHOICE}?.options.length > 30")
    await page.js("document.querySelector('[name=values]').value = '[{'")

    await page.click(".platform-events .primary")

    await page.shows(
        "document.querySelector('.platform-events .form-wrong').textContent.includes('Invalid')"
    )
    assert await sent_fields(page) == []


async def test_a_template_is_paused_and_the_bot_is_told(page: Tab, bot: Bot) -> None:
    await page.click("#tab-templates")
    select = "document.querySelector('[data-template=hello_world] select')"
    await page.shows(select)

    await page.js(f"{select}.value = 'PAUSED'; {select}.dispatchEvent(new Event('change'))")

    await page.shows(f"{SENT}.then((all) => all.length === 1)")
    [change] = await page.js(SENT)
    assert (change["field"], change["value"]["event"]) == (
        "message_template_status_update",
        "PAUSED",
    )


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_it_can_be_read(page: Tab, bot: Bot, width: int, dark: bool) -> None:
    name = f"{width}-{'dark' if dark else 'light'}"
    bot.health = TROUBLE
    await page.size(width, 900, dark=dark)
    if width == 390:
        await page.js(f"location.hash = '#/chat/{MAYA}'")
        await page.click(".open-devtools")
    await page.click("#tab-events")
    await page.shows(f"{CHOICE}?.options.length > 30")
    await choose(page, "Restricted from all messages")
    await page.picture(PICTURES / f"events-{name}.png")

    await page.click("#tab-connection")
    told = "document.querySelector('#bot')?.innerText.split(/\\s+/).join(' ')"
    await page.shows(f"{told}?.includes('template hello_world (en_US) PAUSED')")
    await page.shows(f"{told}?.includes('Account in trouble')")
    await page.picture(PICTURES / f"account-{name}.png")

    assert await page.js("document.documentElement.scrollWidth <= innerWidth")
