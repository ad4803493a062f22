from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from support.chromium import Tab
from support.spoken_bot import MAYA, MEDIA, TOKEN, Bot

EVIL = '"><img src=x onerror="document.title=\'hit\'"><script>document.title="hit"</script>'
PICTURES = Path(__file__).parent / "pictures"
LONG_PRESS = 1_200  # milliseconds


def message(kind: str, direction: str = "outbound") -> str:
    return f"document.querySelector('[data-type={kind}][data-direction={direction}]')"


def buttons(*titles: str) -> dict[str, Any]:
    replies = [{"type": "reply", "reply": {"id": f"/{title}", "title": title}} for title in titles]
    content = {"type": "button", "body": {"text": "Well?"}, "action": {"buttons": replies}}
    return {"type": "interactive", "interactive": content}


async def write(page: Tab, text: str) -> None:
    await page.click(".composer-text")
    await page.type(text)
    await page.press_enter()


async def test_a_text_reaches_the_bot_and_its_ticks_turn_blue(page: Tab, bot: Bot) -> None:
    await write(page, "hello")

    heard = await bot.hears()
    assert (heard["type"], heard["text"]) == ("text", {"body": "hello"})
    mine = message("text", "inbound")
    await page.shows(f"{mine}?.dataset.status === 'delivered'")

    await bot.reads(heard["id"])

    await page.shows(f"{mine}.dataset.status === 'read'")
    await page.shows("document.querySelector('.typing').checkVisibility()")
    await bot.says({"type": "text", "text": {"body": "*Hi*"}})
    await page.shows(f"{message('text')}?.querySelector('strong').textContent === 'Hi'")
    await page.shows("!document.querySelector('.typing').checkVisibility()")
    await page.shows(f"{message('text')}.dataset.status === 'read'")


@pytest.mark.parametrize(
    ("pressed", "shown"),
    [
        ("[data-act=more]", ".menu"),
        (".chat-more", ".menu"),
        ("#tab-faults", "#tab-faults[aria-selected=true]"),
        ("[data-reply-id='/Yes']", "[data-reply-id='/Yes'].tapped"),
        (".log-what", "details[open] .log-what"),
    ],
)
async def test_what_comes_during_a_click_does_not_take_the_click_away(
    page: Tab, bot: Bot, pressed: str, shown: str
) -> None:
    await bot.says(buttons("Yes"))
    await page.shows("document.querySelector('[data-reply-id]')")

    async with page.pressed(pressed):
        await bot.says({"type": "text", "text": {"body": "one more thing"}})
        await bot.simulates("clock", {"advance": 90_000})
        await page.js(f"new Promise((done) => setTimeout(done, {LONG_PRESS}))")

    await page.shows(f"document.querySelector({shown!r})")
    await page.shows("document.querySelector('#tab-clock[data-news]')")
    await page.shows(f"{message('text')}")


async def test_a_state_that_is_read_anew_during_a_click_does_not_take_the_click_away(
    page: Tab, bot: Bot
) -> None:
    await page.js(
        "{ const ask = fetch; window.fetch = async (...what) => {"
        " const answer = await ask(...what);"
        f" await new Promise((done) => setTimeout(done, {LONG_PRESS}));"
        " window.read = true; return answer; } }"
    )
    await bot.simulates("reset", {})

    async with page.pressed("[data-act=more]"):
        await page.shows("window.read")
        await page.js("new Promise((done) => setTimeout(done, 100))")

    await page.shows("document.querySelector('.menu')")


@pytest.mark.parametrize("pressed", ["[data-act=more]", ".chat-more", "#all-chats"])
async def test_a_symbol_that_is_drawn_during_a_click_does_not_take_the_click_away(
    page: Tab, pressed: str
) -> None:
    use = f"document.querySelector('{pressed} use')"

    async with page.pressed(pressed):  # as Chromium does once the file of a symbol is read
        await page.js(f"{use}.setAttribute('href', {use}.getAttribute('href'))")
        await page.js("new Promise(requestAnimationFrame)")

    await page.shows("document.querySelector('.menu')")


@pytest.mark.parametrize("ends", ["blur", "contextmenu", "pointercancel", "pointermove"])
async def test_a_press_that_ends_without_a_release_holds_nothing_back(
    page: Tab, bot: Bot, ends: str
) -> None:
    async with page.pressed(".composer-text"):
        await bot.says(buttons("Yes"))
        await page.js(f"dispatchEvent(new PointerEvent({ends!r}))")
        await page.shows("document.querySelector('[data-reply-id]')")


async def test_shift_and_enter_begin_a_new_line(page: Tab, bot: Bot) -> None:
    await page.click(".composer-text")
    await page.type("one")
    await page.press_enter(shift=True)
    await page.type("two")
    await page.press_enter()

    assert (await bot.hears())["text"]["body"] == "one\ntwo"


async def test_every_kind_of_file_of_the_bot_can_be_seen_or_heard(page: Tab, bot: Bot) -> None:
    image = await bot.uploads("lake.jpg", "image/jpeg")
    guide = await bot.uploads("guide.pdf", "application/pdf")
    chime = await bot.uploads("chime.ogg", "audio/ogg")
    boat = await bot.uploads("boat.mp4", "video/mp4")
    sun = await bot.uploads("sun.webp", "image/webp")

    await bot.says({"type": "image", "image": {"id": image, "caption": "the lake"}})
    await bot.says({"type": "document", "document": {"id": guide, "filename": "Guide.pdf"}})
    await bot.says({"type": "audio", "audio": {"id": chime, "voice": True}})
    await bot.says({"type": "video", "video": {"id": boat}})
    await bot.says({"type": "sticker", "sticker": {"id": sun}})

    await page.shows(f"{message('image')}?.querySelector('img').naturalWidth > 0")
    assert "the lake" in await page.js(f"{message('image')}.textContent")
    await page.shows(f"{message('document')}?.querySelector('a').download === 'Guide.pdf'")
    await page.shows(f"/^0:0[1-9]$/.test({message('audio')}?.querySelector('.length').textContent)")
    await page.shows(f"{message('video')}?.querySelector('video').readyState > 0")
    await page.shows(f"{message('sticker')}?.querySelector('img').naturalWidth === 512")


async def test_a_tapped_button_answers_its_message(page: Tab, bot: Bot) -> None:
    asked = await bot.says(buttons("Yes", "No"))

    await page.click("[data-reply-id='/No']")

    heard = await bot.hears()
    reply = {"type": "button_reply", "button_reply": {"id": "/No", "title": "No"}}
    assert (heard["interactive"], heard["context"]["id"]) == (reply, asked)
    await page.shows("document.querySelector('[data-reply-id=\"/No\"]').ariaPressed === 'true'")
    await page.shows(f"{message('interactive', 'inbound')}.querySelector('.quote')")


async def test_a_row_of_a_list_is_chosen_in_a_sheet(page: Tab, bot: Bot) -> None:
    row = {"id": "/kiel", "title": "Kiel", "description": "at the sea"}
    action = {"button": "Places", "sections": [{"title": "North", "rows": [row]}]}
    content = {"type": "list", "body": {"text": "Where to?"}, "action": action}
    await bot.says({"type": "interactive", "interactive": content})

    await page.click("[data-type=interactive] .choice")
    assert await page.js("document.querySelector('.sheet .primary').disabled")
    await page.click(".sheet [data-row-id='/kiel']")
    assert bot.heard.empty()
    await page.click(".sheet .primary")

    assert (await bot.hears())["interactive"] == {"type": "list_reply", "list_reply": row}
    await page.shows("!document.querySelector('.sheet')")


async def test_a_picture_goes_with_what_is_written_as_its_caption(page: Tab, bot: Bot) -> None:
    await page.choose_files(".file-image", MEDIA / "lake.jpg")
    await write(page, "look")

    heard = await bot.hears()
    assert (heard["type"], heard["image"]["caption"]) == ("image", "look")
    assert heard["image"]["mime_type"] == "image/jpeg"
    await page.shows(f"{message('image', 'inbound')}?.querySelector('img').naturalWidth > 0")


async def test_a_voice_message_arrives_as_ogg_with_opus(page: Tab, bot: Bot) -> None:
    await page.click(".record")
    await page.shows("document.querySelector('.recording-time').textContent >= '0:01'")
    await page.click(".record-send")

    audio = (await bot.hears())["audio"]
    assert (audio["voice"], audio["mime_type"]) == (True, "audio/ogg; codecs=opus")
    address = f"{bot.simulator}/simulator/media/{audio['id']}"
    async with bot.session.get(address) as answer:
        recorded = await answer.read()
    assert recorded.startswith(b"OggS")
    assert recorded[28:36] == b"OpusHead"
    await page.shows(
        f"/^0:0[1-9]$/.test({message('audio', 'inbound')}?.querySelector('.length').textContent)"
    )


async def test_a_location_is_asked_for_in_a_form(page: Tab, bot: Bot) -> None:
    await page.click(".attach")
    await page.click(".attach-location")
    await page.click("dialog .primary")

    location = (await bot.hears())["location"]
    assert (location["latitude"], location["name"]) == (52.51628, "Brandenburg Gate")
    await page.shows(f"{message('location', 'inbound')}?.querySelector('svg.map')")


async def test_a_reaction_stands_on_the_message_it_is_for(page: Tab, bot: Bot) -> None:
    said = await bot.says({"type": "text", "text": {"body": "Hi"}})
    await page.shows(message("text"))

    await page.js(f"{message('text')}.focus()")
    await page.click(".react")
    await page.click(".emoji button")

    assert (await bot.hears())["reaction"] == {"message_id": said, "emoji": "👍"}
    await page.shows(f"{message('text')}.querySelector('.reactions').textContent === '👍'")


async def test_any_emoji_of_many_is_a_reaction(page: Tab, bot: Bot) -> None:
    said = await bot.says({"type": "text", "text": {"body": "Hi"}})
    await page.shows(message("text"))

    await page.js(f"{message('text')}.focus()")
    await page.click(".react")
    await page.click(".more-emoji")
    await page.click(".sheet [aria-label='React with 🔥']")

    assert (await bot.hears())["reaction"] == {"message_id": said, "emoji": "🔥"}


async def test_a_picture_can_be_saved_where_it_is_seen_large(page: Tab, bot: Bot) -> None:
    image = await bot.uploads("lake.jpg", "image/jpeg")
    await bot.says({"type": "image", "image": {"id": image}})

    await page.click("[data-type=image] .picture")

    link = "document.querySelector('.lightbox .download')"
    await page.shows(f"{link}.download === 'lake.jpg'")
    size = f"fetch({link}.href).then((answer) => answer.blob()).then((blob) => blob.size)"
    assert await page.js(size) == (MEDIA / "lake.jpg").stat().st_size


async def test_the_keyboard_goes_from_bubble_to_bubble(page: Tab, bot: Bot) -> None:
    stops = (
        "[...document.querySelectorAll('.messages *')].filter((one) => one.tabIndex >= 0 &&"
        " one.checkVisibility() &&"
        " !one.closest('.toolbar')).map((one) => one.closest('article')?.dataset.messageId)"
    )
    first, second = [await bot.says(buttons("Yes", "No")) for _ in range(2)]
    await page.shows(f"{stops}.includes({second!r})")
    assert set(await page.js(stops)) == {second}

    await page.js("[...document.querySelectorAll('article')].at(-1).focus()")
    await press(page, "ArrowUp", 38)
    await page.shows(f"document.activeElement.dataset.messageId === {first!r}")
    assert set(await page.js(stops)) == {first}
    while not await page.js("document.activeElement.dataset.replyId"):
        await press(page, "Tab", 9)
    await page.press_enter()

    assert (await bot.hears())["context"]["id"] == first


async def press(page: Tab, key: str, code: int) -> None:
    for kind in ("keyDown", "keyUp"):
        await page.call(
            "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
        )


async def test_long_and_right_to_left_names_stay_in_their_places(page: Tab, bot: Bot) -> None:
    await page.js("document.querySelector('#new-person').click()")
    await page.js("document.querySelector('dialog [name=name]').value = 'מאיה לוי'")
    await page.click("dialog .primary")
    gap = (
        "(() => { const row = document.querySelector('#chats [aria-current]');"
        " return row.querySelector('bdi').getBoundingClientRect().left -"
        " row.querySelector('.avatar').getBoundingClientRect().right; })()"
    )
    await page.shows("document.querySelector('#chats [aria-current] bdi')?.textContent[0] === 'מ'")
    assert 0 < await page.js(gap) < 30


async def test_what_whatsapp_refuses_says_which_rule_was_broken(page: Tab, bot: Bot) -> None:
    assert await bot.says(buttons("A title that is far too long")) == ""

    await page.shows("document.querySelector('[data-refused]')?.checkVisibility()")
    shown = await page.js("document.querySelector('[data-refused]').textContent")
    assert "at most 20" in shown


async def test_a_bot_that_does_not_answer_is_said_above_the_chat(page: Tab, bot: Bot) -> None:
    bot.status = 500
    await write(page, "hello")

    await page.shows("document.querySelector('[data-banner=webhook]')?.textContent.includes('500')")

    bot.status = 200
    await bot.hears()
    await page.shows("!document.querySelector('[data-banner=webhook]')")


@pytest.mark.parametrize("bot", [{"retry_pauses": (3600,)}], indirect=True)
async def test_a_bot_that_runs_again_need_not_be_waited_for(page: Tab, bot: Bot) -> None:
    bot.status = 500
    await write(page, "hello")
    await page.shows("document.querySelector('[data-banner=webhook]')?.textContent.includes('500')")

    bot.status = 200
    await page.click("[data-banner=webhook] button")

    assert (await bot.hears())["text"]["body"] == "hello"
    await page.shows("!document.querySelector('[data-banner=webhook]')")


async def test_the_inspector_shows_the_request_of_the_bot(page: Tab, bot: Bot) -> None:
    await bot.says({"type": "text", "text": {"body": "inside"}})
    await page.shows(message("text"))

    await page.js(f"{message('text')}.focus()")
    await page.click(".inspect")

    json = "document.querySelector('#devtools .json')?.textContent"
    await page.shows(f"""{json}?.includes('"body": "inside"')""")


async def test_a_new_person_has_a_chat_of_their_own(page: Tab, bot: Bot) -> None:
    await page.click("#new-person")
    await page.type("Ravi")
    await page.click("dialog .primary")
    await page.shows("document.querySelector('.chat-title p').textContent === 'You are Ravi'")

    await page.click(".say-hi")

    assert (await bot.hears())["from"] != MAYA
    await page.shows("document.querySelectorAll('#chats a').length === 2")


async def test_markup_in_texts_and_names_stays_text(page: Tab, bot: Bot) -> None:
    guide = await bot.uploads("guide.pdf", "application/pdf")
    name = f"{EVIL}.pdf"
    await bot.says({"type": "document", "document": {"id": guide, "filename": name}})
    await bot.says({"type": "text", "text": {"body": EVIL}})
    await bot.says({"type": "contacts", "contacts": [{"name": {"formatted_name": EVIL}}]})

    await page.shows(f"{message('text')}?.querySelector('.text').textContent === {EVIL!r}")
    await asyncio.sleep(0.3)
    assert await page.js("document.title") != "hit"
    assert await page.js("document.querySelectorAll('img[src=x], script:not([src])').length") == 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 800, 1280])
async def test_nothing_is_wider_than_the_screen(
    page: Tab, bot: Bot, width: int, dark: bool
) -> None:
    await page.size(width, 844, dark=dark)
    await page.js(f"location.hash = '#/chat/{MAYA}'")
    await bot.says(
        {"type": "text", "text": {"body": f"{'long' * 60} https://{'link' * 60}.example"}}
    )
    await bot.says(buttons("Yes", "No"))

    await page.shows(message("interactive"))
    for part in ("document.documentElement", "document.querySelector('.messages')"):
        assert await page.js(f"{part}.scrollWidth <= {part}.clientWidth")


async def test_a_form_brings_photos(page: Tab, bot: Bot) -> None:
    """https://developers.facebook.com/docs/whatsapp/flows/reference/media_upload"""
    parameters = {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Report damage"}
    action = {"name": "flow", "parameters": parameters}
    body = {"text": "What happened?"}
    flow = {"type": "flow", "body": body, "action": action}
    await bot.says({"type": "interactive", "interactive": flow})
    await page.shows("document.querySelector('[data-type=interactive] .choice')")
    await page.click("[data-type=interactive] .choice")
    await page.shows("document.querySelector('dialog textarea')")

    await page.js("document.querySelector('dialog textarea').value = '[1'")
    await page.click("dialog .primary")
    assert "object in JSON" in await page.js("document.querySelector('.form-wrong').textContent")
    await page.js("document.querySelector('dialog textarea').select()")
    await page.type('{"where": "bow"}')
    assert await page.js("document.querySelector('.form-wrong').textContent") == ""
    await page.js("document.querySelector('dialog [name=field]').value = 'damage'")
    await page.choose_files("dialog [type=file]", MEDIA / "lake.jpg", MEDIA / "guide.pdf")
    for dark in (False, True):
        await page.size(390, 844, dark=dark)
        assert await page.shuts_out() == []
        await page.picture(PICTURES / f"form-with-photos-{'dark' if dark else 'light'}.png")
    await page.click("dialog .primary")

    reply = (await bot.hears())["interactive"]["nfm_reply"]
    response = json.loads(reply["response_json"])
    photo, guide = response["damage"]
    assert response["where"] == "bow"
    assert (photo["file_name"], photo["mime_type"]) == ("lake.jpg", "image/jpeg")
    assert (guide["file_name"], guide["mime_type"]) == ("guide.pdf", "application/pdf")
    async with bot.session.get(f"{bot.simulator}/v26.0/{photo['id']}", headers=TOKEN) as answer:
        address = (await answer.json())["url"]
    async with bot.session.get(address, headers=TOKEN) as answer:
        content = await answer.read()
    assert content == (MEDIA / "lake.jpg").read_bytes()
    assert photo["sha256"] == base64.b64encode(hashlib.sha256(content).digest()).decode()
