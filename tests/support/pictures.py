"""
The pictures of the documentation: the simulator's page as it is today, light and dark.

    PYTHONPATH=.:tests .venv/bin/python -m support.pictures

The bot's messages are what the channel makes of the quickstart's and the tutorial's responses.
"""

from __future__ import annotations

import asyncio
import base64
import io
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web
from PIL import Image
from support.chromium import Chromium, Tab, find_chromium
from support.documents import ROOT, blocks_of
from support.spoken_bot import Bot

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.simulator.config import Config
from rasa_whatsapp_channel.simulator.server import create_app
from rasa_whatsapp_channel.whatsapp.apis import CLOUD

IMAGES = ROOT / "docs" / "images"
SIZE = (1280, 900)
NARROW = (820, 600)
FRAME, LAST_FRAME = 1300, 4000  # milliseconds
ANSWERS = "document.querySelectorAll('[data-direction=outbound]')"
# Everything that the page shows has come, and nothing moves any more.
LOADED = """
Promise.all([
  ...[...document.images].map((image) => image.decode().catch(() => {})),
  ...document.getAnimations().map((one) => one.finished.catch(() => {})),
  new Promise((done) => setTimeout(done, 400)),
])
"""
TYPES = {"jpg": "image/jpeg", "pdf": "application/pdf", "ogg": "audio/ogg; codecs=opus"} | {
    "mp4": "video/mp4",
    "webp": "image/webp",
}
QUICKSTART = ("utter_greet", "utter_picture", "utter_guide", "utter_chime", "utter_boat")
TUTORIAL = ("utter_greet", "utter_lake")


def quickstart() -> dict[str, Any]:
    domain = yaml.safe_load((ROOT / "examples" / "quickstart" / "domain.yml").read_text())
    return dict(domain["responses"])


def tutorial() -> dict[str, Any]:
    blocks = blocks_of(ROOT / "docs" / "tutorial.md", "yaml")
    domain = next(yaml.safe_load(b.text) for b in blocks if b.title == "domain/lake.yml")
    return dict(domain["responses"])


async def chat(bot: Bot, responses: Mapping[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        composed = compose({**responses[name][0], "utter_action": name}, api=CLOUD)
        for outgoing in composed.messages:
            await bot.says(await uploaded(bot, outgoing.message.body()))


async def uploaded(bot: Bot, body: Any) -> Any:
    """Return *body* with every path of a file uploaded and replaced by its id."""
    if isinstance(body, list):
        return [await uploaded(bot, part) for part in body]
    if not isinstance(body, dict):
        return body
    if "path" in body:
        name = Path(body["path"]).name
        media_id = await bot.uploads(name, TYPES[name.rpartition(".")[2]])
        return {"id": media_id, **{k: v for k, v in body.items() if k != "path"}}
    return {key: await uploaded(bot, value) for key, value in body.items()}


async def picture(tab: Tab, name: str, *, dark: bool) -> None:
    await tab.size(*SIZE, dark=dark)
    await asyncio.sleep(2)  # animations, and the pictures inside
    taken = await frame(tab)
    taken.save(IMAGES / f"{name}{'-dark' if dark else ''}.webp", quality=85, method=6)


async def main() -> None:
    program = find_chromium()
    assert program, "the pictures need Chromium"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        chromium = Chromium(program, Path(folder))
        try:
            await take("simulator", chromium, quickstart(), QUICKSTART)
            await take("tutorial", chromium, tutorial(), TUTORIAL)
            await animate(IMAGES / "demo.webp", chromium)
        finally:
            chromium.stop()


async def take(
    name: str, chromium: Chromium, responses: Mapping[str, Any], names: tuple[str, ...]
) -> None:
    async with open_chat(chromium, SIZE) as (tab, bot):
        await bot.reads((await bot.hears())["id"])
        await chat(bot, responses, names)
        await tab.shows(f"{ANSWERS}.length >= {len(names)}")
        for dark in (False, True):
            await picture(tab, name, dark=dark)


async def animate(path: Path, chromium: Chromium) -> None:
    """Write the chat of the quickstart as it comes about, a frame for each answer."""
    responses = quickstart()
    async with open_chat(chromium, NARROW) as (tab, bot):
        frames = [await frame(tab)]
        await bot.reads((await bot.hears())["id"])
        for number, name in enumerate(QUICKSTART, 1):
            await chat(bot, responses, (name,))
            await tab.shows(f"{ANSWERS}.length >= {number}")
            await tab.js(LOADED)
            frames.append(await frame(tab))
    first, *rest = frames
    times = [*[FRAME] * len(rest), LAST_FRAME]
    first.save(
        path, save_all=True, append_images=rest, duration=times, loop=0, quality=80, method=6
    )


async def frame(tab: Tab) -> Image.Image:
    shot = await tab.call("Page.captureScreenshot", format="png")
    return Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")


@asynccontextmanager
async def open_chat(chromium: Chromium, size: tuple[int, int]) -> AsyncIterator[tuple[Tab, Bot]]:
    """Yield a page on which somebody has just written, and the bot that has to answer."""
    async with AsyncExitStack() as stack:
        bot = Bot(await stack.enter_async_context(aiohttp.ClientSession()))
        listening = web.Application()
        listening.router.add_post("/webhook", bot.webhook)
        webhooks = await serve(stack, listening)
        bot.simulator = await serve(stack, create_app(Config(webhook=f"{webhooks}/webhook")))
        tab = await stack.enter_async_context(chromium.tab())
        await tab.size(*size)
        await tab.call("Page.navigate", url=f"{bot.simulator}/")
        await tab.shows("document.querySelector('#chats a, #chats [aria-current]')")
        await tab.click(".composer-text")
        await tab.type("hi")
        await tab.press_enter()
        yield tab, bot


async def serve(stack: AsyncExitStack, app: web.Application) -> str:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


if __name__ == "__main__":
    asyncio.run(main())
