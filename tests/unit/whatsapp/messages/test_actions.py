"""Questions for contact data, calls and payments: every limit from both sides."""

import pytest

from rasa_whatsapp_channel.whatsapp.apis import CLOUD, ON_PREMISES, TURN
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import find_doubts, find_unknown, parse

PICTURE = {"type": "image", "image": {"id": "1"}}


def interactive(kind, action, **parts):
    content = {"type": kind, "body": {"text": "Please"}, "action": action, **parts}
    return {"type": "interactive", "interactive": content}


def call(**parameters):
    return interactive("voice_call", {"name": "voice_call", "parameters": parameters})


PERMISSION = {"name": "call_permission_request"}
CONTACT = interactive("request_contact_info", {"name": "request_contact_info"})


@pytest.mark.parametrize(
    "body",
    [
        CONTACT,
        interactive("voice_call", {"name": "voice_call"}),
        call(display_text="t" * 20, payload="p" * 512, ttl_minutes=43_200),
        call(ttl_minutes=1),
        interactive("call_permission_request", PERMISSION),
        {
            "type": "interactive",
            "interactive": {"type": "call_permission_request", "action": PERMISSION},
        },
    ],
)
def test_what_is_documented_goes_as_it_is_without_a_word(body):
    message = parse(body)

    assert message.body() == body
    assert [*find_unknown(message, CLOUD), *find_doubts(message)] == []


@pytest.mark.parametrize(
    ("body", "field", "problem"),
    [
        (interactive("request_contact_info", {"name": "contact_request"}), "action.name", "must"),
        (interactive("request_contact_info", None), "action", "must be an object"),
        (
            {
                "type": "interactive",
                "interactive": {"type": "voice_call", "action": {"name": "voice_call"}},
            },
            "body.text",
            "must be a string",
        ),
        (call(display_text="t" * 21), "action.parameters.display_text", "at most 20"),
        (call(payload="p" * 513), "action.parameters.payload", "at most 512"),
        (call(ttl_minutes=0), "action.parameters.ttl_minutes", "from 1 to 43200"),
        (call(ttl_minutes=43_201), "action.parameters.ttl_minutes", "from 1 to 43200"),
        (call(ttl_minutes=True), "action.parameters.ttl_minutes", "not true or false"),
        (call(ttl_minutes="100"), "action.parameters.ttl_minutes", "not a string"),
        (
            interactive("call_permission_request", PERMISSION, header=PICTURE),
            "header",
            "takes no header",
        ),
        (
            interactive("call_permission_request", PERMISSION, footer={"text": "x"}),
            "footer",
            "takes no footer",
        ),
    ],
)
def test_what_whatsapp_refuses_is_named_before_it_is_sent(body, field, problem):
    with pytest.raises(InvalidMessage) as caught:
        parse(body)

    assert caught.value.field == f"interactive.{field}"
    assert problem in caught.value.problem


@pytest.mark.parametrize(
    ("kind", "part", "place"),
    [
        ("request_contact_info", {"header": PICTURE}, "interactive.header"),
        ("request_contact_info", {"footer": {"text": "x"}}, "interactive.footer"),
        ("voice_call", {"header": PICTURE}, "interactive.header"),
    ],
)
def test_what_no_page_shows_is_sent_with_a_warning(kind, part, place):
    message = parse(interactive(kind, {"name": kind}, **part))

    assert [doubt.place for doubt in find_doubts(message)] == [place]


@pytest.mark.parametrize("api", [ON_PREMISES, TURN])
def test_an_api_that_may_not_know_it_gets_it_with_a_warning(api):
    (doubt,) = find_unknown(parse(CONTACT), api)

    assert doubt.place == "interactive.type"
    assert "the Cloud API has it" in doubt.problem
