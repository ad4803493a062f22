"""
Every way to be refused, as each API numbers it.

https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
https://developers.facebook.com/docs/whatsapp/api/errors
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rasa_whatsapp_channel.whatsapp.apis import ON_PREMISES, Api


@dataclass(frozen=True)
class Code:
    """One error code with its title and the HTTP status it comes with."""

    number: int
    title: str
    status: int = 400
    subcode: int | None = None

    def to_json(self, details: str) -> dict[str, Any]:
        return {"code": self.number, "title": self.title, "details": details}


@dataclass(frozen=True)
class Problem:
    """One way to be refused: as Cloud, 360dialog and Turn number it, and as on-premises does."""

    cloud: Code
    on_premises: Code

    def code(self, api: Api) -> Code:
        return self.on_premises if api is ON_PREMISES else self.cloud


_INVALID_100 = Code(100, "Invalid parameter")
_INVALID_131009 = Code(131009, "Parameter value is not valid")
_INVALID_1009 = Code(1009, "Parameter value is not valid")
_UNSUPPORTED = "Unsupported request. The object does not exist or cannot be loaded"

MISSING: Final = Problem(
    Code(131008, "Required parameter is missing"), Code(1008, "Required parameter is missing")
)
INVALID: Final = Problem(_INVALID_131009, _INVALID_1009)
UNKNOWN_KEY: Final = Problem(_INVALID_100, Code(1010, "Parameter is not required"))
NO_URI: Final = Problem(_INVALID_100, _INVALID_1009)
UNKNOWN_TYPE: Final = Problem(_INVALID_100, _INVALID_1009)
NO_JSON: Final = Problem(_INVALID_100, Code(1025, "Invalid Request"))
TEXT_TOO_LONG: Final = Problem(_INVALID_100, Code(1001, "Message too long"))
SECTIONS: Final = Problem(_INVALID_131009, Code(2015, "Invalid number of sections"))
ROWS: Final = Problem(_INVALID_131009, Code(2016, "Invalid number of rows"))
RECIPIENT_TYPE: Final = Problem(_INVALID_131009, Code(1002, "Invalid recipient type"))
GROUP: Final = Problem(Code(131020, "Bad group"), Code(1002, "Invalid recipient type"))
RECIPIENT: Final = Problem(_INVALID_131009, Code(1013, "User is not valid"))
TO_SELF: Final = Problem(Code(131021, "Recipient cannot be sender"), Code(1021, "Bad User"))
TOKEN: Final = Problem(
    Code(190, "Invalid OAuth access token - Cannot parse access token", 401),
    Code(1005, "Access denied", 401),
)
NOT_FOUND: Final = Problem(
    Code(100, _UNSUPPORTED, subcode=33), Code(1006, "Resource not found", 404)
)
UNKNOWN_MEDIA: Final = Problem(_INVALID_100, Code(1006, "Resource not found", 404))
FILE: Final = Problem(_INVALID_100, _INVALID_1009)
TOO_MUCH: Final = Problem(Code(131053, "Media upload error"), _INVALID_1009)
TOKEN_EXPIRED: Final = Problem(
    Code(190, "Error validating access token: Session has expired", 401, subcode=463),
    Code(1005, "Access denied", 401),
)
THROUGHPUT: Final = Problem(Code(130429, "Rate limit hit"), Code(1015, "Too many requests", 429))
PAIR: Final = Problem(
    Code(131056, "(Business Account, Consumer Account) pair rate limit hit"),
    Code(429, "Rate limit hit", 429),
)
GONE: Final = Problem(
    Code(100, _UNSUPPORTED, 404, subcode=33), Code(1006, "Resource not found", 404)
)
NO_TEMPLATE: Final = Problem(
    Code(132001, "Template name does not exist in the translation", 404),
    Code(2001, "Template Missing"),
)
TEMPLATE_COUNT: Final = Problem(
    Code(132000, "Number of parameters does not match the expected number of params"),
    Code(2000, "Template Param Count Mismatch"),
)
TEMPLATE_TOO_LONG: Final = Problem(
    Code(132005, "Translated text too long"), Code(2005, "Template Text Too Long")
)
TEMPLATE_FORMAT: Final = Problem(
    Code(132012, "Parameter format does not match format in the created template"),
    Code(2012, "Template Parameter Format Mismatch"),
)
TEMPLATE_BUTTON: Final = Problem(
    Code(132018, "There's an issue with the parameters in your template"),
    Code(2013, "Template Buttons Mismatch"),
)
TEMPLATE_PAUSED: Final = Problem(
    Code(132015, "Template is paused"), Code(2061, "Template is paused")
)
TEMPLATE_DISABLED: Final = Problem(
    Code(132016, "Template is disabled"), Code(2062, "Template is disabled")
)
GROUP_TYPE: Final = Problem(
    Code(131051, "Unsupported message type"), Code(1002, "Invalid recipient type")
)
# These come in a status only, after the request was answered with 200.
MEDIA_FAILED: Final = Problem(Code(131053, "Media upload error"), Code(1014, "Internal error"))
WINDOW_CLOSED: Final = Problem(
    Code(131047, "Re-engagement message"), Code(470, "Re-engagement message")
)
REACTION_FAILED: Final = INVALID


# Title and HTTP status of what the platform may say at any time, whatever was asked.
_ANY_TIME: Final[Mapping[int, tuple[str, int]]] = {
    0: ("AuthException", 401),
    1: ("API Unknown", 400),
    2: ("API Service", 503),
    3: ("API Method", 500),
    4: ("API Too Many Calls", 400),
    10: ("Permission Denied", 403),
    368: ("Temporarily blocked for policies violations", 403),
    80007: ("Rate limit issues", 400),
    130429: ("Rate limit hit", 400),
    130472: ("User's number is part of an experiment", 400),
    130497: ("Business account is restricted from messaging users in this country", 403),
    131000: ("Something went wrong", 500),
    131005: ("Access denied", 403),
    131016: ("Service unavailable", 500),
    131026: ("Message undeliverable", 400),
    131031: ("Business Account locked", 403),
    131042: ("Business eligibility payment issue", 400),
    131045: ("Incorrect certificate", 500),
    131047: ("Re-engagement message", 400),
    131048: ("Spam rate limit hit", 400),
    131049: ("Meta chose not to deliver", 400),
    131050: ("User has stopped marketing messages", 400),
    131051: ("Unsupported message type", 400),
    131052: ("Media download error", 400),
    131053: ("Media upload error", 400),
    131056: ("(Business Account, Consumer Account) pair rate limit hit", 400),
    131057: ("Account in maintenance mode", 500),
    133004: ("Server Temporarily Unavailable", 503),
    133010: ("Phone number not registered", 400),
    135000: ("Generic user error", 400),
}


def of_code(number: int) -> Problem:
    """Return the problem with this number, for an error that is made on purpose."""
    if number in (190, 463):
        return TOKEN_EXPIRED
    title, status = _ANY_TIME.get(number, ("Error", 400))
    code = Code(number, title, status)
    return Problem(code, code)


class Refused(Exception):
    """The request breaks *rule*, a sentence; *details* is what the platform would say of it."""

    def __init__(self, problem: Problem, rule: str, *, details: str | None = None) -> None:
        super().__init__(rule)
        self.problem = problem
        self.rule = rule
        self.details = details if details is not None else rule
