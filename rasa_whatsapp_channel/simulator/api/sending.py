"""Sending: accepts a validated message, answers the request and dispatches it, for every API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from aiohttp import web

from rasa_whatsapp_channel.simulator import ids, outgoing
from rasa_whatsapp_channel.simulator.api import request_faults
from rasa_whatsapp_channel.simulator.api.endpoint import META, ApiAnswer
from rasa_whatsapp_channel.simulator.config import Number
from rasa_whatsapp_channel.simulator.outgoing import Send
from rasa_whatsapp_channel.simulator.state import WhatsAppUser
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360, Api

# Header of the channel: the Rasa response of a message, and what was changed to fit.
RESPONSE_HEADER: Final = "X-Rasa-Response"


def send(
    world: World, wanted: Send, api: Api, body: Any, request: web.Request, number: Number
) -> ApiAnswer:
    """Dispatch *wanted* and return the answer to its *request*; raise `Refused`."""
    if wanted.lost is not None:
        return _lose(world, wanted, api)
    message, person = outgoing.accept(world, wanted, api, body, number.phone_number_id)
    reported = world.as_reported(person)
    answer = sent_answer(api, message.id, given=wanted.given, person=reported)
    response, changes = read_response(request.headers.get(RESPONSE_HEADER))
    message = replace(message, answer=answer, response=response, changes=changes)
    request_faults.record_message_id(message.id)
    outgoing.dispatch(world, message, person, api, fails_with=request_faults.fails_with())
    return ApiAnswer(answer)


def _lose(world: World, wanted: Send, api: Api) -> ApiAnswer:
    """Answer with success; only the simulator's own field names the problem."""
    recipient = WhatsAppUser("", user_id="", phone=wanted.given)
    answer = sent_answer(api, ids.new_message_id(api), given=wanted.given, person=recipient)
    explained = {"simulator": {"rule": wanted.lost}} if world.config.explanations else {}
    return ApiAnswer({**answer, **explained}, rule=wanted.lost)


def read_response(header: str | None) -> tuple[str | None, tuple[Mapping[str, Any], ...]]:
    """Return the response's name and the changes in *header*; empty if invalid."""
    try:
        value = json.loads(header or "null")
    except (ValueError, RecursionError):
        return None, ()
    match value:
        case {"response": str() | None as name, "changes": list(changes)}:
            return name, tuple(change for change in changes if isinstance(change, Mapping))
        case {"response": str(name)}:
            return name, ()
        case _:
            return None, ()


def sent_answer(api: Api, message_id: str, *, given: str, person: WhatsAppUser) -> dict[str, Any]:
    """Return the answer for a sent message; *given* is the recipient as in the request."""
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
