from __future__ import annotations

import pytest

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.whatsapp.apis import CLOUD


def buttons(*titles):
    return [{"title": title, "payload": f"/{title}"} for title in titles]


def link(title, url="https://a.example/x"):
    return {"type": "web_url", "title": title, "url": url}


def action(bodies, response, api="cloud"):
    return [body["interactive"]["action"] for body in bodies(response, api)]


@pytest.mark.parametrize("key", ["buttons", "quick_replies"])
def test_up_to_three_are_reply_buttons(bodies, said, key):
    response = {"text": "So?", key: buttons("a", "b", "c")}

    assert bodies(response) == [
        {
            "type": "interactive",
            "interactive": {
                "type": "button",
                "body": {"text": "So?"},
                "action": {
                    "buttons": [
                        {"type": "reply", "reply": {"id": "/a", "title": "a"}},
                        {"type": "reply", "reply": {"id": "/b", "title": "b"}},
                        {"type": "reply", "reply": {"id": "/c", "title": "c"}},
                    ]
                },
            },
        }
    ]
    assert said(response) == {}


def test_more_than_three_are_a_list_and_that_is_said(bodies, said):
    response = {"text": "So?", "buttons": buttons("a", "b", "c", "d")}

    assert bodies(response) == [
        {
            "type": "interactive",
            "interactive": {
                "type": "list",
                "body": {"text": "So?"},
                "action": {
                    "button": "Choose",
                    "sections": [
                        {
                            "rows": [
                                {"id": "/a", "title": "a"},
                                {"id": "/b", "title": "b"},
                                {"id": "/c", "title": "c"},
                                {"id": "/d", "title": "d"},
                            ]
                        }
                    ],
                },
            },
        }
    ]
    assert said(response)["WA301"].text == (
        "4 buttons became a list, because WhatsApp shows at most 3"
    )


def test_one_button_that_becomes_a_list_is_said_to_be_one(said):
    response = {"text": "So?", "buttons": buttons("Tell me all about your prices")}

    assert said(response)["WA301"].text.startswith("1 button became a list")


def test_a_long_title_makes_a_list_with_the_whole_title_beside_it(bodies, said):
    response = {"text": "So?", "buttons": buttons("Tell me all about your prices", "No")}

    (listed,) = action(bodies, response)

    assert listed["sections"][0]["rows"] == [
        {
            "id": "/Tell me all about your prices",
            "title": "Tell me all about your…",
            "description": "Tell me all about your prices",
        },
        {"id": "/No", "title": "No"},
    ]
    assert set(said(response)) == {"WA301", "WA303"}


def test_a_description_makes_a_list_without_further_words(bodies, said):
    response = {"text": "So?", "buttons": [{**buttons("a")[0], "description": "the first"}]}

    (listed,) = action(bodies, response)

    assert listed["sections"][0]["rows"] == [{"id": "/a", "title": "a", "description": "the first"}]
    assert said(response) == {}


def test_a_description_that_is_cut_is_said_as_lost(bodies, said):
    response = {"text": "So?", "buttons": [{**buttons("a")[0], "description": "d" * 73}]}

    (listed,) = action(bodies, response)

    assert listed["sections"][0]["rows"][0]["description"] == "d" * 71 + "…"
    assert said(response)["WA304"].lost


def test_more_than_ten_are_several_lists_about_as_long_as_each_other(bodies, said):
    response = {"text": "So?", "buttons": buttons(*"abcdefghijk")}

    first, second = (body["interactive"] for body in bodies(response))

    assert [first["body"]["text"], second["body"]["text"]] == ["So? (1/2)", "(2/2)"]
    lengths = [len(part["action"]["sections"][0]["rows"]) for part in (first, second)]
    assert lengths == [5, 6]
    assert "WA302" in said(response)


def test_equal_titles_are_numbered_and_equal_payloads_stay_equal(bodies, said):
    doubled = [{"title": "Yes", "payload": "/a"}, {"title": "Yes", "payload": "/b"}]

    (shown,) = action(bodies, {"text": "So?", "buttons": doubled})

    assert [button["reply"]["title"] for button in shown["buttons"]] == ["Yes", "Yes (2)"]
    assert "WA305" in said({"text": "So?", "buttons": doubled})


def test_a_description_below_metadata_is_that_of_the_same_button(bodies, said):
    described = {"title": "a", "payload": "/a", "description": "the first"}
    metadata = {"whatsapp": {"buttons": [described]}}
    response = {"text": "So?", "buttons": buttons("a", "b"), "metadata": metadata}

    (shown,) = action(bodies, response)

    (section,) = shown["sections"]
    assert section["rows"] == [
        {"id": "/a", "title": "a", "description": "the first"},
        {"id": "/b", "title": "b"},
    ]
    assert "WA306" not in said(response)


def test_one_button_twice_is_shown_once(bodies, said):
    response = {"text": "So?", "buttons": buttons("a", "a")}

    (shown,) = action(bodies, response)

    assert len(shown["buttons"]) == 1
    assert "WA306" in said(response)


@pytest.mark.parametrize(
    ("payload", "count"),
    [('/a{"x": "' + "y" * 250 + '"}', 2), ("/a" + "y" * 200, 4), (" /a", 2), ("/a ", 2)],
)
def test_a_payload_that_whatsapp_refuses_is_kept_under_a_short_id(payload, count):
    options = [{"title": "x", "payload": payload}, *buttons("b", "c", "d")[: count - 1]]

    composed = compose({"text": "So?", "buttons": options}, api=CLOUD)

    ((short, kept),) = composed.payloads.items()
    assert kept == payload
    assert short.startswith("p:")
    assert short in str(composed.messages[0].body())
    assert composed == compose({"text": "So?", "buttons": options}, api=CLOUD)


def test_two_titles_may_have_one_payload():
    options = [{"title": "Yes", "payload": "/affirm"}, {"title": "Sure", "payload": "/affirm"}]

    composed = compose({"text": "So?", "buttons": options}, api=CLOUD)

    first, second = (button.id for button in composed.messages[0].message.buttons)
    assert first == "/affirm"
    assert composed.payloads == {second: "/affirm"}


@pytest.mark.parametrize(
    ("option", "reply"),
    [
        ("Yes", {"id": "Yes", "title": "Yes"}),
        ({"title": "Yes"}, {"id": "Yes", "title": "Yes"}),
        ({"title": "Yes\n  please", "payload": "/y"}, {"id": "/y", "title": "Yes please"}),
        ({"title": 5, "payload": {"a": 1}}, {"id": '{"a": 1}', "title": "5"}),
        ({"payload": "/yes"}, {"id": "/yes", "title": "/yes"}),
    ],
)
def test_what_a_custom_action_may_pass_as_a_button(bodies, option, reply):
    (shown,) = action(bodies, {"text": "So?", "buttons": [option]})

    assert shown == {"buttons": [{"type": "reply", "reply": reply}]}


@pytest.mark.parametrize("option", [5, [], {"description": "alone"}, True])
def test_what_is_no_button_is_said(bodies, said, option):
    response = {"text": "So?", "buttons": [option, *buttons("a")]}

    (shown,) = action(bodies, response)

    assert len(shown["buttons"]) == 1
    assert option == [] or said(response)["WA307"].lost


def test_one_link_is_a_button_of_its_own_kind(bodies):
    response = {"text": "See", "image": "a.png", "buttons": [link("Open")]}

    assert bodies(response) == [
        {
            "type": "interactive",
            "interactive": {
                "type": "cta_url",
                "header": {"type": "image", "image": {"path": "a.png"}},
                "body": {"text": "See"},
                "action": {
                    "name": "cta_url",
                    "parameters": {"display_text": "Open", "url": "https://a.example/x"},
                },
            },
        }
    ]


def test_where_the_api_has_no_link_button_the_link_is_in_the_text(bodies, said):
    response = {"text": "See", "buttons": [link("Open")]}

    assert bodies(response, "on_premises") == [
        {"type": "text", "text": {"body": "See\n\nOpen: https://a.example/x"}}
    ]
    assert "api on_premises has no button" in said(response, "on_premises")["WA310"].text


def test_several_links_and_numbers_are_lines_of_the_text_above_the_buttons(bodies, said):
    phone = {"type": "phone_number", "title": "Call", "payload": "+49301234"}
    response = {"text": "See", "buttons": [link("Open"), *buttons("a"), phone]}

    (body,) = bodies(response)

    assert body["interactive"]["body"]["text"] == (
        "See\n\nOpen: https://a.example/x\nCall: +49301234"
    )
    assert len(body["interactive"]["action"]["buttons"]) == 1
    assert "WA310" in said(response)


def test_on_premises_the_body_of_a_list_is_shorter(bodies):
    response = {"text": "a " * 1000, "buttons": buttons(*"abcd")}

    assert [body["type"] for body in bodies(response)] == ["interactive"]
    assert [body["type"] for body in bodies(response, "on_premises")] == ["text", "interactive"]
