"""Desk checks: what the desk of `handoff`, and the bot's door for it, answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rasa_whatsapp_channel.doctor.checks.account import ApiAnswer
from rasa_whatsapp_channel.doctor.results import CheckResult, error, ok, warning
from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.whatsapp.json_values import object_of


@dataclass(frozen=True)
class DeskFacts:
    """
    *reached*: a signed probe, or Chatwoot's inbox. *forged*: a probe with another signature.

    *door*: what the bot answered to a call as the desk signs it; None where it was not called.
    """

    reached: ApiAnswer
    forged: ApiAnswer | None = None
    door: ApiAnswer | None = None
    #: the address of the door, where that of the bot is known
    address: str = ""


def check_desk(facts: DeskFacts, settings: HandoffSettings) -> Iterator[CheckResult]:
    status, where = facts.reached.status, settings.url
    if status is None:
        text = f"{where} does not answer: {facts.reached.failure}"
        yield error("desk.reached", text, "Look at handoff.url, and whether the desk runs.")
    elif not 200 <= status < 300:
        hints = {401: "handoff.token", 403: "handoff.token", 404: "handoff.account and inbox"}
        hint = hints.get(status, "the desk's log") if settings.desk == "chatwoot" else "its log"
        text = f"{where} answers HTTP {status}"
        yield error("desk.reached", text, f"Look at {hint}.")
    else:
        yield ok("desk.reached", f"{where} answers")
        if settings.desk == "chatwoot":
            yield from _check_inbox(facts, settings)
    if facts.forged is not None and 200 <= (facts.forged.status or 0) < 300:
        text = "the desk takes an event that nobody signed"
        yield warning("desk.signature", text, "Let it check webhook-signature with handoff.secret.")
    if facts.door is not None and facts.door.status != 200:
        text = f"{facts.address} answers HTTP {facts.door.status} to a desk: {facts.door.failure}"
        remedy = "Start the bot with this `handoff`; a proxy must let this address through."
        yield error("desk.door", text, remedy)
    elif facts.door is not None:
        yield ok("desk.door", "the bot takes what handoff.secret signs")


def _check_inbox(facts: DeskFacts, settings: HandoffSettings) -> Iterator[CheckResult]:
    inbox = object_of(facts.reached.body)
    if inbox.get("channel_type") != "Channel::Api":
        text = f"inbox {settings.inbox} is of the kind {inbox.get('channel_type')}, not API"
        yield error("desk.inbox", text, "Make an inbox of the kind API, and write its number.")
        return
    yield ok("desk.inbox", f"inbox {settings.inbox} is of the kind API")
    hook = str(inbox.get("webhook_url") or "").partition("?")[0]
    if not hook or (facts.address and hook != facts.address):
        text = f"the inbox calls {hook or 'nobody'}"
        remedy = f"Write {facts.address or 'the address of the bot'} into the inbox's settings."
        yield error("desk.webhook", text, remedy)
    secret = inbox.get("secret")  # newer versions show it to administrators
    if isinstance(secret, str) and secret and secret not in settings.secret:
        text = "handoff.secret is not the secret of the inbox's webhook: every reply is refused"
        yield error("desk.secret", text, "Copy it from the inbox's settings; not the hmac_token.")
