"""Whatever a response holds: it composes, what comes out fits, and nothing goes missing unsaid."""

from __future__ import annotations

import copy
import datetime
import decimal
import json
import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_transport import FakeTransport
from support.fits import misfits

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.whatsapp.apis import APIS
from rasa_whatsapp_channel.whatsapp.clients import (
    CloudClient,
    Dialog360Client,
    OnPremisesClient,
    TurnClient,
)
from rasa_whatsapp_channel.whatsapp.messages import (
    Media,
    find_media,
    parse_outgoing,
    replace_media,
)

CLIENTS = {
    client.api.name: client
    for client in (
        CloudClient(FakeTransport(), phone_number_id="1", access_token="t"),
        Dialog360Client(FakeTransport(), access_token="t"),
        OnPremisesClient(FakeTransport(), base_url="https://a.example", username="u", password="p"),
        TurnClient(FakeTransport(), access_token="t"),
    )
}

KEYS = st.sampled_from(
    [
        *(
            "text",
            "image",
            "attachment",
            "buttons",
            "quick_replies",
            "elements",
            "custom",
            "metadata",
        ),
        *(
            "utter_action",
            "type",
            "id",
            "link",
            "path",
            "url",
            "src",
            "payload",
            "title",
            "caption",
        ),
        *(
            "filename",
            "provider",
            "voice",
            "name",
            "description",
            "subtitle",
            "image_url",
            "whatsapp",
        ),
        *("default_action", "messages", "json_message", "header", "footer", "list_button", "body"),
        *("preview_url", "interactive", "action", "sections", "rows", "sticker", "audio", "video"),
        *("document", "location", "contacts", "template", "components", "parameters", "context"),
        *(
            "message_id",
            "latitude",
            "longitude",
            "language",
            "cards",
            "reply",
            "button",
            "reaction",
        ),
        *("emoji", "to", "mime_type", "button_type", "reply_to"),
    ]
)
WORDS = st.sampled_from(
    [
        *("", " ", "\u200b", "image", "document", "audio", "voice", "sticker", "text", "location"),
        *("interactive", "button", "list", "cta_url", "flow", "product", "carousel", "template"),
        *("contacts", "reaction", "header", "body", "web_url", "phone_number", "postback", "true"),
        *("https://a.example/b.png", "media/a.ogg", "../a.pdf", "data:,x", "http://[", "/greet"),
        *("x" * 30, "word " * 300, "y" * 5000, "\ud800", "\x00", "é" * 25, "👨‍👩‍👧‍👦" * 10),
    ]
)
ODD = st.sampled_from(
    [
        *(
            object(),
            decimal.Decimal("1.5"),
            datetime.date(2026, 1, 1),
            uuid.UUID(int=1),
            b"\xff",
            {1, 2},
        ),
        *(float("nan"), float("inf"), 10**400, 2**70, 1j, print, range(3)),
    ]
)
SCALARS = (
    WORDS | st.text(max_size=30) | ODD | st.none() | st.booleans() | st.integers() | st.floats()
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS | st.text(max_size=5) | st.integers(), inner, max_size=5)
    ),
    max_leaves=25,
)
APIS_TO_TRY = st.sampled_from(list(APIS.values()))


@pytest.mark.slow
@given(st.dictionaries(KEYS, JUNK, max_size=6), APIS_TO_TRY)
def test_any_dict_composes_and_what_comes_out_is_what_whatsapp_takes(response, api):
    composed = compose(response, api=api, reply_to="wamid.in")

    assert_sendable(composed, api)
    assert composed.messages or composed.changes


def test_a_dict_that_holds_itself_composes():
    response = {"text": "Hi"}
    response["custom"] = response

    assert compose(response, api=APIS["cloud"]).messages


class Grumpy:
    def __str__(self):
        raise RuntimeError("leave me alone")


def test_an_object_that_cannot_be_written_composes():
    composed = compose({"text": "Hi", "custom": Grumpy()}, api=APIS["cloud"])

    assert [change.code for change in composed.changes] == ["WA105", "WA501"]
    assert len(composed.messages) == 1


@pytest.mark.parametrize("response", [None, 5, "text", []])
def test_what_is_no_response_at_all_is_said(response):
    composed = compose(response, api=APIS["cloud"])

    assert [change.code for change in composed.changes] == ["WA103"]


# What a bot author means: every part in the shape it should have, of any length.
TEXT = st.lists(
    st.sampled_from(
        [
            *(
                "a",
                "word",
                "Long word.",
                "é",
                "👍",
                "\n",
                "\n\n",
                " ",
                "https://a.example/_b_c",
                "5",
            ),
            *(
                "**",
                "*",
                "_",
                "~~",
                "`",
                "```",
                "# ",
                "- ",
                "[link](https://c.example/d)",
                "x" * 40,
            ),
        ]
    ),
    max_size=25,
).map("".join) | st.sampled_from(
    ["Look", "word " * 300, "*" + "bold " * 300 + "end* after", "\n\n".join(["para " * 50] * 30)]
)
TITLE = st.text(st.sampled_from("abc d👍"), max_size=40)
PAYLOAD = st.sampled_from(["/a", "/b", '/c{"x": 1}', " /d", "/" + "e" * 300])
LINK = st.sampled_from(
    ["https://a.example/1.png", "https://b.example/x y.pdf", "https://c.example"]
)
REPLY = st.fixed_dictionaries({"title": TITLE, "payload": PAYLOAD}, optional={"description": TITLE})
OPEN = st.fixed_dictionaries({"type": st.just("web_url"), "title": TITLE, "url": LINK})
BUTTONS = st.lists(REPLY | OPEN, max_size=25)
MANY = st.integers(95, 130).map(
    lambda count: [{"title": f"No. {n}", "payload": f"/{n}"} for n in range(count)]
)
MEDIUM = st.fixed_dictionaries(
    {"type": st.sampled_from(["image", "document", "audio", "video", "sticker"]), "link": LINK},
    optional={"caption": TEXT},
)
ELEMENT = st.fixed_dictionaries({}, optional={"title": TITLE, "subtitle": TEXT, "buttons": BUTTONS})
CARD = st.fixed_dictionaries(
    {
        "image_url": st.just("https://a.example/1.png"),
        "buttons": st.lists(
            st.fixed_dictionaries({"title": st.sampled_from(["a", "b"]), "payload": PAYLOAD}),
            min_size=1,
            max_size=3,
        )
        | st.lists(OPEN, min_size=1, max_size=1),
    },
    optional={"title": TITLE, "subtitle": TEXT},
)
ELEMENTS = st.lists(ELEMENT, max_size=3) | st.lists(CARD, min_size=2, max_size=11)
STYLE = st.fixed_dictionaries(
    {}, optional={"header": TEXT, "footer": TEXT, "reply_to": st.booleans()}
)
CUSTOM = st.sampled_from(
    [
        {"type": "text", "text": {"body": "custom"}},
        {"messages": [{"image": {"link": "https://d.example/1.png", "caption": "custom"}}]},
        {
            "interactive": {
                "type": "cta_url",
                "body": {"text": "custom"},
                "action": {
                    "name": "cta_url",
                    "parameters": {"display_text": "Go", "url": "https://e.example"},
                },
            }
        },
    ]
)
RESPONSE = st.fixed_dictionaries(
    {},
    optional={
        "text": TEXT,
        "image": LINK,
        "attachment": MEDIUM,
        "buttons": BUTTONS | MANY,
        "quick_replies": BUTTONS,
        "button_type": st.sampled_from(["list", "numbers", "inline"]),
        "elements": ELEMENTS,
        "custom": CUSTOM,
        "metadata": st.fixed_dictionaries({"whatsapp": STYLE}),
    },
)


@pytest.mark.slow
@given(RESPONSE, APIS_TO_TRY, st.sampled_from(["merge", "separate"]), st.booleans())
def test_no_text_option_link_or_file_goes_missing_unsaid(response, api, captions, markdown):
    before = copy.deepcopy(response)

    composed = compose(response, api=api, captions=captions, markdown=markdown, reply_to="wamid.in")

    assert response == before
    assert_sendable(composed, api)
    shown = [text for outgoing in composed.messages for text in texts(outgoing.body())]
    shown += [*composed.payloads.values(), *(each.payload for each in composed.choices.values())]
    shown += [change.text for change in composed.changes]
    glued = without_marks("".join(shown))
    words = [without_marks(word) for text in texts(response) for word in text.split()]
    assert [word for word in words if word not in glued] == []


@given(RESPONSE, APIS_TO_TRY)
def test_the_same_response_is_always_composed_alike(response, api):
    assert compose(response, api=api) == compose(response, api=api)


def assert_sendable(composed, api):
    for outgoing in composed.messages:
        body = json.loads(json.dumps(outgoing.body(), allow_nan=False, ensure_ascii=False).encode())
        again = parse_outgoing(body)
        assert again.body() == body
        assert api.context or outgoing.reply_to is None
        # a client refuses what its API does not take; files are uploaded before
        uploaded = {media: Media(id="1") for media in find_media(again.message)}
        ready = replace_media(again.message, uploaded)
        whole = CLIENTS[api.name].body("491234", ready, reply_to=outgoing.reply_to)
        assert misfits(whole, api.name) == []


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in ("type", "button_type", "name"):
                yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def without_marks(text):
    """Leave out what formatting takes away and splitting adds, and the space between words."""
    return re.sub(r"[*_~`#\[\]()\s-]", "", text)
