"""Markdown that has one meaning becomes WhatsApp's formatting; what WhatsApp formats stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_whatsapp_channel.compose.markdown import MARKS, to_whatsapp, too_marked


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("**bold**", "*bold*"),
        ("***both***", "*_both_*"),
        ("~~gone~~", "~gone~"),
        ("~~**x**~~", "*~x~*"),
        ("**bold and *inner* more**", "*bold and _inner_ more*"),
        ("**one\ntwo**", "*one*\n*two*"),
        ("# Title", "*Title*"),
        ("## **Title** #\ntext", "*Title*\ntext"),
        ("[our shop](https://a.example/x_y_z) now", "our shop (https://a.example/x_y_z) now"),
        ("**[Shop](https://a.example)**", "*Shop* (https://a.example)"),
        ('[Shop](https://a.example "open all day")', "Shop (open all day: https://a.example)"),
        ("[https://a.example](https://a.example)", "https://a.example"),
        ("[write](mailto:a@b.example)", "write (a@b.example)"),
        ("see <https://a.example/_b_>", "see https://a.example/_b_"),
        ("![a lake](https://a.example/l.png)", "a lake (https://a.example/l.png)"),
        ("```python\nx = 1\n```", "```\nx = 1\n```"),
        ("~~~\nx = **1**\n~~~", "```\nx = **1**\n```"),
        ("``a`b``", "```a`b```"),
        ("| Tea | € |\n|---|--:|\n| Green | **3** |", "*Tea* | *€*\nGreen | *3*"),
        ("a line\\\nanother", "a line\nanother"),
    ],
)
def test_what_markdown_alone_means_is_formatted(markdown, shown):
    assert to_whatsapp(markdown) == shown


@pytest.mark.parametrize(
    "text",
    [
        *("*bold*", "_it_", "~gone~", "`code`", "```code\nmore```", "> quote", "* item", "- item"),
        *("1. one\n2. two", "*bold* and _it_", "* one *item*\n* two", "```\ncode\n```"),
        *("__init__", "snake_case", "2*3*4", "2**3**4", "a ** b ** c", "5 * 3", "un**believ**able"),
        *("https://a.example/_x_/**y**?a=~~b~~", "#", "# ", "#hash", "Press # or *", "*️⃣ #️⃣ **️⃣"),
        *("f(x)[i](y)", "[1](2)", "a | b", "---", "***", "Title\n---", "    set off", "<b>x</b>"),
        *(
            "¯\\_(ツ)_/¯",
            "C:\\_dir",
            "\\",
            "a\n\n\n\n  b  ",
            "👍*x*",
            "**",
            "~~",
            "``",
            "~~~",
            "```",
        ),
        *("**Note:**text", "`**x**`", "&amp; &lt;", "line\\n", "[a]: https://a.example"),
    ],
)
def test_everything_else_stays_as_it_was_written(text):
    assert to_whatsapp(text) == text
    # also beside something that is formatted
    assert to_whatsapp(f"{text}\n\n**x**") == f"{text}\n\n*x*"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r"\*not bold\*", "∗not bold∗"),
        (r"Price\*" + "\n\n" + r"\* plus tax", "Price∗\n\n∗ plus tax"),
        (r"2 \* 3", "2 * 3"),
        (r"\~not gone\~", "∼not gone∼"),
        (r"snake\_case", "snake_case"),
        (r"\\*bold*", r"\\*bold*"),
        (r"`\*`", r"`\*`"),
    ],
)
def test_an_escaped_mark_does_not_format(text, shown):
    assert to_whatsapp(text) == shown


PARTS = st.sampled_from(
    [
        *("*", "**", "***", "_", "__", "~", "~~", "`", "``", "```", "#", "# ", "- ", "> ", "1. "),
        *("|", "|-|", "|---|---|", "[", "](", "](https://a.example/b_c)", "!", "\\", "\\*", "---"),
        *("<https://a.example>", "https://a.example/_x_*y*", "(", ")", "\n", "\n\n", "\r\n", " "),
        *("a", "b c", "é.", "👍", "这", "9", "~~~", "\t"),
    ]
)
TEXTS = st.lists(PARTS, max_size=25).map("".join) | st.text(max_size=60)


@pytest.mark.slow
@given(TEXTS)
def test_twice_is_the_same_as_once(text):
    once = to_whatsapp(text)

    assert to_whatsapp(once) == once


@given(TEXTS)
def test_no_letter_or_number_goes_missing(text):
    assert letters(to_whatsapp(text)) == letters(text)


def test_a_response_and_its_captions_are_formatted_unless_it_is_switched_off(bodies):
    response = {
        "text": "**Hi**",
        "attachment": [
            {"type": "image", "id": "1", "caption": "~~a~~"},
            {"type": "image", "id": "2"},
        ],
    }

    text, image, _ = bodies(response)
    plain, _, _ = bodies(response, markdown=False)

    assert text["text"]["body"] == "*Hi*"
    assert image["image"]["caption"] == "~a~"
    assert plain["text"]["body"] == "**Hi**"


def test_titles_and_whatsapps_own_bodies_are_not_formatted(bodies):
    (buttons,) = bodies({"text": "So?", "buttons": [{"title": "**Yes**", "payload": "/y"}]})
    (custom,) = bodies({"custom": {"type": "text", "text": {"body": "**as it is**"}}})

    assert buttons["interactive"]["action"]["buttons"][0]["reply"]["title"] == "**Yes**"
    assert custom["text"]["body"] == "**as it is**"


def letters(text):
    return sorted(character for character in text if character.isalnum())


# What would hold the parser, and everybody who waits for the server, for seconds.
HOSTILE = [
    *("*", "_", "~", "`", "**_", "*[*", "![](", "[](", "[", "](", "<a:", "\\", "|", "> **", "- ~~"),
    *("```\n", "# \n", "|a|\n|-|\n", "  - **a\n", "**\U0001f600", "~~\u0301", "``\u202e", "***a"),
]


@pytest.mark.parametrize("pattern", HOSTILE)
def test_a_text_with_too_many_marks_goes_as_it_was_written(bodies, said, pattern):
    text = "**a** | " + (pattern * 200_000)[:200_000]
    sent = bodies({"text": text})

    assert {body["type"] for body in sent} == {"text"}
    assert without_space("".join(body["text"]["body"] for body in sent)).startswith("**a**|")
    assert letters("".join(body["text"]["body"] for body in sent)) == letters(text)
    assert said({"text": text})["WA112"].lost is False


@pytest.mark.parametrize("pattern", HOSTILE)
def test_the_parser_gets_no_more_marks_than_it_reads_in_a_moment(pattern):
    text = "**a** | " + pattern * MARKS

    assert too_marked(text) > MARKS
    assert to_whatsapp(text) is text
    assert too_marked(pattern) == 0


def test_a_text_as_long_as_models_write_is_read(bodies, said):
    part = "## A heading\n\nSome **words** about a [link](https://a.example/b): it is\n\n" + (
        "- a point with a few more words in it, and then some more\n" * 8
    )
    text = (part * 60)[:28_000]

    assert too_marked(text) == 0
    assert "WA112" not in said({"text": text})
    assert "*words*" in bodies({"text": text})[-1]["text"]["body"]


def test_a_caption_a_card_and_a_footer_with_too_many_marks_say_so_too(said):
    marks = "**a** " * 1000
    file = {"type": "document", "link": "https://a.example/b.pdf", "caption": marks}

    assert "WA112" in said({"attachment": file})
    assert "WA112" in said({"elements": [{"title": "a", "subtitle": marks}]})
    assert "WA112" in said({"text": "a", "custom": {"whatsapp": {"footer": marks}}})
    assert "WA112" not in said({"text": marks}, markdown=False)


def without_space(text):
    return "".join(text.split())
