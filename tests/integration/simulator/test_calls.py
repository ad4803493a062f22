"""The endpoint for calls at the Cloud API and at 360dialog."""

from __future__ import annotations

import pytest

TOKEN = {"Authorization": "Bearer simulator-token"}
KEY = {"D360-API-KEY": "simulator-token"}
CALLS = "/v26.0/106540352242922/calls"
REJECT = {"messaging_product": "whatsapp", "call_id": "wacid.ABGG", "action": "reject"}


@pytest.mark.parametrize(("path", "headers"), [(CALLS, TOKEN), ("/calls", KEY)])
async def test_a_call_can_be_rejected(simulator, path, headers):
    status, answer = await simulator.call("POST", path, json=REJECT, headers=headers)

    assert (status, answer["success"]) == (200, True)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"action": "hang_up"}, 131009),
        ({"action": ["reject"]}, 131009),
        ({"call_id": ""}, 131009),
        ({"call_id": None}, 131009),
        ({"messaging_product": None}, 100),
    ],
)
async def test_what_is_no_action_on_a_call_is_refused(simulator, change, code):
    body = {**REJECT, **change}

    status, answer = await simulator.call("POST", CALLS, json=body, headers=TOKEN)

    assert (status, answer["error"]["code"]) == (400, code)


async def test_the_endpoint_needs_the_token(simulator):
    status, answer = await simulator.call("POST", CALLS, json=REJECT)

    assert (status, answer["error"]["code"]) == (401, 190)
