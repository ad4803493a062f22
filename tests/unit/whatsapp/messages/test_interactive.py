"""Buttons, lists, links, location requests and flows: every limit from both sides."""

import pytest

from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import (
    Button,
    CtaUrl,
    Flow,
    Header,
    ListMessage,
    LocationRequest,
    Media,
    OtherInteractive,
    ReplyButtons,
    Row,
    Section,
    parse,
)

BUY = Button("/buy", "Buy")
ROW = Row("a", "A")
PICTURE = Header("image", media=Media(id="1"))
FLOW = {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Book"}


def buttons(count=1, **changes):
    made = tuple(Button(f"/{number}", f"Title {number}") for number in range(count))
    return ReplyButtons(**{"text": "Take it?", "buttons": made, **changes})


def rows(count, start=0):
    return tuple(Row(f"r{number}", f"Row {number}") for number in range(start, start + count))


def choose(**changes):
    return ListMessage(
        **{"text": "Which?", "button": "Choose", "sections": (Section((ROW,)),), **changes}
    )


def interactive(kind, **parts):
    return {"type": "interactive", "interactive": {"type": kind, **parts}}


@pytest.mark.parametrize(
    "make",
    [
        lambda: buttons(1),
        lambda: buttons(3),
        lambda: buttons(text="t" * 1024),
        lambda: buttons(footer="f" * 60),
        lambda: buttons(header=Header("text", "h" * 60)),
        lambda: buttons(header=PICTURE),
        lambda: buttons(header=Header("video", media=Media(id="1"))),
        lambda: buttons(header=Header("document", media=Media(id="1"), filename="f.pdf")),
        lambda: Button("i" * 256, "t" * 20),
        lambda: Button("/buy", "👍" * 20),
        lambda: choose(text="t" * 4096),
        lambda: choose(header=Header("text", "h" * 60)),
        lambda: choose(footer="f" * 60),
        lambda: choose(button="b" * 20),
        lambda: choose(sections=(Section(rows(10)),)),
        lambda: choose(sections=tuple(Section(rows(1, n), title=f"S{n}") for n in range(10))),
        lambda: Section((ROW,), title="t" * 24),
        lambda: Row("i" * 200, "t" * 24, "d" * 72),
        lambda: CtaUrl("Look", PICTURE, display_text="d" * 20, url="https://a.b/" + "x" * 1988),
        lambda: LocationRequest("l" * 1024),
        lambda: Flow("Book", parameters={**FLOW, "flow_cta": "c" * 30}),
        lambda: Flow("Book", parameters={**FLOW, "flow_id": None, "flow_name": "booking"}),
    ],
)
def test_what_fits_just_so(make):
    make()


@pytest.mark.parametrize(
    ("make", "field", "words"),
    [
        (lambda: buttons(0), "action.buttons", "needs at least 1, has 0"),
        (lambda: buttons(4), "action.buttons", "takes at most 3, has 4"),
        (lambda: buttons(text="t" * 1025), "body.text", "at most 1024"),
        (lambda: buttons(text=""), "body.text", "must not be empty"),
        (lambda: buttons(text=None), "body.text", "must be a string"),
        (lambda: buttons(footer="f" * 61), "footer.text", "at most 60"),
        (lambda: buttons(footer=""), "footer.text", "must not be empty"),
        (lambda: Header("text", "h" * 61), "header.text", "at most 60"),
        (lambda: Header("text"), "header.text", "must be a string"),
        (lambda: Header("image"), "header.image", "is missing"),
        (lambda: Header("audio", media=Media(id="1")), "header.type", "text, image, video"),
        (
            lambda: Header("image", media=Media(id="1"), filename="f.png"),
            "header.image",
            "only a document has a filename",
        ),
        (
            lambda: buttons(buttons=(BUY, Button("/b", "Buy"))),
            "action.buttons.reply.title",
            "'Buy' is duplicated",
        ),
        (
            lambda: buttons(buttons=(BUY, Button("/buy", "Later"))),
            "action.buttons.reply.id",
            "'/buy' is duplicated",
        ),
        (lambda: Button("i" * 257, "Buy"), "action.buttons.reply.id", "at most 256"),
        (lambda: Button("", "Buy"), "action.buttons.reply.id", "must not be empty"),
        (lambda: Button("/buy ", "Buy"), "action.buttons.reply.id", "begin or end with a space"),
        (lambda: Button("/buy", "t" * 21), "action.buttons.reply.title", "at most 20"),
        (lambda: Button("/buy", ""), "action.buttons.reply.title", "must not be empty"),
        (lambda: choose(text="t" * 4097), "body.text", "at most 4096"),
        (lambda: choose(header=PICTURE), "header", "type list takes text"),
        (lambda: choose(button="b" * 21), "action.button", "at most 20"),
        (lambda: choose(button=""), "action.button", "must not be empty"),
        (lambda: choose(sections=()), "action.sections", "needs at least 1, has 0"),
        (
            lambda: choose(sections=tuple(Section(rows(1, n), title=f"S{n}") for n in range(11))),
            "action.sections",
            "takes at most 10, has 11",
        ),
        (
            lambda: choose(sections=(Section(rows(6), title="A"), Section(rows(5, 6), title="B"))),
            "action.sections.rows",
            "takes at most 10, has 11",
        ),
        (
            lambda: choose(sections=(Section((ROW,), title="A"), Section((Row("b", "B"),)))),
            "action.sections.title",
            "every section needs one",
        ),
        (
            lambda: choose(sections=(Section((ROW, Row("a", "B"))),)),
            "action.sections.rows.id",
            "'a' is duplicated",
        ),
        (lambda: Section(()), "action.sections.rows", "needs at least 1, has 0"),
        (lambda: Section((ROW,), title="t" * 25), "action.sections.title", "at most 24"),
        (lambda: Row("i" * 201, "A"), "action.sections.rows.id", "at most 200"),
        (lambda: Row("a", "t" * 25), "action.sections.rows.title", "at most 24"),
        (lambda: Row("a", "A", "d" * 73), "action.sections.rows.description", "at most 72"),
        (
            lambda: CtaUrl("Look", display_text="d" * 21, url="https://a.b"),
            "action.parameters.display_text",
            "at most 20",
        ),
        (
            lambda: CtaUrl("Look", display_text="See", url="https://a.b/" + "x" * 1989),
            "action.parameters.url",
            "at most 2000",
        ),
        (
            lambda: CtaUrl("Look", display_text="See", url="tel:+4915112345678"),
            "action.parameters.url",
            "must begin with http",
        ),
        (lambda: LocationRequest("l" * 1025), "body.text", "at most 1024"),
        (lambda: LocationRequest("Where?", PICTURE), "header", "takes no header"),
        (lambda: LocationRequest("Where?", footer="f"), "footer", "takes no footer"),
        (lambda: Flow("Book"), "action.parameters", "must be an object, not nothing"),
        (
            lambda: Flow("Book", parameters={**FLOW, "flow_cta": "c" * 31}),
            "action.parameters.flow_cta",
            "at most 30",
        ),
        (
            lambda: Flow("Book", parameters={**FLOW, "flow_message_version": 3}),
            "action.parameters.flow_message_version",
            "must be a string",
        ),
        (
            lambda: Flow("Book", parameters={**FLOW, "flow_name": "booking"}),
            "action.parameters",
            "exactly one of flow_id and flow_name",
        ),
    ],
)
def test_what_is_just_too_much(make, field, words):
    with pytest.raises(InvalidMessage) as caught:
        make()

    assert caught.value.field == f"interactive.{field}"
    assert words in caught.value.problem


def test_rows_may_share_a_title():
    choose(sections=(Section((Row("a", "Same"), Row("b", "Same"))),))


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"type": "interactive", "interactive": {}}, "interactive.type", "must be a string"),
        (interactive("button"), "interactive.action", "must be an object, not nothing"),
        (interactive("button", action={}), "interactive.action.buttons", "must be a list"),
        (
            interactive("button", body={"text": "?"}, action={"buttons": [{"type": "url"}]}),
            "interactive.action.buttons[0].type",
            "must be reply",
        ),
        (
            interactive("button", body={"text": "?"}, action={"buttons": [{"type": "reply"}]}),
            "interactive.action.buttons[0].reply",
            "must be an object",
        ),
        (interactive("button", body="?", action={}), "interactive.body", "must be an object"),
        (
            interactive("button", headr={}, action={}),
            "interactive.action.buttons",
            "there is interactive.headr: did you mean 'header'?",
        ),
        (
            interactive("button", body={"text": "?"}, header="Top", action={"buttons": []}),
            "interactive.header",
            "must be an object",
        ),
        (
            interactive(
                "button",
                header={"type": "image", "image": {"id": "1", "link": "https://a.b"}},
                action={"buttons": []},
            ),
            "interactive.header.image",
            "has id and link together",
        ),
        (
            interactive("list", body={"text": "?"}, action={"button": "b", "sections": [{}]}),
            "interactive.action.sections[0].rows",
            "must be a list",
        ),
        (
            interactive(
                "list", body={"text": "?"}, action={"button": "b", "sections": [{"rows": ["a"]}]}
            ),
            "interactive.action.sections[0].rows",
            "must be an object",
        ),
        (interactive("cta_url", action={"name": "url"}), "interactive.action.name", "cta_url"),
        (
            interactive(
                "cta_url",
                body={"text": "?"},
                action={"name": "cta_url", "parameters": {"link": "x"}},
            ),
            "interactive.action.parameters.display_text",
            "must be a string",
        ),
        (
            interactive("location_request_message", action={}),
            "interactive.action.name",
            "must be send_location",
        ),
        (interactive("flow", action={"name": "f"}), "interactive.action.name", "must be flow"),
    ],
)
def test_a_body_that_is_none_is_refused_at_its_place(body, field, words):
    with pytest.raises(InvalidMessage) as caught:
        parse(body)

    assert caught.value.field == field
    assert words in caught.value.problem


def test_ids_of_digits_may_come_as_numbers():
    button = {"type": "reply", "reply": {"id": 1, "title": "One"}}
    row = {"id": 2, "title": "Two"}

    one = parse(interactive("button", body={"text": "?"}, action={"buttons": [button]}))
    two = parse(
        interactive(
            "list", body={"text": "?"}, action={"button": "b", "sections": [{"rows": [row]}]}
        )
    )

    assert one.buttons == (Button("1", "One"),)
    assert two.sections == (Section((Row("2", "Two"),)),)


def test_a_type_of_tomorrow_is_carried_along():
    value = {"type": "poll", "body": {"text": "Tea?"}, "action": {"options": ["yes", "no"]}}

    message = parse({"type": "interactive", "interactive": value})

    assert message == OtherInteractive(None, value=value)
    assert message.body() == {"type": "interactive", "interactive": value}
