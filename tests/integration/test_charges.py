"""What a bot's operator sees of the charges: metrics, log and health, over real sockets."""

from __future__ import annotations

import logging
import time

from support.prometheus import scrape, scrape_until
from support.webhooks import NUMBER, envelope, text

PHONE = "4915112345678"
FIVE_FREE = {"billing": {"free_messages": 5}}


async def echo(message) -> None:
    await message.output_channel.send_response(message.sender_id, {"text": message.text})


def status(message_id: str, kind: str = "delivered", **pricing) -> dict:
    words = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "service"}
    return {
        "id": message_id,
        "status": kind,
        "timestamp": str(int(time.time())),
        "recipient_id": PHONE,
        "pricing": {**words, **pricing},
    }


def statuses(*items: dict) -> dict:
    return envelope([{"statuses": list(items)}])


async def test_a_message_is_charged_once_however_often_its_statuses_come(serve):
    reply, read = status("wamid.out1"), status("wamid.out1", "read")

    async with serve(echo) as running:
        for _ in range(2):
            await running.deliver(statuses(status("wamid.out1", "sent"), reply, read))
        await running.deliver(statuses(status("wamid.out2", "read"), status("wamid.out2")))
        await running.deliver(statuses(status("wamid.out3", category="utility")))
        page = await scrape(running)

    free = {"country": "49", "type": "regular", "billable": "false"}
    assert page("charges_total", category="service", **free) == 2
    assert page("charges_total", category="utility", **{**free, "billable": "true"}) == 1
    assert page("free_messages_left", number="1") == 998


async def test_words_of_tomorrow_make_no_series_of_their_own(serve):
    async with serve(echo) as running:
        await running.deliver(
            statuses(*(status(f"wamid.{n}", category=f"c{n}", type=f"t{n}") for n in range(9)))
        )
        page = await scrape(running)

    words = {"category": "other", "type": "other", "country": "49", "billable": "false"}
    assert page("charges_total", **words) == 9


async def test_the_operator_hears_once_that_the_free_messages_end(serve, caplog):
    caplog.set_level(logging.WARNING)
    month = time.strftime("%Y-%m", time.gmtime())

    async with serve(echo, **FIVE_FREE) as running:
        await running.deliver(statuses(*(status(f"wamid.{n}") for n in range(3))))
        before = await running.health()
        await running.deliver(statuses(status("wamid.3"), status("wamid.3", "read")))
        nearly = await running.health()
    async with serve(echo, **FIVE_FREE) as running:  # a restart forgets nothing
        await running.deliver(statuses(*(status(f"wamid.{n}") for n in range(4, 8))))
        after = await running.health()
        page = await scrape(running)

    assert "account" not in before
    assert [each["event"] for each in nearly["account"]] == ["NEARLY_USED_UP"]
    (used_up,) = after["account"]
    assert (used_up["topic"], used_up["event"]) == ("free messages", "USED_UP")
    assert after["status"] == "ok"
    assert page("free_messages_left", number="1") == 0
    billed = {"category": "service", "type": "regular", "country": "49", "billable": "true"}
    assert page("charges_total", **billed) == 3
    said = [line for line in caplog.messages if "free_messages_used" in line]
    assert said == [
        f"whatsapp.free_messages_used: 4 of the 5 free messages of {month} are used by number "
        f"{NUMBER}",
        f"whatsapp.free_messages_used: 5 of the 5 free messages of {month} are used by number "
        f"{NUMBER}; each further reply costs",
    ]


async def test_no_payment_method_is_an_alarm_in_a_status_and_in_an_answer(serve, platform, caplog):
    error = {
        "code": 131042,
        "title": "Business eligibility payment issue",
        "message": "Business eligibility payment issue",
    }
    refusal = {"error": {"message": "(#131042) Business eligibility payment issue", **error}}

    async with serve(echo) as running:
        await running.deliver(envelope([text(PHONE, "wamid.in1", "hi")]))
        await platform[0].sends(1)
        await scrape_until(running, "queue_waiting", 0, queue="outbox")
        failed = {**status("wamid.out1", "failed"), "errors": [error]}
        await running.deliver(statuses(failed))
        by_status = await running.health()
        platform[0].answers = [(400, refusal)]
        await running.deliver(envelope([text(PHONE, "wamid.in2", "hi")]))
        await scrape_until(running, "dead_letters_total", 1, queue="outbox")

    assert by_status["status"] == "account in trouble"
    (alarm,) = by_status["account"]
    assert (alarm["event"], alarm["severity"]) == ("NO_PAYMENT_METHOD", "error")
    alarms = [each for each in caplog.records if "no_payment_method" in each.getMessage()]
    assert [each.levelname for each in alarms] == ["ERROR", "ERROR"]


async def test_times_and_words_that_no_calendar_has_lose_no_charge(serve):
    odd = [
        {"timestamp": "1796000000000"},  # milliseconds
        {"timestamp": str(2**53)},
        {"timestamp": "soon"},
        {"pricing": {**status("")["pricing"], "type": "REGULAR"}},
    ]

    async with serve(echo, billing={"free_messages": 1, "time_zone": "Pacific/Kiritimati"}) as bot:
        for n, parts in enumerate(odd):
            await bot.deliver(statuses({**status(f"wamid.{n}"), **parts}))
        page = await scrape(bot)

    words = {"category": "service", "type": "regular", "country": "49"}
    assert page("charges_total", **words, billable="true") == 3
    assert page("charges_total", **words, billable="false") == 1
