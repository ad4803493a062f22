"""
Errors: everything the platform, or a client of it, can raise.

    WhatsAppError
    ├── InvalidMessage         a message WhatsApp would refuse, found before sending
    │   └── InvalidLink        one of its links is no URI
    ├── WebhookRefused         a webhook without valid authentication: refused, nothing stored
    ├── MediaError             a file cannot be read, fetched or uploaded
    └── SendError              a request to WhatsApp failed; `.verdict` tells what to do
        ├── TransportError     no usable answer: connection, TLS, timeout, half a body
        └── APIError           an answer that carries an error: code, title, details, HTTP status

Every error of another library is turned into one of these where it enters, with its cause kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.whatsapp.error_codes import Verdict


class WhatsAppError(ChannelError):
    """Base of the errors of the platform and its clients."""


class InvalidMessage(WhatsAppError):
    """
    A message that WhatsApp would refuse.

    *field* is the place in WhatsApp's body, e.g. ``image.link``; *problem* says the rule in words;
    *limit* is the documented number when the rule is a number.
    """

    def __init__(self, field: str, problem: str, *, limit: int | None = None) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem
        self.limit = limit


class InvalidLink(InvalidMessage):
    """A link that is no URI."""


class WebhookRefused(WhatsAppError):
    """
    A webhook call was not authenticated as WhatsApp's; the text says what is missing or invalid.

    *kind* is the same in one word: challenge, signature, login, token, network, unconfigured or
    role; or why the body was not read: length, too_large, slow, busy or malformed. *status* is the
    HTTP status of the response.
    """

    def __init__(self, text: str, *, kind: str = "challenge", status: int = 401) -> None:
        super().__init__(text)
        self.kind = kind
        self.status = status


class MediaError(WhatsAppError):
    """
    A file cannot be read, fetched, downloaded or uploaded; the text names it.

    *passing*: a later try may succeed, as where a server was busy. *source* is the path or the link
    of the file, where a message holds several.
    """

    def __init__(self, text: str, *, passing: bool = False, source: str | None = None) -> None:
        super().__init__(text)
        self.passing = passing
        self.source = source


class SendError(WhatsAppError):
    """A request to WhatsApp failed; `verdict` and `retry_after` (seconds) tell what to do."""

    verdict: Verdict = Verdict.RETRY
    retry_after: float | None = None


class TransportError(SendError):
    """
    No usable answer.

    The request may still have reached WhatsApp: the APIs take no idempotency key, so a retry can
    duplicate a message. *status* is the HTTP status where the answer had begun; *reached* is False
    where nothing was sent: no connection was established, or the login failed; *timed_out* True
    where the answer did not come in time.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int | None = None,
        verdict: Verdict = Verdict.RETRY,
        reached: bool = True,
        timed_out: bool = False,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.verdict = verdict
        self.reached = reached
        self.timed_out = timed_out


@dataclass(frozen=True)
class PlatformError:
    """
    One error as WhatsApp writes it: in an answer, in a status or beside an inbound message.

    https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
    """

    code: int
    title: str = ""
    details: str = ""

    @classmethod
    def parse(cls, value: object) -> PlatformError:
        """Read an error object of either envelope. Nothing in it can make this raise."""
        if not isinstance(value, Mapping):
            return cls(code=0, title=str(value)[:200])
        data = value.get("error_data")
        # Template endpoints answer with a plain string here.
        details = data.get("details") if isinstance(data, Mapping) else data
        title = value.get("title") or value.get("message") or ""
        return cls(
            code=_integer(value.get("code")),
            title=str(title),
            details=str(details or value.get("details") or value.get("error_user_msg") or ""),
        )

    def __str__(self) -> str:
        words = self.title if not self.details else f"{self.title}: {self.details}"
        return f"{self.code or ''} {words}".strip()  # 0: no code could be read


class APIError(SendError):
    """WhatsApp answered with an error; *is_missing*: what the address names does not exist."""

    def __init__(
        self,
        error: PlatformError,
        *,
        status: int,
        verdict: Verdict,
        retry_after: float | None = None,
        is_missing: bool = False,
    ) -> None:
        super().__init__(f"HTTP {status}, {error}")
        self.error = error
        self.status = status
        self.verdict = verdict
        self.retry_after = retry_after
        self.is_missing = is_missing

    @property
    def code(self) -> int:
        return self.error.code


def read_errors(body: object) -> tuple[PlatformError, ...]:
    """
    Return the errors an answer carries, in any of the shapes in use; none for a success.

    Cloud: ``{"error": {…}}``. On-premises and Turn: ``{"errors": [{…}]}``, also with HTTP 200.
    360dialog's gateway: ``{"meta": {"http_code": …, "developer_message": …, "success": false}}``.
    """
    if not isinstance(body, Mapping):
        return ()
    if body.get("error"):
        return (PlatformError.parse(body["error"]),)
    errors = body.get("errors")
    if isinstance(errors, list) and errors:
        return tuple(PlatformError.parse(error) for error in errors)
    meta = body.get("meta")
    if isinstance(meta, Mapping) and meta.get("success") is False:
        message = meta.get("developer_message") or meta.get("developerMessage") or ""
        return (
            PlatformError(
                code=_integer(meta.get("http_code") or meta.get("httpCode")), title=str(message)
            ),
        )
    return ()


def _integer(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return 0
