"""The file in a header is judged by the header's kind, as the file of a message is."""

import aiohttp
import pytest

NUMBER = "106540352242922"
TOKEN = {"Authorization": "Bearer simulator-token"}
TO = {"messaging_product": "whatsapp", "to": "4915112345678"}
PDF = ("application/pdf", b"%PDF-1.4")
TEXT = ("text/plain", b"Hello")
PNG = ("image/png", b"\x89PNG\r\n\x1a\n")


def buttons(header):
    reply = {"type": "reply", "reply": {"id": "/yes", "title": "Yes"}}
    inner = {
        "type": "button",
        "header": header,
        "body": {"text": "Well?"},
        "action": {"buttons": [reply]},
    }
    return {**TO, "type": "interactive", "interactive": inner}


def template(header):
    inner = {
        "name": "one_of_your_own",
        "language": {"code": "en"},
        "components": [{"type": "header", "parameters": [header]}],
    }
    return {**TO, "type": "template", "template": inner}


async def upload(simulator, mime_type, content):
    form = aiohttp.FormData({"messaging_product": "whatsapp", "type": mime_type})
    form.add_field("file", content, filename="file", content_type=mime_type)
    _, answer = await simulator.call("POST", f"/v26.0/{NUMBER}/media", data=form, headers=TOKEN)
    return answer["id"]


@pytest.mark.parametrize("shape", [buttons, template])
@pytest.mark.parametrize(
    ("kind", "file", "fits"),
    [
        ("document", PDF, True),
        ("document", TEXT, True),
        ("document", PNG, False),
        ("image", PNG, True),
        ("image", PDF, False),
        ("video", PNG, False),
    ],
)
async def test_an_uploaded_file_goes_where_its_type_fits(simulator, shape, kind, file, fits):
    media_id = await upload(simulator, *file)

    status, _ = await simulator.cloud(shape({"type": kind, kind: {"id": media_id}}))

    (message,) = await simulator.shows(1)
    assert status == 200
    assert [error["code"] for error in message["errors"]] == ([] if fits else [131053])


@pytest.mark.parametrize("shape", [buttons, template])
@pytest.mark.parametrize(("kind", "size", "fits"), [("image", 5, True), ("image", 6, False)])
async def test_a_linked_file_goes_up_to_the_size_of_its_kind(
    simulator, host, shape, kind, size, fits
):
    mime_type, beginning = PNG
    link = await host(beginning.ljust(size * 1024 * 1024, b"\0"), mime_type)

    await simulator.cloud(shape({"type": kind, kind: {"link": link}}))

    (message,) = await simulator.shows(1)
    assert [error["code"] for error in message["errors"]] == ([] if fits else [131053])


@pytest.mark.parametrize("kind", ["audio", "sticker"])
async def test_buttons_have_no_header_of_another_kind(simulator, kind):
    status, answer = await simulator.cloud(buttons({"type": kind, kind: {"id": "1"}}))

    assert (status, answer["error"]["code"]) == (400, 131009)
