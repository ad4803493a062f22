"""Pictures that are written in a text as Markdown has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.media.access import FileAccess
from rasa_whatsapp_channel.whatsapp.apis import APIS


def sent(text, **options):
    """Return the messages of *text*: their type, file, and words."""
    composed = compose({"text": text}, api=APIS["cloud"], **options)
    messages = []
    for body in (outgoing.body() for outgoing in composed.messages):
        part = body[body["type"]]
        file = part.get("link") or part.get("path")
        messages.append((body["type"], file, part.get("caption") or part.get("body")))
    return messages


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("![The lake](media/l.jpg)", [("image", "media/l.jpg", "The lake")]),
        ("![](media/l.jpg)", [("image", "media/l.jpg", None)]),
        (
            "Look:\n\n![The lake](https://a.example/l?w=9)\n\n**Shall I book?**",
            [("image", "https://a.example/l?w=9", "Look:\n\n*Shall I book?*")],
        ),
        (
            "Two rooms:\n- ![One](media/1.jpg)\n- ![Two](media/2.jpg)",
            [
                ("text", None, "Two rooms:"),
                ("image", "media/1.jpg", "One"),
                ("image", "media/2.jpg", "Two"),
            ],
        ),
        (
            "1. ![A](media/1.jpg) first\n2. second",
            [("image", "media/1.jpg", "1. first\n2. second")],
        ),
        (
            '![Price list](<media/my list.pdf> "all")',
            [("document", "media/my list.pdf", "Price list")],
        ),
        ("![Film](media/boat.mp4)", [("video", "media/boat.mp4", "Film")]),
        ("**![Bold](media/l.jpg)**\n---\nText", [("image", "media/l.jpg", "---\nText")]),
    ],
)
def test_a_picture_in_a_text_is_a_picture(text, messages):
    assert sent(text) == messages


@pytest.mark.parametrize(
    "code",
    [
        "`![a](media/l.jpg)`",
        "```\n![a](media/l.jpg)\n```",
        "So: ```![a](media/l.jpg)\n\n![b](media/m.jpg)\n\nend```",
        "~~~\n![a](media/l.jpg)\n~~~",
        "\\![a](media/l.jpg",
    ],
)
def test_code_stays_code(code):
    ((kind, file, words),) = sent(code)

    assert (kind, file) == ("text", None)
    assert "![a](media/l.jpg" in words


@pytest.mark.parametrize(
    ("address", "words"),
    [
        *((path, "it") for path in ("secret.jpg", "media/../credentials.jpg", "/etc/passwd.png")),
        *((path, "it") for path in ("media/.env", "media/bot.db", "media/a.yml", "media")),
        *((path, "it") for path in ("media//../../x.jpg", "s3://bucket/a.jpg", "data:text/html,x")),
        *((path, "it") for path in ("file:///etc/passwd", "whatsapp_media/2026-01-01/a.jpg")),
        ("http://a.example/l.jpg", "it (http://a.example/l.jpg)"),
    ],
)
def test_what_nobody_allowed_is_not_sent(address, words):
    assert sent(f"![it]({address})", access=FileAccess(("media",))) == [("text", None, words)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("![The lake](https://)", "The lake"),
        ("Look: ![The lake](https:///l.jpg)", "Look:\n\nThe lake"),
    ],
)
def test_the_words_of_a_picture_without_an_address_arrive(text, words):
    assert sent(text) == [("text", None, words)]


def test_what_people_sent_is_not_sent_even_where_the_whole_folder_may_be():
    access = FileAccess((".",))

    assert sent("![it](whatsapp_media/2026-01-01/a.jpg)", access=access) == [("text", None, "it")]
    assert sent("![it](menu/a.jpg)", access=access) == [("image", "menu/a.jpg", "it")]


def test_the_settings_say_which_pictures_are_sent():
    text = "![A](media/a.jpg)\n![B](https://b.example/b.jpg)"

    assert sent(text, images="files") == [
        ("image", "media/a.jpg", "B (https://b.example/b.jpg)"),
    ]
    assert sent(text, images="none") == [
        ("text", None, "![A](media/a.jpg)\nB (https://b.example/b.jpg)")
    ]
    assert sent(text, markdown=False) == [("text", None, text)]


def test_buttons_have_the_picture_above_them():
    response = {
        "text": "So?\n![The lake](media/l.jpg)",
        "buttons": [{"title": "Yes", "payload": "y"}],
    }

    (outgoing,) = compose(response, api=APIS["cloud"]).messages

    interactive = outgoing.body()["interactive"]
    assert interactive["header"] == {"type": "image", "image": {"path": "media/l.jpg"}}
    assert interactive["body"] == {"text": "So?"}


PIECES = st.sampled_from(
    [
        *("![a](media/1.jpg)", "![", "](media/2.jpg)", "![b](https://a.example/3.png)", "[", "]("),
        *(
            "`",
            "```",
            "~~~",
            "\n",
            "\n\n",
            "- ",
            "1. ",
            "# ",
            "**",
            "|",
            "\\",
            " ",
            "word",
            "\0",
            ")",
        ),
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_the_words_around_pictures_stay_in_order(text):
    words = " ".join(words or "" for kind, _, words in sent(text) if kind == "text")

    assert words.count("word") + sum(
        (words or "").count("word") for kind, _, words in sent(text) if kind != "text"
    ) == text.count("word")
