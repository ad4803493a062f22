"""
Zammad as a desk: each handoff is a ticket, and what an agent writes in it goes to WhatsApp.

In Zammad: a trigger for new articles of agents, with a webhook to /zammad and its HMAC secret.
"""

import hashlib
import hmac
import html
import json
import os
import re

from aiohttp import ClientSession, web
from bot import ask, read

TITLE = "WhatsApp "
tickets = {}  # conversation → ticket; keep it in a file if this may restart
seen = set()


async def post(path, **body):
    headers = {"Authorization": f"Token token={os.environ['ZAMMAD_TOKEN']}"}
    url = f"{os.environ['ZAMMAD_URL']}/api/v1/{path}"
    async with ClientSession() as http, http.post(url, json=body, headers=headers) as answer:
        answer.raise_for_status()  # the bot then tells it again
        return await answer.json()


async def told(request):
    event = read(request.headers, await request.read())
    if event is None:
        return web.Response(status=401)
    who, message = event["conversation"], event.get("message", {})
    lines = [f"{each['from']}: {each.get('text', '')}" for each in event.get("history", ())]
    article = {"type": "note", "sender": "Customer", "content_type": "text/plain"}
    article["body"] = " ".join([message.get("text", ""), message.get("media", {}).get("url", "")])
    if event["id"] in seen:
        return web.Response()
    if event["type"] == "handoff.requested":
        article["body"] = "\n".join([event["reason"] or "a person is asked for", *lines])
        customer = f"guess:{who}@whatsapp.example"
        ticket = {"title": TITLE + who, "group": "Users", "customer_id": customer}
        tickets[who] = (await post("tickets", **ticket, article=article))["id"]
    elif event["type"] == "message.received" and who in tickets:
        await post("ticket_articles", ticket_id=tickets[who], **article)
    seen.add(event["id"])
    return web.Response()


async def written(request):
    body = await request.read()
    key = os.environ["ZAMMAD_SECRET"].encode()
    wanted = "sha1=" + hmac.new(key, body, hashlib.sha1).hexdigest()
    if not hmac.compare_digest(request.headers.get("X-Hub-Signature", ""), wanted):
        return web.Response(status=401)
    change = json.loads(body)
    ticket, article = change["ticket"], change.get("article") or {}
    who = ticket["title"].removeprefix(TITLE)
    if article.get("sender") == "Agent" and not article.get("internal"):
        text = html.unescape(re.sub(r"<[^>]+>", "", article["body"])).strip()
        await ask(who, "messages", client_id=f"zammad-{article['id']}", text=text)
    if ticket["state"] == "closed":
        await ask(who, "owner", owner="bot")
    return web.Response()


def app() -> web.Application:
    app = web.Application()
    app.router.add_post("/events", told)
    app.router.add_post("/zammad", written)
    return app


if __name__ == "__main__":
    web.run_app(app(), port=8600)
