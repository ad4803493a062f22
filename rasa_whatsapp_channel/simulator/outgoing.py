"""Outgoing messages: accepts, delivers and fails the bot's messages, and marks messages as read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from rasa_whatsapp_channel.billing.charges import is_billable
from rasa_whatsapp_channel.simulator import (
    chats,
    ids,
    media_checks,
    media_library,
    ownership,
    problems,
    reports,
)
from rasa_whatsapp_channel.simulator.faults import Hit
from rasa_whatsapp_channel.simulator.media_library import MediaFile, media_objects
from rasa_whatsapp_channel.simulator.problems import Problem, Refused
from rasa_whatsapp_channel.simulator.sending_limits import is_refused
from rasa_whatsapp_channel.simulator.state import ChatMessage, WhatsAppUser
from rasa_whatsapp_channel.simulator.template_filling import fill
from rasa_whatsapp_channel.simulator.templates import check_endpoint
from rasa_whatsapp_channel.simulator.webhooks.envelopes import status_error
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.apis import Api
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.messages.envelope import is_direct

Failure = tuple[Problem, str]

_WINDOW_RULE: Final = (
    "Message failed to send because more than 24 hours have passed since the customer last "
    "replied to this number."
)
_NO_DIRECT_SEND: Final = (
    "Param category: this call requires Direct Send, which isn't enabled for this account."
)


@dataclass(frozen=True)
class Send:
    """
    A message for *recipient*: digits of a phone, a user id, or a *group*.

    *given* is the recipient as in the request. *marketing*: it came to the endpoint for marketing
    messages. *lost* is why the message is accepted but dropped.
    """

    recipient: str
    given: str
    type: str
    content: Any
    reply_to: str | None = None
    callback_data: str | None = None
    group: bool = False
    marketing: bool = False
    lost: str | None = None


@dataclass(frozen=True)
class MarkRead:
    message_id: str
    typing: bool = False


def accept(
    world: World, request: Send, api: Api, body: Mapping[str, Any], number: str
) -> tuple[ChatMessage, WhatsAppUser]:
    """Return the message and its recipient, for `dispatch`; raise `Refused`."""
    used = [media for _, media in media_objects(request.type, request.content) if "id" in media]
    for media in used:
        _check_id(world, str(media["id"]))
    person = _find_recipient(world, request)
    for media in used:
        _let_die(world, str(media["id"]))
    business = world.config.find_number(number) or world.config.number
    if not person.group:
        kind = "template" if is_direct(body) else request.type
        ownership.check_sending(world, person, business, kind)
    filled = _fill_template(world, request)
    if is_direct(body) and not world.direct_send:
        raise Refused(problems.UNKNOWN_KEY, _NO_DIRECT_SEND)
    if world.config.limits:
        world.rates.take(number, person.key)
        written = world.state.last_written(person.key, number)
        if not person.group and is_refused("any", written, world.clock()):
            world.reach(person)
    message = ChatMessage(
        id=ids.new_message_id(api),
        direction="outbound",
        person=person.key,
        timestamp=int(world.clock()),
        type=request.type,
        content=request.content,
        reply_to=request.reply_to,
        callback_data=request.callback_data,
        body=body,
        number=number,
        filled=filled,
    )
    return message, person


def dispatch(
    world: World,
    message: ChatMessage,
    person: WhatsAppUser,
    api: Api,
    *,
    fails_with: Hit | None = None,
) -> None:
    """Deliver a message; from now on only webhooks report failures."""
    facts = {"type": message.type, "person": person.key}
    fails_with = world.faults.find("statuses", ("code",), weather="fates", **facts) or fails_with
    late = world.faults.find("phones", ("delay",), **facts)
    # While a phone loads a file, it shows the following messages.
    key, seconds = (f"{person.key}/late", float(late.do[1])) if late else (person.key, 0.0)
    deliver = partial(_deliver, world, message, person, api, fails_with, seconds)
    world.deliveries.put(key, deliver)


def mark_read(world: World, request: MarkRead) -> None:
    """Mark a person's message and earlier ones as read; raise `Refused`."""
    message = world.state.messages.get(request.message_id)
    if message is None or message.direction != "inbound":
        raise Refused(problems.INVALID, "message_id is not an incoming message.")
    for earlier in world.state.up_to(message.id):
        chats.change_status(world, earlier, "read")
    world.feed.publish("read", person=message.person, message_id=message.id)
    if request.typing:
        world.feed.publish("typing", person=message.person, seconds=limits.TYPING)


def _fill_template(world: World, request: Send) -> dict[str, Any] | None:
    if request.type != "template":
        return None
    content = request.content
    template = world.templates.find(content["name"], content["language"]["code"])
    if template is None:
        return None
    check_endpoint(template, marketing=request.marketing)
    filled = fill(template, content.get("components") or ())
    return {**filled, "category": "MARKETING_LITE"} if request.marketing else filled


def _find_recipient(world: World, request: Send) -> WhatsAppUser:
    person = world.find_person(request.recipient)
    if person is not None and person.group == request.group:
        return person
    if request.group:
        raise Refused(problems.GROUP, "There is no such group.")
    if not request.recipient.isdigit():
        raise Refused(problems.RECIPIENT, "There is no person with this user id.")
    return world.add_person(f"+{request.recipient}", phone=request.recipient, wrote=False)


async def _deliver(
    world: World,
    message: ChatMessage,
    person: WhatsAppUser,
    api: Api,
    fails_with: Hit | None,
    seconds: float,
) -> None:
    """Show a message on the phone after *seconds*, or let it fail."""
    media, failure = await _load_media(world, message, api)
    message = replace(message, media=media, timestamp=int(world.clock()))
    written = world.state.last_written(person.key, message.number)
    message = replace(message, in_window=not is_refused("any", written, world.clock()))
    kind = "template" if is_direct(message.body or {}) else message.type  # behind it is one
    if world.config.window and is_refused(kind, written, world.clock()):
        failure = problems.WINDOW_CLOSED, _WINDOW_RULE
    category = str((message.filled or {}).get("category", ""))
    if category.startswith("MARKETING") and not person.marketing:
        failure = problems.OPTED_OUT, "The person has stopped marketing messages of this business."
    if fails_with is not None:
        failure = problems.of_code(int(fails_with.do[1])), fails_with.why
    if failure is None and message.type == "reaction" and not chats.react(world, message):
        failure = problems.INVALID, "There is no message to react to."
    if failure is None and message.type == "pin" and (flaw := _why_no_pin(world, message)):
        failure = problems.INVALID, flaw
    if failure is not None:
        problem, details = failure
        error = status_error(problem, api, details)
        message = replace(message, status="failed", errors=(error,))
    elif is_billable(message.type):
        charge = world.billing.charge(message, world.state.messages.values())
        message = replace(message, charge=charge)
    if seconds and failure is None:
        reports.send_status(world, person, message.status, [message])
        await world.clock.sleep(seconds)
        chats.show(world, replace(message, timestamp=int(world.clock())))
    else:
        chats.show(world, message)
        reports.send_status(world, person, message.status, [message])
    if message.status == "sent" and message.type != "reaction":  # others are final
        chats.change_status(world, message, "delivered")
        reports.send_status(world, person, "delivered", [message])


def _why_no_pin(world: World, message: ChatMessage) -> str | None:
    """Return why the message cannot be pinned or taken off, if it cannot."""
    pinned: dict[str, float] = {}
    for earlier in [*world.state.messages.values(), message]:
        if earlier.person != message.person or earlier.type != "pin" or earlier.errors:
            continue
        target, days = earlier.content["message_id"], earlier.content.get("expiration_days")
        pinned.pop(target, None)
        if days and earlier.timestamp + days * DAY > world.clock():
            pinned[target] = earlier.timestamp
    target = world.state.messages.get(message.content["message_id"])
    if target is None or target.person != message.person:
        return "There is no such message in this group."
    if len(pinned) > limits.PINS:
        return f"A group has at most {limits.PINS} pinned messages."
    return None


async def _load_media(
    world: World, message: ChatMessage, api: Api
) -> tuple[dict[str, str], Failure | None]:
    """Return the stored file of each id and link, and the failure, if any."""
    stored: dict[str, str] = {}
    for kind, media in media_objects(message.type, message.content):
        try:
            file = await _find_file(world, kind, media, api, person=message.person)
        except MediaError as error:
            return stored, (problems.MEDIA_FAILED, str(error))
        stored[str(media.get("id") or media.get("link"))] = file.id
    return stored, None


def _check_id(world: World, media_id: str) -> None:
    """Raise `Refused` for an unknown or expired id."""
    if world.library.find_usable(media_id) is None:
        raise Refused(problems.UNKNOWN_MEDIA, f"There is no media with id {media_id}.")


def _let_die(world: World, media_id: str) -> None:
    """Delete the file if a fault demands it; raise `Refused`."""
    if world.faults.find("ids", ("missing",)) is not None:
        world.library.delete(media_id)
        _check_id(world, media_id)


async def _find_file(
    world: World, kind: str, media: Mapping[str, Any], api: Api, *, person: str
) -> MediaFile:
    file = world.library.find(str(media.get("id")))
    if file is None:
        if (hit := world.faults.find("links", ("missing",), person=person, type=kind)) is not None:
            raise MediaError(hit.why)
        file = await _load_link(world, kind, media, api)
    problem = media_checks.find_misfit(kind, api, file.mime_type, file.size, animated=file.animated)
    problem = problem or await asyncio.to_thread(
        media_checks.find_flaw, kind, file.path, file.mime_type
    )
    if problem is not None:
        raise MediaError(problem)
    return file


async def _load_link(world: World, kind: str, media: Mapping[str, Any], api: Api) -> MediaFile:
    link, timeout = media_library.read_link(media), world.config.link_timeout
    name = media_library.read_provider(media)
    if name and name not in world.providers:
        raise MediaError(f"There is no provider {name}.")
    headers = media_library.login_of(world.providers[name]) if name else None
    loaded = await media_library.load_link(
        world.session(), link, kind=kind, timeout=timeout, headers=headers
    )
    media_id = ids.new_media_id(api)
    return await world.library.add(media_id, loaded.content, mime_type=loaded.mime_type)
