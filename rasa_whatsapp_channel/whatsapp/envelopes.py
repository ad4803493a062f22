"""
Envelopes: the two formats of a webhook, read into the events inside.

Cloud and 360dialog: ``{"entry": [{"changes": [{"field": …, "value": {…}}]}]}``, any number of each.
On-premises and Turn: the content of such a ``value`` alone, without the business number. Nothing
raises.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview
https://developers.facebook.com/docs/whatsapp/api/webhooks
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Final

from rasa_whatsapp_channel.whatsapp.account_events import READERS, read_account_event
from rasa_whatsapp_channel.whatsapp.event_parser import (
    READ_OF_VALUE,
    Origin,
    read_call,
    read_error_list,
    read_handover,
    read_message,
    read_overheard,
    read_overheard_status,
    read_preference,
    read_seconds,
    read_status,
    read_user_id_update,
    unknown,
)
from rasa_whatsapp_channel.whatsapp.events import (
    Event,
    InboundMessage,
    Part,
    PlatformNotice,
    Unknown,
)
from rasa_whatsapp_channel.whatsapp.json_values import object_of, plain, text_of

# WhatsApp documents 1000 per webhook; without an end, 3 MB of "{}" would be a million events.
EVENTS: Final = 2_000
# https://whatsapp.turn.io/docs/api/webhooks, the subscription `turn`
_SENT: Final = "a message that was sent; at Turn the webhook needs the subscription `whatsapp` only"


def read_events(payload: object) -> tuple[Event, ...]:
    """Return the events of a webhook in their order, at least one. Never raises."""
    if not isinstance(payload, dict):
        return (unknown("not a JSON object", payload),)
    reader = _read_cloud(payload) if "entry" in payload else _read_value(payload)
    events = _in_order(tuple(islice(reader, EVENTS)))
    if next(reader, None) is not None:
        return (*events, Unknown(f"more than {EVENTS} events in one webhook; the rest is not read"))
    return events


def _in_order(events: tuple[Event, ...]) -> tuple[Event, ...]:
    """Return *events* with the messages among them in the order in which they were written."""
    latest, written = 0, []
    for event in events:
        if isinstance(event, InboundMessage):
            # One without a time stays behind the one before it.
            latest = latest if event.timestamp is None else event.timestamp
            written.append((latest, event))
    messages = iter(sorted(written, key=lambda each: each[0]))
    return tuple(
        next(messages)[1] if isinstance(event, InboundMessage) else event for event in events
    )


def _read_cloud(payload: Part) -> Iterator[Event]:
    return _or_unknown(_each(payload, "entry", _read_entry), "an empty webhook", payload)


def _read_entry(entry: Part) -> Iterator[Event]:
    time = read_seconds(entry.get("time"))
    changes = _each(entry, "changes", partial(_read_change, time=time))
    return _or_unknown(changes, "an entry without changes", entry)


def _read_change(change: Part, *, time: int | None) -> Iterator[Event]:
    name, value = text_of(change.get("field")), change.get("value")
    if name is None:  # seen inside of the value
        name = text_of(object_of(value).get("field")) or "messages"
    if name == "messages":
        return (
            _read_value(value)
            if isinstance(value, dict)
            else _one(unknown("a change without a value", change))
        )
    if read := _FIELDS.get(name):
        return _or_unknown(read(object_of(value)), f"webhook field {name} without content", change)
    if name in READERS:
        return _one(_read_account(name, value, time))
    return _one(unknown(f"webhook field {name[:100]}", change))


def _read_account(name: str, value: object, time: int | None) -> Event:
    try:
        return read_account_event(name, plain(value), time)
    except ValueError as error:
        return unknown(f"webhook field {name} that {error}", value)


def _read_user_ids(value: Part) -> Iterator[Event]:
    return _each(value, "user_id_update", _reader(read_user_id_update))


def _read_preferences(value: Part) -> Iterator[Event]:
    origin = Origin.read(value)
    return _each(value, "user_preferences", _reader(partial(read_preference, origin=origin)))


def _read_calls(value: Part) -> Iterator[Event]:
    origin, errors = Origin.read(value), read_error_list(value.get("errors"))
    yield from _each(value, "calls", _reader(partial(read_call, origin=origin, errors=errors)))
    yield from _each(value, "statuses", _reader(partial(read_call, origin=origin)))


def _read_standby(value: Part) -> Iterator[Event]:
    held = object_of(value.get("standby"))
    origin = Origin.read(value, contacts=held.get("contacts"))
    read = partial(read_overheard, origin=origin, source="standby")
    yield from _each(held, "messages", _reader(partial(read, what="message")))
    yield from _each(held, "message_echoes", _reader(partial(read, what="echo")))
    yield from _each(held, "statuses", _reader(partial(read_overheard_status, origin=origin)))


def _read_echoes(value: Part) -> Iterator[Event]:
    read = partial(read_overheard, origin=Origin.read(value), source="app", what="echo")
    return _each(value, "message_echoes", _reader(read))


def _read_value(value: Part) -> Iterator[Event]:
    reason = _SENT if {"to", "recipient"} & value.keys() else "no messages, statuses or errors"
    return _or_unknown(_read_lists(value), reason, value)


def _read_lists(value: Part) -> Iterator[Event]:
    origin = Origin.read(value)
    yield from _each(value, "messages", _reader(partial(read_message, origin=origin)))
    yield from _each(value, "statuses", _reader(partial(read_status, origin=origin)))
    if value.get("errors"):
        yield _read_notice(value["errors"], origin.phone_number_id)
    for name, items in value.items():
        if name not in READ_OF_VALUE and isinstance(items, list) and items:
            yield unknown(f"a list of {name[:100]} in field messages", items)


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


def _reader(read: Callable[[Part], Event]) -> Callable[[Part], Iterator[Event]]:
    return lambda part: _one(read(part))


def _one(event: Event) -> Iterator[Event]:
    return iter((event,))


def _or_unknown(events: Iterator[Event], reason: str, value: object) -> Iterator[Event]:
    first = next(events, None)
    if first is None:
        yield unknown(reason, value)
        return
    yield first
    yield from events


_FIELDS: Final[Mapping[str, Callable[[Part], Iterator[Event]]]] = {
    "user_id_update": _read_user_ids,
    "user_preferences": _read_preferences,
    "calls": _read_calls,
    "standby": _read_standby,
    "smb_message_echoes": _read_echoes,
    "message_echoes": _read_echoes,
    "messaging_handovers": lambda value: _one(read_handover(value)),
}
