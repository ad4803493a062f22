"""What stands around the phones: other phones, the clock, the log; and what else people send."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from browser import scene
from support.chromium import Tab
from support.spoken_bot import MAYA, MEDIA, TOKEN, Bot

from rasa_whatsapp_channel.simulator.config import Number

EVIL = '"><img src=x onerror="document.title=\'hit\'"><script>document.title="hit"</script>'
TEMPLATE = {
    "type": "template",
    "template": {
        "name": "write_again",
        "language": {"code": "en_US"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "Maya"}]}],
    },
}


async def test_two_people_write_on_phones_beside_each_other(page: Tab, bot: Bot) -> None:
    ravi = await scene.joins(bot, "Ravi")
    await page.click(f"[data-chat='{ravi}'] .beside")
    await page.shows("document.querySelectorAll('.phone').length === 2")

    await page.click(".phone[aria-label='Phone of Ravi'] .composer-text")
    await page.type("from Ravi")
    await page.press_enter()
    heard = await bot.hears()
    assert (heard["from"], heard["text"]["body"]) == (ravi, "from Ravi")
    phone = "document.querySelector(\".phone[aria-label='Phone of Ravi']\")"
    await page.shows(f"{phone}.innerText.includes('from Ravi')")

    await page.click(".phone[aria-label='Phone of Maya'] .composer-text")
    await page.type("from Maya")
    await page.press_enter()
    assert (await bot.hears())["from"] == MAYA

    await page.click(".phone[aria-label='Phone of Maya'] .close-phone")
    await page.shows("document.querySelectorAll('.phone').length === 1")
    assert await page.js("document.querySelector('.phone').ariaLabel") == "Phone of Ravi"


async def test_after_25_hours_only_a_template_arrives(page: Tab, bot: Bot) -> None:
    await scene.writes(bot, scene.HELLO)
    await bot.hears()
    await page.click("#tab-clock")
    await page.shows("document.querySelector('.windows li').dataset.open === 'true'")

    await page.click("[data-jump='25 h']")

    await page.shows("document.querySelector('.windows li').dataset.open === 'false'")
    await page.shows("document.querySelector('#tab-clock[data-news]')")
    await bot.says({"type": "text", "text": {"body": "too late"}})
    late = "document.querySelector('[data-type=text][data-direction=outbound]')"
    await page.shows(f"{late}?.querySelector('.failure').textContent.includes('131047')")
    await bot.says(TEMPLATE)
    template = "document.querySelector('[data-type=template]')"
    await page.shows(f"{template}?.textContent.includes('Hello Maya, there is news')")
    days = await page.js("[...document.querySelectorAll('.day')].map((day) => day.textContent)")
    assert days == ["Yesterday", "Today"]

    await page.click("[data-reply-id='Go on']")
    assert (await bot.hears())["button"] == {"payload": "Go on", "text": "Go on"}
    await page.shows("document.querySelector('.windows li').dataset.open === 'true'")
    await page.click(".clock-back")
    await page.shows("!document.querySelector('#tab-clock[data-news]')")


async def test_a_template_that_is_paused_is_refused(page: Tab, bot: Bot) -> None:
    await page.click("#tab-templates")
    status = "document.querySelector('[data-template=write_again] select')"
    await page.shows(status)
    await page.js(f"{status}.value = 'PAUSED'; {status}.dispatchEvent(new Event('change'))")
    await page.shows(
        "document.querySelector('[data-template=write_again]').dataset.status === 'PAUSED'"
    )

    await bot.says(TEMPLATE)

    await page.shows("document.querySelector('.refusal, .failure:not([hidden])')")


async def test_in_a_group_one_writes_as_any_of_its_people(page: Tab, bot: Bot) -> None:
    ravi = await scene.joins(bot, "Ravi")
    await page.shows(f"document.querySelector('[data-chat=\"{ravi}\"]')")
    await page.click("#new-group")
    await page.js("document.querySelector('dialog [name=name]').value = 'Sailing'")
    await page.click("dialog .primary")
    await page.shows("document.querySelector('.chat-title h2').textContent === 'Sailing'")

    choice = "document.querySelector('.inline-choice')"
    await page.js(f"{choice}.value = '{ravi}'; {choice}.dispatchEvent(new Event('change'))")
    await page.click(".composer-text")
    await page.type("who sails?")
    await page.press_enter()

    heard = await bot.hears()
    assert (heard["from"], heard["text"]["body"]) == (ravi, "who sails?")
    await page.shows("document.querySelector('.author')?.textContent === 'Ravi'")


async def test_a_person_with_a_new_number_keeps_the_chat(page: Tab, bot: Bot) -> None:
    await scene.writes(bot, scene.HELLO)
    await bot.hears()
    await other(page, "number-change")
    await page.click("dialog .primary")

    assert (await bot.hears())["system"]["type"] == "user_changed_number"
    await page.shows("location.hash === '#/chat/4915550100299'")
    await page.shows("document.querySelectorAll('article.message').length === 2")


async def test_rasa_tells_intent_and_slots_of_the_person_on_the_phone(page: Tab, bot: Bot) -> None:
    await page.click("#tab-rasa")

    await page.shows("document.querySelector('.rasa .events li')")
    shown = await page.js("document.querySelector('.rasa').innerText.split(/\\s+/).join(' ')")
    for fact in (MAYA, "book_boat", "97 %", "boat Anna", "guests 2", "1 without a value"):
        assert fact in shown
    assert "2 keys" in shown  # and not all that they hold
    assert "profile_name" not in shown
    first = await page.js("document.querySelector('.rasa .events .event-what').textContent")
    assert first == "For which day?"


async def test_the_inspector_tells_the_response_and_what_was_changed_to_fit(
    page: Tab, bot: Bot
) -> None:
    change = {"code": "text-cut", "message": "cut", "before": "a long text", "after": "a lo…"}
    note = json.dumps({"response": "utter_offer", "changes": [change]})
    headers = {**TOKEN, "X-Rasa-Response": note}
    await bot.posts("messages", headers=headers, json={**scene.TO_MAYA, **scene.HELLO})
    await page.shows("document.querySelector('[data-type=text][data-status=read]')")
    await page.js("document.querySelector('[data-type=text]').focus()")
    await page.click(".inspect")

    shown = await page.js("document.querySelector('#devtools').innerText")
    facts = ("utter_offer", "text-cut", "a long text", "a lo…", "Response of the API", "wamid.")
    for fact in facts:
        assert fact in shown
    steps = "[...document.querySelectorAll('.statuses .state')].map((one) => one.textContent)"
    assert await page.js(steps) == ["sent", "delivered", "read"]
    # What is open stays open, and the focus stays, when something happens to the message.
    await page.click("#devtools details summary")
    await page.click("[data-set=failed]")
    await page.shows(f"{steps}.at(-1) === 'failed'")
    assert await page.js("document.activeElement.dataset.set") == "failed"
    assert await page.js("document.querySelector('#devtools details').open")


SECOND = Number("106540352242923", "15550783882", "Second shop")


@pytest.mark.parametrize("bot", [{"more_numbers": (SECOND,)}], indirect=True)
async def test_each_number_of_the_bot_has_a_chat_of_its_own(page: Tab, bot: Bot) -> None:
    choice = "document.querySelector('.inline-choice')"
    await page.js(
        f"{choice}.value = '{SECOND.phone_number_id}'; {choice}.dispatchEvent(new Event('change'))"
    )
    await page.shows(f"{choice}?.selectedOptions[0].text === 'Second shop'")
    await page.size(390, 844)
    assert await page.js(f"{choice}.clientWidth") > 80  # a long name of a person leaves it its room
    await page.size(1280, 900)
    await page.click(".say-hi")

    assert (await bot.hears())["text"]["body"] == "hi"
    (body,) = [json.loads(raw) for raw in await webhooks_with_messages(bot)]
    metadata = body["entry"][0]["changes"][0]["value"]["metadata"]
    assert metadata["phone_number_id"] == SECOND.phone_number_id
    await page.shows("document.querySelectorAll('#chats li').length === 2")


async def webhooks_with_messages(bot: Bot) -> list[str]:
    async with bot.session.get(f"{bot.simulator}/simulator/webhooks") as answer:
        attempts = await answer.json()
    return [
        text for text in (json.dumps(each["body"]) for each in attempts) if '"messages": ' in text
    ]


async def test_a_picture_that_is_dropped_on_the_phone_can_be_sent(page: Tab, bot: Bot) -> None:
    await page.drop_files(".thread", MEDIA / "lake.jpg")
    await page.shows("document.querySelector('.chip[data-type=image] img')?.naturalWidth > 0")

    await page.click(".send")

    assert (await bot.hears())["image"]["mime_type"] == "image/jpeg"
    sent = "document.querySelector('[data-type=image][data-direction=inbound] img')"
    await page.shows(f"{sent}?.naturalWidth > 0")


async def test_a_tap_on_an_ad_brings_its_referral(page: Tab, bot: Bot) -> None:
    await other(page, "ad")
    await page.click("dialog .primary")

    heard = await bot.hears()
    assert heard["text"]["body"] == "Hello! Can I get more info on this?"
    assert (heard["referral"]["source_type"], heard["referral"]["headline"]) == (
        "ad",
        "Two nights at the lake",
    )


async def test_an_order_of_two_boats(page: Tab, bot: Bot) -> None:
    await other(page, "order")
    await page.click("dialog .primary")

    (item,) = (await bot.hears())["order"]["product_items"]
    assert item == {
        "product_retailer_id": "boat-anna",
        "quantity": 2,
        "item_price": 45.5,
        "currency": "EUR",
    }


async def test_json_that_is_none_is_said_and_not_lost(page: Tab, bot: Bot) -> None:
    await other(page, "json")
    await page.js("document.querySelector('dialog textarea').value = '{'")
    await page.click("dialog .primary")

    said = await page.shows("document.querySelector('dialog .form-wrong').textContent")
    assert said.startswith("Invalid JSON")
    edit = {"type": "system", "system": {"type": "user_changed_number", "wa_id": "1"}}
    await page.js(
        f"document.querySelector('dialog textarea').value = {json.dumps(json.dumps(edit))}"
    )
    await page.click("dialog .primary")

    assert (await bot.hears())["system"] == edit["system"]


async def test_the_log_shows_what_the_bot_was_sent(page: Tab, bot: Bot) -> None:
    await scene.writes(bot, {"type": "text", "text": {"body": "look inside"}})
    await bot.hears()
    await page.click(".filter [data-name=messages]")

    await page.click("#log summary")

    await page.shows("document.querySelector('#log .json')?.textContent.includes('look inside')")
    await page.call("Page.reload")
    await page.shows("document.querySelectorAll('#log li').length === 1")


async def test_a_fault_hits_the_next_message_and_says_so(page: Tab, bot: Bot) -> None:
    await page.click("#tab-faults")
    await page.click("[data-preset='131056']")
    await page.shows("document.querySelectorAll('.rules li').length === 1")

    answer = await bot.posts("messages", json={**scene.TO_MAYA, **scene.HELLO})

    assert answer["error"]["code"] == 131056
    await page.shows("document.querySelector('.rules .badge')?.textContent.startsWith('1')")
    refused = "document.querySelector('.refusal')?.innerText"
    for words in ("Fault rule 1", "code 131056", "Error 131056"):
        await page.shows(f"{refused}?.includes({words!r})")
    # It is used up, and no longer lit.
    await page.shows("document.querySelector('.rules [data-spent]')?.innerText.includes('used up')")
    await page.shows("!document.querySelector('#tab-faults[data-news]')")
    assert await bot.says(scene.HELLO)

    await page.click(".rules .round")
    await page.shows("document.querySelectorAll('.rules li').length === 0")


async def test_a_rule_of_ones_own_for_one_person(page: Tab, bot: Bot) -> None:
    await page.click("#tab-faults")
    await page.click(".own-rule summary")
    await page.js("document.querySelector('.own-rule [name=person]').value = '+49 0000'")
    await page.click(".own-rule .small")

    said = await page.shows("document.querySelector('.rules p')?.textContent")

    assert said == "Outgoing messages (+490000), once: WhatsApp error code 131056"
    assert await bot.says(scene.HELLO)


async def test_a_webhook_is_delivered_again_or_changed(page: Tab, bot: Bot) -> None:
    await scene.writes(bot, scene.HELLO)
    first = await bot.hears()
    await page.click("#log [data-ok=true]:last-child summary")

    await page.click("#log .tool")
    assert await bot.hears() == first
    await page.shows("document.querySelectorAll('#log li').length === 2")

    await page.click("#log [data-ok=true]:last-child .tool:nth-child(2)")
    field = "document.querySelector('dialog textarea')"
    await page.shows(field)
    await page.js(f"{field}.value = {field}.value.replace('Hello', 'Changed')")
    await page.click("dialog .primary")
    assert (await bot.hears())["text"]["body"] == "Changed"


async def test_a_long_text_is_folded_as_on_a_phone(page: Tab, bot: Bot) -> None:
    await bot.says({"type": "text", "text": {"body": scene.LONG}})
    text = "document.querySelector('[data-type=text] .text')"
    await page.shows(text)
    assert await page.js(f"{text}.clientHeight < {text}.scrollHeight")

    await page.click(".read-more")

    await page.shows(f"{text}.clientHeight === {text}.scrollHeight")


async def test_a_film_begins_as_a_picture_with_its_length(page: Tab, bot: Bot) -> None:
    boat = await bot.uploads("boat.mp4", "video/mp4")
    await bot.says({"type": "video", "video": {"id": boat}})
    await page.shows("/0:0[1-9]/.test(document.querySelector('.film-length')?.textContent)")

    await page.click(".film-cover")

    await page.shows("document.querySelector('.film video').currentTime > 0")


async def test_a_chat_full_of_markup_changes_nothing(page: Tab, bot: Bot, tmp_path: Path) -> None:
    name = '"><img src=x onerror=alert(1)>.pdf'
    evil = tmp_path / name
    evil.write_bytes((MEDIA / "guide.pdf").read_bytes())
    ravi = await scene.joins(bot, EVIL)
    for body in (
        EVIL,
        f"*{EVIL}*",
        f"```{EVIL}```",
        f"https://a.example/{EVIL}",
        "javascript:alert(1)",
    ):
        await scene.writes(bot, {"type": "text", "text": {"body": body}})
        await bot.says({"type": "text", "text": {"body": body}})
    await scene.writes(bot, {"type": EVIL, EVIL: {EVIL: EVIL}})
    await scene.writes(
        bot, {"type": "location", "location": {"latitude": EVIL, "longitude": EVIL, "name": EVIL}}
    )
    await scene.writes(bot, {"type": "button", "button": {"text": EVIL, "payload": EVIL}})
    await scene.writes(bot, {"type": "text", "text": {"body": EVIL}}, ravi)
    await page.drop_files(".thread", evil)
    await page.shows(f"document.querySelector('.chip-name')?.textContent === {json.dumps(name)}")
    await page.click(".send")

    shown = "document.querySelector('[data-type=document] .document-name')?.textContent"
    # A browser writes a quotation mark in the name of an upload as %22.
    await page.shows(f"{shown} === {json.dumps(name.replace(chr(34), '%22'))}")
    for chat in (ravi, MAYA):
        await scene.opens(page, chat)
        await page.shows(
            f"document.querySelector('#chats [aria-current]').dataset.person === '{chat}'"
        )
    await page.js("document.querySelector('[data-type=text]').focus()")
    await page.click(".inspect")
    await page.shows("document.querySelector('#devtools .json')")
    assert await page.js("document.title.includes('hit')") is False
    assert await page.js("document.querySelectorAll('img[src=x], script:not([src])').length") == 0
    scripts = await page.js("[...document.scripts].map((script) => new URL(script.src).pathname)")
    assert scripts == ["/theme.js", "/app.js"]


async def other(page: Tab, name: str) -> None:
    """Open the form for something else people send."""
    await page.click(".attach")
    await page.click(".attach-others")
    await page.click(f"[data-other={name}]")
    await page.shows("document.querySelector('dialog form')")


async def test_rough_weather_stands_above_the_chat_with_what_it_has_just_brought(
    page: Tab, bot: Bot
) -> None:
    strip = "document.querySelector('.weather')"
    assert await page.js(f"{strip}.checkVisibility()") is False

    await page.click("#tab-faults")
    await page.js("document.querySelector('.weather-form input').value = '7'")
    await page.click(".weather-form button")
    await page.shows(f"{strip}.textContent.includes('Rough weather, seed 7')")
    assert "No faults here yet." in await page.js(f"{strip}.textContent")

    # an image is shown late by every phone: that happens with any seed
    picture = await bot.uploads("lake.jpg", "image/jpeg")
    for _ in range(3):
        with suppress(aiohttp.ClientError, KeyError):
            await bot.says({"type": "image", "image": {"id": picture}})
    await page.shows("document.querySelectorAll('#weather-faults li').length > 1")
    told = await page.js("document.querySelector('#weather-faults').textContent")
    assert "Maya" in told
    await page.shows(f"!{strip}.textContent.includes('No faults')")

    await page.click(".devtools-weather .tool")  # Stop
    await page.shows(f"!{strip}.checkVisibility()")
    await page.shows("document.querySelector('.devtools-weather').textContent.includes('Calm:')")


async def test_what_reached_no_phone_is_in_the_chat_after_a_reload_too(page: Tab, bot: Bot) -> None:
    assert await bot.says({"type": "text", "text": {"body": "x" * 5000}}) == ""
    told = {
        "to": MAYA,
        "reason": "media/invoice.pdf: there is no such file",
        "response": "utter_invoice",
        "body": {"type": "document", "document": {"path": "media/invoice.pdf"}},
    }
    await bot.simulates("dead-letters", told)
    await bot.says({"type": "text", "text": {"body": "what came behind them"}})
    behind = "document.querySelectorAll('.messages article').length === 3"
    await page.shows(behind)

    await page.call("Page.reload")
    await page.shows(behind)

    texts = await page.js(
        "[...document.querySelectorAll('.messages article')].map((node) => node.innerText)"
    )
    refused, dead_letter, message = texts
    assert "refused by WhatsApp" in refused
    assert "at most 4096" in refused
    assert "Error 100" in refused
    assert "dead letter of the channel" in dead_letter
    assert "there is no such file" in dead_letter
    assert "utter_invoice" in dead_letter
    assert "what came behind them" in message
