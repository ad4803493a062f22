from __future__ import annotations

import pytest

IMAGE = {"type": "image", "image": {"id": "1"}}
STICKER = {
    "type": "sticker",
    "sticker": {"link": "https://a.example/s.webp", "provider": {"name": "shop"}},
}
PLACE = {
    "type": "location",
    "location": {"latitude": 48.85, "longitude": 2.35, "name": "Paris"},
}


@pytest.mark.parametrize(
    ("custom", "expected"),
    [
        (IMAGE, [IMAGE]),
        ({"image": {"id": "1"}}, [IMAGE]),
        ({"messaging_product": "whatsapp", "to": "49", **IMAGE}, [IMAGE]),
        ([IMAGE, PLACE], [IMAGE, PLACE]),
        ({"messages": [IMAGE, PLACE]}, [IMAGE, PLACE]),
        ({"messages": IMAGE, "to": "49"}, [IMAGE]),
        ({"json_message": IMAGE}, [IMAGE]),
        ({"json_message": [IMAGE, {"messages": [PLACE]}]}, [IMAGE, PLACE]),
        ({"whatsapp": {"preview_url": True}, **PLACE}, [PLACE]),
        ({"whatsapp": {"preview_url": True}}, []),
    ],
)
def test_whatsapps_own_bodies_go_in_order_however_they_are_wrapped(bodies, custom, expected):
    assert bodies({"custom": custom}) == expected


def test_a_text_goes_before_what_is_custom(bodies):
    assert bodies({"text": "Here", "custom": PLACE}) == [
        {"type": "text", "text": {"body": "Here"}},
        PLACE,
    ]


def test_a_value_of_a_template_goes_on_one_line_here_too(bodies, said):
    """A name or an address from a slot may have lines; WhatsApp refuses the template then."""

    def template(value):
        body = {"type": "body", "parameters": [{"type": "text", "text": value}]}
        parts = {"name": "order_shipped", "language": {"code": "en"}, "components": [body]}
        return {"type": "template", "template": parts}

    response = {"custom": template("Lake Road 1\n\nHamburg")}

    assert bodies(response) == [template("Lake Road 1 Hamburg")]
    assert said(response)["WA110"].after == "Lake Road 1 Hamburg"


def test_one_refused_message_does_not_stop_the_others(bodies, said):
    both = {"type": "image", "image": {"id": "1", "link": "https://a.example/i.png"}}
    response = {"custom": {"messages": [IMAGE, both, PLACE]}, "utter_action": "utter_two"}

    assert bodies(response) == [IMAGE, PLACE]
    assert str(said(response)["WA502"]) == (
        "utter_two: custom.messages[1] is not sent: image: needs exactly one of id, link and "
        "path, and has id and link together [WA502]"
    )


def test_a_provider_goes_on_premises_only(bodies, said):
    assert bodies({"custom": STICKER}, api="on_premises") == [STICKER]
    assert bodies({"custom": STICKER}) == []
    assert "sticker.provider" in said({"custom": STICKER})["WA502"].text


def test_a_link_goes_where_files_are_uploaded_first_too(bodies):
    body = {"type": "image", "image": {"link": "https://a.example/i.png"}}

    assert bodies({"custom": body}, api="turn") == [body]


def test_a_quote_goes_where_the_api_can(bodies, said):
    body = {**IMAGE, "context": {"message_id": "wamid.1"}}

    assert bodies({"custom": body}) == [body]
    assert bodies({"custom": body}, api="on_premises") == [IMAGE]
    assert "api on_premises cannot" in said({"custom": body}, api="on_premises")["WA503"].text


@pytest.mark.parametrize(
    ("custom", "code"),
    [
        ("hello", "WA501"),
        ([None], "WA501"),
        ({"messages": []}, "WA501"),
        ({"blocks": [{"type": "section"}]}, "WA502"),
        ({"type": "imgae", "image": {}}, "WA502"),
        ({"messages": [IMAGE], "image": {"id": "2"}}, "WA504"),
        ({**IMAGE, "context": {"message_id": 5}}, "WA502"),
    ],
)
def test_what_is_not_whatsapps_shape_is_said(said, custom, code):
    assert said({"custom": custom})[code].lost


TYPO = {
    "type": "interactive",
    "interactive": {
        "type": "list",
        "body": {"text": "?"},
        "action": {
            "button": "Choose",
            "sections": [{"rows": [{"id": "a", "title": "A", "descripton": "typo"}]}],
        },
    },
}


def test_a_key_that_is_not_known_goes_as_it_is_written_with_a_warning(bodies, said):
    assert bodies({"custom": TYPO}) == [TYPO]
    change = said({"custom": TYPO})["WA506"]
    assert not change.lost
    assert "rows[0].descripton" in change.text
    assert "did you mean 'description'?" in change.text


def test_with_unknown_keys_refuse_it_does_not_go(bodies, said):
    assert bodies({"custom": [TYPO, PLACE]}, unknown_keys="refuse") == [PLACE]
    change = said({"custom": TYPO}, unknown_keys="refuse")["WA502"]
    assert change.lost
    assert "`unknown_keys: pass`" in change.text


def test_what_is_documented_goes_where_unknown_keys_are_refused(bodies):
    body = {**IMAGE, "biz_opaque_callback_data": "order-17"}

    assert bodies({"custom": body}, unknown_keys="refuse") == [body]


def test_where_two_limits_are_documented_the_author_hears_of_it(bodies, said):
    flow = {
        "type": "interactive",
        "interactive": {
            "type": "flow",
            "body": {"text": "Book"},
            "action": {
                "name": "flow",
                "parameters": {
                    "flow_message_version": "3",
                    "flow_id": "1",
                    "flow_cta": "Not shown in draft mode",
                },
            },
        },
    }

    assert bodies({"custom": flow}, unknown_keys="refuse") == [flow]
    assert "has 23 characters" in said({"custom": flow})["WA506"].text


@pytest.mark.parametrize(
    ("to", "recipient_id"),
    [
        ("4915112345678", "4915112345678"),
        ("+49 151 1234-5678", "4915112345678"),
        ("004915112345678", "4915112345678"),
        ("whatsapp:+4915112345678", "4915112345678@106540352242922"),
        (4915112345678, "4915112345678"),
        ("US.13491208655302741918", "US.13491208655302741918"),
        ("", "4915112345678"),
        (None, "4915112345678"),
    ],
)
def test_a_body_that_names_the_person_of_the_conversation_goes(bodies, said, to, recipient_id):
    response = {"custom": {**IMAGE, "to": to}}

    assert bodies(response, recipient_id=recipient_id) == [IMAGE]
    assert said(response, recipient_id=recipient_id) == {}


@pytest.mark.parametrize("key", ["to", "recipient"])
@pytest.mark.parametrize(
    "to", ["4915199999999", "{staff_number}", "US.1", "x" * 5000, "\x00", ["49"], {"a": 1}, 5]
)
def test_a_message_meant_for_somebody_else_does_not_go_to_the_customer(bodies, said, key, to):
    for custom in ({**IMAGE, key: to}, {"messages": [IMAGE], key: to}):
        response = {"text": "We told our staff.", "custom": custom}

        assert bodies(response, recipient_id="4915112345678") == [
            {"type": "text", "text": {"body": "We told our staff."}}
        ]
        change = said(response, recipient_id="4915112345678")["WA507"]
        assert change.lost
        assert "49151" not in str(change)


def test_where_nobody_knows_whom_it_goes_to_the_author_is_warned(bodies, said):
    response = {"custom": {**IMAGE, "to": "4915199999999"}}

    assert bodies(response) == [IMAGE]
    assert not said(response)["WA508"].lost
