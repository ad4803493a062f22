"""Whatever makes a file impossible, and whenever that is found out: only the file goes."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.fake_transport import answer

from rasa_whatsapp_channel.compose.composer import Composer
from rasa_whatsapp_channel.conversation.message_notes import trace_key
from rasa_whatsapp_channel.outbound.policy import SendPolicy
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.whatsapp.apis import CLOUD
from rasa_whatsapp_channel.whatsapp.error_codes import CLOUD_CODES, decide_verdict
from rasa_whatsapp_channel.whatsapp.errors import (
    APIError,
    MediaError,
    PlatformError,
    TransportError,
)
from rasa_whatsapp_channel.whatsapp.events import Status, from_body
from rasa_whatsapp_channel.whatsapp.messages import (
    Audio,
    Button,
    Card,
    CardButton,
    Component,
    CtaUrl,
    Document,
    Flow,
    Header,
    Image,
    Media,
    MediaCarousel,
    Message,
    OtherInteractive,
    Parameter,
    ReplyButtons,
    Sticker,
    Template,
    Text,
    Video,
    find_media,
    parse,
)

from .conftest import PHONE, FakeClient, Office

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
MP4 = b"\0\0\0\x18ftypmp42" + b"\0" * 64
MP3 = b"ID3" + b"\0" * 64
WEBP = b"RIFF\x40\0\0\0WEBPVP8 " + b"\0" * 64
PDF = b"%PDF-1.7\n" + b"\0" * 64
CONTENT = {"image": PNG, "video": MP4, "audio": MP3, "sticker": WEBP, "document": PDF}
LINK = "https://shop.example/file"
GOOD = Media(id="1037543291543634")

# what one message shows: its text, what can be tapped, whether there is a file above it
Shown = tuple[str, tuple[str, ...], bool]


@dataclass(frozen=True)
class Kind:
    """A kind of message with a file: *file* is what it holds, *left* what stays without it."""

    file: str
    make: Callable[[Media], Message]
    left: tuple[Shown, ...] = ()
    #: Which of *left* the link of the file joins.
    joins: int = 0


PAY = (Button("/now", "Pay now"), Button("/later", "Later"))
FLOW = {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Book"}
ADDRESS = {
    "type": "address_message",
    "body": {"text": "Where to?"},
    "action": {"name": "address_message", "parameters": {"country": "IN"}},
}


def buttons(kind: str) -> Callable[[Media], Message]:
    return lambda file: ReplyButtons(
        "Your invoice is 42 EUR", Header(kind, media=file), "Until Friday", buttons=PAY
    )


def carousel(**what: Any) -> Callable[[Media], Message]:
    return lambda file: MediaCarousel(
        "Our lakes", cards=(Card(file, "image", "One", **what), Card(GOOD, "image", "Two", **what))
    )


def template(*cards: str) -> Callable[[Media], Message]:
    def make(file: Media) -> Message:
        header = Component("header", (Parameter("image", file),))
        if not cards:
            return Template("menu", "en", (header,))
        return Template("menu", "en", (Component("carousel", cards=((header,), (header,))),))

    return make


INVOICE: Shown = ("Your invoice is 42 EUR", ("Pay now", "Later"), False)
OPEN = {"display_text": "Open", "url": "https://a.example"}
KINDS: Mapping[str, Kind] = {
    "image": Kind("image", lambda file: Image(file, "Our lake"), (("Our lake", (), False),)),
    "video": Kind("video", lambda file: Video(file, "Our lake"), (("Our lake", (), False),)),
    "document": Kind(
        "document", lambda file: Document(file, "Our menu"), (("Our menu", (), False),)
    ),
    "image without a caption": Kind("image", Image),
    "audio": Kind("audio", Audio),
    "sticker": Kind("sticker", Sticker),
    "buttons below an image": Kind("image", buttons("image"), (INVOICE,)),
    "buttons below a video": Kind("video", buttons("video"), (INVOICE,)),
    "buttons below a document": Kind("document", buttons("document"), (INVOICE,)),
    "a link button": Kind(
        "image",
        lambda file: CtaUrl("See", Header("image", media=file), **OPEN),
        (("See", ("Open",), False),),
    ),
    "a form": Kind(
        "image",
        lambda file: Flow("Book a table", Header("image", media=file), parameters=FLOW),
        (("Book a table", ("Book",), False),),
    ),
    "cards with links": Kind(
        "image",
        carousel(**OPEN),
        (("Our lakes", (), False), ("One", ("Open",), False), ("Two", ("Open",), True)),
        joins=1,
    ),
    "cards with buttons": Kind(
        "image",
        carousel(buttons=(CardButton("/a", "Book"), CardButton("/b", "Later"))),
        (
            ("Our lakes", (), False),
            ("One", ("Book", "Later"), False),
            ("Two", ("Book", "Later"), True),
        ),
        joins=1,
    ),
    "a template": Kind("image", template()),
    "a template with cards": Kind("image", template("one", "two")),
}


class Phone(FakeClient):
    """
    A platform that refuses a file in its answer or in a status, and what the person sees.

    *refuses*: the code with which it refuses what holds the file, whichever id it has by now.
    """

    is_local = True

    def __init__(self) -> None:
        super().__init__()
        self.refuses = 0
        self.when = "answer"
        self.refuses_upload: APIError | None = None
        self.bad = {"1111"}
        self.failed: list[str] = []
        self.shown: dict[str, Message] = {}
        self.notes: list[str] = []

    async def upload(self, file: Any) -> str:
        if self.refuses_upload:
            raise self.refuses_upload
        media_id = await super().upload(file)
        self.bad.add(media_id)
        return media_id

    async def send(self, recipient_id: str, message: Message, **more: Any) -> str:
        bad = any(file.id in self.bad or file.link for file in find_media(message))
        if self.refuses and bad and self.when == "answer":
            raise refusal(self.refuses)
        accepted = await super().send(recipient_id, message, **more)
        self.notes.append((more.get("local_headers") or {}).get("X-Rasa-Response", ""))
        if self.refuses and bad:
            self.failed.append(accepted.message_id)
        else:
            self.shown[accepted.message_id] = parse(message.body())
        return accepted


def refusal(code: int, status: int = 400) -> APIError:
    verdict = decide_verdict(CLOUD_CODES, code=code, status=status)
    return APIError(
        PlatformError(code, "Parameter value is not valid"), status=status, verdict=verdict
    )


def show(message: Message) -> Shown:
    """Return what a person sees of *message*."""
    body = message.body()
    content: Any = body[body["type"]]
    if isinstance(message, OtherInteractive):
        return content["body"]["text"], (content["type"],), "header" in content
    action = content.get("action", {})
    titles = [button["reply"]["title"] for button in action.get("buttons", ())]
    parameters = action.get("parameters", {})
    titles += [parameters[key] for key in ("display_text", "flow_cta") if key in parameters]
    text = content.get("caption") or content.get("body") or ""
    text = text["text"] if isinstance(text, dict) else text
    return text, tuple(titles), any(find_media(message))


async def settle(office: Office) -> list[Shown]:
    """Go on until nothing waits any more; return what the person sees."""
    phone = office.client
    assert isinstance(phone, Phone)
    for _ in range(60):
        await office.run()
        while phone.failed:
            errors = (PlatformError(phone.refuses, "Media upload error"),)
            status = Status(phone.failed.pop(0), "failed", recipient_id=PHONE, errors=errors)
            await office.statuses.note(status)
        waiting = await office.store.outbox.waiting()
        if not waiting:
            return [show(message) for message in phone.shown.values()]
        due = [row.due_at for row in waiting if row.due_at is not None]
        office.clock.now = max(office.clock.now, *due) if due else office.clock.now
    raise AssertionError("it does not come to an end")


@pytest.fixture
def office(office: Office) -> Office:
    office.client = Phone()
    office.make_sender()
    return office


# found out while the message is prepared


def with_file(name: str, content: bytes) -> Callable[[Office, Path, str], Media]:
    def place(office: Office, folder: Path, kind: str) -> Media:
        (folder / name).write_bytes(content)
        return Media(path=name)

    return place


def missing(office: Office, folder: Path, kind: str) -> Media:
    return Media(path="missing.bin")


def outside(office: Office, folder: Path, kind: str) -> Media:
    (folder.parent / "outside.bin").write_bytes(CONTENT[kind])
    return Media(path="../outside.bin")


def never_sent(office: Office, folder: Path, kind: str) -> Media:
    (folder / "credentials.yml").write_bytes(CONTENT[kind])
    return Media(path="credentials.yml")


def in_a_store(office: Office, folder: Path, kind: str) -> Media:
    return Media(path="s3://bucket/inner/file.bin")


def not_converted(office: Office, folder: Path, kind: str) -> Media:
    class Broken:
        async def fit(self, *file: Any) -> Path:
            raise MediaError("costs more time or memory to convert than is allowed")

    office.make_sender(converter=Broken())
    return (
        with_file("odd.bin", b"odd")(office, folder, kind)
        if kind != "document"
        else missing(office, folder, kind)
    )


def upload_is_refused(office: Office, folder: Path, kind: str) -> Media:
    office.client.refuses_upload = refusal(100)  # type: ignore[attr-defined]
    return with_file("file.bin", CONTENT[kind])(office, folder, kind)


def upload_is_switched_off(office: Office, folder: Path, kind: str) -> Media:
    office.make_sender(upload="never")
    return with_file("file.bin", CONTENT[kind])(office, folder, kind)


def at_link(reply: Any, link: str = LINK) -> Callable[[Office, Path, str], Media]:
    def place(office: Office, folder: Path, kind: str) -> Media:
        office.make_sender(upload="always")
        office.servers.files[link] = reply
        return Media(link=link)

    return place


def private(office: Office, folder: Path, kind: str) -> Media:
    office.make_sender(upload="always", private_links=False)
    return Media(link="http://10.0.0.7/invoice.pdf")


PREPARING = {
    "does not exist": missing,
    "lies outside of the folders": outside,
    "is never sent": never_sent,
    "is empty": with_file("empty.bin", b""),
    "lies in a store that may not be read": in_a_store,
    "cannot be converted": not_converted,
    "is refused when it is uploaded": upload_is_refused,
    "may not be uploaded": upload_is_switched_off,
    "lies in a private network": private,
    "is not at its link": at_link(answer(b"", status=404)),
    "is gone from its link": at_link(answer(b"", status=410)),
    "is forbidden at its link": at_link(answer(b"", status=403)),
    "is behind a link that redirects to a private network": at_link(
        answer(b"", status=302, headers={"location": "http://"})
    ),
    "is on a server that is down": at_link(TransportError("connection refused", reached=False)),
    "is on a server that is busy": at_link(answer(b"", status=503)),
    "is not what it is called": at_link(answer(b"<html>not found</html>")),
}


@pytest.mark.parametrize("reason", PREPARING)
@pytest.mark.parametrize("name", KINDS)
async def test_a_file_that_cannot_be_had_takes_nothing_with_it(office, tmp_path, name, reason):
    kind = KINDS[name]
    if (kind.file, reason) == ("document", "is not what it is called"):
        pytest.skip("a document may be anything")
    file = PREPARING[reason](office, tmp_path, kind.file)
    await office.put("1", kind.make(file))
    await office.put("2", Text("and this"))

    shown = await settle(office)

    assert shown == [*expected(kind, file), ("and this", (), False)]
    await check_said(office, kind, file)


# found out from WhatsApp


CODES = (131053, 131052, 100)  # all of them are in test_recovery.py
SOURCES = {
    "link": lambda office, folder, kind: at_link(answer(CONTENT[kind]))(office, folder, kind),
    "path": lambda office, folder, kind: with_file("f.bin", CONTENT[kind])(office, folder, kind),
    "id": lambda office, folder, kind: Media(id="1111"),
}


@pytest.mark.parametrize("when", ["answer", "status"])
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", KINDS)
async def test_a_file_that_whatsapp_refuses_takes_nothing_with_it(
    office, tmp_path, name, source, code, when
):
    kind = KINDS[name]
    office.client.refuses, office.client.when = code, when
    file = SOURCES[source](office, tmp_path, kind.file)
    office.make_sender()
    await office.put("1", kind.make(file))

    shown = await settle(office)

    if when == "status":  # what is told of a card comes when the next one may be there already
        assert sorted(shown) == sorted(expected(kind, file))
    else:
        assert shown == expected(kind, file)
    await check_said(office, kind, file, code=code)


def expected(kind: Kind, file: Media) -> list[Shown]:
    """Return what the person sees: all but the file, whose link stands there if it is public."""
    left = list(kind.left)
    if file.link != LINK or kind.make(file).type == "template":
        return left
    if not left:
        return [(LINK, (), False)]
    text, titles, has_file = left[kind.joins]
    left[kind.joins] = (f"{text}\n{LINK}", titles, has_file)
    return left


async def check_said(office: Office, kind: Kind, file: Media, code: int = 0) -> None:
    """See that the simulator shows what was lost, and that the bot hears where nothing is left."""
    if expected(kind, file):
        codes = {
            change["code"]
            for note in office.client.notes  # type: ignore[attr-defined]
            for change in json.loads(note or '{"changes": []}')["changes"]
        }
        assert ("WA802" if file.link == LINK else "WA801") in codes
        assert ("WA803" in codes) == (
            kind.make(file).body().get("interactive", {}).get("type") == "carousel"
        )
        assert await office.store.inbox.claim() is None
        return
    item = await office.store.inbox.claim()
    assert item is not None
    event = from_body(item.body)
    assert (event.response, event.code) == ("utter_x", code or event.code)  # type: ignore[union-attr]
    assert event.reason  # type: ignore[union-attr]


# one by one


RESPONSE = {
    "text": "Your invoice is 42 EUR. What now?",
    "buttons": [
        {"title": "Pay now", "payload": "/now"},
        {"title": "Later", "payload": "/later"},
    ],
    "utter_action": "utter_invoice",
}
WHAT_NOW: Shown = ("Your invoice is 42 EUR. What now?", ("Pay now", "Later"), False)


def warnings(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def say(office: Office, **more: Any) -> None:
    await OutboxWriter(office.store, Composer(CLOUD), turn_id="wamid.in").write(
        PHONE, {**RESPONSE, **more}
    )


async def test_a_missing_file_takes_neither_the_text_nor_the_buttons_with_it(office, caplog):
    await say(office, image="media/missing.jpg")

    assert await settle(office) == [WHAT_NOW]
    [line] = warnings(caplog)
    assert line.startswith("whatsapp.changed: utter_invoice: the image is left out")
    assert "media/missing.jpg: does not exist" in line


async def test_a_refused_link_takes_neither_the_text_nor_the_buttons_with_it(office, caplog):
    office.client.refuses = 131053
    began = office.clock.now

    await say(office, image=LINK)

    text, titles, _ = WHAT_NOW
    assert await settle(office) == [(f"{text}\n{LINK}", titles, False)]
    assert office.clock.now - began < 2
    [line] = warnings(caplog)
    assert line.endswith(f"its link stands in the text: {LINK}: answers HTTP 404 [WA802]")


async def test_a_pdf_that_is_called_jpg_takes_nothing_with_it(office, tmp_path):
    (tmp_path / "menu.jpg").write_bytes(PDF)

    await say(office, image="menu.jpg")

    assert await settle(office) == [WHAT_NOW]


async def test_a_file_server_that_fails_once_costs_nothing_but_a_moment(office):
    office.make_sender(upload="always")
    office.servers.files[LINK] = [answer(b"", status=500), answer(PNG)]

    await say(office, image=LINK)

    assert await settle(office) == [(WHAT_NOW[0], WHAT_NOW[1], True)]
    assert office.client.uploaded == [PNG]
    assert office.servers.asked == [LINK, LINK]


async def test_a_file_server_that_is_down_is_asked_for_about_a_minute(office):
    office.make_sender(upload="always")
    office.servers.files[LINK] = answer(b"", status=502)
    began = office.clock.now

    await say(office, image=LINK)
    await settle(office)

    assert len(office.servers.asked) == 6
    assert 60 <= office.clock.now - began < 70


INNER = [
    *("http://10.0.0.7/file", "http://127.0.0.1:8080/file", "http://[::1]/file"),
    *("http://169.254.169.254/latest", "http://0x7f000001/file", "http://localhost/file"),
    *("http://files/file", "http://files.internal/file", "http://nas.local/file"),
    *("https://anna:secret@shop.example/file", "https://inner.example/file"),
    "https://unknown.example/file",
]


@pytest.mark.parametrize("link", INNER)
async def test_nobody_reads_an_address_of_ones_own_network_or_a_login(office, caplog, link):
    office.servers.addresses["inner.example"] = "10.0.0.7"
    office.make_sender(upload="always", private_links=True)

    await say(office, image=link)
    await office.put("2", Image(Media(link=link), caption="Look"))
    await office.put("3", Image(Media(link=link)))

    assert await settle(office) == [WHAT_NOW, ("Look", (), False)]
    assert "secret" not in caplog.text


async def test_a_link_that_needs_a_login_of_the_client_is_not_shown(office):
    office.client.refuses = 1014
    file = Media(link=LINK, provider="shop")
    await office.put("1", Image(file, caption="Look"))

    assert await settle(office) == [("Look", (), False)]


async def test_a_link_that_does_not_fit_into_the_text_of_buttons_goes_before_them(office):
    text = "a" * 1024
    file = Header("image", media=Media(link=LINK))
    office.make_sender(upload="always")
    await office.put("1", ReplyButtons(text, file, buttons=PAY))

    assert await settle(office) == [(LINK, (), False), (text, ("Pay now", "Later"), False)]


async def test_a_message_that_is_not_known_here_goes_without_the_header_that_is_refused(office):
    value = {**ADDRESS, "header": {"type": "image", "image": {"link": LINK}}}
    office.client.answers = [refusal(131053)]
    await office.put("1", OtherInteractive(None, value=value))

    assert await settle(office) == [("Where to?", ("address_message",), False)]


async def test_the_message_that_was_quoted_still_is(office):
    await office.store.outbox.put(
        "1",
        PHONE,
        {
            "recipient_id": PHONE,
            "message": {
                **Image(Media(path="missing.png"), "Look").body(),
                "context": {"message_id": "wamid.in"},
            },
        },
    )
    await office.step()  # finds the file missing
    await office.step()  # and what is left without it

    [row] = await office.store.outbox.waiting()
    assert row.body["message"]["type"] == "text"
    assert row.body["message"]["context"] == {"message_id": "wamid.in"}


async def test_a_template_says_what_it_cannot_go_without(office, caplog):
    await office.put("1", template()(Media(path="missing.png")))

    assert await settle(office) == []
    [letter] = await office.store.outbox.dead_letters()
    assert "a template that has a file in its header cannot go without it" in letter.reason
    assert "missing.png: does not exist" in letter.reason


# what one message became


CARDS = carousel(**OPEN)(Media(path="missing.png"))


async def test_nothing_overtakes_the_messages_that_a_carousel_became(office):
    await office.put("1", CARDS)
    await office.put("2", Text("and this"))

    assert [text for text, _, _ in await settle(office)] == ["Our lakes", "One", "Two", "and this"]


async def test_each_waits_for_the_file_before_it(office):
    cards = MediaCarousel(
        "Our lakes",
        cards=tuple(
            Card(file, "image", text, **OPEN)
            for file, text in [(GOOD, "One"), (Media(path="missing.png"), "Two")]
        ),
    )
    await office.put("1", cards)
    await office.run()
    assert [show(message)[0] for message in office.client.shown.values()] == ["Our lakes", "One"]

    await office.statuses.note(Status("wamid.2", "delivered", recipient_id=PHONE))
    await office.run()

    assert [show(message)[0] for message in office.client.shown.values()][-1] == "Two"


@pytest.mark.parametrize("sent", [1, 2, 3])
async def test_a_crash_between_them_doubles_and_loses_none(office, sent):
    office.make_sender(policy=SendPolicy(wait_for_delivered="none"))
    await office.put("1", CARDS)
    await office.step()  # finds the file missing
    for _ in range(sent - 1):
        await office.step()
    # WhatsApp took this one, and the process died before the entry was ended.
    await office.sender.handle(await office.crash_with_message_in_hand())

    assert [text for text, _, _ in await settle(office)] == ["Our lakes", "One", "Two"]


async def test_one_that_is_refused_for_good_keeps_none_of_the_others_back(office):
    await office.put("1", CARDS)
    await office.step()
    office.client.answers = [None, refusal(131026)]

    assert [text for text, _, _ in await settle(office)] == ["Our lakes", "Two"]
    [letter] = await office.store.outbox.dead_letters()
    assert letter.key == "1:part-2"
    assert letter.body["message"]["interactive"]["body"] == {"text": "One"}

    await office.store.outbox.requeue(letter.key)

    assert [text for text, _, _ in await settle(office)] == ["Our lakes", "Two", "One"]


async def test_a_status_of_one_of_them_belongs_to_the_trace_of_the_whole(office):
    await office.put("1", CARDS)
    await settle(office)

    assert office.client.callback_data == ["1:part-1", "1:part-2", "1:part-3"]
    assert {trace_key(key) for key in office.client.callback_data} == {trace_key("1")}


async def test_one_that_fails_later_is_sent_again_alone(office):
    await office.put("1", CARDS)
    await settle(office)

    errors = (PlatformError(131000, "Something went wrong"),)
    await office.statuses.note(Status("wamid.2", "failed", recipient_id=PHONE, errors=errors))

    shown = await settle(office)
    assert [text for text, _, _ in shown] == ["Our lakes", "One", "Two", "One"]


async def test_one_that_fails_before_its_answer_is_sent_again_before_the_next_message(office):
    async def fail_second() -> None:
        if len(office.client.sent) == 1:
            errors = (PlatformError(131000, "Something went wrong"),)
            await office.statuses.note(
                Status("wamid.2", "failed", recipient_id=PHONE, errors=errors)
            )

    office.client.before_answer = fail_second
    await office.put("1", CARDS)
    await office.put("2", Text("and this"))

    shown = await settle(office)

    assert [text for text, _, _ in shown] == ["Our lakes", "One", "Two", "One", "and this"]


async def test_buttons_that_may_not_stand_beside_each_other_are_all_there(office):
    same = (CardButton("/a", "Book"), CardButton("/b", "Book"), CardButton("/a", "Other"))
    file = Media(path="missing.png")
    cards = tuple(Card(file, "image", None, buttons=same) for _ in range(2))
    await office.put("1", MediaCarousel("Our lakes", cards=cards))

    shown = await settle(office)

    assert [titles for _, titles, _ in shown] == [(), *[("Book",), ("Book", "Other")] * 2]
