"""Words from right to left, and the whole page from right to left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browser import scene
from support.chromium import Tab
from support.spoken_bot import MAYA, Bot

PICTURES = Path(__file__).parent / "pictures"
SETTLE = "new Promise((done) => setTimeout(done, 250))"
ARABIC = "مرحبًا! طلبك رقم 4711 من iPhone 15 Pro بسعر 1.299,00 € جاهز *اليوم* الساعة 18:30."
HEBREW = "שלום מאיה, הזמנה LAKE-7 אושרה. התקשרו אל +49 1555 0100200 או https://hotel.example/x?y=1"
LISTED = "قائمة:\n- الأولى 1\n- second\n1. אחת\n2. two"
# What stands on one side of the page.
SIDED = (
    *(".people", ".phone", ".devtools", ".mark", "#theme", "#all-chats", ".find svg", ".chat-side"),
    *(".avatar.business", ".chat-more", ".owner-icon", ".owner-more", ".to-end", ".attach"),
    *("[data-side=own] .bubble", "[data-side=other] .bubble", "[data-side=own] .meta"),
    *(
        ".reactions:not([hidden])",
        ".quote",
        ".tab",
        ".log-go",
        ".log-took",
        ".play",
        ".card",
        "[data-arrow=on]",
    ),
)
BOXES = """
((selectors) => selectors.map((selector) => {
    const { left, right } = document.querySelector(selector).getBoundingClientRect();
    return [selector, Math.round(left), Math.round(right)];
}))
"""


async def turn(page: Tab, bot: Bot, direction: str, messages: int) -> None:
    await page.call("Page.navigate", url=f"{bot.simulator}/?dir={direction}#/chat/{MAYA}")
    await page.shows(f"document.documentElement?.dir === {direction!r}")
    await page.shows(f"document.querySelectorAll('article').length >= {messages}")


def rows() -> dict[str, Any]:
    rows = [
        {"id": "1", "title": "القاهرة (CAI)", "description": "45 دقيقة، قطار IC 2026"},
        {"id": "2", "title": "דרזדן 2"},
        {"id": "3", "title": "Kiel", "description": "45 minutes by train"},
    ]
    return {"button": "المدن", "sections": [{"title": "عند الماء", "rows": rows}]}


SAID = 7  # messages of `talk`


async def talk(bot: Bot) -> None:
    """Let Maya and the bot say Arabic and Hebrew, with numbers and Latin words."""
    file = await bot.uploads("lake.jpg", "image/jpeg")
    asked = await scene.writes(bot, {"type": "text", "text": {"body": ARABIC}})
    quoting = {"context": {"message_id": asked}}
    await bot.says({"type": "text", "text": {"body": HEBREW}, **quoting})
    await bot.says({"type": "text", "text": {"body": LISTED}})
    await bot.says({"type": "image", "image": {"id": file, "caption": "البحيرة *6:00*"}})
    for kind, action in (
        ("button", {"buttons": [{"type": "reply", "reply": {"id": "y", "title": "نعم 24/7"}}]}),
        ("list", rows()),
    ):
        content = {"type": kind, "body": {"text": "أي مدينة؟"}, "action": action}
        await bot.says({"type": "interactive", "interactive": content})
    await scene.writes(bot, {"type": "text", "text": {"body": f"{ARABIC} {HEBREW}"}})


async def test_the_page_from_right_to_left_is_the_mirror_of_the_other(page: Tab, bot: Bot) -> None:
    await scene.play(bot)
    await turn(page, bot, "ltr", scene.MESSAGES)
    await page.js("document.querySelector('.messages').scrollTop = 0")
    await page.js(SETTLE)
    width = await page.js("innerWidth")
    straight = await page.js(f"{BOXES}({list(SIDED)})")

    await turn(page, bot, "rtl", scene.MESSAGES)
    await page.js("document.querySelector('.messages').scrollTop = 0")
    await page.js(SETTLE)
    mirrored = await page.js(f"{BOXES}({list(SIDED)})")

    found = {selector: (width - right, width - left) for selector, left, right in mirrored}
    assert found == {
        selector: (pytest.approx(left, abs=2), pytest.approx(right, abs=2))
        for selector, left, right in straight
    }


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_nothing_is_cut_or_shut_out_from_right_to_left(
    page: Tab, bot: Bot, width: int, dark: bool
) -> None:
    name = f"{width}-{'dark' if dark else 'light'}"
    await page.size(width, 844, dark=dark)
    await talk(bot)
    await turn(page, bot, "rtl", SAID)
    await page.js(SETTLE)

    assert await page.js(scene.TOO_WIDE) == []
    assert await page.shuts_out() == []
    await page.picture(PICTURES / f"right-to-left-{name}.png")
    await page.click("[data-type=interactive] [aria-haspopup=dialog]")
    await page.js(SETTLE)
    assert await page.js(scene.TOO_WIDE) == []
    await page.picture(PICTURES / f"right-to-left-sheet-{name}.png")
    await page.click(".sheet .dialog-head button")
    await page.js("location.hash = '#/'")
    await page.js(SETTLE)
    assert await page.js(scene.TOO_WIDE) == []
    await page.picture(PICTURES / f"right-to-left-list-{name}.png")


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
async def test_each_message_keeps_its_own_direction(page: Tab, bot: Bot, direction: str) -> None:
    await talk(bot)
    await scene.writes(bot, {"type": "text", "text": {"body": "One more, in English."}})
    await turn(page, bot, direction, SAID + 1)

    def reads(words: str) -> str:
        return (
            "getComputedStyle([...document.querySelectorAll('.text p')].find((line) =>"
            f" line.textContent.includes({words!r}))).direction"
        )

    assert await page.js(reads("4711")) == "rtl"
    assert await page.js(reads("LAKE-7")) == "rtl"
    assert await page.js(reads("in English")) == "ltr"
    # The marks of a list stand inside of the bubble, on the side where each item begins.
    inside = await page.js(
        """[...document.querySelectorAll('.text li')].map((item) => {
            const box = item.getBoundingClientRect();
            const around = item.closest('.text').getBoundingClientRect();
            const isRight = getComputedStyle(item).direction === 'rtl';
            return [isRight, (isRight ? around.right - box.right : box.left - around.left) > 15];
        })"""
    )
    assert inside == [[True, True], [False, True], [True, True], [False, True]]


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
async def test_a_line_of_the_list_shows_how_a_message_begins(
    page: Tab, bot: Bot, direction: str
) -> None:
    await talk(bot)
    await turn(page, bot, direction, SAID)

    # What was said at the same moment may come in either order; this comes behind all of it.
    await scene.writes(bot, {"type": "text", "text": {"body": f"{ARABIC} {HEBREW}"}})
    line = "document.querySelector('#chats .chat-last .line')"
    await page.shows(f"{line}?.textContent.startsWith({ARABIC[:6]!r})")
    seen = await page.js(
        f"""(() => {{
            const line = {line};
            const first = new Range();
            first.setStart(line.firstChild, 0);
            first.setEnd(line.firstChild, 1);
            const [box, around] = [first, line].map((one) => one.getBoundingClientRect());
            return [line.scrollWidth > line.clientWidth,
                around.left - 1 <= box.left && box.right <= around.right + 1];
        }})()"""
    )
    assert seen == [True, True]


async def test_the_arrows_follow_the_direction(page: Tab, bot: Bot) -> None:
    await scene.play(bot)
    await turn(page, bot, "rtl", scene.MESSAGES)
    cards = "document.querySelector('.cards')"
    await page.shows(f"{cards}.scrollWidth > {cards}.clientWidth")

    await page.click("[data-arrow=on]")
    await page.shows(f"{cards}.scrollLeft < -100")
    await page.click("[data-arrow=back]")
    await page.shows(f"{cards}.scrollLeft > -8")

    await page.js("document.querySelector('#tab-connection').focus()")
    for kind in ("keyDown", "keyUp"):
        left = {"key": "ArrowLeft", "code": "ArrowLeft", "windowsVirtualKeyCode": 37}
        await page.call("Input.dispatchKeyEvent", type=kind, **left)
    await page.shows("document.activeElement.id === 'tab-clock'")


@pytest.mark.parametrize(("language", "direction"), [("he-IL", "rtl"), ("de-DE", "ltr")])
async def test_the_page_runs_as_the_language_of_the_browser(
    page: Tab, bot: Bot, language: str, direction: str
) -> None:
    agent = await page.js("navigator.userAgent")
    await page.call("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=language)

    await page.call("Page.navigate", url=f"{bot.simulator}/")

    await page.shows(f"navigator.language === {language!r}")
    await page.shows(f"document.documentElement?.dir === {direction!r}")
