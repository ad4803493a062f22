"""
Every number in `whatsapp/limits.py`, over HTTP and for each API: inside is taken, outside is not.

The numbers and bodies are typed from the platform's pages. A new number needs a row here, or a
line in `ELSEWHERE` that says why no body can break it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from rasa_whatsapp_channel.whatsapp import limits

ALL = ("cloud", "360dialog", "on_premises", "turn")
CLOUD = ("cloud", "360dialog")
TO = "4915112345678"
NUMBER = "106540352242922"
KB, MB = 1024, 1024 * 1024
# What is refused with, by API; Turn hands on the codes of the Cloud API.
INVALID = {"on_premises": 1009, "else": 131009}
TOO_LONG = {"on_premises": 1001, "else": 100}
SECTIONS = {"on_premises": 2015, "else": 131009}
ROWS = {"on_premises": 2016, "else": 131009}
KEY = {"else": 100}
Make = Callable[[int], dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """
    *limit* as in limits.py, and how much is just *inside* and just *outside* of it.

    *make* returns the message with so much of it.
    """

    limit: str
    inside: float
    outside: float
    make: Make
    code: dict[str, int]
    apis: tuple[str, ...] = ALL
    about: str = ""

    def __str__(self) -> str:
        return f"{self.limit} {self.about}".strip()


def upto(limit: str, most: int, make: Make, code: dict[str, int] = INVALID, **more: Any) -> Row:
    return Row(limit, most, most + 1, make, code, **more)


def interactive(kind: str, action: Any, *, body: Any = "Choose", **more: Any) -> dict[str, Any]:
    text = {"body": {"text": body}} if body is not None else {}
    return {"type": "interactive", "interactive": {"type": kind, **text, "action": action, **more}}


def media(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, kind: {"id": MEDIA_ID, **more}}


def button(number: int = 1, *, payload: str = "", title: str = "") -> dict[str, Any]:
    return {
        "type": "reply",
        "reply": {"id": payload or f"b{number}", "title": title or f"Button {number}"},
    }


def buttons(*items: Any, **more: Any) -> dict[str, Any]:
    return interactive("button", {"buttons": list(items) or [button()]}, **more)


def row(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": f"r{number}", "title": f"Row {number}", **more}


def sections(count: int) -> list[dict[str, Any]]:
    return [{"title": f"Section {n}", "rows": [row(n)]} for n in range(count)]


def one_list(*, button: str = "Open", sections: Any = None, **more: Any) -> dict[str, Any]:
    return interactive(
        "list", {"button": button, "sections": sections or [{"rows": [row()]}]}, **more
    )


def rows_in_two_sections(count: int) -> dict[str, Any]:
    halves = [[row(n) for n in range(count) if n % 2 == half] for half in (0, 1)]
    return one_list(sections=[{"title": f"Section {n}", "rows": h} for n, h in enumerate(halves)])


def cta(text: str = "Open", url: str = "https://shop.example/") -> dict[str, Any]:
    return interactive(
        "cta_url", {"name": "cta_url", "parameters": {"display_text": text, "url": url}}
    )


def card(index: int, *, body: str = "Card", action: Any = None) -> dict[str, Any]:
    link = {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://a.example/"}}
    return {
        "card_index": index,
        "type": "cta_url",
        "header": {"type": "image", "image": {"id": MEDIA_ID}},
        "body": {"text": body},
        "action": action or link,
    }


def cards(count: int = 2, **more: Any) -> dict[str, Any]:
    return interactive("carousel", {"cards": [card(n, **more) for n in range(count)]})


def quick_replies(count: int = 1) -> dict[str, Any]:
    return {
        "buttons": [
            {"type": "quick_reply", "quick_reply": {"id": f"q{n}", "title": f"Reply {n}"}}
            for n in range(count)
        ]
    }


def flow(label: str) -> dict[str, Any]:
    parameters = {"flow_message_version": "3", "flow_id": "42", "flow_cta": label}
    return interactive("flow", {"name": "flow", "parameters": parameters})


def call(**parameters: Any) -> dict[str, Any]:
    return interactive("voice_call", {"name": "voice_call", "parameters": parameters})


def order(reference: str = "order-1", offset: int = 100) -> dict[str, Any]:
    parameters = {
        "reference_id": reference,
        "currency": "BRL",
        "total_amount": {"value": 500, "offset": offset},
    }
    return interactive("order_details", {"name": "review_and_pay", "parameters": parameters})


def order_status(description: str) -> dict[str, Any]:
    parameters = {
        "reference_id": "order-1",
        "order": {"status": "shipped", "description": description},
    }
    return interactive("order_status", {"name": "review_order", "parameters": parameters})


URL_BUTTON = {
    "type": "cta_url",
    "cta_url": {"display_text": "Track", "url": "https://example.com/t/1"},
}


def direct(*items: Any, **beside: Any) -> dict[str, Any]:
    return {**buttons(*items), "category": "utility", **beside}


def product(retailer_id: str) -> dict[str, Any]:
    action = {"catalog_id": "7", "product_retailer_id": retailer_id}
    return interactive("product", action, body=None)


def products(counts: list[int]) -> dict[str, Any]:
    groups = [
        {
            "title": f"Section {place}",
            "product_items": [{"product_retailer_id": f"p{place}-{n}"} for n in range(count)],
        }
        for place, count in enumerate(counts)
    ]
    return interactive(
        "product_list",
        {"catalog_id": "7", "sections": groups},
        header={"type": "text", "text": "Shop"},
    )


def contacts(count: int) -> dict[str, Any]:
    name = {"formatted_name": "Ada Lovelace", "first_name": "Ada"}
    return {"type": "contacts", "contacts": [{"name": name}] * count}


def location(latitude: float = 0, longitude: float = 0) -> dict[str, Any]:
    return {"type": "location", "location": {"latitude": latitude, "longitude": longitude}}


def template(name: str = "hello", *components: Any) -> dict[str, Any]:
    language = {"code": "en", "policy": "deterministic"}
    return {
        "type": "template",
        "template": {"name": name, "language": language, "components": list(components)},
    }


def template_button(place: int) -> dict[str, Any]:
    payload = {"type": "payload", "payload": "/yes"}
    return {
        "type": "button",
        "sub_type": "quick_reply",
        "index": str(place),
        "parameters": [payload],
    }


def coupon(code: str) -> dict[str, Any]:
    parameter = {"type": "coupon_code", "coupon_code": code}
    return {"type": "button", "sub_type": "copy_code", "index": "0", "parameters": [parameter]}


MEDIA_ID = "the uploaded file"
TABLE = [
    upto("TEXT_BODY", 4096, lambda n: {"type": "text", "text": {"body": "x" * n}}, TOO_LONG),
    *(
        upto("CAPTION", 1024, lambda n, kind=kind: media(kind, caption="x" * n), about=kind)
        for kind in ("image", "video", "document")
    ),
    upto("FILENAME", 240, lambda n: media("document", filename="x" * n)),
    upto("CONTACTS", 257, contacts),
    Row("LATITUDE", 90, 90.01, lambda n: location(latitude=n), INVALID, about="north"),
    Row("LATITUDE", -90, -90.01, lambda n: location(latitude=n), INVALID, about="south"),
    Row("LONGITUDE", 180, 180.01, lambda n: location(longitude=n), INVALID, about="east"),
    Row("LONGITUDE", -180, -180.01, lambda n: location(longitude=n), INVALID, about="west"),
    upto("BUTTONS", 3, lambda n: buttons(*map(button, range(n)))),
    upto("BUTTON_TITLE", 20, lambda n: buttons(button(title="x" * n))),
    upto("BUTTON_ID", 256, lambda n: buttons(button(payload="x" * n))),
    upto("INTERACTIVE_BODY", 1024, lambda n: buttons(body="x" * n)),
    upto("HEADER_TEXT", 60, lambda n: buttons(header={"type": "text", "text": "x" * n})),
    upto("FOOTER", 60, lambda n: buttons(footer={"text": "x" * n})),
    upto("LIST_BODY", 4096, lambda n: one_list(body="x" * n), apis=CLOUD),
    upto(
        "INTERACTIVE_BODY",
        1024,
        lambda n: one_list(body="x" * n),
        apis=("on_premises", "turn"),
        about="of a list",
    ),
    upto("LIST_BUTTON", 20, lambda n: one_list(button="x" * n)),
    upto("LIST_SECTIONS", 10, lambda n: one_list(sections=sections(n)), SECTIONS),
    upto("LIST_ROWS", 10, lambda n: one_list(sections=[{"rows": [*map(row, range(n))]}]), ROWS),
    upto("LIST_ROWS", 10, rows_in_two_sections, ROWS, about="over all sections"),
    upto(
        "SECTION_TITLE",
        24,
        lambda n: one_list(sections=[{"title": "x" * n, "rows": [row()]}]),
    ),
    upto("ROW_TITLE", 24, lambda n: one_list(sections=[{"rows": [row(title="x" * n)]}])),
    upto(
        "ROW_DESCRIPTION", 72, lambda n: one_list(sections=[{"rows": [row(description="x" * n)]}])
    ),
    upto("ROW_ID", 200, lambda n: one_list(sections=[{"rows": [row(id="x" * n)]}])),
    upto("CTA_DISPLAY_TEXT", 20, lambda n: cta(text="x" * n), apis=CLOUD),
    upto("URL", 2000, lambda n: cta(url="https://a.example/".ljust(n, "x")), apis=CLOUD),
    Row("CARDS_MIN", 2, 1, cards, INVALID, apis=CLOUD),
    upto("CARDS", 10, cards, apis=CLOUD),
    upto("CARD_BODY", 160, lambda n: cards(body="x" * n), apis=CLOUD),
    upto("CARD_BODY_LINE_BREAKS", 2, lambda n: cards(body="x" + "\nx" * n), apis=CLOUD),
    upto("CARD_BUTTONS", 3, lambda n: cards(action=quick_replies(n)), apis=CLOUD),
    upto("FLOW_CTA", 30, lambda n: flow("x" * n)),
    upto("VOICE_CALL_PAYLOAD", 512, lambda n: call(payload="x" * n), apis=CLOUD),
    Row("CALL_TTL", 43_200, 43_201, lambda n: call(ttl_minutes=n), INVALID, CLOUD, "at most"),
    Row("CALL_TTL", 1, 0, lambda n: call(ttl_minutes=n), INVALID, CLOUD, "at least"),
    upto("ORDER_REFERENCE", 35, lambda n: order("x" * n), apis=CLOUD),
    upto("ORDER_DESCRIPTION", 120, lambda n: order_status("x" * n), apis=CLOUD),
    Row("ORDER_OFFSET", 100, 1000, lambda n: order(offset=n), INVALID, CLOUD),
    upto("DIRECT_BUTTONS", 10, lambda n: direct(*map(button, range(n))), apis=CLOUD),
    upto("DIRECT_URL_BUTTONS", 2, lambda n: direct(*[URL_BUTTON] * n), apis=CLOUD),
    Row("DIRECT_TTL", 43_200, 43_201, lambda n: direct(ttl_seconds=n), KEY, CLOUD, "at most"),
    Row("DIRECT_TTL", 30, 29, lambda n: direct(ttl_seconds=n), KEY, CLOUD, "at least"),
    upto("PRODUCT_SECTIONS", 10, lambda n: products([1] * n), SECTIONS),
    upto("PRODUCTS", 30, lambda n: products([15, n - 15])),
    upto("PRODUCT_RETAILER_ID", 100, lambda n: product("x" * n)),
    upto("TEMPLATE_NAME", 512, lambda n: template("x" * n)),
    upto("TEMPLATE_BUTTONS", 10, lambda n: template("hello", template_button(n - 1))),
    upto("TEMPLATE_COUPON_CODE", 20, lambda n: template("hello", coupon("x" * n))),
    upto(
        "CALLBACK_DATA",
        512,
        lambda n: {"type": "text", "text": {"body": "x"}, "biz_opaque_callback_data": "x" * n},
        apis=CLOUD,
    ),
]
FILES = {"MEDIA_BYTES", "STICKER_STATIC_BYTES", "STICKER_PIXELS", "MEDIA_TYPES", "MEDIA_URL_LIFE"}
ELSEWHERE = {
    **dict.fromkeys(
        ("TEMPLATE_BUTTON_TEXT", "TEMPLATE_OFFER", "TEMPLATE_URL", "TEMPLATE_CARD_BUTTONS"),
        "of templates when they are created: tests/unit/whatsapp/test_template_rules.py",
    ),
    **dict.fromkeys(
        ("TEMPLATE_OFFER_BODY", "TEMPLATE_TTL"),
        "of templates when they are created: tests/unit/whatsapp/test_documented_templates.py",
    ),
    "FLOW_CTA_SURE": "another page says 30, and that is what it takes",
    "CARD_BUTTON_ID": "the page says 20 and may mean 256; composing keeps to the smaller",
    "PINS": "of several messages, not of one: test_who.py",
    "PIN_DAYS": "of groups only: tests/unit/compose/test_groups.py",
    "VOICE_PLAY_BYTES": "a larger voice message is taken, and shown with another icon",
    "WEBHOOK_BYTES": "of what WhatsApp sends to us: tests/integration/test_door.py",
    "THREAD_METADATA": "of thread_control, not of a message: test_owners.py",
    "TYPING": "how long the phone shows it",
    "WINDOW": "it runs out by the clock: test_window.py and the sender's tests",
    "PAIR_INTERVAL": "of many messages, not of one",
    "PAIR_BURST": "of many messages, not of one",
    "MESSAGES_PER_SECOND": "of many messages, not of one",
}
UNITS = {"KB", "MB"}


def test_every_limit_has_a_row():
    known = {name for name in vars(limits) if name.isupper()}

    assert {row.limit for row in TABLE} | FILES | set(ELSEWHERE) | UNITS == known


class Business:
    """A bot of one API, with a file that was uploaded."""

    def __init__(self, simulator: Any, api: str) -> None:
        self.simulator, self.api = simulator, api
        self.headers: dict[str, str] = {}
        self.sent = 0  # files

    async def log_in(self) -> None:
        if self.api == "on_premises":
            self.headers = await self.simulator.login()
        elif self.api == "360dialog":
            self.headers = {"D360-API-KEY": "simulator-token"}
        else:
            self.headers = {"Authorization": "Bearer simulator-token"}

    async def uploads(self, content: bytes, mime_type: str) -> tuple[int, Any]:
        if self.api not in CLOUD:
            headers = {**self.headers, "Content-Type": mime_type}
            data = io.BytesIO(content)
            return await self.simulator.call("POST", "/v1/media", data=data, headers=headers)
        form = aiohttp.FormData()
        form.add_field("messaging_product", "whatsapp")
        form.add_field("type", mime_type)
        form.add_field("file", io.BytesIO(content), filename="file", content_type=mime_type)
        path = f"/v26.0/{NUMBER}/media" if self.api == "cloud" else "/media"
        return await self.simulator.call("POST", path, data=form, headers=self.headers)

    async def file(self, content: bytes, mime_type: str) -> str:
        status, answer = await self.uploads(content, mime_type)
        assert status == 200, answer
        return str(answer["id"] if self.api in CLOUD else answer["media"][0]["id"])

    async def sends(self, message: dict[str, Any]) -> tuple[int, Any]:
        envelope = {"to": TO, **({"messaging_product": "whatsapp"} if self.api in CLOUD else {})}
        if self.api in CLOUD and message["type"] == "template":
            message["template"]["language"].pop("policy")
        path = {"cloud": f"/v26.0/{NUMBER}/messages", "360dialog": "/messages"}
        return await self.simulator.post(
            path.get(self.api, "/v1/messages"), {**envelope, **message}, headers=self.headers
        )

    async def status_of(self, kind: str, media_id: str) -> list[int]:
        """Send a file and return the codes it failed with; none if it arrived."""
        status, answer = await self.sends({"type": kind, kind: {"id": media_id}})
        assert status == 200, answer
        message_id = answer["messages"][0]["id"]
        self.sent += 1
        (shown,) = [m for m in await self.simulator.shows(self.sent) if m["id"] == message_id]
        return [error["code"] for error in shown["errors"]]


def code_of(answer: dict[str, Any]) -> int:
    return int(answer["error"]["code"] if "error" in answer else answer["errors"][0]["code"])


def with_file(value: Any, media_id: str) -> Any:
    """Put the id of the uploaded file where a row says so."""
    if isinstance(value, dict):
        return {key: with_file(inner, media_id) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_file(inner, media_id) for inner in value]
    return media_id if value == MEDIA_ID else value


@pytest.fixture
async def business(start: Any, request: pytest.FixtureRequest) -> Business:
    business = Business(await start(request.param), request.param)
    await business.log_in()
    return business


@pytest.mark.parametrize(
    ("row", "business"),
    [pytest.param(row, api, id=f"{row} {api}") for row in TABLE for api in row.apis],
    indirect=["business"],
)
async def test_just_inside_is_taken_and_just_outside_refused(business, row):
    media_id = await business.file(b"%PDF-1.4", "application/pdf")

    status, answer = await business.sends(with_file(row.make(row.inside), media_id))
    assert status == 200, answer

    status, answer = await business.sends(with_file(row.make(row.outside), media_id))
    assert status == 400, answer
    assert code_of(answer) == row.code.get(business.api, row.code["else"]), answer
    # The rule is said in words; where it has a number that people know, with it.
    assert answer["simulator"]["rule"]


OGG = "audio/ogg; codecs=opus"
SIZES = [
    ("audio", OGG, 16 * MB),
    ("image", "image/png", 5 * MB),
    ("video", "video/mp4", 16 * MB),
    ("document", "application/pdf", 100 * MB),
]


def sticker(size: int, *, pixels: int = 512, moving: bool = False) -> bytes:
    """The head of a WebP with an extended header: flags, then width and height less one."""
    side = (pixels - 1).to_bytes(3, "little")
    head = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0" + (b"\2" if moving else b"\0") + b"\0\0\0"
    return (head + side + side).ljust(size, b"\0")


async def fits(business: Business, kind: str, content: bytes, mime_type: str) -> list[int]:
    """Return the codes a file is refused with, when it is uploaded or after it was sent."""
    status, answer = await business.uploads(content, mime_type)
    if status != 200:
        return [code_of(answer)]
    media_id = str(answer["id"] if business.api in CLOUD else answer["media"][0]["id"])
    return await business.status_of(kind, media_id)


# The Cloud API looks at an upload; an on-premises client only when the file is sent.
UPLOAD = {"on_premises": 1009, "else": 131053}
SENDING = {"on_premises": 1014, "else": 131053}


@pytest.mark.parametrize("business", ALL, indirect=True)
@pytest.mark.parametrize(("kind", "mime_type", "most"), SIZES, ids=[kind for kind, *_ in SIZES])
async def test_a_file_has_at_most_so_many_bytes(business, kind, mime_type, most):
    assert limits.MEDIA_BYTES[kind] == most
    content = b"%PDF-1.4".ljust(most, b"\0") if kind == "document" else bytes(most)

    assert await fits(business, kind, content, mime_type) == []
    codes = UPLOAD if kind == "document" else SENDING
    too_much = await fits(business, kind, content + b"\0", mime_type)
    assert too_much == [codes.get(business.api, codes["else"])]


@pytest.mark.parametrize("business", ALL, indirect=True)
async def test_a_sticker_has_its_size_in_bytes_and_pixels(business):
    code = [SENDING.get(business.api, SENDING["else"])]

    assert await fits(business, "sticker", sticker(100 * KB), "image/webp") == []
    assert await fits(business, "sticker", sticker(100 * KB + 1), "image/webp") == code
    assert await fits(business, "sticker", sticker(100, pixels=511), "image/webp") == code
    moving = await fits(business, "sticker", sticker(500 * KB, moving=True), "image/webp")
    assert moving == ([] if business.api in CLOUD else code)
    large = await fits(business, "sticker", sticker(500 * KB + 1, moving=True), "image/webp")
    assert large == code


OFFICE = "application/vnd.openxmlformats-officedocument"
TYPES = {
    "audio": ["audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"],
    "document": [
        "text/plain",
        "application/pdf",
        "application/msword",
        f"{OFFICE}.wordprocessingml.document",
        "application/vnd.ms-excel",
        f"{OFFICE}.spreadsheetml.sheet",
        "application/vnd.ms-powerpoint",
        f"{OFFICE}.presentationml.presentation",
    ],
    "image": ["image/jpeg", "image/png"],
    "sticker": ["image/webp"],
    "video": ["video/mp4", "video/3gpp"],
}
OTHERS = {
    "audio": "audio/flac",
    "document": "application/zip",
    "image": "image/gif",
    "sticker": "image/avif",
    "video": "video/webm",
}


@pytest.mark.parametrize("business", ALL, indirect=True)
async def test_each_kind_takes_its_types_and_no_other(business):
    assert {kind: set(types) for kind, types in TYPES.items()} == limits.MEDIA_TYPES

    for kind, types in TYPES.items():
        for mime_type in types:
            full = OGG if mime_type == "audio/ogg" else mime_type
            assert await fits(business, kind, b"some bytes", full) == [], full
        other = await fits(business, kind, b"some bytes", OTHERS[kind])
        if business.api in CLOUD:  # refused at once
            assert other == [100], kind
        elif kind == "document":  # any valid type
            assert other == []
        else:
            assert other == [SENDING.get(business.api, SENDING["else"])], kind


@pytest.mark.parametrize("business", ["cloud"], indirect=True)
async def test_the_address_of_a_file_lives_five_minutes(business):
    assert limits.MEDIA_URL_LIFE == 300
    simulator = business.simulator
    media_id = await business.file(b"%PDF-1.4", "application/pdf")
    _, info = await simulator.get(f"/v26.0/{media_id}", headers=business.headers)

    simulator.clock.now += 300
    async with simulator.session.get(info["url"], headers=business.headers) as answer:
        assert (answer.status, await answer.read()) == (200, b"%PDF-1.4")
    simulator.clock.now += 1
    async with simulator.session.get(info["url"], headers=business.headers) as answer:
        assert answer.status == 404
