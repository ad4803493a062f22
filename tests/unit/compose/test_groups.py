"""What a response becomes in a group, which takes texts, files, templates and pins."""

import pytest
from support.fake_transport import FakeTransport

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.whatsapp.apis import CLOUD
from rasa_whatsapp_channel.whatsapp.clients import CloudClient
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import CtaUrl, parse

# groups/groups-messaging
GROUP = "Y2FwaV9ncm91cDoxNzA1NTU1MDEzOToxMjAzNjM0MDQ2OTQyMzM4MjAZD"
PIN = {"type": "pin", "pin": {"type": "pin", "message_id": "wamid.HBgLM", "expiration_days": 4}}
UNPIN = {"type": "pin", "pin": {"type": "unpin", "message_id": "wamid.HBgLM"}}
CLIENT = CloudClient(FakeTransport(), phone_number_id="1", access_token="t")
BUTTONS = [{"title": "Yes", "payload": "/yes"}, {"title": "No", "payload": "/no"}]


def to_group(response, to=GROUP):
    composed = compose(response, api=CLOUD, recipient_id=to)
    bodies = [CLIENT.body(to, outgoing.message) for outgoing in composed.messages]
    for body in bodies:
        assert (body.pop("recipient_type"), body.pop("to")) == ("group", to)
        assert body.pop("messaging_product") == "whatsapp"
    return bodies, [change.code for change in composed.changes]


def custom(kind, action, **parts):
    content = {"type": kind, "body": {"text": "Coming?"}, "action": action, **parts}
    return {"custom": {"type": "interactive", "interactive": content}}


@pytest.mark.parametrize(
    "body",
    [
        {"type": "text", "text": {"body": "See https://www.luckytravel.com", "preview_url": True}},
        {"type": "image", "image": {"id": "1", "caption": "The lake"}},
        {"type": "template", "template": {"name": "offer", "language": {"code": "en"}}},
        PIN,
        UNPIN,
    ],
)
def test_what_groups_take_goes_as_it_is(body):
    assert to_group({"custom": body}) == ([body], [])


def test_buttons_become_lines_to_type_a_number_for():
    (body,), codes = to_group({"text": "Coming?", "buttons": BUTTONS})

    assert body["text"]["body"] == "Coming?\n\n1. Yes\n2. No"
    assert codes == ["WA312"]


def test_a_link_becomes_a_line():
    button = {"type": "web_url", "title": "The plan", "url": "https://example.com/plan"}

    (body,), codes = to_group({"text": "Coming?", "buttons": [button]})

    assert "https://example.com/plan" in body["text"]["body"]
    assert codes == ["WA310"]


def test_cards_go_one_after_another():
    elements = [{"title": name, "image_url": f"https://e.com/{name}.jpg"} for name in "ab"]

    bodies, codes = to_group({"elements": elements})

    assert [body["type"] for body in bodies] == ["image", "image"]
    assert "WA402" in codes


@pytest.mark.parametrize(
    ("kind", "action", "lines"),
    [
        (
            "button",
            {"buttons": [{"type": "reply", "reply": {"id": "/yes", "title": "Yes"}}]},
            "1. Yes",
        ),
        (
            "list",
            {
                "button": "Choose",
                "sections": [{"rows": [{"id": "/a", "title": "A", "description": "first"}]}],
            },
            "1. A: first",
        ),
        (
            "cta_url",
            {
                "name": "cta_url",
                "parameters": {"display_text": "Plan", "url": "https://e.com"},
            },
            "Plan: https://e.com",
        ),
    ],
)
def test_whatsapps_own_buttons_become_lines_too(kind, action, lines):
    (body,), codes = to_group(custom(kind, action))

    assert body == {"type": "text", "text": {"body": f"Coming?\n\n{lines}"}}
    assert "WA505" in codes


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        (
            custom("location_request_message", {"name": "send_location"}),
            "a group does not take location_request_message",
        ),
        (custom("voice_call", {"name": "voice_call"}), "a group does not take voice_call"),
        (custom("of_2027", {"name": "of_2027"}), "a group does not take of_2027"),
        (
            {
                "custom": {
                    "type": "template",
                    "template": {
                        "name": "shop",
                        "language": {"code": "en"},
                        "components": [{"type": "button", "sub_type": "catalog", "index": 0}],
                    },
                }
            },
            "a group takes none with a button catalog",
        ),
    ],
)
def test_what_groups_do_not_take_is_not_sent_and_said(response, problem):
    composed = compose(response, api=CLOUD, recipient_id=GROUP)

    assert composed.messages == ()
    (change,) = composed.changes
    assert (change.code, change.lost) == ("WA502", True)
    assert problem in change.text


@pytest.mark.parametrize(
    "body",
    [
        {"type": "location", "location": {"latitude": 48.85, "longitude": 2.35}},
        {"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "👍"}},
    ],
)
def test_what_no_page_shows_in_a_group_goes_with_a_warning(body):
    assert to_group({"custom": body}) == ([body], ["WA506"])


@pytest.mark.parametrize("body", [PIN, UNPIN])
def test_a_pin_is_for_groups_only(body):
    composed = compose({"custom": body}, api=CLOUD, recipient_id="4915112345678")

    assert composed.messages == ()
    assert composed.changes[0].text.endswith("pin: is for messages of groups only")
    with pytest.raises(InvalidMessage, match="groups only"):
        CLIENT.body("4915112345678", parse(body))


def test_where_nobody_composed_it_the_client_refuses_what_groups_do_not_take():
    with pytest.raises(InvalidMessage, match="a group does not take cta_url"):
        CLIENT.body(GROUP, CtaUrl("Look", display_text="Plan", url="https://e.com"))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"type": "hold", "message_id": "wamid.1"}, "pin.type: must be pin or unpin"),
        ({"type": "pin", "message_id": "wamid.1"}, "pin.expiration_days: is missing"),
        (
            {"type": "unpin", "message_id": "wamid.1", "expiration_days": 1},
            "pin.expiration_days: goes with type pin only",
        ),
        (
            {"type": "pin", "message_id": "wamid.1", "expiration_days": 31},
            "pin.expiration_days: must be a whole number from 1 to 30",
        ),
        ({"type": "pin", "expiration_days": 3}, "pin.message_id: must be a string"),
    ],
)
def test_what_is_no_pin_is_named(content, problem):
    with pytest.raises(InvalidMessage) as caught:
        parse({"type": "pin", "pin": content})

    assert problem in str(caught.value)


def test_an_invitation_goes_by_a_template_with_the_id_of_the_group():
    invite = {
        "name": "group_invite",
        "language": "en",
        "components": [
            {"type": "body", "parameters": [{"type": "group_id", "group_id": GROUP}]},
        ],
    }

    composed = compose({"custom": {"whatsapp": {"template": invite}}}, api=CLOUD)

    (outgoing,) = composed.messages
    assert composed.changes == ()
    assert CLIENT.body("4915112345678", outgoing.message)["template"] == {
        **invite,
        "language": {"code": "en"},
    }
