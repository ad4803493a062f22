"""
Chatwoot: events → requests to its API, its webhooks and messages → what an agent wants. No I/O.

An inbox of the kind API. What the person wrote are its incoming messages; all else is told in
private notes, so none of our own words can come back as an agent's.
https://developers.chatwoot.com/api-reference/introduction
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from rasa_whatsapp_channel.desk.contract import (
    SKEW,
    DeskError,
    File,
    GiveBack,
    Link,
    Say,
    equal,
    iso,
    whole,
)
from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.whatsapp import transport
from rasa_whatsapp_channel.whatsapp.errors import WebhookRefused
from rasa_whatsapp_channel.whatsapp.identity import split_number
from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of

TIMEOUT: Final = 30.0  # a file may be large
ATTACHMENTS: Final = 15
_WHO: Final = {"user": "Person", "bot": "Bot", "human": "Colleague", "app": "Another app"}
_STATUSES: Final = frozenset({"sent", "delivered", "read", "failed"})

# Yields requests, is sent HTTP status and JSON of their answers, and returns what came of it.
Exchange = Generator[transport.Request, tuple[int, Any], Any]


@dataclass(frozen=True)
class Heard:
    """What came from the *conversation* of Chatwoot; *at* is its last change, in unix seconds."""

    conversation: int
    commands: Sequence[Say | GiveBack]
    at: float | None = None


def tell(
    conversation: str,
    event: Mapping[str, Any],
    ids: Mapping[str, Any],
    settings: HandoffSettings,
    *,
    link: Link,
    file: transport.File | None = None,
    again: bool = False,
) -> Exchange:
    """
    Show *event* to the agents; return the ids that the next event of the conversation needs.

    *ids* is empty for the first one; `at` in it is when Chatwoot changed its
    conversation last. *again*: an earlier attempt may have shown it.
    """
    if not ids:
        ids = yield from _begin(conversation, event, settings)
    place = f"/conversations/{ids['conversation']}"
    if event["type"] == "message.status":
        yield from _tell_status(place, event, settings)
        return ids
    if event["type"] in ("handoff.requested", "owner.changed", "handoff.expired"):
        status = "resolved" if event["to"] == "bot" else "open"
        change = {"status": status}
        code, _ = yield from _post(settings, f"{place}/toggle_status", change, takes=(404,))
        if code == 404:  # somebody deleted it
            ids = yield from _begin(conversation, event, settings)
            place = f"/conversations/{ids['conversation']}"
        _, found = yield from _ask(settings, "GET", place)
        ids = {**ids, "at": _at(found)}
    message = _message(event, link)
    if message is None or (again and (yield from _is_shown(place, event, settings))):
        return ids
    code, answer = yield from _show(place, message, settings, file)
    if code in (413, 422) and file is not None:
        where = link(event["message"]["media"]["path"])
        message["content"] = f"{message['content']}\n[{file.filename}: Chatwoot refused it] {where}"
        code, answer = yield from _show(place, message, settings, None)
    if not 200 <= code < 300:
        raise DeskError(f"Chatwoot answers HTTP {code} to a message: {str(answer)[:200]}")
    return {**ids, "first": ids.get("first") or object_of(answer).get("id", 0)}


def look(ids: Mapping[str, Any], settings: HandoffSettings, *, after: int) -> Exchange:
    """Return a `Heard` of the messages with an id above *after*, and the highest id."""
    place = f"/conversations/{ids['conversation']}"
    _, found = yield from _ask(settings, "GET", place)
    _, listed = yield from _ask(settings, "GET", f"{place}/messages?after={after}")
    messages = [object_of(each) for each in object_of(listed).get("payload") or ()]
    said = [say for say in map(read_message, messages) if say]
    last = max([after, *(each["id"] for each in messages if isinstance(each.get("id"), int))])
    return Heard(ids["conversation"], [*said, *_return(object_of(found))], _at(found)), last


def read_webhook(body: Mapping[str, Any], settings: HandoffSettings) -> Heard | None:
    """Read a webhook; None for what is of another inbox, or says nothing."""
    is_message = str(body.get("event", "")).startswith("message_")
    conversation = object_of(body.get("conversation")) if is_message else dict(body)
    number = conversation.get("id")
    if not isinstance(number, int) or conversation.get("inbox_id") != settings.inbox:
        return None
    # A message that is only changed was said before; what got lost is asked for.
    say = read_message(body) if body.get("event") == "message_created" else None
    return Heard(number, [*((say,) if say else ()), *_return(conversation)], _at(conversation))


def read_message(message: Mapping[str, Any]) -> Say | None:
    """Return what an agent says to the person; None for notes, our own words, and those of bots."""
    sender, about = object_of(message.get("sender")), object_of(message.get("content_attributes"))
    is_agents = message.get("message_type") in ("outgoing", 1) and sender.get("type") == "user"
    if not is_agents or message.get("private") or message.get("source_id") or about.get("deleted"):
        return None
    number = text_of(message.get("id"))
    files = [_file(object_of(each)) for each in (message.get("attachments") or ())[:ATTACHMENTS]]
    text = text_of(message.get("content")) or ""
    if number is None or not (text or any(files)):
        return None
    return Say(number, text, tuple(filter(None, files)), agent=text_of(sender.get("name")) or "")


def verify(
    secrets: Sequence[str],
    headers: Mapping[str, str],
    query: Mapping[str, str],
    body: bytes,
    now: float,
) -> None:
    """Raise `WebhookRefused` unless the call is Chatwoot's; older servers have the URL's token."""
    shown = headers.get("x-chatwoot-signature")
    if shown is None:
        if not any(equal(query.get("token") or "", secret) for secret in secrets):
            text = "X-Chatwoot-Signature is missing, and ?token= is not handoff.secret"
            raise WebhookRefused(text, kind="signature")
        return
    at = headers.get("x-chatwoot-timestamp") or ""
    if abs(whole(at) - now) > SKEW:
        raise WebhookRefused("X-Chatwoot-Timestamp is missing, or not of now", kind="signature")
    signed = f"{at}.".encode() + body
    wanted = [f"sha256={hmac.digest(each.encode(), signed, 'sha256').hex()}" for each in secrets]
    if not any(equal(shown, each) for each in wanted):
        text = "X-Chatwoot-Signature does not match: is handoff.secret that of the inbox's webhook?"
        raise WebhookRefused(text, kind="signature")


def request(
    settings: HandoffSettings,
    method: str,
    path: str,
    body: Mapping[str, Any] | transport.Form | None = None,
) -> transport.Request:
    url = f"{settings.url}/api/v1/accounts/{settings.account}{path}"
    headers = {"api_access_token": settings.token}
    if isinstance(body, transport.Form) or body is None:
        return transport.Request(method, url, headers, body, TIMEOUT)
    headers["Content-Type"] = "application/json"
    return transport.Request(method, url, headers, json.dumps(body).encode(), TIMEOUT)


def _begin(conversation: str, event: Mapping[str, Any], settings: HandoffSettings) -> Exchange:
    """Find or make contact and conversation; return their ids."""
    name, _ = split_number(conversation)
    identifier = f"whatsapp:{conversation}"
    contact: Mapping[str, Any] = {"name": event.get("name") or name, "identifier": identifier}
    phone = {"phone_number": f"+{name}"} if name.isdecimal() else {}
    new = {**contact, **phone, "inbox_id": settings.inbox}
    code, answer = yield from _post(settings, "/contacts", new, takes=(422,))
    if code == 422:  # the contact is there
        contact = yield from _find(settings, identifier, phone.get("phone_number", identifier))
        code, answer = yield from _ask(settings, "GET", f"/contacts/{contact['id']}/conversations")
        for each in object_of(answer).get("payload") or ():
            if each.get("inbox_id") == settings.inbox:
                return {"conversation": each["id"]}
        where = f"/contacts/{contact['id']}/contact_inboxes"
        _, inbox = yield from _post(settings, where, {"inbox_id": settings.inbox})
    else:
        payload = object_of(object_of(answer).get("payload"))
        contact, inbox = object_of(payload.get("contact")), payload.get("contact_inbox")
    ours = {"source_id": object_of(inbox).get("source_id"), "inbox_id": settings.inbox}
    ours |= {"contact_id": contact.get("id"), "status": "open"}
    _, made = yield from _post(settings, "/conversations", ours)
    if not isinstance(object_of(made).get("id"), int):
        raise DeskError("Chatwoot made a conversation without an id")
    return {"conversation": made["id"]}


def _find(settings: HandoffSettings, identifier: str, phone: str) -> Exchange:
    for wanted in dict.fromkeys((identifier, phone)):
        path = f"/contacts/search?q={quote(wanted, safe='')}"
        _, answer = yield from _ask(settings, "GET", path)
        for each in object_of(answer).get("payload") or ():
            if wanted in (each.get("identifier"), each.get("phone_number")):
                return each
    raise DeskError("Chatwoot says the contact is there, but does not find it")


def _tell_status(place: str, event: Mapping[str, Any], settings: HandoffSettings) -> Exchange:
    if not event["client_id"].isdecimal() or event["status"] not in _STATUSES:
        return
    path, why = f"{place}/messages/{event['client_id']}", event.get("reason")
    change = {"status": event["status"], **({"external_error": why} if why else {})}
    code, _ = yield request(settings, "PATCH", path, change)
    if code >= 500:
        raise DeskError(f"Chatwoot answers HTTP {code} to a status")
    if code >= 400 and event["status"] == "failed":  # an older server
        note = {"content": f"Not sent: {why}", "message_type": "outgoing", "private": True}
        yield from _post(settings, f"{place}/messages", note)


def _is_shown(place: str, event: Mapping[str, Any], settings: HandoffSettings) -> Exchange:
    _, answer = yield from _ask(settings, "GET", f"{place}/messages")
    return any(each.get("source_id") == event["id"] for each in object_of(answer)["payload"])


def _show(
    place: str,
    message: Mapping[str, Any],
    settings: HandoffSettings,
    file: transport.File | None,
) -> Exchange:
    body: Mapping[str, Any] | transport.Form = message
    if file is not None:
        fields = {name: str(value) for name, value in message.items() if name != "private"}
        body = transport.Form(fields, file, "attachments[]")
    return (yield request(settings, "POST", f"{place}/messages", body))


def _message(event: Mapping[str, Any], link: Link) -> dict[str, Any] | None:
    """Return the message that shows *event*; None: there is nothing to show."""
    if event["type"] == "message.received":
        told = event["message"]
        content = told.get("text") or ("" if told.get("media") else f"[{told['type']}]")
        kind = {"content": content, "message_type": "incoming", "private": False}
        return {**kind, "source_id": event["id"]}
    note = _note(event, link)
    kind = {"content": note, "message_type": "outgoing", "private": True}
    return {**kind, "source_id": event["id"]} if note else None


def _note(event: Mapping[str, Any], link: Link) -> str:
    told = event.get("message", {})
    said = told.get("text") or f"[{told.get('type')}]"
    reason = f": {event['reason']}" if event.get("reason") else ""
    until = event.get("window_closes_at")
    window = f"WhatsApp takes answers until {until}; after that only templates." if until else ""
    before = [_line(each, link) for each in event.get("history", ())]
    if event["type"] == "owner.changed" and event["to"] != "bot" and not before:
        return "" if event["by"] == "desk" else f"This conversation is now: {event['to']}{reason}"
    opening = "Somebody waits for a person" if event.get("to") == "waiting" else "A person has it"
    return {
        "handoff.requested": "\n".join(filter(None, (f"{opening}{reason}", *before, window))),
        "owner.changed": "\n".join(filter(None, (f"{opening}{reason}", *before, window)))
        if event.get("to") != "bot"
        else f"The bot answers again{reason}",
        "handoff.expired": "Nobody came in time; the bot answers again.",
        "message.withheld": f"The bot wanted to say: {said}",
        "message.sent": f"{_WHO.get(told.get('from', ''), 'Bot')}: {said}",
        "message.edited": f"Changed a message: {said}",
        "message.deleted": "Deleted a message.",
        "reaction": f"Reacted: {said}",
        "window.closing": window,
    }.get(event["type"], "")


def _line(message: Mapping[str, Any], link: Link) -> str:
    path = object_of(message.get("media")).get("path")
    text = message.get("text") or f"[{message.get('type')}]"
    return f"{iso(message['at'])} {_WHO.get(message['from'], 'Bot')}: {text}" + (
        f" {link(path)}" if path else ""
    )


def _post(
    settings: HandoffSettings, path: str, body: Mapping[str, Any], takes: Sequence[int] = ()
) -> Exchange:
    return (yield from _ask(settings, "POST", path, body, takes))


def _ask(
    settings: HandoffSettings,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    takes: Sequence[int] = (),
) -> Exchange:
    code, answer = yield request(settings, method, path, body)
    if not 200 <= code < 300 and code not in takes:
        raise DeskError(f"Chatwoot answers HTTP {code} to {method} {path}: {str(answer)[:200]}")
    return code, answer


def _return(conversation: Mapping[str, Any]) -> Sequence[GiveBack]:
    # Whoever is assigned is not asked: where Chatwoot assigns by itself, nobody is there yet.
    return (GiveBack(),) if conversation.get("status") == "resolved" else ()


def _at(conversation: Any) -> float | None:
    at = object_of(conversation).get("updated_at")
    return float(at) if isinstance(at, (int, float)) else None


def _file(attachment: Mapping[str, Any]) -> File | None:
    link, kind = text_of(attachment.get("data_url")), attachment.get("file_type")
    if link is None or not link.startswith(("https://", "http://")):
        return None
    kinds = {"image": "image", "audio": "audio", "video": "video"}
    name = unquote(PurePosixPath(urlsplit(link).path).name)
    return File(kinds.get(str(kind), "document"), link, filename="" if kind in kinds else name)
