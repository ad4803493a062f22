"""Answers: reads the object in a response, or raises the error it carries. No I/O, no clock."""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from rasa_whatsapp_channel.whatsapp.clients.base import Accepted, MediaInfo
from rasa_whatsapp_channel.whatsapp.error_codes import ErrorCode, Verdict, decide_verdict
from rasa_whatsapp_channel.whatsapp.errors import (
    APIError,
    PlatformError,
    TransportError,
    read_errors,
)
from rasa_whatsapp_channel.whatsapp.identity import read_id
from rasa_whatsapp_channel.whatsapp.json_values import object_of
from rasa_whatsapp_channel.whatsapp.transport import Response

logger = logging.getLogger(__name__)


def is_success(status: int | None) -> bool:
    return status is not None and 200 <= status < 300


def read_answer(
    response: Response, *, codes: Mapping[int, ErrorCode], now: float
) -> Mapping[str, Any]:
    """
    Return the object in a success; an empty one where there is none to read.

    Raises `APIError` for any other status, and for errors in a success: on-premises and Turn
    answer so. *codes* are the error codes of the API, *now* is in unix seconds.
    """
    answer = _object(response.body)
    errors = read_errors(answer)
    if is_success(response.status) and not errors:
        return answer
    error = errors[0] if errors else PlatformError(0, title=_phrase(response.status))
    verdict = decide_verdict(codes, code=error.code, status=response.status)
    if verdict.is_final and _is_transient(answer):
        verdict = Verdict.RETRY
    raise APIError(
        error,
        status=response.status,
        verdict=verdict,
        retry_after=read_retry_after(response.headers, status=response.status, now=now),
        is_missing=_is_missing(answer),
    )


def read_accepted(answer: Mapping[str, Any]) -> Accepted:
    """Return the id of the message just sent and its recipient's; raises `lost_id` without it."""
    match answer:
        case {"messages": [{"id": str(message_id)}, *_]} if message_id:
            contacts = answer.get("contacts")
            contact = object_of(contacts[0]) if isinstance(contacts, list) and contacts else {}
            return Accepted(message_id, _read_id(contact, "wa_id"), _read_id(contact, "user_id"))
    raise lost_id()


def _read_id(contact: Mapping[str, Any], name: str) -> str | None:
    value = contact.get(name)
    found = read_id(value)
    if found is None and value is not None and value != "":
        logger.warning(
            "whatsapp.odd_id: the answer to a message: a %s of %d characters is left away: "
            "it is no phone number and no user id",
            name,
            len(str(value)),
        )
    return found


def lost_id() -> TransportError:
    """
    Return the error for a success without a message id, or with half a body.

    It is final: the message was probably accepted, and each retry would send it once more. The
    cause is nearly always a wrong URL or a changed platform, and so it repeats.
    """
    return TransportError(
        "the answer was a success without a message id; the message may have arrived",
        verdict=Verdict.DO_NOT_RETRY,
    )


def read_media_id(answer: Mapping[str, Any]) -> str:
    """Read ``{"id": …}`` (Cloud, 360dialog) and ``{"media": [{"id": …}]}`` (on-premises, Turn)."""
    match answer:
        case {"id": str(media_id)} | {"media": [{"id": str(media_id)}, *_]} if media_id:
            return media_id
    raise TransportError("the answer to an upload holds no media id")


def read_media_info(media_id: str, answer: Mapping[str, Any]) -> MediaInfo:
    url, mime_type, sha256 = (answer.get(key) for key in ("url", "mime_type", "sha256"))
    if not isinstance(url, str) or not url:
        raise TransportError(f"the answer about media {media_id} holds no url")
    return MediaInfo(
        id=media_id,
        url=url,
        mime_type=mime_type if isinstance(mime_type, str) else None,
        sha256=sha256 if isinstance(sha256, str) else None,
        size=read_size(answer.get("file_size")),
    )


def read_size(value: object) -> int | None:
    """Read a number of bytes, written as a number or as its digits."""
    return int(str(value)) if re.fullmatch(r"[0-9]{1,15}", str(value)) else None


def read_retry_after(headers: Mapping[str, str], *, status: int, now: float) -> float | None:
    """
    Return the seconds to wait before trying again, where the answer says so.

    ``Retry-After`` holds seconds or a date. Turn's ``X-Ratelimit-Reset`` is a unix time, sent with
    every answer, so it counts only where the limit was the reason:
    https://whatsapp.turn.io/docs/api/rate_limiting
    """
    wait = _seconds(headers.get("retry-after"))
    if wait is None:
        wait = _until(headers.get("retry-after"), now)
    if wait is None and status == HTTPStatus.TOO_MANY_REQUESTS:
        reset = _seconds(headers.get("x-ratelimit-reset"))
        wait = None if reset is None else reset - now
    return None if wait is None else max(wait, 0.0)


def _seconds(text: str | None) -> float | None:
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def _until(text: str | None, now: float) -> float | None:
    try:
        date = parsedate_to_datetime(text or "")
    except (TypeError, ValueError, OverflowError):  # TypeError: Python 3.10, for what is no date
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    return date.timestamp() - now


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _is_missing(answer: Mapping[str, Any]) -> bool:
    """Return whether the Graph API knows no object of the id in the address of the request."""
    match answer:
        case {"error": {"code": 100, "error_subcode": 33}}:
            return True
    return False


def _is_transient(answer: Mapping[str, Any]) -> bool:
    match answer:
        case {"error": {"is_transient": True}}:
            return True
    return False


def _phrase(status: int) -> str:
    try:
        words = HTTPStatus(status).phrase
    except ValueError:
        words = "unknown status"
    return f"{words}, without an error of WhatsApp's in the answer"
