"""
A desk in a terminal: prints what people write, and sends what you write.

    4915112345678 How can I help?       writes, and takes the conversation
    4915112345678 /done refunded        gives it back to the bot, with a note
"""

import asyncio
import sys
import uuid

from aiohttp import web
from bot import ask, read

seen = set()  # the bot tells an event again if it does not hear that it was taken


async def told(request):
    event = read(request.headers, await request.read())
    if event is None:
        return web.Response(status=401)
    if event["id"] not in seen:
        seen.add(event["id"])
        for each in [*event.get("history", ()), event.get("message", {"from": event["type"]})]:
            file = each.get("media", {}).get("url", "")
            print(event["conversation"], f"{each['from']}:", each.get("text", ""), file)
    return web.Response()


async def type_line(line: str) -> None:
    conversation, _, text = line.strip().partition(" ")
    command, _, note = text.partition(" ")
    if command == "/done":
        status = await ask(conversation, "owner", owner="bot", note=note)
    else:
        status = await ask(conversation, "messages", client_id=uuid.uuid4().hex, text=text)
    print("ok" if status < 300 else f"refused: HTTP {status}")


async def main() -> None:
    runner = web.AppRunner(app())
    await runner.setup()
    await web.TCPSite(runner, port=8600).start()
    while line := await asyncio.to_thread(sys.stdin.readline):
        await type_line(line)


def app() -> web.Application:
    app = web.Application()
    app.router.add_post("/events", told)
    return app


if __name__ == "__main__":
    asyncio.run(main())
