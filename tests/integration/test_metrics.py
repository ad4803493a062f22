"""The page for Prometheus, after some traffic over real sockets."""

from __future__ import annotations

import time
from typing import Any

from support.prometheus import scrape, scrape_until

PHONE = "4915112345678"


def webhook(*messages: dict, **value: Any) -> dict:
    return {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": "102290129340398",
                "changes": [
                    {
                        "value": {
                            "messaging_product": "whatsapp",
                            "metadata": {
                                "display_phone_number": "15550783881",
                                "phone_number_id": "106540352242922",
                            },
                            "contacts": [{"profile": {"name": "Maya"}, "wa_id": PHONE}],
                            "messages": list(messages),
                            **value,
                        },
                        "field": "messages",
                    }
                ],
            }
        ],
    }


def text(number: int, body: str = "hi") -> dict:
    return {
        "from": PHONE,
        "id": f"wamid.in{number}",
        "timestamp": str(int(time.time())),  # the 24-hour window is open
        "type": "text",
        "text": {"body": body},
    }


async def echo(message) -> None:
    await message.output_channel.send_response(message.sender_id, {"text": message.text})


async def test_a_conversation_is_counted_all_the_way(serve, platform):
    async with serve(echo) as running:
        await running.deliver(webhook(text(1), text(2)))
        await running.deliver(webhook(text(1)))
        await platform[0].sends(2)
        page = await scrape_until(running, "sent_total", 2, type="text")

    assert page("received_total", type="text") == 2
    assert page("duplicates_total") == 1
    assert page("turns_handled_total") == 2
    assert page("webhook_seconds_count") == 2
    assert page("turn_seconds_count") == 2
    assert page("send_seconds_count") == 2
    assert page("queue_wait_seconds_count", queue="inbox") == 2
    assert page("queue_wait_seconds_count", queue="outbox") == 2
    assert page("dead_letters_total", queue="inbox") == 0


async def test_depths_are_those_of_the_moment(serve, platform):
    platform[0].gate.clear()

    async with serve(echo) as running:
        await running.deliver(webhook(text(1), text(2)))
        page = await scrape_until(running, "queue_waiting", 2, queue="outbox")
        platform[0].gate.set()
        await platform[0].sends(2)
        after = await scrape_until(running, "queue_waiting", 0, queue="outbox")

    assert 0 < page("queue_oldest_seconds", queue="outbox") < 60
    assert after("queue_oldest_seconds", queue="outbox") == 0
    assert after("store_up") == 1


async def test_errors_of_whatsapp_are_counted_by_code_with_what_followed(serve, platform):
    busy = {"error": {"message": "(#131016) Service unavailable", "code": 131016}}
    wrong = {"error": {"message": "(#131009) Parameter value is not valid", "code": 131009}}
    platform[0].answers = [(500, busy), (400, wrong)]

    async with serve(echo) as running:
        await running.deliver(webhook(text(1)))
        page = await scrape_until(running, "dead_letters_total", 1, queue="outbox")

    assert page("api_errors_total", code="131016") == 1
    assert page("api_errors_total", code="131009") == 1
    assert page("retries_total", queue="outbox") == 1
    assert page("queue_dead_letters", queue="outbox") == 1


async def test_a_turn_that_failed_is_a_retry_and_then_a_handled_turn(serve, platform):
    async def bot(message) -> None:
        if len(running.agent.heard) == 1:
            raise RuntimeError("the action server is down")

    async with serve(bot) as running:
        await running.deliver(webhook(text(1)))
        page = await scrape_until(running, "turns_handled_total", 1)

    assert page("retries_total", queue="inbox") == 1
    assert page("turn_seconds_count") == 2
    assert page("queue_wait_seconds_count", queue="inbox") == 1


async def test_what_was_changed_to_fit_is_counted_by_its_code(serve, platform):
    async def bot(message) -> None:
        await message.output_channel.send_response(message.sender_id, {"text": "word " * 1000})

    async with serve(bot) as running:
        await running.deliver(webhook(text(1)))
        page = await scrape_until(running, "turns_handled_total", 1)

    codes = {dict(key[1:])["code"] for key in page.samples if key[0] == "whatsapp_changes_total"}
    assert codes
    assert all(code.startswith("WA") for code in codes)


async def test_refused_callers_are_counted_by_what_they_lacked(serve):
    async with serve(echo) as running:
        await running.deliver(webhook(text(1)), headers={})
        await running.deliver(None, raw=b" " * (3 * 1024 * 1024 + 1))
        await running.get("/webhook?hub.mode=subscribe")
        page = await scrape(running)

    assert page("webhooks_refused_total", reason="signature") == 1
    assert page("webhooks_refused_total", reason="too_large") == 1
    assert page("webhooks_refused_total", reason="challenge") == 1
    assert page("received_total", type="text") is None


async def test_statuses_are_counted_and_what_is_not_understood_is_a_dead_letter(serve):
    status = {
        "id": "wamid.out1",
        "status": "delivered",
        "timestamp": "1749416390",
        "recipient_id": PHONE,
    }

    async with serve(echo) as running:
        await running.deliver(webhook(statuses=[status]))
        await running.deliver(None, raw=b"no json")
        page = await scrape(running)

    assert page("statuses_total", status="delivered") == 1
    assert page("dead_letters_total", queue="inbox") == 1


async def test_the_page_holds_nobody_and_nothing_that_was_said(serve, platform):
    async with serve(echo) as running:
        await running.deliver(webhook(text(1, "a secret of Maya"), {**text(2), "type": PHONE}))
        await platform[0].sends(1)
        page = await scrape_until(running, "turns_handled_total", 2)

    for private in (PHONE, "Maya", "secret", "wamid", "106540352242922"):
        assert private not in page.content
    assert page("received_total", type="other") == 1
