from __future__ import annotations

import pytest

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.whatsapp.apis import APIS


def quotes(response, style, *, api="cloud", reply_to="wamid.in"):
    response = {**response, "metadata": {"whatsapp": style}}
    composed = compose(response, api=APIS[api], reply_to=reply_to)
    return [outgoing.reply_to for outgoing in composed.messages], composed.changes


@pytest.mark.parametrize("value", [True, "true"])
def test_the_first_message_quotes_the_users(value):
    response = {"text": "Both", "attachment": ["a.png", "b.png"]}

    assert quotes(response, {"reply_to": value}) == (["wamid.in", None, None], ())


@pytest.mark.parametrize("style", [{}, {"reply_to": False}, {"reply_to": "false"}])
def test_nothing_is_quoted_unless_asked_for(style):
    assert quotes({"text": "Hi"}, style) == ([None], ())


def test_another_message_can_be_quoted_by_its_id():
    assert quotes({"text": "Hi"}, {"reply_to": "wamid.other"}) == (["wamid.other"], ())


def test_a_custom_message_keeps_the_quote_it_has():
    body = {"text": {"body": "Hi"}, "context": {"message_id": "wamid.own"}}

    assert quotes({"custom": body}, {"reply_to": True}) == (["wamid.own"], ())


def test_a_reaction_quotes_nothing_the_next_message_does():
    reaction = {"reaction": {"message_id": "wamid.in", "emoji": "👍"}}
    messages = {"custom": [reaction, {"text": {"body": "Hi"}}]}

    assert quotes(messages, {"reply_to": True}) == ([None, "wamid.in"], ())


@pytest.mark.parametrize(
    ("response", "options", "reason"),
    [
        ({"text": "Hi"}, {"api": "turn"}, "api turn cannot"),
        ({"text": "Hi"}, {"api": "on_premises"}, "api on_premises cannot"),
        ({"text": "Hi"}, {"reply_to": None}, "the bot does not answer one"),
        (
            {"custom": {"reaction": {"message_id": "wamid.in", "emoji": "👍"}}},
            {},
            "a message of this kind cannot",
        ),
    ],
)
def test_what_cannot_be_quoted_is_said(response, options, reason):
    quoted, (change,) = quotes(response, {"reply_to": True}, **options)

    assert quoted == [None]
    assert (change.code, change.lost) == ("WA109", False)
    assert reason in change.text


@pytest.mark.parametrize("value", ["yes", 5, ["wamid.in"]])
def test_an_id_that_whatsapp_would_refuse_is_not_sent(value):
    quoted, (change,) = quotes({"text": "Hi"}, {"reply_to": value})

    assert quoted == [None]
    assert "must be true" in change.text
