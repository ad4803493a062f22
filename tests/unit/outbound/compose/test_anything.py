"""Whatever a response holds: it composes, what comes out fits, and nothing goes missing unsaid."""

from __future__ import annotations

import copy
import datetime
import decimal
import json
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fake_transport import FakeTransport

from rasa_whatsapp_channel.outbound.compose import compose
from rasa_whatsapp_channel.outbound.compose.changes import RULES
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
        *("emoji", "to", "mime_type"),
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


@given(st.dictionaries(KEYS, JUNK, max_size=6), APIS_TO_TRY)
@settings(max_examples=200, deadline=None)
def test_any_dict_composes_and_what_comes_out_is_what_whatsapp_takes(response, api):
    composed = compose(response, api=api)

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
TEXT = st.text(st.sampled_from("ab .\né👍https:/"), max_size=60) | st.sampled_from(
    ["Look", "word " * 300, "\n\n".join(["para " * 50] * 30)]
)
TITLE = st.text(st.sampled_from("abc d👍"), max_size=40)
PAYLOAD = st.sampled_from(["/a", "/b", '/c{"x": 1}', " /d", "/" + "e" * 300])
LINK = st.sampled_from(
    ["https://a.example/1.png", "https://b.example/x y.pdf", "https://c.example"]
)
BUTTON = st.fixed_dictionaries(
    {"title": TITLE, "payload": PAYLOAD}, optional={"description": TITLE}
) | st.fixed_dictionaries({"type": st.just("web_url"), "title": TITLE, "url": LINK})
BUTTONS = st.lists(BUTTON, max_size=25)
MEDIUM = st.fixed_dictionaries(
    {"type": st.sampled_from(["image", "document", "audio", "video", "sticker"]), "link": LINK},
    optional={"caption": TEXT},
)
ELEMENT = st.fixed_dictionaries({}, optional={"title": TITLE, "subtitle": TEXT, "buttons": BUTTONS})
STYLE = st.fixed_dictionaries({}, optional={"header": TEXT, "footer": TEXT})
RESPONSE = st.fixed_dictionaries(
    {},
    optional={
        "text": TEXT,
        "image": LINK,
        "attachment": MEDIUM,
        "buttons": BUTTONS,
        "quick_replies": BUTTONS,
        "elements": st.lists(ELEMENT, max_size=3),
        "metadata": st.fixed_dictionaries({"whatsapp": STYLE}),
    },
)


@given(RESPONSE, APIS_TO_TRY, st.sampled_from(["merge", "separate"]))
@settings(max_examples=150, deadline=None)
def test_no_text_option_or_link_goes_missing_unsaid(response, api, captions):
    before = copy.deepcopy(response)

    composed = compose(response, api=api, captions=captions)

    assert response == before
    assert_sendable(composed, api)
    shown = [text for outgoing in composed.messages for text in texts(outgoing.body())]
    shown += [*composed.payloads.values(), *(change.text for change in composed.changes)]
    glued = "".join("".join(shown).split())
    missing = [word for text in texts(response) for word in text.split() if word not in glued]
    assert missing == []


@given(RESPONSE, APIS_TO_TRY)
@settings(max_examples=50, deadline=None)
def test_the_same_response_is_always_composed_alike(response, api):
    assert compose(response, api=api) == compose(response, api=api)


def test_every_code_has_a_meaning_and_says_something():
    assert list(RULES) == sorted(RULES)
    assert all(rule.meaning and rule.says for rule in RULES.values())


def assert_sendable(composed, api):
    for outgoing in composed.messages:
        body = json.loads(json.dumps(outgoing.body(), allow_nan=False, ensure_ascii=False).encode())
        again = parse_outgoing(body)
        assert again.body() == body
        assert api.context or outgoing.reply_to is None
        # a client refuses what its API does not take; files are uploaded before
        uploaded = {media: Media(id="1") for media in find_media(again.message)}
        assert CLIENTS[api.name].body("491234", replace_media(again.message, uploaded))


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key != "type":
                yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
