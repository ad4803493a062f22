"""Signatures as Standard Webhooks publishes them, and links to files that nobody else can make."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from rasa_whatsapp_channel.desk.contract import (
    Link,
    Refused,
    read_json,
    read_say,
    verify,
    verify_link,
    with_links,
)
from rasa_whatsapp_channel.standard_webhooks import sign
from rasa_whatsapp_channel.whatsapp.errors import WebhookRefused

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_it_signs_as_the_published_example() -> None:
    assert sign([SECRET], ID, BODY, AT) == {
        "webhook-id": ID,
        "webhook-timestamp": str(AT),
        "webhook-signature": SIGNATURE,
    }


@pytest.mark.parametrize("before", ["", "v1,aaaa ", "v2,zzzz v1a,pppp "])
@pytest.mark.parametrize("at", [AT, AT - 299, AT + 299])
def test_one_signature_of_several_is_enough_for_five_minutes(before: str, at: float) -> None:
    headers = sign(["other", SECRET], ID, BODY, AT)
    headers["webhook-signature"] = before + headers["webhook-signature"]
    verify([SECRET], headers, BODY, at)
    verify(["new", SECRET], headers, BODY, at)


@pytest.mark.parametrize(
    ("changes", "body", "at"),
    [
        ({}, BODY + b" ", AT),
        ({}, BODY, AT + 301),
        ({}, BODY, AT - 301),
        ({"webhook-id": "msg_other"}, BODY, AT),
        ({"webhook-timestamp": str(AT + 1)}, BODY, AT),
        ({"webhook-timestamp": "soon"}, BODY, AT),
        ({"webhook-timestamp": ""}, BODY, AT),
        ({"webhook-timestamp": "9" * 5000}, BODY, AT),
        ({"webhook-signature": ""}, BODY, AT),
        ({"webhook-signature": SIGNATURE.removeprefix("v1,")}, BODY, AT),
        ({"webhook-signature": "v1,ü"}, BODY, AT),
    ],
)
def test_everything_else_is_refused(changes: dict[str, str], body: bytes, at: float) -> None:
    with pytest.raises(WebhookRefused):
        verify([SECRET], {**sign([SECRET], ID, BODY, AT), **changes}, body, at)


def test_a_link_is_for_one_file_and_a_day() -> None:
    link = Link(SECRET, "https://bot.example", AT)("/var/media/2026-11-29/a b_1.jpg")
    url = urlsplit(link)
    name = unquote(url.path).partition("/media/")[2]
    query = dict(parse_qsl(url.query))
    assert (url.netloc, name) == ("bot.example", "2026-11-29/a b_1.jpg")
    verify_link([SECRET], name, query, AT + 86_000)
    for file, now, changes in (
        (name, AT + 90_000, {}),
        ("2026-11-29/other.jpg", AT, {}),
        (name, AT, {"expires": str(AT + 999_999)}),
        (name, AT, {"expires": "never"}),
        (name, AT, {"signature": ""}),
    ):
        with pytest.raises(WebhookRefused):
            verify_link([SECRET], file, {**query, **changes}, now)


def test_files_have_links_instead_of_paths() -> None:
    link = Link(SECRET, "https://bot.example", AT)
    media = {"path": "media/2026-11-29/a.jpg", "mime_type": "image/jpeg"}
    others = {"type": "audio", "media": {"id": "77"}}  # of a colleague, as WhatsApp has it
    kept = {"id": "evt_1", "message": {"media": media}, "history": [{"media": media}, others]}
    told = with_links(kept, link)
    linked = {"url": link(media["path"]), "mime_type": "image/jpeg"}
    assert told["message"] == told["history"][0] == {"media": linked}
    assert told["history"][1] == others
    assert with_links({"id": "evt_2"}, link) == {"id": "evt_2"}


@pytest.mark.parametrize("body", [b"<html>", b"\xff", b"[1]", b'"a"', b"[" * 100_000])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        read_json(body)
    assert refused.value.status == 422


def test_a_message_becomes_a_response() -> None:
    body = {"client_id": 7, "text": "Here", "reply_to": "wamid.1", "agent": {"name": "Eve"}}
    media = {"type": "document", "url": "https://a.example/b.pdf", "filename": "b.pdf"}
    say = read_say({**body, "media": media})
    assert (say.client_id, say.agent, say.take) == ("7", "Eve", True)
    assert say.response() == {
        "text": "Here",
        "attachment": [{"type": "document", "link": media["url"], "filename": "b.pdf"}],
        "custom": None,
        "metadata": {"whatsapp": {"reply_to": "wamid.1"}},
    }
