"""The page to look at: pictures of it are written to tests/browser/pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import scene
from support.chromium import Tab
from support.spoken_bot import MAYA, Bot

PICTURES = Path(__file__).parent / "pictures"
PARTS = 5  # of the chat, from its beginning to its end
SETTLE = "new Promise((done) => setTimeout(done, 250))"  # pictures and animations


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_the_whole_page(page: Tab, bot: Bot, width: int, dark: bool) -> None:
    name = f"{width}-{'dark' if dark else 'light'}"

    async def picture(what: str, *, checked: bool = True) -> None:
        await page.js(SETTLE)
        if checked:  # it takes a while, so what is alike is looked at once
            assert await page.shuts_out() == []
        await page.picture(PICTURES / f"{what}-{name}.png")

    await page.size(width, 844, dark=dark)
    await picture("empty", checked=False)
    await scene.play(bot)
    await page.js("location.hash = '#/'")
    await picture("people", checked=width == 390)
    await page.js(f"location.hash = '#/chat/{MAYA}'")
    await page.shows(f"document.querySelectorAll('article').length >= {scene.MESSAGES}")
    for at in range(PARTS):
        await page.js(
            "((node) => { node.scrollTop = (node.scrollHeight - node.clientHeight)"
            f" * {at} / {PARTS - 1}; }})(document.querySelector('.messages'))"
        )
        await picture(f"chat-{at}", checked=width == 390 and at == PARTS - 1)
    await page.click(".attach")
    await picture("attach", checked=False)
    await page.click(".attach-others")
    await picture("others", checked=False)
    await page.click("[data-other=ad]")
    await picture("form", checked=width == 390)
    await page.click("dialog .dialog-head .round")
    await page.js(
        "document.querySelector('article[data-type=text][data-direction=outbound]').focus()"
    )
    await page.click(".inspect")
    await picture("inspector", checked=width == 390)
    if width < 1180:
        await page.click("dialog .dialog-head .round")
        await page.click(".open-devtools")
    else:
        await page.click(".devtools-close")
    await bot.simulates("faults", scene.FAULT)
    await bot.simulates("clock", {"advance": 4000})
    for tab in await page.js("[...document.querySelectorAll('.tab')].map(({ id }) => id)"):
        await page.click(f"#{tab}")
        await picture(tab, checked=width == 1280)


@pytest.mark.parametrize(("width", "height"), [(640, 450), (320, 568)], ids=["200%", "narrow"])
async def test_nothing_is_cut_where_room_is_short(
    page: Tab, bot: Bot, width: int, height: int
) -> None:
    await page.size(width, height)
    await scene.play(bot)
    told = {"to": MAYA, "owner": "waiting", "reason": "a refund of two nights at the lake"}
    await bot.session.post(f"{bot.simulator}/simulator/owners", json=told)
    await page.js(f"location.hash = '#/chat/{MAYA}'")
    await page.shows(f"document.querySelectorAll('article').length >= {scene.MESSAGES}")
    await page.js(SETTLE)

    assert await page.js(scene.TOO_WIDE) == []
    # The name of the chat is read whole.
    name = "document.querySelector('.chat-title .line')"
    assert await page.js(f"{name}.scrollWidth <= {name}.clientWidth")
    await page.picture(PICTURES / f"short-of-room-{width}.png")
    await page.click(".open-devtools")
    for tab in await page.js("[...document.querySelectorAll('.tab')].map(({ id }) => id)"):
        await page.click(f"#{tab}")
        await page.js(SETTLE)
        assert await page.js(scene.TOO_WIDE) == [], tab
        await page.picture(PICTURES / f"short-of-room-{tab}-{width}.png")


async def test_the_check_of_who_is_shut_out_can_fail(page: Tab) -> None:
    await page.js("document.querySelector('.composer-text').removeAttribute('aria-label')")
    await page.js("document.querySelector('.composer-text').removeAttribute('placeholder')")

    (finding,) = await page.shuts_out()
    assert finding.startswith("critical | label | textarea")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_several_phones_beside_each_other(page: Tab, bot: Bot, dark: bool) -> None:
    await page.size(1760, 900, dark=dark)
    others = [await scene.joins(bot, name) for name in ("Ravi Shah", "Noor")]
    await scene.play(bot)
    for key in others:
        await scene.writes(bot, {"type": "text", "text": {"body": "Hello!"}}, key)

    await scene.opens(page, MAYA, others[0])
    await page.shows("document.querySelectorAll('.phone').length === 2")
    await page.js(SETTLE)
    await page.picture(PICTURES / f"two-phones-1760-{'dark' if dark else 'light'}.png")

    await scene.opens(page, MAYA, *others)
    await page.shows("document.querySelectorAll('.phone').length === 3")
    await page.js(SETTLE)
    await page.picture(PICTURES / f"three-phones-1760-{'dark' if dark else 'light'}.png")
