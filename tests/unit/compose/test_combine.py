"""What a bot says in one turn, joined into as few messages as WhatsApp takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.compose.test_anything import RESPONSE, assert_sendable

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.compose.combine import alone, combine
from rasa_whatsapp_channel.compose.draft import Composed
from rasa_whatsapp_channel.whatsapp.apis import APIS, CLOUD
from rasa_whatsapp_channel.whatsapp.messages import find_media

PICTURE = "https://a.example/1.png"
OTHER = "https://a.example/2.png"
GUIDE = {"type": "document", "link": "https://a.example/g.pdf", "filename": "g.pdf"}
SOUND = {"type": "audio", "link": "https://a.example/a.ogg"}
YES = {"title": "Yes", "payload": "/yes"}
BUTTONS = {"text": "Well?", "buttons": [YES]}
CAROUSEL = {
    "elements": [
        {"image_url": PICTURE, "subtitle": f"Card {number}", "buttons": [YES]} for number in (1, 2)
    ]
}
TEMPLATE = {"template": {"name": "hello", "language": "en"}}


def text(said, **style):
    return {"text": said, **({"metadata": {"whatsapp": style}} if style else {})}


def joined(*responses, **options):
    api = options.pop("api", CLOUD)
    composed = [compose(response, api=api, reply_to="wamid.in") for response in responses]
    return combine(composed, api=api, **options)


def look(outgoing):
    """Return a message in short: its type, what it shows above, and its text."""
    body = outgoing.body()
    content = body[body["type"]]
    if body["type"] != "interactive":
        return body["type"], content.get("body", content.get("caption"))
    header = content.get("header", {}).get("type")
    return content["type"], *([header] if header else []), content["body"]["text"]


@pytest.mark.parametrize(
    ("responses", "looks"),
    [
        ([text("a"), text("b"), text("c")], [("text", "a\n\nb\n\nc")]),
        ([text("a"), {"image": PICTURE}], [("image", "a")]),
        ([{"image": PICTURE}, text("a")], [("image", "a")]),
        ([text("a"), {"text": "b", "image": PICTURE}, text("c")], [("image", "a\n\nb\n\nc")]),
        ([{"image": PICTURE}, text("a"), {"image": OTHER}], [("image", None), ("image", "a")]),
        ([{"text": "a", "attachment": SOUND}], [("text", "a"), ("audio", None)]),
        (
            [text("a"), {"attachment": SOUND}, text("b")],
            [("text", "a"), ("audio", None), ("text", "b")],
        ),
        ([text("a"), text("b"), BUTTONS], [("button", "a\n\nb\n\nWell?")]),
        ([BUTTONS, text("a")], [("button", "Well?\n\na")]),
        ([text("a"), {"buttons": [YES]}], [("button", "a")]),
        ([BUTTONS, text("a"), {"buttons": [YES]}], [("button", "Well?"), ("button", "a")]),
        ([{"buttons": [YES]}, text("a")], [("button", "a")]),
        ([{"image": PICTURE}, BUTTONS], [("button", "image", "Well?")]),
        ([text("a"), {"attachment": GUIDE}, BUTTONS], [("button", "document", "a\n\nWell?")]),
        ([BUTTONS, {"image": PICTURE}], [("button", "Well?"), ("image", None)]),
        ([BUTTONS, BUTTONS], [("button", "Well?"), ("button", "Well?")]),
        ([text("a"), CAROUSEL, text("b")], [("carousel", "a"), ("text", "b")]),
        # What stands above or below the text stays there.
        (
            [text("a"), {**BUTTONS, **text("Well?", header="H")}],
            [("text", "a"), ("button", "text", "Well?")],
        ),
        (
            [{**BUTTONS, **text("Well?", footer="F")}, text("a")],
            [("button", "Well?"), ("text", "a")],
        ),
        # Limits
        ([text("a" * 4000), text("b" * 94)], [("text", f"{'a' * 4000}\n\n{'b' * 94}")]),
        ([text("a" * 4000), text("b" * 95)], [("text", "a" * 4000), ("text", "b" * 95)]),
        ([text("a" * 1024), {"image": PICTURE}], [("image", "a" * 1024)]),
        ([text("a" * 1025), {"image": PICTURE}], [("text", "a" * 1025), ("image", None)]),
        ([text("a" * 1017), BUTTONS], [("button", f"{'a' * 1017}\n\nWell?")]),
        ([text("a" * 1018), BUTTONS], [("text", "a" * 1018), ("button", "Well?")]),
        (
            [{"image": PICTURE}, text("a"), {"image": OTHER}, text("b" * 1020)],
            [("image", None), ("image", "a\n\n" + "b" * 1020)],
        ),
        # Nothing else is touched.
        (
            [text("a"), {"custom": {"location": {"latitude": 1, "longitude": 2}}}, text("b")],
            [("text", "a"), ("location", None), ("text", "b")],
        ),
        (
            [text("a"), {"custom": {"type": "text", "text": {"body": "b"}, "new": 1}}],
            [("text", "a"), ("text", "b")],
        ),
    ],
)
def test_a_turn_becomes_these_messages(responses, looks):
    assert [look(message.outgoing) for message in joined(*responses).messages] == looks


@pytest.mark.parametrize(("api", "count"), [("cloud", 1), ("on_premises", 2)])
def test_the_text_of_a_list_is_as_long_as_the_api_takes_it(api, count):
    rows = {"text": "Well?", "buttons": [f"{number}" for number in range(4)]}

    assert len(joined(text("a" * 1020), rows, api=APIS[api]).messages) == count


def test_a_text_stays_beside_its_file_where_captions_are_separate():
    combined = joined(text("a"), {"image": PICTURE}, text("b"), captions="separate")

    assert [look(message.outgoing) for message in combined.messages] == [
        ("text", "a"),
        ("image", None),
        ("text", "b"),
    ]


LINK = "https://a.example"


@pytest.mark.parametrize(
    ("responses", "previews"),
    [
        ([text("a"), text(LINK, preview_url=True)], [True]),
        ([text(LINK, preview_url=True), text(f"b {LINK}")], [True]),
        ([text(f"a {LINK}"), text(LINK, preview_url=True)], [False, True]),
        ([text(LINK, preview_url=True), text(LINK, preview_url=True)], [True, True]),
    ],
)
def test_the_link_that_was_to_be_previewed_is_the_one_that_is(responses, previews):
    bodies = [message.outgoing.body() for message in joined(*responses).messages]

    assert [body["text"].get("preview_url", False) for body in bodies] == previews


def test_a_preview_is_given_up_for_no_caption_and_for_no_buttons():
    preview = text(LINK, preview_url=True)

    assert len(joined(preview, {"image": PICTURE}, preview, BUTTONS, preview).messages) == 5


@pytest.mark.parametrize(
    ("responses", "quotes"),
    [
        ([text("a", reply_to=True), text("b")], ["wamid.in"]),
        ([text("a"), text("b", reply_to=True)], [None, "wamid.in"]),
        ([text("a", reply_to=True), text("b", reply_to="wamid.7")], ["wamid.in", "wamid.7"]),
        ([text("a", reply_to="wamid.7"), text("b", reply_to="wamid.7")], ["wamid.7"]),
    ],
)
def test_nothing_quotes_what_it_was_not_meant_to_quote(responses, quotes):
    assert [message.outgoing.reply_to for message in joined(*responses).messages] == quotes


def test_a_response_with_a_template_for_the_closed_window_stays_apart():
    assert len(joined(text("a"), text("b", **TEMPLATE), text("c")).messages) == 3


def test_two_responses_with_numbers_to_type_stay_apart():
    numbers = {**BUTTONS, "button_type": "numbers"}

    assert len(joined(text("a"), numbers, numbers, text("b")).messages) == 2


@pytest.mark.parametrize(
    ("responses", "said"),
    [
        ([text("wait"), text("a")], ["a"]),
        ([text("a"), text("wait")], ["a"]),
        ([text("wait")], ["wait"]),
        ([text("wait"), text("wait")], ["wait\n\nwait"]),
        ([text("wait", **TEMPLATE), text("a")], ["wait", "a"]),
    ],
)
def test_what_asks_for_a_moment_is_left_out_where_something_else_is_said(responses, said):
    skip = [place for place, response in enumerate(responses) if response["text"] == "wait"]
    combined = joined(*responses, skip=skip)

    assert [look(message.outgoing)[1] for message in combined.messages] == said


def test_what_can_be_tapped_is_never_left_out():
    assert len(joined(BUTTONS, {"image": PICTURE}, skip=[0, 1]).messages) == 2
    assert len(joined(BUTTONS, {"image": PICTURE}, text("a"), skip=[0, 1]).messages) == 2


def test_what_became_of_a_turn_is_said():
    combined = joined(text("wait"), text("a"), {"buttons": [YES]}, skip=[0])
    (message,) = combined.messages

    assert [[change.code for change in changes] for changes in combined.changes] == [
        ["WA902"],
        [],  # no emoji stands in for a text
        [],
    ]
    assert [change.text for change in message.changes] == [
        "2 messages of the turn became one, as `combine` asks"
    ]
    assert (message.responses, message.last, message.count) == ((1, 2), 2, 2)


@pytest.mark.slow
@given(st.lists(RESPONSE, max_size=5), st.sampled_from(list(APIS.values())))
def test_nothing_goes_missing_nothing_is_moved_and_everything_fits(responses, api):
    composed = [compose(response, api=api, reply_to="wamid.in") for response in responses]
    apart = [message.outgoing for message in alone(composed).messages]

    combined = combine(composed, api=api)

    together = [message.outgoing for message in combined.messages]
    assert len(together) <= len(apart)
    assert sum(message.count for message in combined.messages) == len(apart)
    assert [message.last for message in combined.messages][-1:] == [len(apart) - 1][: len(apart)]
    for take in (words, options, files):
        assert list(take(together)) == list(take(apart))
    assert_sendable(Composed(tuple(together)), api)


def words(messages):
    """Yield every word that is to be read, in order, but what stands in for a text."""
    for outgoing in messages:
        body = outgoing.body()
        content = body[body["type"]]
        if body["type"] == "interactive":
            header, footer = (
                content.get(part, {}).get("text", "") for part in ("header", "footer")
            )
            rest = [
                card.get("body", {}).get("text", "") for card in content["action"].get("cards", [])
            ]
            said = [header, content["body"]["text"], *rest, footer]
        else:
            said = [content.get("body") or content.get("caption") or ""]
        yield from (word for part in said for word in part.split() if word != "👇")


def options(messages):
    for outgoing in messages:
        if (body := outgoing.body())["type"] == "interactive":
            yield body["interactive"]["action"]


def files(messages):
    return [media for outgoing in messages for media in find_media(outgoing.message)]
