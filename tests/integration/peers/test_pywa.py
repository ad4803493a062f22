"""pywa, a Cloud API client of other authors, at the simulator: what suits Meta must suit it too."""

from __future__ import annotations

import asyncio
import hashlib
import queue
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pywa import WhatsApp, types, utils
from pywa.errors import WhatsAppError
from pywa.types import templates

from rasa_whatsapp_channel.simulator.config import Config
from rasa_whatsapp_channel.simulator.server import create_app

MAYA = "4915112345678"
NUMBER = "106540352242922"
MEDIA = Path(__file__).parents[3] / "examples" / "quickstart" / "media"


class ToSimulator(httpx.HTTPTransport):
    """Everything meant for Meta's host goes to the simulator; the addresses stay as they are."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = httpx.URL(url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "graph.facebook.com":
            request.url = request.url.copy_with(
                scheme=self._url.scheme, host=self._url.host, port=self._url.port
            )
            request.headers["Host"] = f"{self._url.host}:{self._url.port}"
        return super().handle_request(request)


@dataclass
class Desk:
    """The simulator, pywa pointed at it, and what pywa makes of the webhooks it is sent."""

    url: str
    pywa: WhatsApp
    updates: queue.Queue[Any]
    answers: list[tuple[Any, int]]
    http: httpx.AsyncClient

    async def does(self, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call pywa, which blocks, beside the simulator."""
        return await asyncio.to_thread(call, *args, **options)

    async def chat(self) -> list[Any]:
        answer = await self.http.get(f"{self.url}/simulator/people/{MAYA}/messages")
        return list(answer.json())

    async def shows(self, message_id: str) -> Any:
        """Wait until the phone shows a message, and return it."""
        for _ in range(6000):
            for message in await self.chat():
                if message["id"] == message_id:
                    return message
            await asyncio.sleep(0.01)
        raise AssertionError(f"{message_id} is not in the chat")

    async def writes(self, message: dict[str, Any]) -> Any:
        answer = await self.http.post(f"{self.url}/simulator/people/{MAYA}/messages", json=message)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def takes(self, answer: tuple[Any, int]) -> None:
        """Wait until pywa has answered a webhook, and see that it answered so."""
        while not self.answers:
            await asyncio.sleep(0.01)
        assert self.answers == [answer]

    async def hears(self, kind: type[Any]) -> Any:
        """Wait for what pywa makes of the next webhook of this kind."""
        while True:
            update = await asyncio.to_thread(self.updates.get, timeout=60)
            if isinstance(update, kind):
                return update


@contextmanager
def make_pywa(url: str) -> Iterator[WhatsApp]:
    with httpx.Client(transport=ToSimulator(url)) as session:
        yield WhatsApp(
            phone_id=NUMBER,
            token="simulator-token",
            app_secret="simulator-secret",
            verify_token="simulator",
            session=session,
            server=None,
        )


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    answers: list[tuple[Any, int]] = []
    updates: queue.Queue[Any] = queue.Queue()
    clients: list[WhatsApp] = []

    async def webhook(request: web.Request) -> web.Response:
        raw, signature = await request.read(), request.headers.get(utils.HUB_SIG)
        refused = clients[0].webhook_update_validator(raw, signature)
        text, status = refused or await asyncio.to_thread(clients[0].webhook_update_handler, raw)
        answers.append((text, status))
        return web.Response(text=str(text), status=status)

    bot = web.Application()
    bot.router.add_post("/webhook", webhook)
    async with TestServer(bot) as server, httpx.AsyncClient() as http:
        config = Config(webhook=str(server.make_url("/webhook")), retry_pauses=(0.01,))
        async with TestServer(create_app(config)) as simulator:
            url = str(simulator.make_url("/")).rstrip("/")
            with make_pywa(url) as pywa:
                clients.append(pywa)
                for on in (
                    pywa.on_message,
                    pywa.on_callback_button,
                    pywa.on_callback_selection,
                    pywa.on_message_status,
                    pywa.on_flow_completion,
                ):
                    on(lambda _, update: updates.put(update))
                yield Desk(url, pywa, updates, answers, http)


BUTTONS = [types.Button("Yes", "/yes"), types.Button("No", "/no")]
LINK = types.URLButton("Open", "https://shop.example/")
ROWS = [
    types.SectionRow("Small", "/small", "for one"),
    types.SectionRow("Large", "/large"),
]
LIST = types.SectionList("Choose", [types.Section("Sizes", ROWS)])
FLOW = types.FlowButton(
    "Begin",
    flow_id="42",
    flow_token="t",
    flow_action_type=types.FlowActionType.NAVIGATE,
    flow_action_screen="FIRST",
)
ADA = types.Contact(
    name=types.Contact.Name(formatted_name="Ada Lovelace", first_name="Ada"),
    phones=[types.Contact.Phone(phone="+442079460000", type="WORK", wa_id="442079460000")],
    emails=[types.Contact.Email(email="ada@shop.example", type="WORK")],
    org=types.Contact.Org(company="Shop"),
    birthday="1815-12-10",
)
TEMPLATE = [
    templates.BodyText.params("tomorrow"),
    templates.QuickReplyButton.params(callback_data="/track", index=0),
]
# name → type in the chat, what of the content a person sees, and the call
SENT: dict[str, tuple[str, dict[str, Any], Callable[[WhatsApp], Any]]] = {
    "text": (
        "text",
        {"body": "Hello", "preview_url": True},
        lambda wa: wa.send_message(MAYA, "Hello", preview_url=True),
    ),
    "text with a tracker": (
        "text",
        {"body": "Hello"},
        lambda wa: wa.send_message(MAYA, "Hello", tracker="order-7"),
    ),
    "buttons": (
        "interactive",
        {"type": "button", "header": {"type": "text", "text": "Shop"}, "footer": {"text": "Bye"}},
        lambda wa: wa.send_message(MAYA, "Well?", header="Shop", footer="Bye", buttons=BUTTONS),
    ),
    "link": (
        "interactive",
        {"type": "cta_url"},
        lambda wa: wa.send_message(MAYA, "Look", buttons=LINK),
    ),
    "list": (
        "interactive",
        {"type": "list"},
        lambda wa: wa.send_message(MAYA, "Which?", buttons=LIST),
    ),
    "flow": (
        "interactive",
        {"type": "flow"},
        lambda wa: wa.send_message(MAYA, "A form", buttons=FLOW),
    ),
    "call": (
        "interactive",
        {"type": "voice_call"},
        lambda wa: wa.send_message(MAYA, "Call us", buttons=types.VoiceCallButton("Call")),
    ),
    "call permission": (
        "interactive",
        {"type": "call_permission_request"},
        lambda wa: wa.send_message(MAYA, "May we?", buttons=types.CallPermissionRequestButton()),
    ),
    "image": (
        "image",
        {"caption": "The lake"},
        lambda wa: wa.send_image(MAYA, MEDIA / "lake.jpg", "The lake", mime_type="image/jpeg"),
    ),
    "image with buttons": (
        "interactive",
        {"type": "button"},
        lambda wa: wa.send_image(MAYA, MEDIA / "lake.jpg", "The lake", buttons=BUTTONS),
    ),
    "video": (
        "video",
        {"caption": "A boat"},
        lambda wa: wa.send_video(MAYA, MEDIA / "boat.mp4", "A boat"),
    ),
    "document": (
        "document",
        {"caption": "A guide", "filename": "Guide.pdf"},
        lambda wa: wa.send_document(
            MAYA, MEDIA / "guide.pdf", filename="Guide.pdf", caption="A guide"
        ),
    ),
    "audio": ("audio", {}, lambda wa: wa.send_audio(MAYA, MEDIA / "chime.ogg")),
    "voice": ("audio", {"voice": True}, lambda wa: wa.send_voice(MAYA, MEDIA / "chime.ogg")),
    "sticker": (
        "sticker",
        {},
        lambda wa: wa.send_sticker(MAYA, MEDIA / "sun.webp", mime_type="image/webp"),
    ),
    "location": (
        "location",
        {"latitude": 48.85, "longitude": 2.35, "name": "Paris", "address": "France"},
        lambda wa: wa.send_location(MAYA, 48.85, 2.35, "Paris", "France"),
    ),
    "location request": (
        "interactive",
        {"type": "location_request_message"},
        lambda wa: wa.request_location(MAYA, "Where are you?"),
    ),
    "contact info request": (
        "interactive",
        {"type": "request_contact_info"},
        lambda wa: wa.request_contact_info(MAYA, "Who are you?"),
    ),
    "contact": ("contacts", {}, lambda wa: wa.send_contact(MAYA, ADA)),
    "catalog": (
        "interactive",
        {"type": "catalog_message"},
        lambda wa: wa.send_catalog(MAYA, "All we have", thumbnail_product_sku="p1"),
    ),
    "product": (
        "interactive",
        {"type": "product"},
        lambda wa: wa.send_product(MAYA, "7", "p1", "This one"),
    ),
    "products": (
        "interactive",
        {"type": "product_list"},
        lambda wa: wa.send_products(
            MAYA, "7", [types.ProductsSection("Hats", ["p1", "p2"])], "Shop", "Choose"
        ),
    ),
    "template": (
        "template",
        {"name": "order_shipped"},
        lambda wa: wa.send_template(
            MAYA, "order_shipped", types.templates.TemplateLanguage.ENGLISH_US, TEMPLATE
        ),
    ),
}


@pytest.mark.parametrize("name", SENT)
async def test_each_type_that_pywa_sends_is_shown(desk, name):
    kind, content, send = SENT[name]

    sent = await desk.does(send, desk.pywa)
    shown = await desk.shows(sent.id)

    assert (shown["direction"], shown["type"], shown["errors"]) == ("outbound", kind, [])
    assert isinstance(shown["content"], list) or content.items() <= shown["content"].items()


async def test_a_carousel_loads_its_pictures_from_links(desk, aiohttp_files):
    link = await aiohttp_files((MEDIA / "lake.jpg").read_bytes(), "image/jpeg")
    cards = [
        types.ImageCarouselCard(
            image=link, body=f"Card {n}", buttons=[types.Button("Buy", f"/{n}")]
        )
        for n in (1, 2)
    ]

    sent = await desk.does(desk.pywa.send_carousel, MAYA, body="Offers", cards=cards)
    shown = await desk.shows(sent.id)

    assert shown["errors"] == []
    assert [card["body"]["text"] for card in shown["content"]["action"]["cards"]] == [
        "Card 1",
        "Card 2",
    ]


@pytest.fixture
async def aiohttp_files() -> AsyncIterator[Callable[[bytes, str], Any]]:
    async def serve(request: web.Request) -> web.Response:
        return web.Response(body=files[0][0], headers={"Content-Type": files[0][1]})

    files: list[tuple[bytes, str]] = []
    app = web.Application()
    app.router.add_get("/file", serve)
    async with TestServer(app) as server:

        async def put(content: bytes, mime_type: str) -> str:
            files.append((content, mime_type))
            return str(server.make_url("/file"))

        yield put


async def test_a_reaction_comes_and_goes_and_a_quote_names_its_message(desk):
    hello = await desk.writes({"type": "text", "text": {"body": "hi"}})

    await desk.does(desk.pywa.send_reaction, MAYA, "👍", hello["id"])
    for _ in range(6000):
        if (await desk.shows(hello["id"]))["reactions"] == {"bot": "👍"}:
            break
        await asyncio.sleep(0.01)
    assert (await desk.shows(hello["id"]))["reactions"] == {"bot": "👍"}

    await desk.does(desk.pywa.remove_reaction, MAYA, hello["id"])
    sent = await desk.does(desk.pywa.send_message, MAYA, "Hi", reply_to_message_id=hello["id"])
    shown = await desk.shows(sent.id)
    assert shown["context"] == {"message_id": hello["id"]}
    assert (await desk.shows(hello["id"]))["reactions"] == {}


async def test_a_file_is_uploaded_found_downloaded_and_deleted(desk, tmp_path):
    content = (MEDIA / "guide.pdf").read_bytes()

    media = await desk.does(desk.pywa.upload_media, MEDIA / "guide.pdf", "application/pdf")
    found = await desk.does(desk.pywa.get_media_url, media.id)
    assert (found.mime_type, found.file_size) == ("application/pdf", len(content))
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert await desk.does(desk.pywa.get_media_bytes, found.url) == content
    path = await desk.does(
        desk.pywa.download_media, url=found.url, path=tmp_path, filename="guide.pdf"
    )
    assert Path(path).read_bytes() == content

    assert await desk.does(desk.pywa.delete_media, media.id)
    with pytest.raises(WhatsAppError):
        await desk.does(desk.pywa.get_media_url, media.id)


async def test_reading_and_typing_are_taken(desk):
    hello = await desk.writes({"type": "text", "text": {"body": "hi"}})

    assert await desk.does(desk.pywa.mark_message_as_read, hello["id"])
    assert await desk.does(desk.pywa.indicate_typing, hello["id"])
    assert (await desk.shows(hello["id"]))["status"] == "read"


async def test_a_refusal_is_read_with_its_code(desk):
    with pytest.raises(WhatsAppError) as refused:
        await desk.does(desk.pywa.send_message, MAYA, "x" * 4097)

    assert refused.value.code == 100


@pytest.mark.parametrize(
    ("message", "field", "seen"),
    [
        ({"type": "text", "text": {"body": "Grüße 👋"}}, "text", "Grüße 👋"),
        (
            {"type": "location", "location": {"latitude": 48.85, "longitude": 2.35}},
            "location",
            types.Location(latitude=48.85, longitude=2.35),
        ),
        (
            {
                "type": "order",
                "order": {
                    "catalog_id": "7",
                    "text": "please",
                    "product_items": [
                        {
                            "product_retailer_id": "p1",
                            "quantity": 2,
                            "item_price": 9.5,
                            "currency": "EUR",
                        }
                    ],
                },
            },
            "order",
            None,
        ),
        (
            {
                "type": "contacts",
                "contacts": [{"name": {"formatted_name": "Ada", "first_name": "Ada"}}],
            },
            "contacts",
            None,
        ),
    ],
    ids=["text", "location", "order", "contacts"],
)
async def test_what_a_person_writes_is_proven_and_read(desk, message, field, seen):
    written = await desk.writes(message)

    heard = await desk.hears(types.Message)

    assert (heard.id, heard.from_user.wa_id, heard.from_user.name) == (written["id"], MAYA, "Maya")
    assert getattr(heard, field)
    assert seen is None or getattr(heard, field) == seen
    await desk.takes(("ok", 200))


async def test_a_file_of_a_person_is_downloaded_with_what_the_webhook_says(desk):
    content = (MEDIA / "lake.jpg").read_bytes()
    answer = await desk.http.post(
        f"{desk.url}/simulator/people/{MAYA}/messages",
        data={"type": "image", "caption": "Look"},
        files={"file": ("lake.jpg", content, "image/jpeg")},
    )
    assert answer.status_code == 200

    heard = await desk.hears(types.Message)

    assert (heard.image.mime_type, heard.caption) == ("image/jpeg", "Look")
    assert await desk.does(heard.image.get_bytes) == content


async def test_taps_come_back_with_their_payload_and_the_message_they_belong_to(desk):
    asked = await desk.does(desk.pywa.send_message, MAYA, "Well?", buttons=BUTTONS)
    await desk.shows(asked.id)
    context = {"message_id": asked.id}
    reply = {"type": "button_reply", "button_reply": {"id": "/yes", "title": "Yes"}}
    await desk.writes({"type": "interactive", "interactive": reply, "context": context})

    tapped = await desk.hears(types.CallbackButton)
    assert (tapped.data, tapped.title) == ("/yes", "Yes")
    assert tapped.reply_to_message.id == asked.id

    reply = {
        "type": "list_reply",
        "list_reply": {"id": "/small", "title": "Small", "description": "for one"},
    }
    await desk.writes({"type": "interactive", "interactive": reply, "context": context})
    chosen = await desk.hears(types.CallbackSelection)
    assert (chosen.data, chosen.title, chosen.description) == ("/small", "Small", "for one")

    reply = {
        "type": "nfm_reply",
        "nfm_reply": {"name": "flow", "body": "Sent", "response_json": '{"flow_token":"t","a":1}'},
    }
    await desk.writes({"type": "interactive", "interactive": reply, "context": context})
    completed = await desk.hears(types.FlowCompletion)
    assert (completed.token, completed.response["a"]) == ("t", 1)


async def test_statuses_are_proven_and_read_with_the_tracker(desk):
    sent = await desk.does(desk.pywa.send_message, MAYA, "Hello", tracker="order-7")

    statuses = [await desk.hears(types.MessageStatus) for _ in range(2)]

    assert [status.status for status in statuses] == [
        types.MessageStatusType.SENT,
        types.MessageStatusType.DELIVERED,
    ]
    assert {status.id for status in statuses} == {sent.id}
    assert {status.tracker for status in statuses} == {"order-7"}


async def test_a_webhook_of_anybody_else_is_refused_by_its_signature(desk):
    forged = desk.pywa.webhook_update_validator(b'{"entry": []}', "sha256=" + "0" * 64)

    assert forged is not None
    assert forged[1] == 403
