"""
What the simulator answers: the bodies of success and of error, per API.

https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
https://developers.facebook.com/docs/whatsapp/api/errors
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from rasa_whatsapp_channel.simulator import ids
from rasa_whatsapp_channel.simulator.state import Person
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360, ON_PREMISES, Api

META: Final = {"api_status": "stable", "version": "2.61.1"}


@dataclass(frozen=True)
class Code:
    """One error code with its title and the HTTP status it comes with."""

    number: int
    title: str
    status: int = 400
    subcode: int | None = None


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
# Both come in a status only, after the request was answered with 200.
MEDIA_FAILED: Final = Problem(Code(131053, "Media upload error"), Code(1014, "Internal error"))
REACTION_FAILED: Final = INVALID


class Refused(Exception):
    """The request breaks *rule*, a sentence; *details* is what the platform would say of it."""

    def __init__(self, problem: Problem, rule: str, *, details: str | None = None) -> None:
        super().__init__(rule)
        self.problem = problem
        self.rule = rule
        self.details = details if details is not None else rule


def error_answer(refused: Refused, api: Api, *, explain: bool) -> tuple[int, dict[str, Any]]:
    """Return the HTTP status and the body that *api* refuses a request with."""
    code = refused.problem.code(api)
    if api is DIALOG360 and refused.problem is TOKEN:
        body = _gateway_error(refused)
    elif api in (CLOUD, DIALOG360):
        body = _graph_error(code, refused.details)
    else:
        body = {"meta": META, "errors": [_error(code, refused.details)]}
    return code.status, {**body, **({"simulator": {"rule": refused.rule}} if explain else {})}


def status_error(problem: Problem, api: Api, details: str) -> dict[str, Any]:
    """Return the error that stands in a `failed` status."""
    code = problem.code(api)
    if api not in (CLOUD, DIALOG360):
        return _error(code, details)
    return {
        "code": code.number,
        "title": code.title,
        "message": code.title,
        "error_data": {"details": details},
        "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
    }


def sent_answer(api: Api, message_id: str, *, given: str, person: Person) -> dict[str, Any]:
    """*given* is the recipient as the request named it."""
    who = {"user_id": person.user_id} if given == person.user_id else {"wa_id": person.phone}
    body = {"contacts": [{"input": given, **who}], "messages": [{"id": message_id}]}
    if api in (CLOUD, DIALOG360):
        return {"messaging_product": "whatsapp", **body}
    return {**body, "meta": META}


def _graph_error(code: Code, details: str) -> dict[str, Any]:
    error: dict[str, Any] = {
        "message": code.title if code.number == 190 else f"(#{code.number}) {code.title}",
        "type": "OAuthException",
        "code": code.number,
    }
    if code.subcode is not None:
        error["error_subcode"] = code.subcode
    elif code.number != 190:
        error["error_data"] = {"messaging_product": "whatsapp", "details": details}
    return {"error": {**error, "fbtrace_id": ids.new_trace_id()}}


def _gateway_error(refused: Refused) -> dict[str, Any]:
    meta = {"http_code": 401, "developer_message": refused.details, "success": False}
    return {"meta": meta}


def _error(code: Code, details: str) -> dict[str, Any]:
    return {"code": code.number, "title": code.title, "details": details}
