"""
Template of a response: `whatsapp.template`, sent while the 24-hour window is closed.

Either WhatsApp's own components, or in short:

    template: {name: order_shipped, language: en_US, body: ["Ada", "42"]}
    template: {name: order_shipped, language: en_US, body: {first_name: "Ada"},
               header: {type: document, link: "https://…"}, buttons: ["/track", "orders/42"]}

Without a name the response itself is the template, see `templates.written`:

    template: {category: utility, language: en_US, body: {first_name: "Ada"}}

https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeGuard

from rasa_whatsapp_channel.compose.buttons import to_ids
from rasa_whatsapp_channel.compose.content import kind_name
from rasa_whatsapp_channel.compose.draft import Draft
from rasa_whatsapp_channel.compose.links import encode_button_end, encode_links
from rasa_whatsapp_channel.compose.media import read_attachment
from rasa_whatsapp_channel.compose.options import Reply
from rasa_whatsapp_channel.compose.style import style_of
from rasa_whatsapp_channel.compose.text import one_line
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.json_values import object_of
from rasa_whatsapp_channel.whatsapp.messages import (
    Doubt,
    Template,
    find_doubts,
    find_unknown,
    parse,
)
from rasa_whatsapp_channel.whatsapp.messages.envelope import MARKETING
from rasa_whatsapp_channel.whatsapp.messages.template import REFUSED_SPACE
from rasa_whatsapp_channel.wording import suggest

_SHORT: Final = ("header", "body", "buttons")
_OTHERS: Final = ("name", "language", "namespace", "category")
_KEYS: Final = (*_OTHERS, "components", *_SHORT, *MARKETING, "version", "examples")
#: where the file of an attachment comes from
SOURCES: Final = ("path", "link", "url")
_MEDIA: Final = ("image", "video", "document", "gif")
# What says that a header is a file, and what that it is a parameter of WhatsApp's own shape.
_FILES: Final = frozenset({"type", "id", *SOURCES, "src", "payload", *_MEDIA})
_OWN: Final = ("text", "location", "currency", "date_time", "product")
_NOTHING: Final[tuple[Any, ...]] = (None, "", {}, [])


def is_own(template: Any) -> TypeGuard[Mapping[str, Any]]:
    """Return whether the response with this `whatsapp.template` is the template itself."""
    return bool(template) and isinstance(template, Mapping) and not template.get("name")


def written_template(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the template of *response* as it is written, which may be all of `custom`."""
    whole = object_of(object_of(response.get("custom")).get("template"))
    return object_of(style_of(response).get("template")) or whole


def own_name(response: str, template: Mapping[str, Any]) -> str:
    """Return the name at WhatsApp of the template that the *response* itself is."""
    version = template.get("version") or 1
    return response if version == 1 else f"{response}_v{version}"


def own_file(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the file, if any, in the header of the template that *response* itself is."""
    if response.get("image"):
        return {"type": "image", "url": response["image"]}
    attachment = response.get("attachment")
    is_file = isinstance(attachment, Mapping) and any(attachment.get(key) for key in SOURCES)
    return object_of(attachment) if is_file else {}


def read_template(
    draft: Draft, value: Any, content: Mapping[str, Any] = MappingProxyType({})
) -> Template | None:
    """
    Return the template, or None, with the reason said, where WhatsApp would refuse it.

    *content* is the response, which may be the template itself.
    """
    if value in (None, "", {}):
        return None
    if not isinstance(value, Mapping):
        draft.change("WA104", field="whatsapp.template", kind=kind_name(value))
        return None
    for key in value:
        if key not in _KEYS:
            draft.change("WA108", key=f"template.{key}", hint=suggest(key, _KEYS))
    if draft.name and is_own(value):
        value = {**_own(content), "name": own_name(draft.name, value), **value}
    body = {key: value[key] for key in _OTHERS if value.get(key)}
    try:
        body["components"] = _components(draft, value)
        beside = {key: value[key] for key in MARKETING if value.get(key) is not None}
        template = parse({"type": "template", "template": body, **beside})
    except InvalidMessage as error:
        draft.change("WA111", place=error.field, problem=error.problem)
        return None
    unknown = list(find_unknown(template, draft.api))
    if unknown and draft.strict:
        draft.change("WA111", place=unknown[0].place, problem=refusal(unknown[0]))
        return None
    for doubt in (*unknown, *find_doubts(template)):
        draft.change("WA114", place=doubt.place, problem=doubt.problem)
    return template if isinstance(template, Template) else None


def _own(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of *content* the template needs when it is sent."""
    buttons = content.get("buttons")
    payloads = [
        each.get("payload") if isinstance(each, Mapping) and not each.get("type") else ""
        for each in (buttons if isinstance(buttons, list) else ())
    ]
    texts = [payload and {"payload": payload} for payload in payloads]
    return {"header": own_file(content), "buttons": texts}


def refusal(doubt: Doubt) -> str:
    """Return why *doubt* is enough where unknown keys are refused."""
    return f"{doubt.problem}; `unknown_keys: pass` sends it all the same"


def _components(draft: Draft, value: Mapping[str, Any]) -> Any:
    short = [key for key in _SHORT if value.get(key)]
    if value.get("components"):
        for key in short:
            draft.change("WA108", key=f"template.{key}", hint="components say it all")
        return encode_links(draft, "whatsapp.template", on_one_line(draft, value["components"]))
    body = value.get("body")
    variables = [] if body in _NOTHING else _variables(draft, body)
    return [
        *_header(draft, value.get("header")),
        *([{"type": "body", "parameters": variables}] if variables else ()),
        *_buttons(draft, value.get("buttons")),
    ]


def _header(draft: Draft, value: Any) -> Iterator[dict[str, Any]]:
    if value in _NOTHING:
        return
    if isinstance(value, Mapping) and "latitude" in value:
        parameters: list[dict[str, Any]] = [{"type": "location", "location": dict(value)}]
    elif isinstance(value, Mapping) and value.get("type") in _OWN:
        parameters = [_parameter(draft, value)]
    elif isinstance(value, Mapping) and value.keys() & _FILES:
        parameters = [_file(draft, value)]
    else:
        parameters = _variables(draft, value)
    if len(parameters) != 1:
        raise InvalidMessage("template.header", f"has one variable, not {len(parameters)}")
    yield {"type": "header", "parameters": parameters}


def _file(draft: Draft, value: Mapping[str, Any]) -> dict[str, Any]:
    kind = next((key for key in _MEDIA if key in value), None)
    if kind is not None and "type" not in value:  # `{image: "https://…"}`, the key tells the type
        inner = value[kind]
        value = {"type": kind, **(inner if isinstance(inner, Mapping) else {"url": inner})}
    is_gif = value.get("type") == "gif"  # a video that plays by itself
    as_video = {**value, "type": "video"} if is_gif else value
    found = read_attachment(draft, "whatsapp.template.header", as_video)
    if not found.media or found.media[0].type not in _MEDIA:
        problem = f"must be a string, a location, or one of {', '.join(_MEDIA)}"
        raise InvalidMessage("template.header", problem)
    body = found.media[0].body()
    kind = str(body["type"])
    medium = {key: part for key, part in body[kind].items() if key != "caption"}
    sent = "gif" if is_gif else kind
    return {"type": sent, sent: medium}


def _variables(draft: Draft, value: Any) -> list[dict[str, Any]]:
    """Read variables by name, in a list, or one alone."""
    if isinstance(value, Mapping):
        return [{**_parameter(draft, each), "parameter_name": key} for key, each in value.items()]
    return [_parameter(draft, each) for each in (value if isinstance(value, list) else [value])]


def _buttons(draft: Draft, value: Any) -> Iterator[dict[str, Any]]:
    """A text with a slash is a payload, any other the end of an address; "" needs nothing."""
    items = value if isinstance(value, list) else [value]
    for index, item in enumerate(items):
        if item in _NOTHING:
            continue
        if not isinstance(item, Mapping):
            item = {"payload" if str(item).startswith("/") else "url": item}
        yield {"type": "button", "index": index, **_button(draft, index, item)}


def _button(draft: Draft, index: int, item: Mapping[str, Any]) -> dict[str, Any]:
    match item:
        case {"payload": payload}:
            reply = Reply(f"buttons[{index}]", str(payload))
            (kept,) = to_ids(draft, [reply], limits.BUTTON_ID)
            return {"sub_type": "quick_reply", "parameters": [_as("payload", kept)]}
        case {"url": suffix}:
            field = "whatsapp.template.buttons"
            end = encode_button_end(draft, field, _parameter(draft, suffix))
            return {"sub_type": "url", "parameters": [end]}
        case {"code": code}:
            return {"sub_type": "copy_code", "parameters": [_as("coupon_code", str(code))]}
        case _:
            return dict(item)


def _parameter(draft: Draft, value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):  # WhatsApp's own, e.g. a currency
        return dict(on_one_line(draft, value))
    if isinstance(value, list):
        raise InvalidMessage("template.components.parameters", "must be a string, not a list")
    return dict(on_one_line(draft, _as("text", "" if value is None else str(value))))


def _as(kind: str, value: str) -> dict[str, str]:
    return {"type": kind, kind: value}


def on_one_line(draft: Draft, value: Any) -> Any:
    """Return *value* with every text for a template on one line."""
    if isinstance(value, list):
        return [on_one_line(draft, item) for item in value]
    if not isinstance(value, Mapping):
        return value
    flat = {key: on_one_line(draft, item) for key, item in value.items()}
    text = flat.get("text")
    if flat.get("type") == "text" and isinstance(text, str) and REFUSED_SPACE.search(text):
        flat["text"] = one_line(text)
        draft.change("WA110", value=text, new=flat["text"])
    return flat
