"""
Support: which API takes which message, and what of a message an API may not know.

What is only unknown is sent, and reported to its author as a `Doubt`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, Api
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages.actions import (
    Action,
    Flow,
    OrderDetails,
    OrderStatus,
)
from rasa_whatsapp_channel.whatsapp.messages.base import Message, find_media
from rasa_whatsapp_channel.whatsapp.messages.catalog import MediaCarousel
from rasa_whatsapp_channel.whatsapp.messages.envelope import POLICIES, envelope_of
from rasa_whatsapp_channel.whatsapp.messages.interactive import Interactive, OtherInteractive
from rasa_whatsapp_channel.whatsapp.messages.keys import TYPES, short
from rasa_whatsapp_channel.whatsapp.messages.media import MediaMessage
from rasa_whatsapp_channel.whatsapp.messages.orders import find_unknown_words
from rasa_whatsapp_channel.whatsapp.messages.simple import (
    Contacts,
    Location,
    OtherMessage,
    Pin,
    Reaction,
)
from rasa_whatsapp_channel.whatsapp.messages.template import (
    BUTTONS,
    COMPONENTS,
    Component,
    Template,
)
from rasa_whatsapp_channel.wording import suggest

# Buttons of templates that sell something, which groups do not have.
_COMMERCE: Final = ("catalog", "mpm", "spm", "order_details")


def check_support(message: Message, api: Api) -> None:
    """Raise `InvalidMessage` for what *api* does not take."""
    if isinstance(message, Reaction) and not api.reactions:
        raise InvalidMessage("reaction", f"{api.who} sends no reactions")
    if (
        isinstance(message, Interactive)
        and (api.in_group or not isinstance(message, (OtherInteractive, Action)))
        and message.kind not in api.interactive
    ):
        kind = message.content().get("type")
        raise InvalidMessage("interactive.type", f"{api.who} does not take {kind}")
    if isinstance(message, Template) and api.in_group:
        for component in message.components:
            if component.sub_type in _COMMERCE:
                button = f"a button {component.sub_type}"
                raise InvalidMessage("template.components", f"{api.who} takes none with {button}")
    for media in find_media(message):
        if media.provider is not None and not api.provider:
            raise InvalidMessage(
                f"{message.type}.provider", "stored credentials for links exist only at on_premises"
            )
    if isinstance(message, MediaMessage) and message.media.link is not None and not api.link:
        raise InvalidMessage(
            f"{message.type}.link", f"{api.who} takes uploaded ids only; give a path instead"
        )


def check_recipient(message: Message, *, group: bool) -> None:
    """Raise `InvalidMessage` for what goes to groups only, or to people only."""
    if isinstance(message, Pin) and not group:
        raise InvalidMessage("pin", "is for messages of groups only")


def check_sendable(message: Message, api: Api) -> None:
    """Raise `InvalidMessage` unless *message* can go to *api* as it is, all its files uploaded."""
    check_support(message, api)
    for media in find_media(message):
        if media.path is not None:
            raise InvalidMessage(
                f"{message.type}.path", f"{media.path} must be uploaded first, and sent by its id"
            )


@dataclass(frozen=True)
class Doubt:
    """*problem* says of the *place* in WhatsApp's body why it may be refused."""

    place: str
    problem: str


def find_unknown(message: Message, api: Api) -> Iterator[Doubt]:
    """Yield what no page of *api* has."""
    if isinstance(message, Pin) and not api.callback_data:
        yield Doubt("type", f"no type 'pin' is known for {api.who}; the Cloud API has it")
    if api.in_group and isinstance(message, (Location, Contacts, Reaction)):
        yield Doubt("type", f"no page of WhatsApp's shows a {message.type} in a group")
    if isinstance(message, OtherMessage):
        hint = suggest(message.kind, TYPES, form="{!r}", otherwise="known are")
        yield Doubt("type", f"no type {short(message.kind)!r} is known for {api.who}; {hint}")
    if isinstance(message, (OtherInteractive, Action)):
        kind = str(message.content().get("type"))
        if kind not in api.interactive and not api.in_group:  # refused by `check_support` there
            known = sorted(api.interactive)
            hint = suggest(kind, known, form="{!r}", otherwise="known are")
            if kind in CLOUD.interactive:
                hint = "the Cloud API has it"
            problem = f"no type {short(kind)!r} is known for {api.who}; {hint}"
            yield Doubt("interactive.type", problem)
    for extra in message.extras:
        if extra.is_cloud_envelope and not api.callback_data:
            yield Doubt(extra.place, f"is a key of the Cloud API; {api.who} has none")
        elif not extra.documented:
            yield Doubt(extra.place, f"is not known there; {extra.hint}")
    policy = envelope_of(message).get("product_policy")
    if policy is not None and policy not in POLICIES:
        hint = suggest(policy, POLICIES, form="{!r}", otherwise="known are")
        yield Doubt("product_policy", f"no {short(policy)!r} is known; {hint}")
    if isinstance(message, (OrderDetails, OrderStatus)):
        yield from _unknown_words("interactive.action.parameters", message.parameters)
    if isinstance(message, Template):
        yield from _unknown_components(message.components)


def find_doubts(message: Message) -> Iterator[Doubt]:
    """Yield what one of WhatsApp's pages allows and another does not."""
    if isinstance(message, Flow):
        cta = str((message.parameters or {}).get("flow_cta"))
        if len(cta) > limits.FLOW_CTA_SURE:
            yield _two_limits("interactive.action.parameters.flow_cta", cta, limits.FLOW_CTA_SURE)
    if isinstance(message, Action):
        header = message.header.type if message.header else None
        for place, part in (("header", header), ("footer", message.footer and "footer")):
            if part and part not in message.shown:
                problem = f"no page of WhatsApp's shows type {message.kind} with it"
                yield Doubt(f"interactive.{place}", problem)
    if isinstance(message, MediaCarousel):
        for number, card in enumerate(message.cards):
            for button in card.buttons:
                if len(button.id) > limits.CARD_BUTTON_ID:
                    place = f"interactive.action.cards[{number}].action.buttons.quick_reply.id"
                    yield _two_limits(place, button.id, limits.CARD_BUTTON_ID)
    if isinstance(message, Template):
        yield from _without_index(message.components)


def _two_limits(place: str, text: str, sure: int) -> Doubt:
    return Doubt(
        place, f"has {len(text)} characters; one page of WhatsApp's takes that, another only {sure}"
    )


def _unknown_components(components: tuple[Component, ...]) -> Iterator[Doubt]:
    for number, component in enumerate(components):
        if component.type not in COMPONENTS:
            hint = suggest(component.type, COMPONENTS, form="{!r}", otherwise="known are")
            place = f"template.components[{number}].type"
            yield Doubt(place, f"no component {short(component.type)!r} is known; {hint}")
        if component.type == "button" and str(component.sub_type).lower() not in BUTTONS:
            hint = suggest(component.sub_type, BUTTONS, form="{!r}", otherwise="known are")
            place = f"template.components[{number}].sub_type"
            yield Doubt(place, f"no button {short(component.sub_type)!r} is known; {hint}")
        for parameter in component.parameters:
            if parameter.type == "order_status":
                place = f"template.components[{number}].parameters.order_status"
                yield from _unknown_words(place, parameter.value)
        for card in component.cards:
            yield from _unknown_components(card)


def _unknown_words(place: str, parameters: Mapping[str, Any] | None) -> Iterator[Doubt]:
    for step, problem in find_unknown_words(parameters or {}):
        yield Doubt(f"{place}.{step}", problem)


def _without_index(components: tuple[Component, ...]) -> Iterator[Doubt]:
    for number, component in enumerate(components):
        may_lack = component.type != "button" or component.sub_type == "voice_call"
        if component.index is None and not may_lack:
            place = f"template.components[{number}].index"
            yield Doubt(place, "is missing; only a button that calls may go without one")
        for card in component.cards:
            yield from _without_index(card)
