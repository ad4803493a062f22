"""Chats as a whole: found, pinned, restarted, saved, deleted; each with a link to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browser import scene
from support.chromium import Tab
from support.eventually import eventually
from support.spoken_bot import MAYA, Bot

PICTURES = Path(__file__).parent / "pictures"
SETTLE = "new Promise((done) => setTimeout(done, 250))"
NAMES = "[...document.querySelectorAll('#chats .chat-name bdi')].map((name) => name.textContent)"
SHOWN = "[...document.querySelectorAll('.phone article.message')].map((one) => one.innerText)"


async def choose(page: Tab, act: str) -> None:
    """Choose something in the menu of the chat."""
    await page.click(".chat-more")
    await page.click(f".menu [data-act={act}]")


async def says(bot: Bot, *texts: str) -> list[str]:
    return [await bot.says({"type": "text", "text": {"body": text}}) for text in texts]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_the_menus_can_be_used_by_everybody(page: Tab, bot: Bot, dark: bool) -> None:
    await page.size(390, 844, dark=dark)
    await page.js(f"location.hash = '#/chat/{MAYA}'")
    await says(bot, "The lake", "The house")
    name = "dark" if dark else "light"

    await page.click(".chat-more")
    await page.js(SETTLE)
    assert await page.shuts_out() == []
    await page.picture(PICTURES / f"chat-menu-390-{name}.png")
    await page.click(".menu [data-act=search]")
    await page.type("lake")
    await page.shows("document.querySelector('.search-count').textContent === '1 of 1'")
    await page.js(SETTLE)
    assert await page.shuts_out() == []
    await page.picture(PICTURES / f"chat-search-390-{name}.png")


async def test_words_are_found_in_a_chat_and_in_all_of_them(page: Tab, bot: Bot) -> None:
    ravi = await scene.joins(bot, "Ravi")
    await scene.writes(bot, scene.HELLO, ravi)
    ids = await says(bot, "The lake at six", *map(str, range(30)), "The lake at nine", "Good night")
    await page.shows(f"document.querySelector('[data-message-id=\"{ids[-1]}\"]')")

    await choose(page, "search")
    await page.type("LAKE")
    await page.shows("document.querySelector('.search-count').textContent === '2 of 2'")
    await page.click(".search [aria-label=Earlier]")
    await page.shows("document.querySelector('.search-count').textContent === '1 of 2'")
    first = f"document.querySelector('[data-message-id=\"{ids[0]}\"]')"
    await page.shows(f"{first}.getBoundingClientRect().top > 0")
    await page.click(".search [aria-label='Close the search']")

    await page.click("#find")
    await page.type("at nine")
    await page.shows(f"JSON.stringify({NAMES}) === '[\"Maya\"]'")
    await page.click(f"#chats [data-person='{MAYA}']")
    nine = f"document.querySelector('[data-message-id=\"{ids[-2]}\"]')"
    await page.shows(f"document.activeElement === {nine}")
    await page.js("const find = document.querySelector('#find'); find.value = 'nobody'")
    await page.js("find.dispatchEvent(new Event('input'))")
    await page.shows("document.querySelector('#no-chats').checkVisibility()")


async def test_found_words_are_marked_where_they_are_read(page: Tab, bot: Bot) -> None:
    picture = await bot.uploads("lake.jpg", "image/jpeg")
    await bot.says({"type": "image", "image": {"id": picture, "caption": "The house"}})
    ids = await says(
        bot, "From the terrace of the old mill one sees the *Lake*.", "The lake at six"
    )
    await page.shows(f"document.querySelector('[data-message-id=\"{ids[-1]}\"]')")
    marked = "JSON.stringify([...CSS.highlights.get('found')].map((one) => one.toString()))"

    await choose(page, "search")
    await page.type("lake")
    # A file's name that nobody sees is none of the words.
    await page.shows("document.querySelector('.search-count').textContent === '2 of 2'")
    await page.shows(f"""{marked} === '["Lake","lake"]'""")
    # What comes and what is drawn anew meanwhile is found as well.
    [newest] = await says(bot, "At the lake")
    await page.shows("document.querySelector('.search-count').textContent === '2 of 3'")
    drawn = f"document.querySelector('[data-message-id=\"{newest}\"]')"
    await page.shows(f"{drawn}.dataset.status === 'read'")
    await bot.simulates("clock", {"advance": 90_000})
    await page.shows("document.querySelector('#tab-clock[data-news]')")
    await page.shows(f"""{marked} === '["Lake","lake","lake"]'""")
    await page.click(".search [aria-label='Close the search']")
    await page.shows(f"{marked} === '[]'")

    await page.click("#find")
    await page.type("mill")
    await page.shows(f"""{marked} === '["mill"]'""")
    line = await page.js("document.querySelector('#chats .chat-last').textContent")
    assert line == "…the old mill one sees the Lake."


async def test_found_words_are_marked_in_messages_drawn_on_scrolling(page: Tab, bot: Bot) -> None:
    words = ["The LAKE at six", *map(str, range(500)), "At the lake"]
    texts = [{"type": "text", "text": {"body": body}} for body in words]
    await bot.simulates(f"people/{MAYA}/messages", texts)
    messages = "document.querySelector('.messages')"
    await page.shows(f"{messages}.textContent.includes('At the lake')")
    marked = "JSON.stringify([...CSS.highlights.get('found')].map((one) => one.toString()))"

    await choose(page, "search")
    await page.type("lake")
    await page.shows("document.querySelector('.search-count').textContent === '2 of 2'")
    assert not await page.js(f"{messages}.textContent.includes('The LAKE')")
    await page.shows(f"""{marked} === '["lake"]'""")
    await page.shows(f"({messages}.scrollTop = 0) || {messages}.textContent.includes('The LAKE')")
    assert not await page.js(f"{messages}.textContent.includes('At the lake')")
    await page.shows(f"""{marked} === '["LAKE"]'""")
    await page.click(".to-end")
    await page.shows(f"{messages}.textContent.includes('At the lake')")
    await page.shows(f"""{marked} === '["lake"]'""")


async def test_who_stays_at_the_top_comes_to_the_first_message(page: Tab, bot: Bot) -> None:
    texts = [{"type": "text", "text": {"body": f"number {n}"}} for n in range(500)]
    await bot.simulates(f"people/{MAYA}/messages", texts)
    await page.shows("document.querySelector('.messages').textContent.includes('number 499')")

    await page.js(
        "{ const messages = document.querySelector('.messages');"
        " const toTop = () => (messages.scrollTop = 0);"
        " const drawing = {childList: true, subtree: true};"
        " new MutationObserver(toTop).observe(messages, drawing); toTop(); }"
    )

    await page.shows("document.querySelector('.messages').textContent.includes('number 0')")


async def test_a_link_opens_a_chat_at_a_message(page: Tab, bot: Bot) -> None:
    ravi = await scene.joins(bot, "Ravi")
    ids = await says(bot, *map(str, range(40)))
    await scene.opens(page, ravi)
    await page.shows("document.querySelector('.phone').ariaLabel === 'Phone of Ravi'")

    await page.js(f"location.hash = '#/chat/{MAYA}?message=' + encodeURIComponent({ids[3]!r})")
    await page.shows(f"document.activeElement?.dataset.messageId === {ids[3]!r}")
    await page.call("Page.reload")
    await page.shows(f"document.activeElement?.dataset.messageId === {ids[3]!r}")


async def test_a_pinned_chat_stands_first_and_after_a_reload(page: Tab, bot: Bot) -> None:
    ravi = await scene.joins(bot, "Ravi")
    await scene.writes(bot, scene.HELLO, ravi)
    await page.shows(f'JSON.stringify({NAMES}) === \'["Ravi","Maya"]\'')
    await page.js(f"location.hash = '#/chat/{MAYA}'")

    await choose(page, "pin")
    await page.shows(f'JSON.stringify({NAMES}) === \'["Maya","Ravi"]\'')
    await page.call("Page.reload")
    await page.shows(f'JSON.stringify({NAMES}) === \'["Maya","Ravi"]\'')
    await choose(page, "pin")
    await page.shows(f'JSON.stringify({NAMES}) === \'["Ravi","Maya"]\'')


async def test_one_chat_is_restarted_and_a_person_is_deleted(page: Tab, bot: Bot) -> None:
    ravi = await scene.joins(bot, "Ravi")
    await scene.writes(bot, scene.HELLO, ravi)
    await says(bot, "The lake")
    await page.js(f"location.hash = '#/chat/{MAYA}'")
    await page.shows(f"{SHOWN}.length === 1")

    await choose(page, "restart")
    await page.click("dialog .secondary")
    await choose(page, "restart")
    assert await page.js(f"{SHOWN}.length") == 1  # it was cancelled
    await page.click("dialog .primary")
    await page.shows(f"{SHOWN}.length === 0")
    await page.shows(f'JSON.stringify({NAMES}) === \'["Ravi","Maya"]\'')

    await choose(page, "delete")
    await page.click("dialog .primary")
    await page.shows(f"JSON.stringify({NAMES}) === '[\"Ravi\"]'")
    await page.shows("document.querySelector('.phone').ariaLabel === 'Phone of Ravi'")


async def test_chats_are_saved_and_read_again(page: Tab, bot: Bot, tmp_path: Path) -> None:
    await page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    await scene.writes(bot, scene.HELLO)
    await says(bot, "The lake")
    await page.shows(f"{SHOWN}.length === 2")

    for act, name, words in (
        ("transcript", f"chat-{MAYA}.yml", "- user: Hello\n- bot: The lake\n"),
        ("pytest", f"test_chat_{MAYA}.py", "await user.gets(text='The lake')"),
        ("export", f"chat-{MAYA}.json", '"The lake"'),
    ):
        await choose(page, act)
        assert words in await saved(page, tmp_path / name)
    await page.click("#all-chats")
    await page.click("#reset")
    await page.click("dialog .primary")
    await page.shows(f"{SHOWN}.length === 0")

    await page.choose_files("#import", tmp_path / f"chat-{MAYA}.json")
    await page.click("dialog .primary")
    await page.shows(f"{SHOWN}.length === 2")
    (tmp_path / "none.json").write_text("[{")
    await page.choose_files("#import", tmp_path / "none.json")
    await page.click("dialog .primary")
    await page.shows("document.querySelector('.toast')?.innerText.includes('is not JSON')")
    assert json.loads((tmp_path / f"chat-{MAYA}.json").read_text())["simulator"] == 1


async def saved(page: Tab, path: Path) -> str:
    """The text of a file, as soon as the browser has saved it."""
    return str(
        await eventually(
            lambda: path.exists() and path.read_text(encoding="utf-8"),
            told=lambda: f"{path.name} was not saved, but {list(path.parent.iterdir())}",
        )
    )
