"""Links leave as URIs, wherever they stand, and their authors hear of what was changed."""

from __future__ import annotations

import pytest

WRITTEN = " https://maps.example.com/São Paulo.png"
LINK = "https://maps.example.com/S%C3%A3o%20Paulo.png"
ON_PAGE = {"display_text": "Open", "url": WRITTEN}
SENT = {"display_text": "Open", "url": LINK}


def interactive(kind, header, action):
    inner = {"type": kind, "header": header, "body": {"text": "?"}, "action": action}
    return {"type": "interactive", "interactive": {k: v for k, v in inner.items() if v}}


def card(link, action):
    return {"header": {"type": "image", "image": {"link": link}}, "action": action}


def links_in(value):
    if isinstance(value, dict):
        for key, item in value.items():
            if key in ("link", "url"):
                yield item
            else:
                yield from links_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from links_in(item)


@pytest.mark.parametrize(
    "response",
    [
        {"image": WRITTEN},
        {"attachment": {"type": "image", "link": WRITTEN}},
        {"attachment": {"type": "image", "url": WRITTEN, "caption": "here"}},
        {"attachment": {"type": "document", "payload": {"src": WRITTEN}}},
        {"attachment": {"type": "audio", "link": WRITTEN}},
        {"attachment": {"type": "video", "link": WRITTEN}},
        {"attachment": {"type": "sticker", "link": WRITTEN}},
        {"text": "?", "image": WRITTEN, "buttons": ["A"]},
        {"text": "?", "buttons": [{"type": "web_url", "title": "Open", "url": WRITTEN}]},
        {"text": "?", "buttons": [{"type": "web_url", "title": "Open", "payload": WRITTEN}]},
        {
            "elements": [
                {"title": "a", "image_url": WRITTEN, "buttons": ["A"]},
                {"title": "b", "image_url": WRITTEN, "buttons": ["B"]},
            ]
        },
        {"custom": {"type": "image", "image": {"link": WRITTEN}}},
        {"custom": {"type": "document", "document": {"link": WRITTEN, "filename": "a.pdf"}}},
        {
            "custom": interactive(
                "button",
                {"type": "video", "video": {"link": WRITTEN}},
                {"buttons": [{"type": "reply", "reply": {"id": "a", "title": "A"}}]},
            )
        },
        {"custom": interactive("cta_url", None, {"name": "cta_url", "parameters": ON_PAGE})},
        {
            "custom": interactive(
                "carousel",
                None,
                {"cards": [card(WRITTEN, {"name": "cta_url", "parameters": ON_PAGE})] * 2},
            )
        },
        {"custom": interactive("of_2027", {"image": {"link": WRITTEN}}, {"name": "x"})},
    ],
)
def test_a_link_with_blanks_and_letters_leaves_as_a_uri(bodies, said, response):
    found = list(links_in(bodies(response)))

    assert found
    assert set(found) == {LINK}
    changes = said(response)
    assert {"WA212", "WA314"} & set(changes)
    assert not any(change.lost for change in changes.values())


@pytest.mark.parametrize(
    "link",
    [
        "https://b.example/a%2Fb/c%20d.png?sig=%2B%3d+x;y&X-Amz-Expires=60",
        "https://user:pa%40ss@b.example/x.png",
    ],
)
def test_a_link_that_is_right_already_is_not_touched(bodies, said, link):
    for response in ({"image": link}, {"custom": {"type": "image", "image": {"link": link}}}):
        assert bodies(response) == [{"type": "image", "image": {"link": link}}]
        assert said(response) == {}


def test_the_change_of_a_signed_link_keeps_its_signature_out_of_the_log(said):
    link = "https://ada:secret@b.example/a b.png?sig=secret"
    button = {"type": "web_url", "title": "Open", "url": link}

    for response, code in (
        ({"image": link}, "WA212"),
        ({"text": "?", "buttons": [button]}, "WA314"),
    ):
        change = said(response)[code]
        assert "secret" not in f"{change} {change.before} {change.after}"


def test_what_an_author_hands_to_a_form_stays_as_it_is(bodies, said):
    data = {"title": "a", "url": WRITTEN, "link": WRITTEN}
    parameters = {
        "flow_message_version": "3",
        "flow_id": "1",
        "flow_cta": "Book",
        "flow_action_payload": {"screen": "A", "data": data},
    }
    body = interactive("flow", None, {"name": "flow", "parameters": parameters})

    assert bodies({"custom": body}) == [body]
    assert said({"custom": body}) == {}


def test_what_stands_behind_the_name_of_a_provider_is_encoded(bodies):
    body = {"type": "image", "image": {"link": f"shop/{WRITTEN.strip()}", "provider": "shop"}}

    (sent,) = bodies({"custom": body}, api="on_premises")

    assert sent["image"]["link"] == f"shop/{LINK}"


@pytest.mark.parametrize(
    "link",
    ["https://", "https://a b.example/x.png", "http://[", "https://a.example/a\nb", "https://{x}/"],
)
def test_what_is_no_address_is_refused_with_a_sentence(bodies, said, link):
    for response, code in (
        ({"text": "words", "image": link}, "WA203"),
        ({"text": "words", "custom": {"type": "image", "image": {"link": link}}}, "WA502"),
    ):
        assert bodies(response) == [{"type": "text", "text": {"body": "words"}}]
        assert said(response)[code].lost
        assert "image.link" in said(response)[code].text


def test_a_button_that_opens_no_address_says_so(said):
    response = {"text": "?", "buttons": [{"type": "web_url", "title": "Open", "url": "https://"}]}

    assert "names a host that cannot be" in said(response)["WA310"].text


def test_the_file_and_the_button_of_a_template_are_encoded(said, bodies):
    short = {
        "name": "offer",
        "language": "en",
        "header": {"type": "image", "link": WRITTEN},
        "buttons": ["orders/São 1?x=%2F"],
    }
    own = {
        "name": "offer",
        "language": "en",
        "components": [
            {"type": "header", "parameters": [{"type": "image", "image": {"link": WRITTEN}}]},
            {
                "type": "button",
                "sub_type": "url",
                "index": "0",
                "parameters": [{"type": "text", "text": "orders/São 1?x=%2F"}],
            },
        ],
    }
    for template in (short, own):
        (body,) = bodies({"metadata": {"whatsapp": {"template": template}}})
        header, button = body["template"]["components"]

        assert header["parameters"][0]["image"]["link"] == LINK
        assert button["parameters"][0]["text"] == "orders/S%C3%A3o%201?x=%2F"
        assert "WA212" in said({"metadata": {"whatsapp": {"template": template}}})
