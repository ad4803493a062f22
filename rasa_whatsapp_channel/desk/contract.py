"""
Desk contract: what a desk is told and what it may ask, as signed JSON. No I/O.

Signatures are those of `standard_webhooks`, in both directions.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote, urlencode

from rasa_whatsapp_channel.compose.links import is_link
from rasa_whatsapp_channel.compose.media import CAPTIONED
from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.settings.handoff import ADDRESS
from rasa_whatsapp_channel.standard_webhooks import key_of, signature
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.errors import WebhookRefused
from rasa_whatsapp_channel.whatsapp.json_values import object_of, plain, text_of

SKEW: Final = 300.0  # seconds between the two clocks
LINK_LIFE: Final = DAY
KINDS: Final = ("image", "video", "audio", "document", "sticker")
_KEYS: Final = frozenset({"client_id", "text", "media", "reply_to", "template", "agent", "take"})


class Refused(ChannelError):
    """What the desk asks for is not done; *status* is HTTP's, *facts* stand in the answer."""

    def __init__(self, status: int, error: str, text: str, **facts: Any) -> None:
        super().__init__(text)
        self.status = status
        self.answer = {"error": error, "message": text, **facts}


@dataclass(frozen=True)
class Say:
    """
    The desk writes to the person. *files* are attachments of a response.

    *take*: the conversation becomes the desk's, if it is not.
    """

    client_id: str
    text: str = ""
    files: tuple[Mapping[str, str], ...] = ()
    reply_to: str = ""
    template: Mapping[str, Any] | None = None
    agent: str = ""
    take: bool = True

    def response(self) -> dict[str, Any]:
        """Return it as a response of a bot."""
        text, files = self.text, list(map(dict, self.files))
        if len(files) > 1 and files[0]["type"] in CAPTIONED:
            text, files[0]["caption"] = "", text
        quoted = {"whatsapp": {"reply_to": self.reply_to}} if self.reply_to else {}
        custom = {"type": "template", "template": self.template} if self.template else None
        return {"text": text, "attachment": files, "custom": custom, "metadata": quoted}


def read_say(body: Mapping[str, Any]) -> Say:
    """Read what is posted to ``messages``; raises `Refused`."""
    if unknown := sorted(set(body) - _KEYS):
        raise _unfit(f"there is no key {unknown[0]}; known are {', '.join(sorted(_KEYS))}")
    client_id = text_of(body.get("client_id"))
    if client_id is None or len(client_id) > 200:
        raise _unfit("client_id is missing: a text of at most 200 characters, new for each message")
    media, template = body.get("media"), body.get("template")
    text = body.get("text", "")
    if not isinstance(text, str):
        raise _unfit("text must be a text")
    if not (text.strip() or media or template):
        raise _unfit("it says nothing: write text, media or template")
    return Say(
        client_id,
        text,
        (_read_file(media),) if media else (),
        text_of(body.get("reply_to")) or "",
        template,
        text_of(object_of(body.get("agent")).get("name")) or "",
        body.get("take") is not False,
    )


def _read_file(media: Any) -> dict[str, str]:
    given = object_of(media)
    names = {"type": "type", "url": "link", "id": "id", "filename": "filename"}
    file = {name: text for key, name in names.items() if (text := text_of(given.get(key)))}
    if file.get("type") not in KINDS:
        raise _unfit(f"media.type must be one of {', '.join(KINDS)}")
    if ("link" in file) is ("id" in file) or not is_link(file.get("link", "https://")):
        raise _unfit("media needs the url of a file, with https://, or the id of one at WhatsApp")
    return file


def _unfit(text: str) -> Refused:
    return Refused(422, "does_not_fit", text)


def read_json(body: bytes) -> dict[str, Any]:
    """Return the object that *body* is; raises `Refused`."""
    try:
        value = plain(json.loads(body or b"{}"))
    except (ValueError, RecursionError) as error:
        raise _unfit("the body is no JSON that can be read") from error
    if not isinstance(value, dict):
        raise _unfit("the body is JSON, but no object")
    return value


def with_links(event: Mapping[str, Any], link: Link) -> dict[str, Any]:
    """Return *event*, as it is kept, with links to its files."""
    linked = dict(event)
    if "message" in event:
        linked["message"] = _with_link(event["message"], link)
    if "history" in event:
        linked["history"] = [_with_link(each, link) for each in event["history"]]
    return linked


def _with_link(message: Mapping[str, Any], link: Link) -> Mapping[str, Any]:
    media = dict(message.get("media", {}))
    path = media.pop("path", None)
    return {**message, "media": {"url": link(path), **media}} if path else message


@dataclass(frozen=True)
class Link:
    """Makes a link to a kept file, which a secret of the desk signs for a day."""

    secret: str
    public_url: str
    now: float

    def __call__(self, path: str) -> str:
        name, expires = kept_name(path), str(int(self.now + LINK_LIFE))
        query = urlencode({"expires": expires, "signature": _sign_link(self.secret, name, expires)})
        return f"{self.public_url}{ADDRESS}media/{quote(name)}?{query}"


def kept_name(path: str) -> str:
    """Return the name of the kept file at *path*: its day, and its own."""
    return "/".join(PurePosixPath(path).parts[-2:])


def verify_link(secrets: Sequence[str], name: str, query: Mapping[str, str], now: float) -> None:
    """Raise `WebhookRefused` unless *query* allows to read the kept file *name*."""
    expires, problem = query.get("expires", ""), "the link to a file is not ours, or is over"
    signed = [_sign_link(each, name, expires) for each in secrets]
    require([query.get("signature", "")], signed if now <= whole(expires) else (), problem)


def _sign_link(secret: str, name: str, expires: str) -> str:
    return hmac.digest(key_of(secret), f"file:{name}:{expires}".encode(), "sha256").hex()


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: float) -> None:
    """Raise `WebhookRefused` unless one of *secrets* signed *body*, less than 5 minutes ago."""
    message_id, at = headers.get("webhook-id") or "", read_time(headers, "webhook-timestamp", now)
    wanted = [signature(secret, message_id, at, body) for secret in secrets]
    problem = "webhook-signature does not match the body; is handoff.secret the desk's?"
    require((headers.get("webhook-signature") or "").split(), wanted, problem)


def read_time(headers: Mapping[str, str], name: str, now: float) -> str:
    """Return the time in the header *name*; raises `WebhookRefused` if it is not about *now*."""
    at = headers.get(name) or ""
    if abs(whole(at) - now) > SKEW:
        raise WebhookRefused(f"{name} is missing, or not of now", kind="signature")
    return at


def require(shown: Iterable[str], wanted: Sequence[str], problem: str) -> None:
    """Raise `WebhookRefused` unless one of *shown* is one of *wanted*, in constant time."""
    pairs = ((one.encode(), other.encode()) for one in shown for other in wanted)
    if not any(hmac.compare_digest(*pair) for pair in pairs):
        raise WebhookRefused(problem, kind="signature")


def whole(text: str) -> int:
    """Return the number that a header or a query holds, 0 for what is none."""
    return int(text) if re.fullmatch("[0-9]{1,12}", text) else 0


def digest_of(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
