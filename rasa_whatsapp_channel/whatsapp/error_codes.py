"""
Error codes: what each code of WhatsApp means, whom it concerns, and what to do about it.

One table for all APIs: title and HTTP status as documented, scope, verdict, how often a request is
worth repeating, and the remedy that may still get a message through. The Cloud API, 360dialog and
Turn use `CLOUD_CODES`, on-premises clients `ON_PREMISES_CODES`; no number is in both.

https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
https://developers.facebook.com/docs/whatsapp/api/errors
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final


class Scope(str, Enum):
    """What an error concerns: one message, or everything that is sent from or to somebody."""

    MESSAGE = "message"
    RECIPIENT = "recipient"
    NUMBER = "number"
    ACCOUNT = "account"


class Verdict(str, Enum):
    """Whether the request is worth repeating."""

    RETRY = "retry"  # soon, with growing pauses
    RETRY_AFTER = "retry_after"  # after minutes to hours
    REFRESH_TOKEN = "refresh_token"  # noqa: S105  # log in again once; without a login, report it
    FIX_AND_RETRY = "fix_and_retry"  # once the cause is fixed, by the remedy or by a person
    DO_NOT_RETRY = "do_not_retry"

    @property
    def is_final(self) -> bool:
        """Return whether the same request would fail again, whenever it is sent."""
        return self in (Verdict.FIX_AND_RETRY, Verdict.DO_NOT_RETRY)


class Remedy(str, Enum):
    """What may still get a message through after an error."""

    UPLOAD_FILE = "upload_file"  # upload the file anew, or the file behind a link; else without it
    SEND_TEMPLATE = "send_template"  # the 24-hour window is closed
    SEND_AS_MARKETING = "send_as_marketing"  # the template has an endpoint of its own
    SEND_AS_DIALLED = "send_as_dialled"  # WhatsApp's id of a number differs from the number


@dataclass(frozen=True)
class ErrorCode:
    """One row of the table."""

    title: str
    scope: Scope
    verdict: Verdict
    #: HTTP status it comes with
    status: int = 400
    #: how many attempts it is worth; None: until the message is too old
    attempts: int | None = None
    #: seconds before attempt n + 1 are backoff ** (n - 1)
    backoff: float = 2.0
    remedy: Remedy | None = None
    #: WhatsApp has the file and failed with it: the same file may succeed later
    retries_file: bool = False
    #: status that the template has, in the words of template webhooks; MISSING is ours
    template: str = ""

    @property
    def stops_sending(self) -> bool:
        """Return whether no message of the number should be sent for a while."""
        return self.scope in (Scope.NUMBER, Scope.ACCOUNT) and self.verdict in (
            Verdict.RETRY,
            Verdict.RETRY_AFTER,
        )


_MESSAGE, _RECIPIENT, _NUMBER, _ACCOUNT = Scope
_RETRY, _LATER, _TOKEN, _FIX, _NEVER = Verdict
_FILE, _TEMPLATE, _MARKETING, _DIALLED = Remedy

NO_SUCH_NUMBER: Final = 33

CLOUD_CODES: Final[Mapping[int, ErrorCode]] = MappingProxyType(
    {
        # 0 is documented too, always with HTTP 401; here it means that no code could be read
        1: ErrorCode("API Unknown", _MESSAGE, _RETRY, attempts=2),
        2: ErrorCode("API Service", _MESSAGE, _RETRY, 503),
        3: ErrorCode("API Method", _ACCOUNT, _FIX, 500),
        4: ErrorCode("API Too Many Calls", _ACCOUNT, _LATER),
        10: ErrorCode("Permission Denied", _ACCOUNT, _FIX, 403),
        17: ErrorCode("User request limit reached", _ACCOUNT, _LATER),
        NO_SUCH_NUMBER: ErrorCode("Parameter value is not valid", _NUMBER, _FIX),
        100: ErrorCode("Invalid parameter", _MESSAGE, _FIX, remedy=_FILE),
        102: ErrorCode("Session key invalid or no longer valid", _ACCOUNT, _TOKEN, 401),
        104: ErrorCode("Incorrect signature", _ACCOUNT, _TOKEN, 401),
        190: ErrorCode("Access token has expired", _ACCOUNT, _TOKEN, 401),
        200: ErrorCode("API Permission", _ACCOUNT, _FIX, 403),
        341: ErrorCode("Application limit reached", _ACCOUNT, _LATER),
        368: ErrorCode("Temporarily blocked for policies violations", _ACCOUNT, _FIX, 403),
        613: ErrorCode("Calls to this API have exceeded the rate limit", _MESSAGE, _LATER),
        80007: ErrorCode("Rate limit issues", _ACCOUNT, _LATER),
        130403: ErrorCode("The business has blocked this user", _RECIPIENT, _NEVER),
        130429: ErrorCode("Rate limit hit", _NUMBER, _RETRY),
        130472: ErrorCode("User's number is part of an experiment", _RECIPIENT, _NEVER),
        130497: ErrorCode(
            "Business account is restricted from messaging users in this country",
            _RECIPIENT,
            _NEVER,
            403,
        ),
        130501: ErrorCode("Unsupported message type in a group", _MESSAGE, _NEVER),
        131000: ErrorCode("Something went wrong", _MESSAGE, _RETRY, 500, attempts=4),
        131005: ErrorCode("Access denied", _ACCOUNT, _FIX, 403),
        131008: ErrorCode("Required parameter is missing", _MESSAGE, _FIX, remedy=_FILE),
        131009: ErrorCode("Parameter value is not valid", _MESSAGE, _FIX, remedy=_FILE),
        # Turn's, for a link
        131014: ErrorCode("Request for url failed", _MESSAGE, _FIX, remedy=_FILE),
        131016: ErrorCode("Service unavailable", _MESSAGE, _RETRY, 500),
        131020: ErrorCode("Bad group", _RECIPIENT, _FIX),
        131021: ErrorCode("Recipient cannot be sender", _RECIPIENT, _NEVER),
        131026: ErrorCode("Message undeliverable", _RECIPIENT, _NEVER),
        # The list of a test number has numbers as they are dialled, see `identity.as_dialled`.
        131030: ErrorCode(
            "Recipient phone number not in allowed list", _RECIPIENT, _FIX, remedy=_DIALLED
        ),
        131031: ErrorCode("Business Account locked", _ACCOUNT, _FIX, 403),
        131035: ErrorCode("Message lost in no-storage mode", _MESSAGE, _NEVER),
        131036: ErrorCode("Message lost in no-storage mode", _MESSAGE, _NEVER),
        131037: ErrorCode("Display name not approved", _NUMBER, _FIX),
        131041: ErrorCode("Unknown group", _RECIPIENT, _FIX),
        131042: ErrorCode("Business eligibility payment issue", _ACCOUNT, _FIX),
        131044: ErrorCode("Business eligibility payment issue", _ACCOUNT, _FIX),
        131045: ErrorCode("Incorrect certificate", _NUMBER, _FIX, 500),
        131047: ErrorCode("Re-engagement message", _RECIPIENT, _FIX, remedy=_TEMPLATE),
        131048: ErrorCode("Spam rate limit hit", _NUMBER, _LATER),
        # At least a day, in which the person would hear nothing else either.
        131049: ErrorCode("Meta chose not to deliver", _RECIPIENT, _NEVER),
        131050: ErrorCode("User has stopped marketing messages", _RECIPIENT, _NEVER),
        131051: ErrorCode("Unsupported message type", _MESSAGE, _FIX),
        131052: ErrorCode("Media download error", _MESSAGE, _FIX, remedy=_FILE, retries_file=True),
        131053: ErrorCode("Media upload error", _MESSAGE, _FIX, remedy=_FILE, retries_file=True),
        131055: ErrorCode("Method not allowed", _MESSAGE, _FIX),
        131056: ErrorCode(
            "(Business Account, Consumer Account) pair rate limit hit",
            _RECIPIENT,
            _RETRY,
            backoff=4.0,
        ),
        131057: ErrorCode("Account in maintenance mode", _NUMBER, _RETRY, 500),
        131059: ErrorCode("Bad pagination cursor", _MESSAGE, _FIX),
        131060: ErrorCode("Message unavailable", _MESSAGE, _NEVER),
        131061: ErrorCode(
            "Template has a max price and needs marketing messages",
            _MESSAGE,
            _FIX,
            remedy=_MARKETING,
        ),
        131062: ErrorCode("Business-scoped user id not supported here", _RECIPIENT, _FIX),
        131063: ErrorCode("Marketing templates disabled", _ACCOUNT, _FIX, remedy=_MARKETING),
        131064: ErrorCode("Limited for misclassified templates", _MESSAGE, _LATER),
        131207: ErrorCode("Group is suspended", _RECIPIENT, _FIX, 403),
        131208: ErrorCode("Group rate limit hit", _RECIPIENT, _RETRY, 429),
        131212: ErrorCode("Not a participant of the group", _RECIPIENT, _NEVER),
        131215: ErrorCode("Number is not eligible for groups", _NUMBER, _FIX),
        132000: ErrorCode(
            "Number of parameters does not match the expected number of params", _MESSAGE, _FIX
        ),
        132001: ErrorCode(
            "Template name does not exist in the translation",
            _MESSAGE,
            _FIX,
            404,
            template="MISSING",
        ),
        132005: ErrorCode("Translated text too long", _MESSAGE, _FIX),
        132007: ErrorCode("Character policy violated", _MESSAGE, _FIX, template="REJECTED"),
        132008: ErrorCode("Parameter format mismatch", _MESSAGE, _FIX),
        132012: ErrorCode(
            "Parameter format does not match format in the created template", _MESSAGE, _FIX
        ),
        132015: ErrorCode("Template is paused", _MESSAGE, _FIX, template="PAUSED"),
        132016: ErrorCode("Template is disabled", _MESSAGE, _FIX, template="DISABLED"),
        132018: ErrorCode("There's an issue with the parameters in your template", _MESSAGE, _FIX),
        132021: ErrorCode("Direct Send template name is taken", _MESSAGE, _FIX),
        132068: ErrorCode("Flow is blocked", _MESSAGE, _FIX),
        132069: ErrorCode("Flow is throttled", _MESSAGE, _LATER),
        133000: ErrorCode("Incomplete deregistration", _NUMBER, _FIX, 500),
        133004: ErrorCode("Server Temporarily Unavailable", _MESSAGE, _RETRY, 503),
        133005: ErrorCode("Two step verification PIN mismatch", _NUMBER, _FIX),
        133006: ErrorCode("Phone number re-verification needed", _NUMBER, _FIX),
        133008: ErrorCode("Too many two step verification PIN guesses", _NUMBER, _FIX),
        133009: ErrorCode("Two step verification PIN guessed too fast", _NUMBER, _FIX),
        133010: ErrorCode("Phone number not registered", _NUMBER, _FIX),
        133015: ErrorCode("Phone number was deleted a moment ago", _NUMBER, _LATER),
        133016: ErrorCode("Account register deregister rate limit exceeded", _NUMBER, _LATER),
        134011: ErrorCode("Terms of payments not accepted", _ACCOUNT, _FIX),
        134100: ErrorCode("Only marketing messages are supported", _MESSAGE, _FIX),
        134101: ErrorCode("Template is still syncing", _MESSAGE, _LATER),
        134102: ErrorCode("Marketing messages are not available", _MESSAGE, _FIX),
        135000: ErrorCode("Generic user error", _MESSAGE, _RETRY, attempts=2),
        137000: ErrorCode("Recipient identity key hash mismatch", _RECIPIENT, _NEVER),
        138000: ErrorCode("Calling is not enabled", _MESSAGE, _FIX),
        138006: ErrorCode("No permission to call", _RECIPIENT, _FIX),
        138009: ErrorCode("Limit of call permission requests", _RECIPIENT, _NEVER),
        138017: ErrorCode("The permission to call is there already", _RECIPIENT, _NEVER),
        138018: ErrorCode("Calling lacks a prerequisite", _MESSAGE, _FIX),
        139200: ErrorCode("Direct Send is blocked", _MESSAGE, _FIX),
        2494100: ErrorCode("Phone number in maintenance mode", _NUMBER, _RETRY),
    }
)

ON_PREMISES_CODES: Final[Mapping[int, ErrorCode]] = MappingProxyType(
    {
        400: ErrorCode("Media download error", _MESSAGE, _NEVER),
        402: ErrorCode("Business eligibility payment issue", _ACCOUNT, _FIX),
        408: ErrorCode("Message is not valid", _MESSAGE, _NEVER),
        410: ErrorCode("Message expired", _MESSAGE, _NEVER),
        429: ErrorCode("Rate limit hit", _NUMBER, _RETRY, 429),
        430: ErrorCode("Unsigned certificate", _NUMBER, _FIX),
        432: ErrorCode("Certificate ID mismatch", _NUMBER, _FIX),
        433: ErrorCode("Certificate signature invalid", _NUMBER, _FIX),
        470: ErrorCode("Re-engagement message", _RECIPIENT, _FIX, remedy=_TEMPLATE),
        471: ErrorCode("Spam rate limit hit", _NUMBER, _LATER),
        472: ErrorCode("User's number is part of an experiment", _RECIPIENT, _NEVER),
        480: ErrorCode("User potentially changed", _RECIPIENT, _FIX),
        500: ErrorCode("Generic error", _MESSAGE, _RETRY, 500, attempts=4),
        501: ErrorCode("Message type is not currently supported", _MESSAGE, _FIX),
        1000: ErrorCode("Generic error", _MESSAGE, _RETRY, attempts=4),
        1001: ErrorCode("Message too long", _MESSAGE, _FIX),
        1002: ErrorCode("Invalid recipient type", _RECIPIENT, _FIX),
        1004: ErrorCode("Resource already exists", _MESSAGE, _FIX),
        1005: ErrorCode("Access denied", _ACCOUNT, _TOKEN, 401),
        1006: ErrorCode("Resource not found", _MESSAGE, _FIX, 404, remedy=_FILE),
        1007: ErrorCode("Recipient blocked to receive message", _RECIPIENT, _NEVER),
        1008: ErrorCode("Required parameter is missing", _MESSAGE, _FIX),
        1009: ErrorCode("Parameter value is not valid", _MESSAGE, _FIX, remedy=_FILE),
        1010: ErrorCode("Parameter is not required", _MESSAGE, _FIX),
        1011: ErrorCode("Service not ready", _NUMBER, _RETRY),
        1013: ErrorCode("User is not valid", _RECIPIENT, _NEVER),
        # mostly a bad file or link
        1014: ErrorCode("Internal error", _MESSAGE, _RETRY, attempts=2, remedy=_FILE),
        1015: ErrorCode("Too many requests", _NUMBER, _RETRY, 429),
        1016: ErrorCode("System overloaded", _NUMBER, _RETRY, 503),
        1017: ErrorCode("Not Primary Master", _MESSAGE, _RETRY),
        1018: ErrorCode("Not Primary Coreapp", _MESSAGE, _RETRY),
        1021: ErrorCode("Bad User", _RECIPIENT, _NEVER),
        1022: ErrorCode("Webhooks URL is not configured", _NUMBER, _FIX),
        1023: ErrorCode("Database error occurred", _MESSAGE, _RETRY),
        # the first login must set a password, which only the operator can do
        1024: ErrorCode("Password Change Required", _ACCOUNT, _TOKEN, 403),
        1025: ErrorCode("Invalid Request", _MESSAGE, _FIX),
        1026: ErrorCode("Receiver incapable", _RECIPIENT, _NEVER),
        1028: ErrorCode("Identity change must be acknowledged", _RECIPIENT, _FIX),
        1031: ErrorCode("Sender account has been locked", _ACCOUNT, _FIX),
        2000: ErrorCode("Template Param Count Mismatch", _MESSAGE, _FIX),
        2001: ErrorCode("Template Missing", _MESSAGE, _FIX, template="MISSING"),
        2005: ErrorCode("Template Text Too Long", _MESSAGE, _FIX),
        2012: ErrorCode("Template Parameter Format Mismatch", _MESSAGE, _FIX),
        2013: ErrorCode("Template Buttons Mismatch", _MESSAGE, _FIX),
        **dict.fromkeys(
            (2002, 2003, 2004, *range(2006, 2012), 2014),
            ErrorCode("Template is not valid", _MESSAGE, _FIX),
        ),
        2015: ErrorCode("Invalid number of sections", _MESSAGE, _FIX),
        2016: ErrorCode("Invalid number of rows", _MESSAGE, _FIX),
        2017: ErrorCode("Character policy violated", _MESSAGE, _FIX),
        **dict.fromkeys(
            (*range(2023, 2031), 2036, 2050, 2060),
            ErrorCode("Product, header or template is not valid", _MESSAGE, _FIX),
        ),
        2048: ErrorCode("Not engaged contact", _RECIPIENT, _NEVER),
        2061: ErrorCode("Template is paused", _MESSAGE, _FIX, template="PAUSED"),
        2062: ErrorCode("Template is disabled", _MESSAGE, _FIX, template="DISABLED"),
        2064: ErrorCode("Flow is not valid", _MESSAGE, _FIX),
        2068: ErrorCode("Flow is blocked", _MESSAGE, _FIX),
        2069: ErrorCode("Flow is throttled", _MESSAGE, _RETRY),
    }
)

ERROR_CODES: Final[Mapping[int, ErrorCode]] = MappingProxyType({**CLOUD_CODES, **ON_PREMISES_CODES})

# From here on a number is that of one API; lower ones may also be an HTTP status.
OF_ONE_API: Final = 1000

# Codes with which Direct Send refuses the account or the text: not enabled or blocked, outside of
# the window, its template is paused or its name taken.
DIRECT_REFUSED: Final = (100, 131047, 132015, 132021, 139200)


def decide_verdict(codes: Mapping[int, ErrorCode], *, code: int, status: int) -> Verdict:
    """
    Return the verdict on error *code* in an answer with HTTP *status*; the code goes first.

    A number that is not in *codes* may be of another API, behind which the answering one stands.
    """
    row = codes.get(code) or (ERROR_CODES.get(code) if code >= OF_ONE_API else None)
    if row is not None:
        return row.verdict
    if 400 <= code < 600:  # gateways (360dialog, Turn) write an HTTP status where the code belongs
        status = code
    if status == 401:
        return Verdict.REFRESH_TOKEN
    if status in (408, 429) or status >= 500:
        return Verdict.RETRY
    return Verdict.DO_NOT_RETRY


def remedy_of(code: int) -> Remedy | None:
    """Return what may still get a message through after error *code*."""
    row = ERROR_CODES.get(code)
    return row.remedy if row is not None else None
