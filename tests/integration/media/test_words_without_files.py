"""A file that cannot go leaves the words and what can be tapped: real store, HTTP, simulator."""

from __future__ import annotations

import logging

import pytest
from support.real_files import picture
from support.redis_server import RedisServer

BUTTONS = [{"title": "Pay now", "payload": "/now"}, {"title": "Later", "payload": "/later"}]
INVOICE = {"text": "Your invoice is 42 EUR. What now?", "buttons": BUTTONS}


@pytest.fixture(params=["sqlite", "redis"])
def store(request, tmp_path):
    """Named before `start`, so that it is there until the bot has ended."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/whatsapp.db"
        return
    redis = RedisServer(tmp_path, appendonly="yes")
    redis.start()
    yield redis.url
    redis.kill()


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def titles(message):
    return [button["reply"]["title"] for button in message.content["action"]["buttons"]]


@pytest.mark.parametrize("api", ["cloud", "360dialog", "on_premises", "turn"])
async def test_text_and_buttons_of_a_refused_link_are_there_within_two_seconds(
    store, start, host, caplog, api
):
    desk = await start(api, store=store)
    link = host("a.jpg", b"", "image/jpeg", status=404)
    waits = desk.notes_waits()

    await desk.say({**INVOICE, "image": link, "utter_action": "utter_invoice"})

    [message] = await desk.shows(1)
    assert sum(waits) < 2
    assert message.content["body"]["text"] == INVOICE["text"]
    assert titles(message) == ["Pay now", "Later"]
    assert "header" not in message.content
    [line] = [each for each in warnings(caplog) if each.startswith("whatsapp.")]
    assert line.startswith("whatsapp.changed: utter_invoice: the image is left out")
    assert "HTTP 404" in line
    assert message.response == "utter_invoice"
    assert "WA801" in [change["code"] for change in message.changes]
    page = desk.bot.metrics.page().decode()
    assert 'whatsapp_changes_total{code="WA801"} 1.0' in page


async def test_a_link_that_fails_only_after_it_was_taken_leaves_text_and_buttons(
    store, start, host
):
    desk = await start(store=store)
    link = host("a.jpg", b"<html>", "text/html")

    await desk.say({**INVOICE, "image": link})

    [message] = await desk.shows(1)
    assert (message.content["body"]["text"], titles(message)) == (
        INVOICE["text"],
        ["Pay now", "Later"],
    )


async def test_a_missing_file_leaves_the_cards_as_single_messages_in_order(store, start):
    desk = await start(store=store)
    good = desk.put("a.jpg", picture("JPEG"))
    cards = [
        {"title": f"Lake {number}", "image_url": image, "buttons": BUTTONS}
        for number, image in enumerate([good, "media/missing.jpg", good])
    ]

    await desk.say({"elements": cards, "text": "Our lakes"}, {"text": "and this"})

    shown = await desk.shows(5)
    texts = [message.content["body"] for message in shown]
    assert [text if isinstance(text, str) else text["text"] for text in texts] == [
        "Our lakes",
        *("*Lake 0*", "*Lake 1*", "*Lake 2*"),
        "and this",
    ]
    assert ["header" in message.content for message in shown[1:4]] == [True, False, True]
    assert all(titles(message) == ["Pay now", "Later"] for message in shown[1:4])


async def test_a_link_that_whatsapp_cannot_fetch_goes_once_where_nothing_may_be_uploaded(
    start, host, caplog
):
    caplog.set_level(logging.INFO)
    desk = await start(media={"upload": "never"})
    link = host("a.jpg", b"", "image/jpeg", status=404)

    await desk.say({**INVOICE, "image": link})

    [message] = await desk.shows(1)
    assert (message.content["body"]["text"], titles(message)) == (
        INVOICE["text"],
        ["Pay now", "Later"],
    )
    assert desk.posts("/messages") == 2  # with the picture, and without it
    assert "uploaded" not in caplog.text
    [line] = [each for each in warnings(caplog) if each.startswith("whatsapp.")]
    assert "131053 Media upload error: The link returns HTTP 404" in line
    assert "and `media: {upload: never}` is set" in line


async def test_a_file_server_that_fails_once_is_asked_again(store, start, host):
    desk = await start(store=store, media={"upload": "always"})
    link = host("a.jpg", b"", "image/jpeg", status=500)

    await desk.say({**INVOICE, "image": link})
    await desk.fails_to_fetch()
    host("a.jpg", picture("JPEG"), "image/jpeg")

    [message] = await desk.shows(1)
    assert message.content["header"]["type"] == "image"
    assert titles(message) == ["Pay now", "Later"]


async def test_where_links_cannot_go_and_nothing_may_be_uploaded_the_words_go(start, host, caplog):
    desk = await start("turn", media={"upload": "never"})
    link = host("a.jpg", picture("JPEG"), "image/jpeg")

    await desk.say({"text": "The lake", "image": link}, {"text": "and this"})

    shown = await desk.shows(2)
    assert [message.content["body"] for message in shown] == ["The lake", "and this"]
    assert "cannot go as a link here, and `media: {upload: never}` is set" in caplog.text
