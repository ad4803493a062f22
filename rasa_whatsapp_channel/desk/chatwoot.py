"""
Chatwoot: the contract's events → requests to its API; its messages → what an agent says. No I/O.

An inbox of the kind API. What the person wrote are its incoming messages; all else is told in
private notes, so none of our own words can come back as an agent's.
https://developers.chatwoot.com/api-reference/introduction
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Generator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from rasa_whatsapp_channel.compose.links import is_link
from rasa_whatsapp_channel.desk.contract import Say, read_time, require
from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.standard_webhooks import NotTold
from rasa_whatsapp_channel.whatsapp import transport
from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of

TIMEOUT: Final = 30.0  # a file may be large
ATTACHMENTS: Final = 15
_OWNERS: Final = ("handoff.requested", "handoff.expired", "owner.changed")
_WHO: Final = {"user": "Person", "human": "Colleague", "app": "Another app"}
Body = Mapping[str, Any] | transport.Form | None
Codes = Sequence[int]
Texts = Mapping[str, str]
_STATUSES: Final = ("sent", "delivered", "read", "failed")

# Yields requests to Chatwoot, is sent HTTP status and JSON of their answers, and returns what came
# of it. An answer of another shape than is documented raises `LookupError` or `TypeError`.
Exchange = Generator[transport.Request, tuple[int, Any], Any]


def tell(
    event: Mapping[str, Any],
    ids: Mapping[str, Any],
    settings: HandoffSettings,
    *,
    file: transport.File | None = None,
    again: bool = False,
) -> Exchange:
    """
    Show *event*, an envelope, to the agents; return the ids that the next one needs.

    *ids* is empty for the first one of a conversation; `episode` in it is the one whose owner
    Chatwoot shows. *again*: an earlier attempt may have shown the event.
    """
    ids = ids or (yield from _begin(event, settings))
    place = f"/conversations/{ids['conversation']}"
    if event["type"] == "message.status":
        yield from _tell_status(place, event, settings)
        return ids
    if event["type"] in _OWNERS:
        # What agents change in an episode, Chatwoot shows already; they may have changed it again.
        if event["by"] != "desk" or "history" in event:
            change = {"status": "resolved" if event["to"] == "bot" else "open"}
            yield from _ask(settings, "POST", f"{place}/toggle_status", change, takes=(404,))
        ids = {**ids, "episode": event["episode"]}
    message = _message(event, has_file=file is not None)
    if message is None:
        return ids
    if again and (yield from _is_shown(place, message["source_id"], settings)):
        return ids
    code, shown = yield from _show(settings, place, message, file)
    if code == 404:  # somebody deleted the conversation
        ids = {**ids, **(yield from _begin(event, settings))}
        place = f"/conversations/{ids['conversation']}"
        code, shown = yield from _show(settings, place, message, file)
    if code in (413, 422) and file is not None:
        where = event["message"]["media"]["url"]
        message["content"] += f"\n[{file.filename}: Chatwoot refused it] {where}"
        _, shown = yield from _show(settings, place, message, None)
    return {"first": shown["id"], **ids}


def look(ids: Mapping[str, Any], settings: HandoffSettings, *, after: int) -> Exchange:
    """
    Ask for what was written and done in the conversation of *ids*.

    Returns what agents say in messages with an id above *after*, the highest id, and whether the
    conversation is resolved.
    """
    place = f"/conversations/{ids['conversation']}"
    _, found = yield from _ask(settings, "GET", place)
    _, listed = yield from _ask(settings, "GET", f"{place}/messages?after={after}")
    messages = listed["payload"]
    said = [say for each in messages if (say := read_message(each))]
    last = max([after, *(each["id"] for each in messages)])
    # The assignee tells nothing: Chatwoot can assign automatically, before an agent has come.
    return said, last, found["status"] == "resolved"


def key_of(number: int) -> str:
    """Return where it is kept which conversation has the *number* in Chatwoot."""
    return f"chatwoot:{number}"


def read_webhook(body: Mapping[str, Any], settings: HandoffSettings) -> tuple[int, Say | None]:
    """Return Chatwoot's number of the conversation, 0 for another inbox, and what an agent says."""
    is_message = str(body.get("event")).startswith("message_")
    conversation = object_of(body.get("conversation")) if is_message else body
    number = conversation.get("id")
    if not isinstance(number, int) or conversation.get("inbox_id") != settings.inbox:
        return 0, None
    # A message that is only changed was said before; what got lost is asked for.
    return number, read_message(body) if body.get("event") == "message_created" else None


def read_message(message: Mapping[str, Any]) -> Say | None:
    """Return what an agent says to the person; None for notes, our own words, and those of bots."""
    sender, about = object_of(message.get("sender")), object_of(message.get("content_attributes"))
    is_agents = message.get("message_type") in ("outgoing", 1) and sender.get("type") == "user"
    if not is_agents or message.get("private") or message.get("source_id") or about.get("deleted"):
        return None
    number, text = text_of(message.get("id")), text_of(message.get("content")) or ""
    attached = [_file(object_of(each)) for each in (message.get("attachments") or ())[:ATTACHMENTS]]
    files = tuple(filter(None, attached))
    if number is None or not (text or files):
        return None
    # Only what the person wrote has WhatsApp's id there.
    quoted = text_of(about.get("in_reply_to_external_id")) or ""
    reply_to = quoted if quoted.startswith("wamid.") else ""
    return Say(number, text, files, reply_to, agent=text_of(sender.get("name")) or "")


def verify(secrets: Sequence[str], headers: Texts, query: Texts, body: bytes, now: float) -> None:
    """Raise `WebhookRefused` unless the call is Chatwoot's; older servers have the URL's token."""
    shown = headers.get("x-chatwoot-signature")
    if shown is None:
        problem = "X-Chatwoot-Signature is missing, and ?token= is not handoff.secret"
        return require([query.get("token") or ""], secrets, problem)
    signed = read_time(headers, "x-chatwoot-timestamp", now).encode() + b"." + body
    wanted = [f"sha256={hmac.digest(each.encode(), signed, 'sha256').hex()}" for each in secrets]
    problem = "X-Chatwoot-Signature does not match: is handoff.secret the inbox's secret?"
    return require([shown], wanted, problem)


def request(
    settings: HandoffSettings, method: str, path: str, body: Body = None
) -> transport.Request:
    url = f"{settings.url}/api/v1/accounts/{settings.account}{path}"
    headers = {"api_access_token": settings.token}
    if not isinstance(body, Mapping):
        return transport.Request(method, url, headers, body, TIMEOUT)
    headers["Content-Type"] = "application/json"
    return transport.Request(method, url, headers, json.dumps(body).encode(), TIMEOUT)


def _ask(
    settings: HandoffSettings, method: str, path: str, body: Body = None, *, takes: Codes = ()
) -> Exchange:
    code, answer = yield request(settings, method, path, body)
    if not 200 <= code < 300 and code not in takes:
        raise NotTold(f"Chatwoot answers HTTP {code} to {method} {path}")
    return code, answer


def _begin(event: Mapping[str, Any], settings: HandoffSettings) -> Exchange:
    """Find or make contact and conversation; return the ids."""
    told = event["contact"]
    contact = {"name": told["name"] or told.get("phone") or told["user_id"]}
    contact |= {"identifier": f"whatsapp:{event['conversation']}"}
    contact |= {"phone_number": f"+{told['phone']}"} if told.get("phone", "").isdecimal() else {}
    inbox = {"inbox_id": settings.inbox}
    code, made = yield from _ask(settings, "POST", "/contacts", {**contact, **inbox}, takes=(422,))
    if code == 422:  # the contact is there
        number = yield from _find(contact, settings)
        _, found = yield from _ask(settings, "GET", f"/contacts/{number}/conversations")
        for each in found["payload"]:
            if each["inbox_id"] == settings.inbox:
                return {"conversation": each["id"]}
        where = f"/contacts/{number}/contact_inboxes"
        _, source = yield from _ask(settings, "POST", where, inbox)
    else:
        number, source = made["payload"]["contact"]["id"], made["payload"]["contact_inbox"]
    new = {"source_id": source["source_id"], "contact_id": number, "status": "open", **inbox}
    _, opened = yield from _ask(settings, "POST", "/conversations", new)
    return {"conversation": opened["id"]}


def _find(contact: Mapping[str, str], settings: HandoffSettings) -> Exchange:
    for key in ("identifier", "phone_number"):
        if wanted := contact.get(key):
            path = f"/contacts/search?q={quote(wanted, safe='')}"
            _, found = yield from _ask(settings, "GET", path)
            for each in found["payload"]:
                if each.get(key) == wanted:
                    return each["id"]
    raise NotTold("Chatwoot says the contact is there, but does not find it")


def _tell_status(place: str, event: Mapping[str, Any], settings: HandoffSettings) -> Exchange:
    status, why = event["status"], event.get("reason")
    if not event["client_id"].isdecimal() or status not in _STATUSES:
        return
    change = {"status": status, **({"external_error": why} if why else {})}
    path = f"{place}/messages/{event['client_id']}"
    code, _ = yield from _ask(settings, "PATCH", path, change, takes=(400, 403, 404, 405, 422))
    if code >= 400 and status == "failed":  # an older server takes no status
        note = {"content": f"Not sent: {why}", "message_type": "outgoing", "private": True}
        yield from _ask(settings, "POST", f"{place}/messages", note, takes=(404,))


def _is_shown(place: str, source_id: str, settings: HandoffSettings) -> Exchange:
    _, listed = yield from _ask(settings, "GET", f"{place}/messages", takes=(404,))
    return source_id in [each["source_id"] for each in object_of(listed).get("payload", ())]


def _show(
    settings: HandoffSettings, place: str, message: Mapping[str, Any], file: transport.File | None
) -> Exchange:
    body: Body = message
    if file is not None:
        fields = {name: str(value) for name, value in message.items() if name != "private"}
        body = transport.Form(fields, file, "attachments[]")
    refuses = (413, 422) if file else ()
    return (yield from _ask(settings, "POST", f"{place}/messages", body, takes=(404, *refuses)))


def _message(event: Mapping[str, Any], *, has_file: bool) -> dict[str, Any] | None:
    """
    Return the message that shows *event*; None: there is nothing to show.

    It has an id from us: WhatsApp's, where it is the person's, so that an agent can quote it.
    """
    told, is_persons = event.get("message", {}), event["type"] == "message.received"
    said = told.get("text") or ("" if has_file else f"[{told.get('type')}]")
    if is_persons:
        known = {"message_type": "incoming", "private": False, "source_id": told["id"]}
        return {"content": said, **known}
    note = _note(event, said)
    known = {"message_type": "outgoing", "private": True, "source_id": event["id"]}
    return {"content": note, **known} if note else None


def _note(event: Mapping[str, Any], said: str) -> str:
    """Return what the agents are told of *event*; *said* is the text of its message."""
    if event["type"] in _OWNERS:
        return _owner_note(event)
    return {
        "message.withheld": f"The bot wanted to say: {said}",
        "message.sent": f"{_WHO.get(event.get('message', {}).get('from'), 'Bot')}: {said}",
        "message.edited": f"Changed a message: {said}",
        "message.deleted": "Deleted a message.",
        "reaction": f"Reacted: {said}",
        "window.closing": _window(event),
    }.get(event["type"], "")


def _owner_note(event: Mapping[str, Any]) -> str:
    reason = f": {event['reason']}" if event.get("reason") else ""
    if event["type"] == "handoff.expired":
        return "Nobody came in time; the bot answers again."
    if event["to"] == "bot":
        return f"The bot answers again{reason}"
    if event["by"] == "desk" and not event.get("history"):
        return ""  # they know
    owners = {"waiting": "Somebody waits for a person", "human": "A person answers now"}
    first = owners.get(event["to"], "Another app answers now") + reason
    return "\n".join(filter(None, (first, *map(_line, event.get("history", ())), _window(event))))


def _window(event: Mapping[str, Any]) -> str:
    until = event.get("window_closes_at")
    return f"WhatsApp takes answers until {until}; after that only templates." if until else ""


def _line(message: Mapping[str, Any]) -> str:
    text, link = message.get("text") or f"[{message['type']}]", message.get("media", {}).get("url")
    said = f"{message['time']} {_WHO.get(message['from'], 'Bot')}: {text}"
    return f"{said} {link}" if link else said


def _file(attachment: Mapping[str, Any]) -> dict[str, str] | None:
    link, kind = text_of(attachment.get("data_url")) or "", attachment.get("file_type")
    if not is_link(link):
        return None
    if kind in ("image", "audio", "video"):
        return {"type": kind, "link": link}
    name = unquote(PurePosixPath(urlsplit(link).path).name)
    return {"type": "document", "link": link, "filename": name}
