"""
Request validation: parses a request body, or raises `Refused`.

The envelope is checked here, the message in it by `whatsapp.messages`.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from rasa_whatsapp_channel.simulator import problems
from rasa_whatsapp_channel.simulator.api.dialects import Dialect
from rasa_whatsapp_channel.simulator.outgoing import MarkRead, Send
from rasa_whatsapp_channel.simulator.problems import Problem, Refused
from rasa_whatsapp_channel.simulator.state import clean_phone
from rasa_whatsapp_channel.whatsapp import limits, messages
from rasa_whatsapp_channel.whatsapp.errors import InvalidLink, InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages.envelope import MARKETING
from rasa_whatsapp_channel.whatsapp.messages.interactive import OtherInteractive
from rasa_whatsapp_channel.whatsapp.messages.keys import CLOUD_ENVELOPE

_PHONE: Final = re.compile(r"[1-9]\d{6,14}")
_USER_ID: Final = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
# Types that groups support.
_IN_GROUPS: Final = (
    "text",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "template",
    "pin",
)
_LOST: Final = "A user id in to is answered with 200 and never delivered: it belongs in recipient."
_LIMITS: Final[Mapping[str, Problem]] = {
    "text.body": problems.TEXT_TOO_LONG,
    "interactive.action.sections": problems.SECTIONS,
    "interactive.action.sections.rows": problems.ROWS,
}


def read_request(
    body: object, dialect: Dialect, *, sender: str, marketing: bool = False
) -> Send | MarkRead:
    """Parse a request to the Cloud API; *sender* and *marketing* as in `read_send`."""
    wanted = _object(body)
    if wanted.get("messaging_product") != "whatsapp":
        present = "messaging_product" in wanted
        raise Refused(
            problems.INVALID if present else problems.MISSING,
            'Every body of the Cloud API holds "messaging_product": "whatsapp".',
        )
    if "status" in wanted and not marketing:
        return _read_mark_read(wanted)
    return read_send(wanted, dialect, sender=sender, marketing=marketing)


def read_send(value: object, dialect: Dialect, *, sender: str, marketing: bool = False) -> Send:
    """
    Parse a message. *sender* is the business's own number, which is no valid recipient.

    *marketing*: it came to the endpoint for marketing messages, which takes templates only.
    """
    body = _object(value)
    kind = _read_type(body, dialect)
    if marketing and kind != "template":
        raise Refused(
            problems.MARKETING_ONLY, f"/marketing_messages takes templates only, not {kind}."
        )
    _only("", body, {*dialect.envelope, kind} - (set() if marketing else set(MARKETING)))
    recipient, given = _read_recipient(body, dialect)
    group = body.get("recipient_type") == "group"
    if group and kind not in _IN_GROUPS:
        raise Refused(problems.GROUP_TYPE, f"Groups take {', '.join(_IN_GROUPS)}, not {kind}.")
    if kind == "pin" and not group:
        raise Refused(problems.GROUP_TYPE, "Only messages of groups are pinned.")
    if recipient == sender:
        raise Refused(problems.TO_SELF, "A business cannot write to its own number.")
    _check_keys(kind, body.get(kind), dialect)
    _check_message({**body, "type": kind}, kind, dialect)
    return Send(
        recipient=recipient,
        given=given,
        type=kind,
        content=body[kind],
        reply_to=_read_context(body, kind),
        callback_data=_read_callback_data(body),
        group=group,
        marketing=marketing,
        lost=_LOST if not group and _is_lost(body, recipient) else None,
    )


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Refused(problems.NO_JSON, "The body must be a JSON object.")
    return value


def _read_mark_read(body: Mapping[str, Any]) -> MarkRead:
    _only("", body, ("messaging_product", "status", "message_id", "typing_indicator"))
    if body["status"] != "read":
        raise Refused(problems.INVALID, 'The only status a business can set is "read".')
    message_id = _text(body, "message_id", "Marking as read needs the message_id.")
    typing = body.get("typing_indicator")
    if typing not in (None, {"type": "text"}):
        raise Refused(problems.INVALID, 'typing_indicator takes {"type": "text"} only.')
    return MarkRead(message_id, typing=typing is not None)


def _read_type(body: Mapping[str, Any], dialect: Dialect) -> str:
    kind = body.get("type", dialect.default_type)
    if kind is None:
        raise Refused(problems.MISSING, "The body needs a type, and the message under that key.")
    if not isinstance(kind, str) or kind not in dialect.objects:
        known = ", ".join(dialect.objects)
        raise Refused(
            problems.UNKNOWN_TYPE, f"api {dialect.api.name} knows no type {kind!r}, only {known}."
        )
    return kind


def _read_recipient(body: Mapping[str, Any], dialect: Dialect) -> tuple[str, str]:
    _check_recipient_type(body, dialect)
    if "to" not in body and "recipient" in body and dialect.api.user_ids:
        user_id = _text(body, "recipient", "recipient takes a business-scoped user id.")
        if not _USER_ID.fullmatch(user_id):
            raise Refused(
                problems.RECIPIENT,
                "recipient takes a business-scoped user id such as US.13491208655302741918; "
                "a phone number goes into to.",
            )
        return user_id, user_id
    given = _text(body, "to", "The body must say to whom: to, the phone number.")
    if body.get("recipient_type") == "group":
        return given, given
    if dialect.api.user_ids and _USER_ID.fullmatch(given):
        return given, given
    phone = clean_phone(given)
    if not _PHONE.fullmatch(phone):
        hint = "a user id goes into recipient" if _USER_ID.fullmatch(given) else "digits"
        raise Refused(
            problems.RECIPIENT,
            f"to takes a phone number with its country code, not {given!r}: {hint}.",
        )
    return phone, given


def _is_lost(body: Mapping[str, Any], recipient: str) -> bool:
    return "to" in body and _USER_ID.fullmatch(recipient) is not None


def _check_recipient_type(body: Mapping[str, Any], dialect: Dialect) -> None:
    kind = body.get("recipient_type", "individual")
    if kind == "group" and dialect.product:
        return
    if kind != "individual":
        raise Refused(problems.RECIPIENT_TYPE, 'recipient_type takes "individual".')


def _read_context(body: Mapping[str, Any], kind: str) -> str | None:
    context = body.get("context")
    if context is None:
        return None
    if not isinstance(context, Mapping):
        raise Refused(problems.INVALID, 'context must be an object: {"message_id": …}.')
    if kind == "reaction":
        raise Refused(problems.INVALID, "A reaction cannot quote: it names its message itself.")
    _only("context", context, ("message_id",))
    return _text(context, "message_id", "context needs the message_id of the quoted message.")


def _read_callback_data(body: Mapping[str, Any]) -> str | None:
    data = body.get("biz_opaque_callback_data")
    if data is None:
        return None
    if not isinstance(data, str) or len(data) > limits.CALLBACK_DATA:
        most = limits.CALLBACK_DATA
        raise Refused(
            problems.INVALID,
            f"biz_opaque_callback_data takes a string of at most {most} characters.",
        )
    return data


def _check_keys(kind: str, content: object, dialect: Dialect) -> None:
    if content is None:
        raise Refused(problems.MISSING, f"The type says {kind}, and there is no {kind}.")
    if kind == "contacts":
        return
    if not isinstance(content, Mapping):
        raise Refused(problems.INVALID, f"{kind} must be an object.")
    _only(kind, content, dialect.objects[kind])
    language = content.get("language")
    if kind == "template" and dialect.policy and isinstance(language, Mapping):
        _check_policy(language)


def _check_policy(language: Mapping[str, Any]) -> None:
    if "policy" not in language:
        raise Refused(problems.MISSING, 'template.language needs "policy": "deterministic".')
    if language["policy"] != "deterministic":
        raise Refused(problems.INVALID, 'The only policy is "deterministic"; fallback is gone.')


def _check_message(body: Mapping[str, Any], kind: str, dialect: Dialect) -> None:
    """Validate the message by the shared models."""
    parts = ("type", kind, "preview_url", *CLOUD_ENVELOPE)
    wrapped = {key: body[key] for key in parts if key in body}
    try:
        message = messages.parse(wrapped)
        messages.check_support(message, dialect.api)
        _check_list_body(message, dialect)
    except InvalidLink as error:
        details = f"(#100) Param {_param(error.field)} is not a valid URI"
        raise Refused(problems.NO_URI, f"{error}.", details=details) from error
    except InvalidMessage as error:
        raise Refused(_problem(error, body), f"{error}.") from error
    if isinstance(message, messages.Interactive):
        known = str(message.content().get("type"))
        if known not in dialect.api.interactive:
            raise Refused(
                problems.INVALID, f"api {dialect.api.name} has no interactive type {known}."
            )
        if isinstance(message, OtherInteractive):
            check_address(body[kind])
    for doubt in messages.find_unknown(message, dialect.api):
        raise Refused(
            problems.UNKNOWN_KEY,
            f"{doubt.place} {doubt.problem}.",
            details=f'Unexpected key "{doubt.place}"',
        )
    if any(media.path is not None for media in messages.find_media(message)):
        raise Refused(problems.UNKNOWN_KEY, "path is no key of WhatsApp's: upload the file first.")


def _param(field: str) -> str:
    """Return *field* in Meta's notation: ``interactive['header']['image']['link']``."""
    steps: list[str] = re.findall(r"[^.\[\]]+", field)
    first, *rest = steps
    return first + "".join(f"[{step}]" if step.isdecimal() else f"['{step}']" for step in rest)


def _check_list_body(message: messages.Message, dialect: Dialect) -> None:
    """Raise `InvalidMessage` for a list text that is too long for this API."""
    most = dialect.api.list_body
    if isinstance(message, messages.ListMessage) and len(message.text or "") > most:
        raise InvalidMessage(
            "interactive.body.text",
            f"has {len(message.text or '')} characters; "
            f"api {dialect.api.name} takes at most {most} in a list",
            limit=most,
        )


def _problem(error: InvalidMessage, body: Mapping[str, Any]) -> Problem:
    field = re.sub(r"\[\d+\]", "", error.field)
    if field.partition(".")[0] in CLOUD_ENVELOPE:
        return problems.UNKNOWN_KEY
    if error.limit is not None:
        return _LIMITS.get(field, problems.INVALID)
    return problems.MISSING if _is_missing(body, field.split(".")) else problems.INVALID


def _is_missing(value: object, path: list[str]) -> bool:
    """Return whether the value at *path* is missing, in any item of lists on the path."""
    if isinstance(value, list):
        return any(_is_missing(item, path) for item in value)
    if value is None:
        return True
    if not path:
        return False
    if not isinstance(value, Mapping):
        return False
    inner = value.get(path[0])
    no_source = isinstance(inner, Mapping) and not {"id", "link", "path"} & set(inner)
    if path[0] in messages.MEDIA_MESSAGES and len(path) == 1 and no_source:
        return True
    return _is_missing(inner, path[1:])


def _only(field: str, value: Mapping[str, Any], known: Iterable[str]) -> None:
    allowed = set(known)
    for key in value:
        if key not in allowed:
            where = f"{field}.{key}" if field else str(key)
            raise Refused(
                problems.UNKNOWN_KEY,
                f"{where} is not known to this API there; it knows {', '.join(sorted(allowed))}.",
                details=f'Unexpected key "{key}"' + (f' on param "{field}"' if field else ""),
            )


def _text(value: Mapping[str, Any], key: str, rule: str) -> str:
    text = value.get(key)
    if text is None or text == "":
        raise Refused(problems.MISSING, rule)
    if not isinstance(text, str):
        raise Refused(problems.INVALID, f"{key} must be a string.")
    return text


def check_address(content: Mapping[str, Any]) -> None:
    """Raise `Refused` for an invalid question for an address, which passes through elsewhere."""
    action = content.get("action")
    if not isinstance(action, Mapping) or action.get("name") != "address_message":
        raise Refused(problems.INVALID, "action.name must be address_message.")
    body = content.get("body")
    text = body.get("text") if isinstance(body, Mapping) else None
    if not text:
        raise Refused(problems.MISSING, "The message needs body.text.")
    if not isinstance(text, str) or len(text) > limits.INTERACTIVE_BODY:
        raise Refused(
            problems.INVALID,
            f"body.text is a string of at most {limits.INTERACTIVE_BODY} characters.",
        )
    parameters = action.get("parameters", {})
    if not isinstance(parameters, Mapping):
        raise Refused(problems.INVALID, "action.parameters must be an object.")
    if "country" not in parameters:
        raise Refused(problems.MISSING, "An address message needs parameters.country.")
    if parameters["country"] != "IN":
        raise Refused(problems.INVALID, 'Addresses can be asked for in India only: "IN".')
