"""What becomes of a message after sending it failed."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.outbound.retry import ATTEMPTS, Again, GiveUp, decide
from rasa_whatsapp_channel.whatsapp.errors import (
    CLOUD_CODES,
    APIError,
    PlatformError,
    TransportError,
    decide_remedy,
)


def cloud(code: int, status: int = 400, retry_after: float | None = None) -> APIError:
    return APIError(
        PlatformError(code, "title"),
        status=status,
        remedy=decide_remedy(CLOUD_CODES, code=code, status=status),
        retry_after=retry_after,
    )


@pytest.mark.parametrize(
    ("error", "attempt", "decision"),
    [
        (TransportError("no answer"), 1, Again(1)),
        (TransportError("no answer"), 4, Again(8)),
        (cloud(131000, 500), 2, Again(2)),
        (cloud(130429, retry_after=30), 1, Again(30)),
        (cloud(131056), 1, Again(1)),
        (cloud(131056), 3, Again(16)),
        (cloud(131056), 7, Again(300)),
        (cloud(0, 503), 1, Again(1)),
        (cloud(131048), 1, Again(300)),
        (cloud(190, 401), 1, Again(300)),
        (cloud(131047), 1, GiveUp("HTTP 400, 131047 title")),
        (cloud(131026), 1, GiveUp("HTTP 400, 131026 title")),
        (cloud(131009), 1, GiveUp("HTTP 400, 131009 title")),
        (cloud(999999, 400), 1, GiveUp("HTTP 400, 999999 title")),
        (cloud(131000, 500), ATTEMPTS, GiveUp(f"HTTP 500, 131000 title after {ATTEMPTS} attempts")),
    ],
)
def test_the_decision_follows_the_code_and_the_attempt(error, attempt, decision):
    assert decide(error, attempt) == decision


def test_jitter_only_lengthens_the_wait():
    waits = {decide(TransportError("x"), 3, jitter=jitter / 10).wait for jitter in range(11)}

    assert min(waits) == 4
    assert max(waits) == 6
