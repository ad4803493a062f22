"""
What can go wrong, and what to do about it.

    WhatsAppError
    ├── SettingsError          credentials.yml cannot be used as it is
    ├── DomainError            a bot's domain files cannot be read
    ├── TranscriptError        a transcript cannot be read, or a step of it cannot be done
    ├── SimulatorError         the simulator, or the bot behind it, does not do what is asked
    ├── InvalidMessage         a message WhatsApp would refuse, found before sending
    │   └── InvalidLink        one of its links is no URI
    ├── WebhookRefused         a webhook without the proof we ask for: refused, nothing stored
    ├── StoreError             the store cannot be opened, read or written
    ├── MediaError             a file cannot be read, fetched or uploaded
    ├── BotUnavailable         something that the bot needs is away: no fault of the message
    │   └── ConversationLocked  somebody else is at work in the conversation
    ├── TurnTimeout            the bot took longer for a turn than `turn_timeout` allows
    └── SendError              a request to WhatsApp did not succeed; `.remedy` says what to do
        ├── TransportError     no usable answer: connection, TLS, timeout, half a body
        └── APIError           an answer that carries an error: code, title, details, HTTP status

Every error of another library is turned into one of these where it enters, with its cause kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Remedy(str, Enum):
    """What to do after a request failed."""

    RETRY = "retry"  # soon, with growing pauses
    WAIT = "wait"  # minutes to hours, then again
    TEMPLATE = "template"  # the 24-hour window is closed: only a template goes
    RENEW_TOKEN = "renew_token"  # noqa: S105  # log in again once; without a login, tell the operator
    GIVE_UP = "give_up"  # the same request will fail again


class WhatsAppError(Exception):
    """Base of everything this package raises."""


class SettingsError(WhatsAppError):
    """The block in credentials.yml cannot be used; the text names the key and the line to write."""


class DomainError(WhatsAppError):
    """A domain file cannot be read; the text is one line that begins with the path."""


class TranscriptError(WhatsAppError):
    """A transcript cannot be read, or a step of it cannot be done; the text names the step."""


class SimulatorError(WhatsAppError):
    """The simulator does not answer, or not with what was asked for; the text says why."""


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
    The caller did not prove that it is WhatsApp; the text says which proof is missing.

    *kind* is that in one word: challenge, signature, login, token, network or unconfigured; or why
    its body was not even read: length, too_large, slow or busy. *status* is what it is answered.
    """

    def __init__(self, text: str, *, kind: str = "challenge", status: int = 401) -> None:
        super().__init__(text)
        self.kind = kind
        self.status = status


class StoreError(WhatsAppError):
    """The store cannot be opened, read or written."""


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


class BotUnavailable(WhatsAppError):
    """
    Infrastructure of the bot is away, so that no turn, or not this one, can be done now.

    *what* is it in words, such as ``lock store``. *everywhere*: every turn needs it, and would meet
    the same.
    """

    def __init__(self, what: str, reason: str, *, everywhere: bool = False) -> None:
        super().__init__(f"the bot's {what} is away: {reason}")
        self.what = what
        self.reason = reason
        self.everywhere = everywhere


class ConversationLocked(BotUnavailable):
    """Rasa's lock of this conversation is with somebody else, and was not given back in time."""

    def __init__(self) -> None:
        super().__init__("lock of the conversation", "somebody else holds it")


class TurnTimeout(WhatsAppError):
    """A turn was ended after `turn_timeout` seconds; begun again it would take as long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the bot was not through after {seconds:g} seconds, and may have done part of it; "
            "`turn_timeout` in credentials.yml allows more"
        )


class SendError(WhatsAppError):
    """A request to WhatsApp failed. `remedy` says what to do, `retry_after` when (seconds)."""

    remedy: Remedy = Remedy.RETRY
    retry_after: float | None = None


class TransportError(SendError):
    """
    No usable answer.

    The request may still have reached WhatsApp: the APIs take no idempotency key, so a retry can
    double a message, see docs/promises.md. *status* is the HTTP status
    where the answer had begun; *reached* is False where not even a connection came about, and
    *timed_out* is True where the answer did not come in time.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int | None = None,
        remedy: Remedy = Remedy.RETRY,
        reached: bool = True,
        timed_out: bool = False,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.remedy = remedy
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
    href: str = ""

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
            details=str(details or value.get("details") or ""),
            href=str(value.get("href") or ""),
        )

    def __str__(self) -> str:
        words = self.title if not self.details else f"{self.title}: {self.details}"
        return f"{self.code or ''} {words}".strip()  # 0: no code could be read


class APIError(SendError):
    """WhatsApp answered with an error."""

    def __init__(
        self,
        error: PlatformError,
        *,
        status: int,
        remedy: Remedy,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"HTTP {status}, {error}")
        self.error = error
        self.status = status
        self.remedy = remedy
        self.retry_after = retry_after

    @property
    def code(self) -> int:
        return self.error.code


def _codes(remedies: Mapping[Remedy, Iterable[int]]) -> dict[int, Remedy]:
    return {code: remedy for remedy, codes in remedies.items() for code in codes}


# https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
# A code that is in neither table is decided by its HTTP status.
CLOUD_CODES = _codes(
    {
        Remedy.RETRY: (1, 2, 130429, 131000, 131016, 131056, 131057, 133004, 135000, 2494100),
        Remedy.WAIT: (
            4,
            17,
            341,
            613,
            80007,
            131048,
            131049,
            131064,
            132069,
            133015,
            133016,
            134101,
        ),
        Remedy.TEMPLATE: (131047,),
        # 0 is documented too, always with HTTP 401; here it means that no code could be read
        Remedy.RENEW_TOKEN: (102, 104, 190),
        Remedy.GIVE_UP: (
            *(3, 10, 33, 100, 200, 368, 130403, 130472, 130497, 130501, 131005, 131008, 131009),
            *(131020, 131021, 131026, 131030, 131031, 131035, 131036, 131037, 131041, 131042),
            *(131044, 131045, 131050, 131051, 131052, 131053, 131055, 131059, 131060, 131062),
            *(131063, 132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132018),
            *(132068, 133000, 133005, 133006, 133008, 133009, 133010, 134011, 134100, 137000),
        ),
    }
)

# https://developers.facebook.com/docs/whatsapp/api/errors
ON_PREMISES_CODES = _codes(
    {
        Remedy.RETRY: (429, 500, 1000, 1011, 1014, 1015, 1016, 1017, 1018, 1023, 2069),
        Remedy.WAIT: (471,),
        Remedy.TEMPLATE: (470,),
        # 1024: the first login must set a password, which is the operator's to do as well
        Remedy.RENEW_TOKEN: (1005, 1024),
        Remedy.GIVE_UP: (
            *(400, 402, 408, 410, 430, 432, 433, 472, 480, 501, 1001, 1002, 1004, 1006, 1007),
            *(1008, 1009, 1010, 1013, 1021, 1022, 1025, 1026, 1028, 1031, *range(2000, 2018)),
            *(*range(2023, 2031), 2036, 2048, 2050, 2060, 2061, 2062, 2064, 2068),
        ),
    }
)


def decide_remedy(codes: Mapping[int, Remedy], *, code: int, status: int) -> Remedy:
    """Return what to do about error *code* in an answer with HTTP *status*; the code goes first."""
    if code in codes:
        return codes[code]
    if 400 <= code < 600:  # gateways (360dialog, Turn) write an HTTP status where the code belongs
        status = code
    if status == 401:
        return Remedy.RENEW_TOKEN
    if status in (408, 429) or status >= 500:
        return Remedy.RETRY
    return Remedy.GIVE_UP


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
