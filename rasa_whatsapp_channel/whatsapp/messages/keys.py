"""
Known keys of WhatsApp's bodies, place by place.

Any other key is kept as it was written (`Extra`) and sent in its place: WhatsApp may know it, and a
key that is dropped silently is worse than one that is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rasa_whatsapp_channel.wording import suggest

_LONGEST: Final = 64  # of a key that is shown

Path = tuple["str | int", ...]

# The keys of an object, each with the keys below it; None: any keys are accepted there. Lists are
# written as their items, and a function where the keys depend on the object.
Keys = Mapping[str, Any]
Ask = Callable[[Mapping[str, Any]], "Keys | None"]


# Documented keys that no value of this package uses.
# of the Cloud API: below messages/, marketing-messages/ and business-phone-numbers/
CLOUD_ENVELOPE: Final = frozenset(
    {
        "biz_opaque_callback_data",
        "category",
        "direct_send_config",
        "message_activity_sharing",
        "product_policy",
        "recipient_identity_key_hash",
        "ttl_seconds",
    }
)
_DOCUMENTED: Final = frozenset(
    {
        # payments/payments-in/enhanced-payment-links
        "template.components.parameters.payment_link_preview",
        # an on-premises client wants it in a location request; ours writes it
        "interactive.body.type",
    }
)


@dataclass(frozen=True)
class Extra:
    """A key that is kept as it was written; *known* are the keys this package has there."""

    path: Path
    value: Any
    known: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Return the path as errors write it: ``interactive.action.buttons[0].kind``."""
        steps = (f"[{step}]" if isinstance(step, int) else f".{short(step)}" for step in self.path)
        return "".join(steps).removeprefix(".")

    @property
    def documented(self) -> bool:
        """Return whether WhatsApp documents the key in this place."""
        plain = ".".join(step for step in self.path if isinstance(step, str))
        return plain in _DOCUMENTED or self.is_cloud_envelope

    @property
    def is_cloud_envelope(self) -> bool:
        return len(self.path) == 1 and self.path[0] in CLOUD_ENVELOPE

    @property
    def is_slip(self) -> bool:
        """Return whether it looks like one of the known keys."""
        return self.hint.startswith("did you mean")

    @property
    def hint(self) -> str:
        return suggest(self.path[-1], self.known, form="{!r}")


_MEDIA: Final[Keys] = {"id": None, "link": None, "path": None, "provider": {"name": None}}
_NAMED: Final[Keys] = {**_MEDIA, "filename": None}
_TEXT: Final[Keys] = {"text": None}
_CTA: Final[Keys] = {"display_text": None, "url": None}
_URL: Final[Keys] = {"name": None, "parameters": _CTA}
_REPLY: Final[Keys] = {"id": None, "title": None}

_AMOUNT: Final[Keys] = dict.fromkeys(("value", "offset", "description", "discount_program_name"))
_ORDER: Final[Keys] = {
    **dict.fromkeys(("reference_id", "type", "currency", "payment_type", "payment_settings")),
    **dict.fromkeys(("payment_configuration", "beneficiaries")),
    "total_amount": _AMOUNT,
    "order": {
        **dict.fromkeys(("status", "type", "catalog_id", "items", "expiration")),
        **dict.fromkeys(("subtotal", "tax", "shipping", "discount"), _AMOUNT),
    },
}

_ACTIONS: Final[Mapping[str, Keys]] = {
    "button": {"buttons": {"type": None, "reply": _REPLY, "cta_url": _CTA}},
    "list": {
        "button": None,
        "sections": {"title": None, "rows": {"id": None, "title": None, "description": None}},
    },
    "cta_url": _URL,
    "location_request_message": {"name": None},
    "request_contact_info": {"name": None},
    "call_permission_request": {"name": None},
    "voice_call": {
        "name": None,
        "parameters": dict.fromkeys(("display_text", "ttl_minutes", "payload")),
    },
    "order_details": {"name": None, "parameters": _ORDER},
    "order_status": {
        "name": None,
        "parameters": {
            "reference_id": None,
            "order": dict.fromkeys(("status", "description")),
            "payment": dict.fromkeys(("status", "timestamp")),
        },
    },
    "flow": {"name": None, "parameters": None},
    "product": {"catalog_id": None, "product_retailer_id": None},
    "product_list": {
        "catalog_id": None,
        "sections": {"title": None, "product_items": {"product_retailer_id": None}},
    },
    "catalog_message": {"name": None, "parameters": {"thumbnail_product_retailer_id": None}},
}
_PRODUCT_CARD: Final[Keys] = {
    "card_index": None,
    "type": None,
    "action": {"catalog_id": None, "product_retailer_id": None},
}


def _header(value: Mapping[str, Any]) -> Keys:
    kind = str(value.get("type"))
    return {"type": None, kind: None if kind == "text" else _NAMED}


def _card_header(value: Mapping[str, Any]) -> Keys:
    return {"type": None, str(value.get("type")): _MEDIA}


def _card_action(value: Mapping[str, Any]) -> Keys:
    if "buttons" in value:
        return {"buttons": {"type": None, "quick_reply": _REPLY}}
    return _URL


_MEDIA_CARD: Final[Keys] = {
    "card_index": None,
    "type": None,
    "header": _card_header,
    "body": _TEXT,
    "action": _card_action,
}


def _carousel(value: Mapping[str, Any]) -> Keys:
    cards = value.get("cards")
    listed = cards if isinstance(cards, list | tuple) else ()
    of_products = any(
        isinstance(card, Mapping) and card.get("type") == "product" for card in listed
    )
    return {"cards": _PRODUCT_CARD if of_products else _MEDIA_CARD}


def _interactive(value: Mapping[str, Any]) -> Keys | None:
    """Return the keys of an interactive object; None for a type that is not known."""
    kind = value.get("type")
    action: Keys | Ask | None = _carousel if kind == "carousel" else _ACTIONS.get(str(kind))
    if action is None:
        return None
    return {"type": None, "header": _header, "body": _TEXT, "footer": _TEXT, "action": action}


# parameters of templates that hold a file
TEMPLATE_MEDIA: Final = ("image", "video", "document", "gif")


def _parameter(value: Mapping[str, Any]) -> Keys:
    kind = str(value.get("type"))
    own: Keys = {kind: _NAMED if kind in TEMPLATE_MEDIA else None}
    return {"type": None, "parameter_name": None, **own}


def _component(_: Mapping[str, Any]) -> Keys:
    return {
        "type": None,
        "parameters": _parameter,
        "sub_type": None,
        "index": None,
        "cards": {"card_index": None, "components": _component},
    }


_OBJECTS: Final[Mapping[str, Keys]] = {
    "text": {"body": None, "preview_url": None},
    "image": {**_MEDIA, "caption": None},
    "video": {**_MEDIA, "caption": None},
    "document": {**_NAMED, "caption": None},
    "audio": {**_MEDIA, "voice": None},
    "sticker": _MEDIA,
    "location": dict.fromkeys(("latitude", "longitude", "name", "address")),
    "contacts": dict.fromkeys(
        ("name", "phones", "emails", "addresses", "org", "urls", "birthday", "ims")
    ),
    "reaction": dict.fromkeys(("message_id", "emoji")),
    "pin": dict.fromkeys(("type", "message_id", "expiration_days")),
    "template": {
        "name": None,
        "language": dict.fromkeys(("code", "policy")),
        "components": _component,
        "namespace": None,
        "category": None,
    },
}
TYPES: Final = (
    "text",
    "image",
    "document",
    "audio",
    "video",
    "sticker",
    "location",
    "contacts",
    "reaction",
    "pin",
    "interactive",
    "template",
)
# The envelope of a message in a whole body; the recipient is not part of a message.
ENVELOPE: Final = (
    "messaging_product",
    "recipient_type",
    "to",
    "recipient",
    "context",
    "type",
    "preview_url",
)


def short(key: object) -> str:
    text = str(key)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def find_extras(body: Mapping[str, Any], kind: str) -> tuple[Extra, ...]:
    """Return the keys of *body*, a message of type *kind*, that are not known."""
    own = _interactive if kind == "interactive" else _OBJECTS.get(kind)
    keys = {**dict.fromkeys(ENVELOPE), "context": {"message_id": None}, kind: own}
    return tuple(_find(body, keys, ()))


def present(**keys: Any) -> dict[str, Any]:
    """Return *keys* as a part of a body, without those that are None."""
    return {name: value for name, value in keys.items() if value is not None}


def put_extras(body: dict[str, Any], extras: Iterable[Extra]) -> dict[str, Any]:
    """Return *body* with *extras* in their places; one whose place is gone is left out."""
    for extra in extras:
        body = _put(body, extra.path, extra.value)
    return body


def _find(value: Any, keys: Keys | Ask | None, path: Path) -> Iterator[Extra]:
    if isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _find(item, keys, (*path, number))
        return
    if not isinstance(value, (dict, Mapping)):  # to ask for a dict first is faster
        return
    known = keys(value) if callable(keys) else keys
    if known is None:
        return
    for key, inner in value.items():
        if key in known:
            yield from _find(inner, known[key], (*path, key))
        else:
            yield Extra((*path, key), inner, tuple(known))


def _put(value: Any, path: Path, new: Any) -> Any:
    """Return a copy of *value* with *new* at *path*, if there is room for it."""
    step, rest = path[0], path[1:]
    if isinstance(value, Mapping) and isinstance(step, str):
        if not rest:
            return {**value, step: value.get(step, new)}
        return {**value, step: _put(value[step], rest, new)} if step in value else value
    if isinstance(value, list | tuple) and isinstance(step, int) and rest and step < len(value):
        return [*value[:step], _put(value[step], rest, new), *value[step + 1 :]]
    return value
