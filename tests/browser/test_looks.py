"""What a close look at pictures of the page found: jumps, broken lines, unclear words."""

from __future__ import annotations

import pytest
from browser import scene
from support.chromium import Tab
from support.spoken_bot import MAYA, Bot

from rasa_whatsapp_channel.simulator.config import DEFAULT_WEBHOOK

TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
LONG_NAME = "Alexandra Konstantinopoulou-Schmidt von Hohenberg"
TEMPLATE = {"name": "write_again", "language": {"code": "en_US"}, "components": [scene.WHO]}


def text(body: str) -> dict:
    return {"type": "text", "text": {"body": body}}


async def test_the_newest_message_stays_in_view_when_a_banner_comes_with_it(
    page: Tab, bot: Bot
) -> None:
    for number in range(40):
        await bot.says(text(f"Message {number}"))
    await page.shows("document.querySelectorAll('article').length === 40")

    # The browser tells of the scrolling before it tells that there is less room now.
    await page.js("document.querySelector('.messages').scrollTop -= 1")
    await page.js(TWO_FRAMES)
    await page.js(
        "document.querySelector('.messages').scrollTop = 1e6;"
        " const banner = document.createElement('div'); banner.style.height = '120px';"
        " document.querySelector('.banners').append(banner)"
    )
    await page.js(TWO_FRAMES)

    assert await page.js("document.querySelector('.to-end').hidden")
    last = "[...document.querySelectorAll('article')].at(-1).getBoundingClientRect().bottom"
    end = "document.querySelector('.messages').getBoundingClientRect().bottom"
    assert await page.js(f"{last} <= {end}")


async def test_whom_one_is_in_a_group_stands_in_one_line(page: Tab, bot: Bot) -> None:
    await page.size(390, 844)
    others = [await scene.joins(bot, name) for name in ("Ravi", LONG_NAME)]
    group = await bot.simulates("groups", {"name": "Sailing", "people": [MAYA, *others]})

    await scene.opens(page, group["user_id"])
    await page.shows("document.querySelector('.inline-choice')")

    line = "document.querySelector('.chat-title p')"
    assert await page.js(f"{line}.getBoundingClientRect().height") < 30
    # The words and the name beside them begin and end on the same line.
    assert await page.js(f"{line}.scrollWidth <= {line}.clientWidth")


async def test_a_template_is_told_by_its_words_in_the_list_of_chats(page: Tab, bot: Bot) -> None:
    await bot.says({"type": "template", "template": TEMPLATE})

    line = "document.querySelector('#chats .chat-last').textContent"
    await page.shows(f"{line}.includes('Hello Maya, there is news')")


async def test_a_quote_says_you_on_ones_own_phone(page: Tab, bot: Bot) -> None:
    asked = await scene.writes(bot, text("Is the boat free?"))
    await bot.says({**text("It is."), "context": {"message_id": asked}})
    who = "document.querySelector('article .quote-who')?.textContent"
    await page.shows(f"{who} === 'You'")

    await page.click("[data-act=phone]")
    await page.shows("document.querySelector('.phone[data-writer=phone] .quote-who')")
    agents = "document.querySelector('.phone[data-writer=phone] .quote-who').textContent"
    assert await page.js(agents) == "Maya"


async def test_a_link_to_a_chat_that_is_not_here_says_so(page: Tab, bot: Bot) -> None:
    await page.call("Page.navigate", url=f"{bot.simulator}/?again#/chat/4917000000000")

    toast = "document.querySelector('.toast')?.textContent"
    await page.shows(f"{toast} === 'This simulator has no chat 4917000000000.'")


async def test_a_refusal_is_read_from_the_right_where_the_page_is(page: Tab, bot: Bot) -> None:
    await page.call("Page.navigate", url=f"{bot.simulator}/?dir=rtl#/chat/{MAYA}")
    await page.shows("document.querySelector('.phone .composer')")
    assert not await bot.says(text(""))

    edges = "['.refusal-what .line', '.refusal-rule'].map((one) => document.querySelector(one))"
    await page.shows("document.querySelector('.refusal')")
    ends = await page.js(f"{edges}.map((node) => Math.round(node.getBoundingClientRect().right))")
    assert ends[0] == ends[1]


async def test_an_example_in_a_form_is_written_over(page: Tab, bot: Bot) -> None:
    await page.click(".attach")
    await page.click(".attach-others")
    await page.click("[data-other=ad]")
    await page.shows("document.querySelector('dialog form')")

    await page.type("I saw your ad.")

    assert await page.js("document.querySelector('dialog [name=text]').value") == "I saw your ad."


async def test_the_time_of_a_voice_message_stands_in_its_last_line(page: Tab, bot: Bot) -> None:
    chime = await bot.uploads("chime.ogg", "audio/ogg")
    for width in (1280, 320):
        await page.size(width, 844)
        await page.js(f"location.hash = '#/chat/{MAYA}'")
        await bot.says({"type": "audio", "audio": {"id": chime, "voice": True}})
        await page.shows("document.querySelector('[data-type=audio] .meta time')")
        audio = "[...document.querySelectorAll('[data-type=audio]')].at(-1)"
        await page.js(TWO_FRAMES)

        below = await page.js(
            f"{audio}.querySelector('.content').getBoundingClientRect().bottom"
            f" - {audio}.querySelector('.player-details').getBoundingClientRect().bottom"
        )
        assert below < 10, width
        title, length, time = [
            await page.js(f"{audio}.querySelector('{one}').getBoundingClientRect().toJSON()")
            for one in (".player-title", ".length", ".meta")
        ]
        assert title["right"] <= time["left"], width
        assert length["right"] <= time["left"], width


async def test_a_price_of_an_order_has_its_cents(page: Tab, bot: Bot) -> None:
    await scene.writes(bot, scene.ORDER)

    await page.shows("document.querySelector('.products')?.textContent.includes('45.50 EUR')")


async def test_a_button_without_a_picture_has_its_word_in_the_middle(page: Tab, bot: Bot) -> None:
    await page.click("#tab-faults")
    await page.click(".weather-form button")
    stop = "document.querySelector('.devtools-weather .tool')"
    await page.shows(f"{stop}?.checkVisibility()")

    off = await page.js(
        f"((node, range) => {{ range.selectNodeContents(node);"
        " const [word, box] = [range, node].map((one) => one.getBoundingClientRect());"
        " return word.left - box.left - (box.right - word.right); })"
        f"({stop}, document.createRange())"
    )
    assert abs(off) < 1, off


async def test_a_reaction_is_seen_in_the_log(page: Tab, bot: Bot) -> None:
    said = await bot.says(text("The lake"))
    await scene.reacts(bot, said, "😍")

    texts = "[...document.querySelectorAll('.log-text')].map((node) => node.textContent)"
    await page.shows(f"{texts}.includes('😍')")


async def test_the_page_survives_a_reset_while_it_reads(page: Tab, bot: Bot) -> None:
    await scene.joins(bot, "Ravi")
    await page.shows("document.querySelectorAll('#chats li').length === 2")
    await page.js(
        "window.answered = 0; const atOnce = window.fetch;"
        " const later = () => new Promise((done) => setTimeout(done, 300));"
        " const count = () => { window.answered += 1; };"
        " window.fetch = (...asked) => later().then(() => atOnce(...asked)).finally(count); 0"
    )

    # The page reads three lists anew for each reset; the last one counts.
    for _ in range(2):
        await bot.simulates("reset", {})

    await page.shows("window.answered >= 6")
    await page.js(TWO_FRAMES)
    await page.shows("document.querySelectorAll('#chats li').length === 1")
    ravi = await scene.joins(bot, "Ravi")
    await page.shows(f"document.querySelector('[data-chat=\"{ravi}\"]')")


@pytest.mark.parametrize("bot", [{"webhook": DEFAULT_WEBHOOK}], indirect=True)
async def test_the_address_of_the_bot_breaks_behind_a_slash(page: Tab, bot: Bot) -> None:
    broken = await page.js(
        "[...document.querySelectorAll('.empty code, .joined code')]"
        ".flatMap((code) => [...code.childNodes]).filter((part) => {"
        " const words = document.createRange(); words.selectNodeContents(part);"
        " return words.getClientRects().length > 1; }).map((part) => part.textContent)"
    )

    assert await page.js("document.querySelector('.empty code').textContent") == DEFAULT_WEBHOOK
    assert broken == []
