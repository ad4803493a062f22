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
        ({"type": "imgae", "imgae": {}}, "WA502"),
        ({"messages": [IMAGE], "image": {"id": "2"}}, "WA504"),
        ({**IMAGE, "context": {"message_id": 5}}, "WA502"),
    ],
)
def test_what_is_not_whatsapps_shape_is_said(said, custom, code):
    assert said({"custom": custom})[code].lost
