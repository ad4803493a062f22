"""
Problems: every way a request or message is refused, with each API's error code.

https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
https://developers.facebook.com/docs/whatsapp/api/errors
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.whatsapp.apis import ON_PREMISES, Api
from rasa_whatsapp_channel.whatsapp.error_codes import ERROR_CODES


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
    """One problem, with its code at Cloud, 360dialog and Turn, and its code on-premises."""

    cloud: Code
    on_premises: Code

    def code(self, api: Api) -> Code:
        return self.on_premises if api is ON_PREMISES else self.cloud


def _code(number: int) -> Code:
    row = ERROR_CODES.get(number)
    return Code(number, row.title, row.status) if row is not None else Code(number, "Error")


_INVALID_100 = _code(100)
_INVALID_131009 = _code(131009)
_INVALID_1009 = _code(1009)
_UNSUPPORTED = "Unsupported request. The object does not exist or cannot be loaded"

MISSING: Final = Problem(_code(131008), _code(1008))
INVALID: Final = Problem(_INVALID_131009, _INVALID_1009)
UNKNOWN_KEY: Final = Problem(_INVALID_100, _code(1010))
NO_URI: Final = Problem(_INVALID_100, _INVALID_1009)
UNKNOWN_TYPE: Final = Problem(_INVALID_100, _INVALID_1009)
NO_JSON: Final = Problem(_INVALID_100, _code(1025))
TEXT_TOO_LONG: Final = Problem(_INVALID_100, _code(1001))
SECTIONS: Final = Problem(_INVALID_131009, _code(2015))
ROWS: Final = Problem(_INVALID_131009, _code(2016))
RECIPIENT_TYPE: Final = Problem(_INVALID_131009, _code(1002))
GROUP: Final = Problem(_code(131020), _code(1002))
RECIPIENT: Final = Problem(_INVALID_131009, _code(1013))
TO_SELF: Final = Problem(_code(131021), _code(1021))
TOKEN: Final = Problem(
    Code(190, "Invalid OAuth access token - Cannot parse access token", 401),
    _code(1005),
)
NOT_FOUND: Final = Problem(Code(100, _UNSUPPORTED, subcode=33), _code(1006))
UNKNOWN_MEDIA: Final = Problem(_INVALID_100, _code(1006))
FILE: Final = Problem(_INVALID_100, _INVALID_1009)
TOO_MUCH: Final = Problem(_code(131053), _INVALID_1009)
TOKEN_EXPIRED: Final = Problem(
    Code(190, "Error validating access token: Session has expired", 401, subcode=463),
    _code(1005),
)
MESSAGING_LIMIT: Final = Problem(_code(131048), _code(1015))
OPTED_OUT: Final = Problem(_code(131050), _code(1013))
THROUGHPUT: Final = Problem(_code(130429), _code(1015))
PAIR: Final = Problem(
    _code(131056),
    _code(429),
)
GONE: Final = Problem(Code(100, _UNSUPPORTED, 404, subcode=33), _code(1006))
NO_TEMPLATE: Final = Problem(
    _code(132001),
    _code(2001),
)
TEMPLATE_COUNT: Final = Problem(
    _code(132000),
    _code(2000),
)
TEMPLATE_TOO_LONG: Final = Problem(_code(132005), _code(2005))
TEMPLATE_FORMAT: Final = Problem(
    _code(132012),
    _code(2012),
)
TEMPLATE_BUTTON: Final = Problem(
    _code(132018),
    _code(2013),
)
TEMPLATE_PAUSED: Final = Problem(_code(132015), _code(2061))
TEMPLATE_DISABLED: Final = Problem(_code(132016), _code(2062))
MARKETING_ONLY: Final = Problem(_code(134100), _INVALID_1009)
# https://developers.facebook.com/documentation/business-messaging/whatsapp/conversation-routing
NOT_ESCALATION: Final = Problem(Code(2494191, "Only the escalation partner takes"), _INVALID_1009)
NOT_PRIMARY: Final = Problem(Code(138038, "Not the primary partner"), _INVALID_1009)
MAX_PRICE: Final = Problem(_code(131061), _INVALID_1009)
GROUP_TYPE: Final = Problem(_code(131051), _code(1002))
# Reported by a status only, after the request was answered with 200.
MEDIA_FAILED: Final = Problem(_code(131053), _code(1014))
WINDOW_CLOSED: Final = Problem(_code(131047), _code(470))


def of_code(number: int) -> Problem:
    """Return the problem with this code, for an injected fault."""
    if number in (190, 463):
        return TOKEN_EXPIRED
    code = _code(number) if number else Code(0, "AuthException", 401)
    return Problem(code, code)


class SimulatorError(ChannelError):
    """Base of the simulator's errors; raised itself if simulator or bot do not respond."""


class Refused(SimulatorError):
    """Raised for a request that breaks *rule*, a sentence; *details* is the platform's text."""

    def __init__(self, problem: Problem, rule: str, *, details: str | None = None) -> None:
        super().__init__(rule)
        self.problem = problem
        self.rule = rule
        self.details = details if details is not None else rule
