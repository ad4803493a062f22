"""A chat with thousands of messages: what opening it, adding to it and scrolling cost."""

from __future__ import annotations

from typing import Any

import pytest
from browser import scene
from support.chromium import Tab
from support.spoken_bot import MAYA, Bot

MANY = 5000
AT_ONCE = 500
MOST_DRAWN = 500  # messages in the page at once; what is not drawn cannot make it slow

# Milliseconds until what *act* has done is on the screen.
TIMED = """
(async (act, shown) => {
    const frame = () => new Promise(requestAnimationFrame);
    const begun = performance.now();
    await act();
    while (!shown()) await frame();
    await frame();
    return Math.round(performance.now() - begun);
})
"""
MESSAGES = "document.querySelector('.messages')"
DRAWN = "document.querySelectorAll('article').length"


async def test_five_thousand_messages_do_not_make_the_page_slow(
    page: Tab, bot: Bot, capsys: pytest.CaptureFixture[str]
) -> None:
    other = await scene.joins(bot, "Ravi")
    await scene.opens(page, other)
    for start in range(0, MANY, AT_ONCE):
        texts = [_text(f"Message {start + at}, about the *lake*") for at in range(AT_ONCE)]
        assert len(await bot.simulates(f"people/{MAYA}/messages", texts)) == AT_ONCE

    def newest(text: str) -> str:
        return f"{MESSAGES}.textContent.includes('{text}')"

    await page.call("Page.reload")
    await page.shows("document.querySelector('#chats [aria-current]')")
    opened = await timed(page, f"location.hash = '#/chat/{MAYA}'", newest(f"Message {MANY - 1}"))
    assert await page.js(DRAWN) < MOST_DRAWN

    post = f"fetch('/simulator/people/{MAYA}/messages', {{method: 'POST', body: "
    body = """JSON.stringify({type: 'text', text: {body: 'one more'}})})"""
    added = await timed(page, post + body, newest("one more"))

    scrolled = await page.js(
        f"""(async () => {{
            const times = [];
            for (let step = 0; step < 40; step += 1) {{
                const begun = performance.now();
                {MESSAGES}.scrollTop -= 400;
                await new Promise(requestAnimationFrame);
                await new Promise(requestAnimationFrame);
                times.push(performance.now() - begun);
            }}
            return Math.round(Math.max(...times));
        }})()"""
    )
    earlier = await page.js(DRAWN)

    figures = (
        f"{MANY} messages in one chat: {opened} ms to open, {added} ms to add one, "
        f"{scrolled} ms for the slowest of 40 scrolls; {earlier} messages drawn"
    )
    with capsys.disabled():
        print(f"\n{figures}")  # noqa: T201  # the figures are for people to read
    assert earlier < MOST_DRAWN
    assert not await page.js(f"{newest('Message 0,')}")


# Scroll to where nothing moves any more: which messages were seen, and how many drawn at most.
WALK = """
(async (by) => {
    const seen = new Set();
    let most = 0;
    for (let still = 0; still < 20;) {
        const drawn = [...scroller.querySelectorAll('article')];
        most = Math.max(most, drawn.length);
        const view = scroller.getBoundingClientRect();
        for (const one of drawn) {
            const { top, bottom } = one.getBoundingClientRect();
            if (bottom > view.top && top < view.bottom) seen.add(one.dataset.messageId);
        }
        const before = scroller.scrollTop;
        scroller.scrollTop += by;
        still = before === scroller.scrollTop ? still + 1 : 0;
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
    }
    return [[...seen], most];
})
"""


async def test_who_reads_a_long_chat_from_end_to_end_sees_all_of_it(page: Tab, bot: Bot) -> None:
    address = f"{bot.simulator}/simulator/people/{MAYA}/messages"
    ids: list[str] = []
    for start in range(0, 900, AT_ONCE):
        texts = [_text(f"Message {at}") for at in range(start, min(900, start + AT_ONCE))]
        async with bot.session.post(address, json=texts) as answer:
            ids += [message["id"] for message in await answer.json()]
    await page.shows(f"{MESSAGES}.textContent.includes('Message 899')")
    await page.js(f"location.hash = '#/chat/{MAYA}?message=' + encodeURIComponent({ids[0]!r})")
    await page.shows(f"document.activeElement?.dataset.messageId === {ids[0]!r}")
    assert await page.js(DRAWN) < MOST_DRAWN
    await page.js("globalThis.scroller = document.querySelector('.messages')")

    down, most_down = await page.js(f"{WALK}(300)")
    up, most_up = await page.js(f"{WALK}(-300)")

    assert (set(down), set(up)) == (set(ids), set(ids))
    assert max(most_down, most_up) < MOST_DRAWN
    # Far from the end new messages are counted, and the button leads to them.
    await bot.says({"type": "text", "text": {"body": "The newest"}})
    await page.shows("document.querySelector('.to-end .badge').textContent === '1'")
    await page.click(".to-end")
    await page.shows(f"{MESSAGES}.textContent.includes('The newest')")
    await page.shows("document.querySelector('.to-end').hidden")


async def timed(page: Tab, act: str, shown: str) -> Any:
    return await page.js(f"{TIMED}(async () => {{ await ({act}); }}, () => {shown})")


def _text(body: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": body}}
