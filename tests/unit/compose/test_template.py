from __future__ import annotations

import pytest

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.whatsapp.apis import CLOUD

BASE = {"name": "order_shipped", "language": "en_US"}


def with_template(**parts):
    return {"text": "Shipped", "metadata": {"whatsapp": {"template": {**BASE, **parts}}}}


def components(**parts):
    composed = compose(with_template(**parts), api=CLOUD)
    assert composed.template is not None, composed.changes
    return composed.template.content().get("components", [])


def text(value, **more):
    return {"type": "text", **more, "text": value}


def test_the_response_and_its_template_are_composed_side_by_side():
    composed = compose(with_template(), api=CLOUD)

    assert [outgoing.body()["type"] for outgoing in composed.messages] == ["text"]
    assert composed.template.body() == {
        "type": "template",
        "template": {"name": "order_shipped", "language": {"code": "en_US"}},
    }
    assert composed.changes == ()


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"body": ["Ada", 42]}, [{"type": "body", "parameters": [text("Ada"), text("42")]}]),
        ({"body": "Ada"}, [{"type": "body", "parameters": [text("Ada")]}]),
        (
            {"body": {"first_name": "Ada"}},
            [{"type": "body", "parameters": [text("Ada", parameter_name="first_name")]}],
        ),
        ({"header": "Hello"}, [{"type": "header", "parameters": [text("Hello")]}]),
        (
            {"header": {"type": "image", "path": "media/a.png", "caption": "not shown"}},
            [
                {
                    "type": "header",
                    "parameters": [{"type": "image", "image": {"path": "media/a.png"}}],
                }
            ],
        ),
        (
            {"header": {"type": "gif", "url": "https://a.example/a.mp4"}},
            [
                {
                    "type": "header",
                    "parameters": [{"type": "gif", "gif": {"link": "https://a.example/a.mp4"}}],
                }
            ],
        ),
        (
            {"header": {"latitude": 1, "longitude": 2}},
            [
                {
                    "type": "header",
                    "parameters": [
                        {"type": "location", "location": {"latitude": 1, "longitude": 2}}
                    ],
                }
            ],
        ),
        (
            {"buttons": ["", "/track", {"url": "orders/42"}, {"code": "TEA"}]},
            [
                {
                    "type": "button",
                    "sub_type": "quick_reply",
                    "index": "1",
                    "parameters": [{"type": "payload", "payload": "/track"}],
                },
                {
                    "type": "button",
                    "sub_type": "url",
                    "index": "2",
                    "parameters": [text("orders/42")],
                },
                {
                    "type": "button",
                    "sub_type": "copy_code",
                    "index": "3",
                    "parameters": [{"type": "coupon_code", "coupon_code": "TEA"}],
                },
            ],
        ),
        (
            {"components": [{"type": "body", "parameters": [text("Ada")]}]},
            [{"type": "body", "parameters": [text("Ada")]}],
        ),
    ],
)
def test_parameters_may_be_written_in_short_or_as_whatsapp_does(parts, expected):
    assert components(**parts) == expected


@pytest.mark.parametrize(
    "parts",
    [
        {"body": ["a\nb\t c     d"]},
        {"body": {"first_name": "a\nb\t c     d"}},
        {"components": [{"type": "body", "parameters": [text("a\nb\t c     d")]}]},
    ],
)
def test_values_go_on_one_line_and_that_is_said(said, parts):
    ((part,),) = [part["parameters"] for part in components(**parts)]

    assert part["text"] == "a b c d"
    change = said(with_template(**parts))["WA110"]
    assert (change.before, change.after) == ("a\nb\t c     d", "a b c d")


def test_a_long_payload_is_kept():
    payload = "/track" + "x" * 300

    composed = compose(with_template(buttons=[payload]), api=CLOUD)

    ((short, kept),) = composed.payloads.items()
    assert kept == payload
    assert short in str(composed.template.body())


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ({"name": "Order Shipped", "language": "en"}, "WA111"),
        ({"name": "order_shipped"}, "WA111"),
        ({**BASE, "body": [""]}, "WA111"),
        ({**BASE, "body": [["a"]]}, "WA111"),
        ({**BASE, "header": {"type": "audio", "id": "1"}}, "WA111"),
        ({**BASE, "components": "body"}, "WA111"),
        ({**BASE, "bdy": ["Ada"]}, "WA108"),
        ({**BASE, "components": [{"type": "body"}], "body": ["Ada"]}, "WA108"),
        ("order_shipped", "WA104"),
    ],
)
def test_what_whatsapp_would_refuse_is_said(said, template, code):
    response = {"text": "Shipped", "metadata": {"whatsapp": {"template": template}}}

    assert said(response)[code].lost


def test_the_text_goes_out_also_when_its_template_cannot(bodies):
    assert len(bodies(with_template(name="No!"))) == 1


def test_a_response_that_is_only_a_template_is_that_message():
    response = {"text": "", "metadata": {"whatsapp": {"template": BASE}}}

    composed = compose(response, api=CLOUD)

    (outgoing,) = composed.messages
    assert outgoing.body()["template"]["name"] == "order_shipped"
    assert composed.template is None
    assert composed.changes == ()


@pytest.mark.parametrize(
    "header",
    [
        {"customer": "Ana"},
        {"type": "text", "text": "Ana", "parameter_name": "customer"},
    ],
)
def test_a_text_header_takes_a_variable_by_its_name(bodies, said, header):
    response = {"metadata": {"whatsapp": {"template": {**BASE, "header": header}}}}

    (body,) = bodies(response)
    assert body["template"]["components"] == [
        {
            "type": "header",
            "parameters": [{"type": "text", "parameter_name": "customer", "text": "Ana"}],
        }
    ]
    assert said(response) == {}


def test_the_variable_of_a_header_may_be_called_name(bodies):
    template = {**BASE, "header": {"name": "Ana"}}

    (body,) = bodies({"metadata": {"whatsapp": {"template": template}}})
    (header,) = body["template"]["components"]
    assert header["parameters"] == [{"type": "text", "parameter_name": "name", "text": "Ana"}]


@pytest.mark.parametrize(
    "header",
    [
        {"image": "https://a.example/a.png"},
        {"image": {"link": "https://a.example/a.png"}},
        {"type": "image", "image": {"link": "https://a.example/a.png"}},
    ],
)
def test_a_header_that_names_its_type_by_its_key_is_a_file(bodies, header):
    (body,) = bodies({"metadata": {"whatsapp": {"template": {**BASE, "header": header}}}})

    (part,) = body["template"]["components"]
    assert part["parameters"] == [{"type": "image", "image": {"link": "https://a.example/a.png"}}]


def test_a_header_with_two_variables_is_refused(said):
    response = {"metadata": {"whatsapp": {"template": {**BASE, "header": {"a": "1", "b": "2"}}}}}

    assert "has one variable, not 2" in said({"text": "a", **response})["WA111"].text


def test_what_is_not_known_of_a_template_is_told_or_refused(bodies, said):
    template = {**BASE, "components": [{"type": "body", "paramters": []}]}
    response = {"text": "a", "metadata": {"whatsapp": {"template": template}}}

    assert "did you mean 'parameters'?" in said(response)["WA114"].text
    assert said(response, unknown_keys="refuse")["WA111"].lost


OWN = {
    "utter_action": "utter_shipped",
    "text": "Hello Ada",
    "image": "media/parcel.jpg",
    "buttons": [
        {"title": "Thanks", "payload": "/thank"},
        {"title": "Call", "type": "phone_number", "payload": "+15550783881"},
    ],
}
OWN_TEMPLATE = {"category": "utility", "language": "en_US", "body": {"name": "Ada"}}


def own(**more):
    return {**OWN, "custom": {"whatsapp": {"template": {**OWN_TEMPLATE, **more}}}}


def test_a_template_without_a_name_is_the_response_itself():
    template = compose(own(examples={"name": "Ada"}), api=CLOUD).template

    assert template.name == "utter_shipped"
    assert template.content()["components"] == [
        {
            "type": "header",
            "parameters": [{"type": "image", "image": {"path": "media/parcel.jpg"}}],
        },
        {"type": "body", "parameters": [text("Ada", parameter_name="name")]},
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": "0",
            "parameters": [{"type": "payload", "payload": "/thank"}],
        },
    ]


def test_what_is_written_beside_it_goes_first():
    template = compose(own(version=2, header="Ada", buttons=["/other"]), api=CLOUD).template

    assert template.name == "utter_shipped_v2"
    header, _, button = template.content()["components"]
    assert header["parameters"] == [text("Ada")]
    assert button["parameters"] == [{"type": "payload", "payload": "/other"}]


def test_what_an_action_says_has_no_name_and_needs_one(said):
    response = {key: value for key, value in own().items() if key != "utter_action"}

    assert "name" in said(response)["WA111"].text
