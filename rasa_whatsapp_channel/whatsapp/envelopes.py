"""
Envelopes: reads the events out of both webhook formats, and writes events as JSON for a store.

Cloud and 360dialog: ``{"entry": [{"changes": [{"field": …, "value": {…}}]}]}``, any number of each.
On-premises and Turn: the content of such a ``value`` alone, without the business number.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview
https://developers.facebook.com/docs/whatsapp/api/webhooks
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from itertools import islice
from typing import Any, Final

from rasa_whatsapp_channel.whatsapp.errors import PlatformError
from rasa_whatsapp_channel.whatsapp.event_parser import (
    Contacts,
    read_error_list,
    read_message,
    read_status,
    read_user_id_update,
    unknown,
)
from rasa_whatsapp_channel.whatsapp.events import (
    Context,
    DeliveryFailed,
    Event,
    InboundMessage,
    Part,
    PlatformNotice,
    Status,
    Unknown,
    UserIdChanged,
)
from rasa_whatsapp_channel.whatsapp.json_values import object_of, plain, text_of

# WhatsApp documents 1000 per webhook; without an end, 3 MB of "{}" would be a million events.
EVENTS: Final = 2_000

# Documented webhook fields without messages of users.
IGNORABLE_FIELDS: Final = frozenset(
    {
        *("account_alerts", "account_review_update", "account_update", "automatic_events"),
        *("business_capability_update", "business_username_update", "calls", "flows"),
        *("group_lifecycle_update", "group_participants_update", "group_settings_update"),
        *("group_status_update", "history", "message_template_components_update"),
        *("message_template_quality_update", "message_template_status_update"),
        *("partner_solutions", "payment_configuration_update", "phone_number_name_update"),
        *("phone_number_quality_update", "security", "smb_app_state_sync", "smb_message_echoes"),
        *("template_category_update", "user_preferences"),
    }
)

_KINDS: Final[Mapping[type[Event], str]] = {
    InboundMessage: "message",
    Status: "status",
    UserIdChanged: "user_id_changed",
    DeliveryFailed: "delivery_failed",
    PlatformNotice: "platform_notice",
    Unknown: "unknown",
}
_CLASSES: Final = {name: kind for kind, name in _KINDS.items()}


def read_events(payload: object) -> tuple[Event, ...]:
    """Return everything a webhook holds, in its order, at least one event. Never raises."""
    if not isinstance(payload, dict):
        return (unknown("not a JSON object", payload),)
    reader = _read_cloud(payload) if "entry" in payload else _read_value(payload)
    events = tuple(islice(reader, EVENTS))
    if next(reader, None) is not None:
        return (*events, Unknown(f"more than {EVENTS} events in one webhook; the rest is not read"))
    return events


def to_body(event: Event) -> dict[str, Any]:
    """Return *event* as JSON for the store; `from_body` is its inverse."""
    body = {"kind": _KINDS[type(event)], **vars(event)}
    for name in ("errors", "context"):
        if body.get(name):
            body[name] = _to_plain(body[name])
    return body


def from_body(body: Mapping[str, Any]) -> Event:
    """Return the event that *body* was made from; `Unknown` when no version of ours made it."""
    try:
        return _from_body(body)
    except (AttributeError, KeyError, TypeError) as error:
        return Unknown(f"not an event that was stored: {error!r}", dict(body))


def _to_plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_to_plain(item) for item in value]
    return dict(vars(value))


def _from_body(body: Mapping[str, Any]) -> Event:
    kind = _CLASSES[body["kind"]]
    fields = _fields(kind, body)
    if "errors" in fields:
        fields["errors"] = tuple(
            PlatformError(**_fields(PlatformError, error)) for error in fields["errors"]
        )
    if fields.get("context") is not None:
        fields["context"] = Context(**_fields(Context, fields["context"]))
    return kind(**fields)


def _fields(kind: type, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that *kind* has a field for; a newer version may have stored more."""
    return {name: body[name] for name in _names(kind) if name in body}


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _read_cloud(payload: Part) -> Iterator[Event]:
    return _or_unknown(_each(payload, "entry", _read_entry), "an empty webhook", payload)


def _read_entry(entry: Part) -> Iterator[Event]:
    return _or_unknown(_each(entry, "changes", _read_change), "an entry without changes", entry)


def _read_change(change: Part) -> Iterator[Event]:
    name, value = text_of(change.get("field")), change.get("value")
    if name == "user_id_update":
        updates = _each(object_of(value), name, lambda update: iter((read_user_id_update(update),)))
        yield from _or_unknown(updates, "a user_id_update without updates", change)
    elif name not in (None, "messages"):
        yield unknown(f"webhook field {name[:100]}", change, ignorable=name in IGNORABLE_FIELDS)
    elif isinstance(value, dict):
        yield from _read_value(value)
    else:
        yield unknown("a change without a value", change)


def _read_value(value: Part) -> Iterator[Event]:
    return _or_unknown(_read_lists(value), "no messages, statuses or errors", value)


def _read_lists(value: Part) -> Iterator[Event]:
    phone_number_id = text_of(object_of(value.get("metadata")).get("phone_number_id"))
    contacts = Contacts.read(value.get("contacts"))
    message = partial(read_message, contacts=contacts, phone_number_id=phone_number_id)
    status = partial(read_status, contacts=contacts, phone_number_id=phone_number_id)
    yield from _each(value, "messages", lambda part: iter((message(part),)))
    yield from _each(value, "statuses", lambda part: iter((status(part),)))
    if value.get("errors"):
        yield _read_notice(value["errors"], phone_number_id)


def _read_notice(errors: object, phone_number_id: str | None) -> Event:
    if not isinstance(errors, list):
        return unknown("errors that are not a list", errors)
    try:
        return PlatformNotice(read_error_list(plain(errors)), phone_number_id)
    except ValueError as error:
        return unknown(f"a list of errors that {error}", errors)


def _each(part: Part, name: str, read: Callable[[Part], Iterator[Event]]) -> Iterator[Event]:
    items = part.get(name)
    if not items:
        return
    if not isinstance(items, list):
        yield unknown(f"{name} is not a list", items)
        return
    for item in items:
        if isinstance(item, dict):
            yield from read(item)
        else:
            yield unknown(f"{name} holds something that is not an object", item)


def _or_unknown(events: Iterator[Event], reason: str, value: object) -> Iterator[Event]:
    first = next(events, None)
    if first is None:
        yield unknown(reason, value)
        return
    yield first
    yield from events
