"""What the simulator answers: the bodies of success and of error, per API."""

from __future__ import annotations

from typing import Any, Final

from rasa_whatsapp_channel.simulator import ids
from rasa_whatsapp_channel.simulator.problems import TOKEN, Code, Refused
from rasa_whatsapp_channel.simulator.state import Person
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360, Api

META: Final = {"api_status": "stable", "version": "2.61.1"}


def error_answer(refused: Refused, api: Api, *, explain: bool) -> tuple[int, dict[str, Any]]:
    """Return the HTTP status and the body that *api* refuses a request with."""
    code = refused.problem.code(api)
    if api is DIALOG360 and refused.problem is TOKEN:
        body = _gateway_error(refused)
    elif api in (CLOUD, DIALOG360):
        body = _graph_error(code, refused.details)
    else:
        body = {"meta": META, "errors": [code.to_json(refused.details)]}
    return code.status, {**body, **({"simulator": {"rule": refused.rule}} if explain else {})}


def sent_answer(api: Api, message_id: str, *, given: str, person: Person) -> dict[str, Any]:
    """*given* is the recipient as the request named it."""
    who = {"user_id": person.user_id} if given == person.user_id else {"wa_id": person.phone}
    if person.group:
        sent = {"id": message_id, "group_id": person.user_id}
        return {
            "messaging_product": "whatsapp",
            "contacts": [{"input": given}],
            "messages": [sent],
        }
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
    elif details.startswith(error["message"][:6]):  # some errors have words of their own
        error["message"] = details
    elif code.number != 190:
        error["error_data"] = {"messaging_product": "whatsapp", "details": details}
    return {"error": {**error, "fbtrace_id": ids.new_trace_id()}}


def _gateway_error(refused: Refused) -> dict[str, Any]:
    meta = {"http_code": 401, "developer_message": refused.details, "success": False}
    return {"meta": meta}
