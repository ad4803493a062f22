"""What the terminal of a simulator says."""

import pytest

from rasa_whatsapp_channel.simulator.feed import describe

REQUEST = {"method": "POST", "path": "/v1/messages", "body": {}}
ATTEMPT = {"event": "webhook", "status": None, "error": "no answer", "attempt": 1, "retry_after": 1}


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            {"event": "refused", "by": "whatsapp", "rule": "No text.", "request": REQUEST},
            "refused POST /v1/messages: No text.",
        ),
        (
            {"event": "refused", "by": "channel", "rule": "no such file", "request": None},
            "dead letter of the channel: no such file",
        ),
        (
            {"event": "weather", "words": "a status comes twice", "kind": "statuses", "n": 7},
            "weather: a status comes twice (statuses 7)",
        ),
        (ATTEMPT, "webhook not accepted: no answer; retried until it is"),
        ({**ATTEMPT, "attempt": 2}, None),
        (
            {**ATTEMPT, "status": 403, "retry_after": None},
            "webhook not accepted: HTTP 403; no further attempt",
        ),
        ({**ATTEMPT, "status": 200}, None),
        ({"event": "message"}, None),
    ],
)
def test_only_what_went_wrong_is_said(event, line):
    assert describe(event) == line
