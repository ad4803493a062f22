"""Templates: names, parameters of all kinds, buttons, carousels."""

import pytest

from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import (
    Component,
    Media,
    Parameter,
    Template,
    find_media,
    parse,
)


def body(**content):
    return {
        "type": "template",
        "template": {"name": "offer", "language": {"code": "en"}, **content},
    }


def component(*parameters, **parts):
    return body(components=[{"type": "body", "parameters": list(parameters), **parts}])


def test_the_smallest_template_has_a_name_and_a_language():
    template = parse(body())

    assert template == Template("offer", "en")
    assert template.body() == body()


@pytest.mark.parametrize(
    "language", [{"code": "en"}, {"code": "en", "policy": "deterministic"}, "en"]
)
def test_a_language_is_written_in_three_ways(language):
    assert parse(body(language=language)).language == "en"


@pytest.mark.parametrize(
    ("written", "parameter"),
    [
        ({"type": "text", "text": "Ada"}, Parameter("text", "Ada")),
        ({"type": "text", "text": 5}, Parameter("text", "5")),
        (
            {"type": "text", "parameter_name": "first_name", "text": "Ada"},
            Parameter("text", "Ada", name="first_name"),
        ),
        ({"type": "payload", "payload": "/yes"}, Parameter("payload", "/yes")),
        ({"type": "coupon_code", "coupon_code": "S" * 20}, Parameter("coupon_code", "S" * 20)),
        ({"type": "image", "image": {"id": "1"}}, Parameter("image", Media(id="1"))),
        (
            {"type": "document", "document": {"link": "https://a.b", "filename": "f.pdf"}},
            Parameter("document", Media(link="https://a.b"), filename="f.pdf"),
        ),
        ({"type": "video", "video": {"path": "v.mp4"}}, Parameter("video", Media(path="v.mp4"))),
        (
            {"type": "location", "location": {"latitude": 1, "longitude": 2}},
            Parameter("location", {"latitude": 1, "longitude": 2}),
        ),
        (
            {"type": "date_time", "date_time": {"fallback_value": "Friday"}},
            Parameter("date_time", {"fallback_value": "Friday"}),
        ),
        (
            {"type": "group_id", "group_id": "Y2FwaV9ncm91cDox"},
            Parameter("group_id", "Y2FwaV9ncm91cDox"),
        ),
        ({"type": "ttl_minutes", "ttl_minutes": 100}, Parameter("ttl_minutes", 100)),
        (
            {
                "type": "limited_time_offer",
                "limited_time_offer": {"expiration_time_ms": 1209600000},
            },
            Parameter("limited_time_offer", {"expiration_time_ms": 1209600000}),
        ),
        (
            {"type": "action", "action": {"flow_token": "t"}},
            Parameter("action", {"flow_token": "t"}),
        ),
    ],
)
def test_a_parameter_of_each_kind(written, parameter):
    assert parse(component(written)).components[0].parameters == (parameter,)


def test_buttons_are_numbered_from_zero_to_nine_as_text_or_number():
    for index in (0, "0", 9, "9"):
        button = {"type": "BUTTON", "sub_type": "quick_reply", "index": index}
        template = parse(body(components=[button]))
        assert template.components[0].content()["index"] == str(index)


def test_a_carousel_holds_components_per_card():
    card = [{"type": "header", "parameters": [{"type": "image", "image": {"id": "1"}}]}]
    cards = [{"card_index": 0, "components": card}, {"card_index": 1, "components": card}]

    template = parse(body(components=[{"type": "carousel", "cards": cards}]))

    assert template.body() == body(components=[{"type": "carousel", "cards": cards}])
    assert list(find_media(template)) == [Media(id="1"), Media(id="1")]


@pytest.mark.parametrize(
    ("written", "field", "words"),
    [
        (body(name="Offer"), "template.name", "takes a-z, 0-9 and _ only"),
        (body(name="o" * 513), "template.name", "at most 512"),
        (body(name=None), "template.name", "must be a string"),
        (body(language=None), "template.language.code", "must be a string"),
        (body(language={}), "template.language.code", "must be a string"),
        (body(language={"kode": "en"}), "template.language.code", "did you mean 'code'?"),
        (body(namespace=5), "template.namespace", "must be a string"),
        (body(components="x"), "template.components", "must be a list"),
        (body(components=["x"]), "template.components", "must be an object"),
        (body(components=[{"type": None}]), "template.components.type", "must be a string"),
        (
            component({"type": "ttl_minutes"}),
            "template.components.parameters.ttl_minutes",
            "must be a whole number from 1 to 43200, not nothing",
        ),
        (
            component({"type": "ttl_minutes", "ttl_minutes": 43_201}),
            "template.components.parameters.ttl_minutes",
            "from 1 to 43200",
        ),
        (
            component({"type": "group_id", "group_id": ""}),
            "template.components.parameters.group_id",
            "must not be empty",
        ),
        (
            component({"type": "tap_target_configuration", "tap_target_configuration": {}}),
            "template.components.parameters.tap_target_configuration",
            "must be a list",
        ),
        (
            component({"type": "tap_target_configuration", "tap_target_configuration": [{}]}),
            "template.components.parameters.tap_target_configuration.url",
            "must be a string",
        ),
        (
            component(
                {
                    "type": "limited_time_offer",
                    "limited_time_offer": {"expiration_time_ms": "tomorrow"},
                }
            ),
            "template.components.parameters.limited_time_offer.expiration_time_ms",
            "must be a whole number",
        ),
        (
            component({"type": "currency", "currency": 5}),
            "template.components.parameters.currency",
            "must be an object",
        ),
        (
            body(components=[{"type": "button", "index": 0}]),
            "template.components.sub_type",
            "must be a string",
        ),
        (
            body(components=[{"type": "button", "sub_type": "url", "index": 10}]),
            "template.components.index",
            "must be 0 to 9",
        ),
        (
            body(components=[{"type": "button", "sub_type": "url", "index": float("inf")}]),
            "template.components.index",
            "must be 0 to 9",
        ),
        (component({}), "template.components.parameters.type", "must be a string"),
        (
            component({"type": "text", "text": ""}),
            "template.components.parameters.text",
            "must not be empty",
        ),
        (
            component({"type": "text", "text": "two\nlines"}),
            "template.components.parameters.text",
            "no line break, tab or five spaces",
        ),
        (
            component({"type": "text", "text": "a     b"}),
            "template.components.parameters.text",
            "no line break, tab or five spaces",
        ),
        (
            component({"type": "text", "text": "a", "parameter_name": 5}),
            "template.components.parameters.text.parameter_name",
            "must be a string",
        ),
        (
            component({"type": "coupon_code", "coupon_code": "S" * 21}),
            "template.components.parameters.coupon_code",
            "at most 20",
        ),
        (
            component({"type": "image", "image": {"id": "1", "link": "https://a.b"}}),
            "template.components.parameters.image",
            "has id and link together",
        ),
        (
            component({"type": "image", "image": "https://a.b"}),
            "template.components.parameters.image",
            "must be an object",
        ),
    ],
)
def test_what_is_refused_and_where(written, field, words):
    with pytest.raises(InvalidMessage) as caught:
        parse(written)

    assert caught.value.field == field
    assert words in caught.value.problem


def test_a_media_parameter_is_made_of_media():
    with pytest.raises(InvalidMessage, match="must be a media object"):
        Parameter("image", "https://a.b")


def test_four_spaces_in_a_row_are_taken():
    assert Parameter("text", "a    b").value == "a    b"


def test_a_component_names_its_kind():
    with pytest.raises(InvalidMessage, match="must not be empty"):
        Component("")
