"""Who may call, what is too old, and what the log tells of it."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time

import pytest

PHONE = "4915112345678"
USER_ID = "DE.13491208655302741918"
NAME = "Maya Lindqvist"
WORDS = "my secret recipe is cardamom"
CAPTION = "a caption with vanilla"
ANSWER = "with saffron, then"


def message(number: int, *, at: float | None = None, **part) -> dict:
    head = {"from": PHONE, "from_user_id": USER_ID, "id": f"wamid.in{number}"}
    content = part or {"type": "text", "text": {"body": WORDS}}
    return {**head, "timestamp": str(int(at or time.time())), **content}


def webhook(*messages: dict) -> dict:
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"},
        "contacts": [{"profile": {"name": NAME}, "wa_id": PHONE, "user_id": USER_ID}],
        "messages": list(messages),
    }
    return {"entry": [{"id": "1", "changes": [{"value": value, "field": "messages"}]}]}


def sign(payload: dict, secret: str) -> tuple[bytes, dict[str, str]]:
    body = json.dumps(payload).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return body, {"X-Hub-Signature-256": f"sha256={digest}"}


async def echo(said) -> None:
    await said.output_channel.send_text_message(said.sender_id, ANSWER)


async def test_both_app_secrets_count_while_one_is_replaced(serve):
    async with serve(echo, app_secret=["the old one", "the new one"]) as running:
        answers = {}
        for secret in ("the old one", "the new one", "an-app-secret"):
            body, headers = sign(webhook(message(1)), secret)
            answers[secret] = await running.deliver(None, raw=body, headers=headers)

    assert answers == {"the old one": 200, "the new one": 200, "an-app-secret": 401}


async def test_only_the_networks_named_may_call(serve):
    settings = {"allowed_networks": ["173.252.64.0/18"], "trusted_proxies": ["127.0.0.0/8"]}
    async with serve(echo, **settings) as running:
        body, headers = sign(webhook(message(1)), "an-app-secret")
        meta = {**headers, "X-Forwarded-For": "1.2.3.4, 173.252.79.1"}
        other = {**headers, "X-Forwarded-For": "173.252.79.1, 1.2.3.4"}

        assert await running.deliver(None, raw=body, headers=meta) == 200
        assert await running.deliver(None, raw=body, headers=other) == 401
        assert await running.deliver(None, raw=body, headers=headers) == 401
        question = "/webhook?hub.mode=subscribe&hub.challenge=1&hub.verify_token=a-verify-token"
        assert (await running.get(question))[0] == 401
        _, page = await running.get("/metrics")
    assert 'whatsapp_webhooks_refused_total{reason="network"} 3.0' in page


async def test_a_message_that_comes_too_late_is_a_dead_letter_and_not_answered(serve, platform):
    old = message(1, at=time.time() - 7200)
    async with serve(echo, max_age=3600) as running:
        assert await running.deliver(webhook(old, message(2))) == 200
        assert await running.deliver(webhook(old)) == 200
        await platform[0].sends(1)
        health = await running.health()

    assert [said.message_id for said in running.agent.heard] == ["wamid.in2"]
    assert health["inbox"]["dead_letters"] == 1


async def test_however_old_a_message_is_it_is_answered_by_default(serve, platform):
    async with serve(echo) as running:
        await running.deliver(webhook(message(1, at=time.time() - 6 * 3600)))
        await platform[0].sends(1)


async def test_an_old_webhook_sent_again_is_no_work(serve, platform):
    async with serve(echo) as running:
        body, headers = sign(webhook(message(1)), "an-app-secret")
        await running.deliver(None, raw=body, headers=headers)
        await platform[0].sends(1)

        assert await running.deliver(None, raw=body, headers=headers) == 200
        health = await running.health()

    assert len(running.agent.heard) == 1
    assert health["inbox"]["waiting"] == 0


@pytest.mark.parametrize("level", [logging.INFO])
async def test_above_debug_the_log_tells_nothing_of_what_was_said(serve, platform, caplog, level):
    secrets = [PHONE, USER_ID, NAME, "cardamom", "vanilla", "saffron", "a-token", "an-app-secret"]
    picture = {"type": "image", "image": {"id": "1", "mime_type": "image/jpeg", "caption": CAPTION}}
    forged = {
        "type": "interactive",
        "interactive": {"type": "button_reply", "button_reply": {"id": "/vanilla", "title": "x"}},
    }
    refusal = {"error": {"message": "(#131009) Parameter value is not valid", "code": 131009}}
    platform[0].answers = [(500, {"error": {"message": "busy", "code": 131016}}), (400, refusal)]

    async def bot(said) -> None:
        await echo(said)
        if said.message_id == "wamid.in1" and len(running.agent.heard) == 1:
            raise RuntimeError("the action server is down")

    with caplog.at_level(level):
        async with serve(bot, max_age=3600) as running:
            batch = webhook(message(1), message(2, **picture), message(3, **forged), message(1))
            broken = webhook(message(4, at=1_600_000_000), {"from": PHONE, "text": WORDS})
            assert await running.deliver(batch) == 200
            assert await running.deliver(broken) == 200
            assert await running.deliver(batch, headers={}) == 401
            await running.get("/webhook?hub.mode=subscribe&hub.challenge=1&hub.verify_token=x")
            await platform[0].sends(2)
            while (await running.health())["outbox"]["waiting"]:
                pass

    told = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    names = {record.getMessage().split(":")[0] for record in caplog.records}
    assert {
        *("whatsapp.duplicate", "whatsapp.turn_failed", "whatsapp.unknown_button_payload"),
        *("whatsapp.media_not_fetched", "whatsapp.not_sent", "whatsapp.too_old"),
        *("whatsapp.not_understood", "whatsapp.refused", "whatsapp.dead_letter"),
    } <= names
    for secret in secrets:
        assert secret not in told
