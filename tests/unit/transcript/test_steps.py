"""Transcripts are read from YAML and written as people would write them."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.transcript.steps import (
    Advance,
    Does,
    Expects,
    Silence,
    TranscriptError,
    dump_transcript,
    parse_transcript,
    record,
)

TEXT = """\
name: Somebody asks for a picture
person: "+49 151 12345678"
budget: 2
turn_budget: 1
chat:
- user: hi
- bot: ~/Welcome to .*/
- user: {taps: Picture}
- bot: {image: lake.jpg, text: "The lake, this evening"}
- clock: 25h
- silence: 2s
"""


def test_a_transcript_has_steps():
    transcript = parse_transcript(TEXT, name="picture.yml")

    assert (transcript.name, transcript.person) == (
        "Somebody asks for a picture",
        "+49 151 12345678",
    )
    assert (transcript.budget, transcript.turn_budget) == (2, 1)
    assert transcript.steps == (
        Does({"text": "hi"}),
        Expects({"text": "~/Welcome to .*/"}),
        Does({"taps": "Picture"}),
        Expects({"image": "lake.jpg", "text": "The lake, this evening"}),
        Advance(25 * 3600),
        Silence(2),
    )


def test_what_is_written_is_read_again():
    transcript = parse_transcript(TEXT, name="picture.yml")

    assert parse_transcript(dump_transcript(transcript), name="again") == transcript
    assert "- user: hi\n- bot: ~/Welcome to .*/\n" in dump_transcript(transcript)
    assert "- clock: 25h\n" in dump_transcript(transcript)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("chat: [", "x.yml is no YAML"),
        ("- user: hi", "x.yml must be a map"),
        ("chat: hi", "chat must be a list"),
        ("chats: []", "'chats' is not known; did you mean chat?"),
        ("chat: [hi]", "step 1 must have one key: user, bot, clock, silence"),
        ("chat: [{user: hi, bot: ho}]", "step 1 must have one key"),
        ("chat: [{user: hi}, {bott: ho}]", "step 2: 'bott' is not known; did you mean bot?"),
        ("chat: [{bot: {imag: x}}]", "'imag' is not known; did you mean image?"),
        ("chat: [{user: {tap: x}}]", "'tap' is not known; did you mean taps?"),
        ("chat: [{user: 5}]", "user takes a string or a map, not 5"),
        ("chat: [{clock: later}]", "clock takes a time such as 90s or 25h, not 'later'"),
        ("chat: [{bot: ~/(/}]", "is no pattern"),
        ("chat: [{bot: {buttons: [Yes, ~/(/]}}]", "is no pattern"),
    ],
)
def test_a_mistake_names_its_step_and_the_remedy(text, problem):
    with pytest.raises(TranscriptError) as refused:
        parse_transcript(text, name="x.yml")

    assert str(refused.value).startswith("x.yml")
    assert problem in str(refused.value)


def message(direction, kind, content, **more):
    return {"direction": direction, "type": kind, "content": content, "status": "read", **more}


# As the simulator shows them.
CHAT = [
    message("inbound", "text", {"body": "hi"}),
    message("inbound", "system", {"body": "changed"}),
    message("outbound", "text", {"body": "Hello"}),
    message(
        "outbound",
        "interactive",
        {
            "type": "button",
            "header": {"type": "image", "image": {"id": "1", "filename": "lake.jpg"}},
            "body": {"text": "Well?"},
            "footer": {"text": "Bye"},
            "action": {
                "buttons": [
                    {"type": "reply", "reply": {"id": "/yes", "title": "Yes"}},
                    {"type": "reply", "reply": {"id": "/no", "title": "No"}},
                ]
            },
        },
    ),
    message(
        "inbound",
        "interactive",
        {"type": "button_reply", "button_reply": {"id": "/yes", "title": "Yes"}},
    ),
    message(
        "outbound",
        "interactive",
        {
            "type": "list",
            "body": {"text": "Which?"},
            "action": {
                "button": "Open",
                "sections": [{"rows": [{"id": "a", "title": "A"}, {"id": "b", "title": "B"}]}],
            },
        },
    ),
    message(
        "inbound", "interactive", {"type": "list_reply", "list_reply": {"id": "a", "title": "A"}}
    ),
    message(
        "outbound", "image", {"link": "https://a.example/b/lake%20one.jpg?x=1", "caption": "C"}
    ),
    message("outbound", "audio", {"id": "1", "voice": True, "filename": "chime.ogg"}),
    message("outbound", "document", {"id": "1", "filename": "guide.pdf"}),
    message("inbound", "location", {"latitude": 1.5, "longitude": 2.5, "name": "Here"}),
    message(
        "outbound",
        "interactive",
        {
            "type": "cta_url",
            "body": {"text": "Look"},
            "action": {
                "name": "cta_url",
                "parameters": {"display_text": "Open", "url": "https://a.example/"},
            },
        },
    ),
    message("outbound", "contacts", [{"name": {"formatted_name": "Ada"}}]),
    message(
        "outbound",
        "template",
        {
            "name": "hello",
            "language": {"code": "en"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ada"}]}],
        },
    ),
    message(
        "outbound",
        "interactive",
        {
            "type": "carousel",
            "body": {"text": "Offers"},
            "action": {"cards": [{"body": {"text": "One"}}, {"body": {"text": "Two"}}]},
        },
    ),
    message("outbound", "text", {"body": "lost"}, status="failed", errors=[]),
    message("outbound", "reaction", {"message_id": "x", "emoji": "👍"}),
]
RECORDED = """\
name: A chat
chat:
- user: hi
- bot: Hello
- bot: {image: lake.jpg, text: "Well?", footer: Bye, buttons: [Yes, No]}
- user: {taps: "Yes"}
- bot: {text: "Which?", rows: [A, B]}
- user: {taps: A}
- bot: {image: lake one.jpg, text: C}
- bot: {voice: chime.ogg}
- bot: {document: guide.pdf}
- user: {location: {latitude: 1.5, longitude: 2.5, name: Here}}
- bot: {text: Look, link: "https://a.example/"}
- bot: {contacts: [Ada]}
- bot: {template: hello, values: [Ada]}
- bot: {text: Offers, cards: [One, Two]}
- bot: {reaction: 👍}
"""


def test_a_chat_is_recorded_with_all_its_types():
    recorded = dump_transcript(record(CHAT, name="A chat"))

    # YAML takes Yes and No for truth where they stand bare; the test reads them as texts.
    expected = RECORDED.replace("[Yes, No]", '["Yes", "No"]')
    assert parse_transcript(recorded, name="x") == parse_transcript(expected, name="x")
