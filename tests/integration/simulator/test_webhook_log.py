"""The log of webhooks, and what can be done with one."""

import asyncio
import hashlib
import hmac
import sys

import pytest

MAYA = "4915112345678"
HELLO = {"messaging_product": "whatsapp", "to": MAYA, "type": "text", "text": {"body": "hello"}}


def is_signed(webhook):
    digest = hmac.new(b"simulator-secret", webhook.raw, hashlib.sha256).hexdigest()
    return webhook.headers["x-hub-signature-256"] == f"sha256={digest}"


async def first(simulator, text="grüß dich 👋"):
    await simulator.says(text)
    return (await simulator.attempts(1))[0]


async def run(*command):
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, output.decode()


async def test_an_attempt_shows_address_signature_and_answer(simulator, bot):
    attempt = await first(simulator)

    assert attempt["url"] == bot.url
    assert attempt["status"] == 200
    assert attempt["answer"] == ""
    assert attempt["seconds"] >= 0
    signature = bot.received[0].headers["x-hub-signature-256"]
    assert attempt["headers"]["X-Hub-Signature-256"] == signature


async def test_a_redelivered_webhook_has_the_same_bytes(simulator, bot):
    attempt = await first(simulator)

    status, again = await simulator.post(f"/simulator/webhooks/{attempt['id']}/redeliver")

    assert (status, again["id"], again["attempt"]) == (200, attempt["id"], 2)
    one, two = bot.received
    assert (one.raw, one.headers["x-hub-signature-256"]) == (
        two.raw,
        two.headers["x-hub-signature-256"],
    )


@pytest.mark.parametrize("sign", [True, False])
async def test_an_edited_webhook_is_signed_or_badly_signed(simulator, bot, sign):
    body = (await first(simulator))["body"]
    body["entry"][0]["id"] = "1"

    status, _ = await simulator.post("/simulator/webhooks", {"body": body, "sign": sign})

    assert status == 200
    assert bot.received[1].body["entry"][0]["id"] == "1"
    assert is_signed(bot.received[1]) is sign


async def test_a_webhook_is_copied_as_a_command_that_works(simulator, bot):
    attempt = await first(simulator, "it's grüße & $HOME")
    _, command = await simulator.get(f"/simulator/webhooks/{attempt['id']}/curl")

    code, output = await run("sh", "-c", command.decode())

    assert code == 0, output
    assert bot.received[1].raw == bot.received[0].raw
    assert is_signed(bot.received[1])


async def test_a_webhook_is_copied_as_a_test_that_runs(simulator, bot, tmp_path):
    attempt = await first(simulator, 'it\'s "grüße" 👋 \\')
    _, source = await simulator.get(f"/simulator/webhooks/{attempt['id']}/fixture")
    path = tmp_path / "test_webhook.py"
    path.write_bytes(source)

    code, output = await run(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--noconftest", str(path)
    )

    assert code == 0, output
    assert bot.received[1].raw == bot.received[0].raw


async def test_what_is_no_webhook_is_refused(simulator):
    assert (await simulator.post("/simulator/webhooks/none/redeliver"))[0] == 404
    assert (await simulator.get("/simulator/webhooks/none/curl"))[0] == 404
    assert (await simulator.post("/simulator/webhooks", {"body": []}))[0] == 400


@pytest.mark.parametrize("status", ["delivered", "read", "played", "failed"])
async def test_a_status_is_set_by_hand(simulator, bot, status):
    await simulator.post("/simulator/faults", {"on": "statuses", "do": {"lose": True}})
    await simulator.cloud(HELLO)
    (message,) = await simulator.shows(1)
    await simulator.attempts(2)
    await simulator.call("DELETE", "/simulator/faults")
    answered, changed = await simulator.post(
        f"/simulator/people/{MAYA}/status",
        {"message_id": message["id"], "status": status, "code": 131026},
    )
    if status == "delivered":  # it is already
        assert answered == 409
        return

    assert changed["statuses"][-1]["status"] == status
    assert changed["statuses"][-1]["by_hand"] is True
    told = (await bot.takes(1))[0].body["entry"][0]["changes"][0]["value"]["statuses"][0]
    assert told["status"] == status
    codes = [error["code"] for error in told.get("errors", [])]
    assert codes == ([131026] if status == "failed" else [])


@pytest.mark.parametrize(
    ("body", "status"),
    [({"message_id": "none", "status": "read"}, 404), ({"status": "read"}, 404)],
)
async def test_a_status_of_no_message_is_refused(simulator, body, status):
    assert (await simulator.post(f"/simulator/people/{MAYA}/status", body))[0] == status
