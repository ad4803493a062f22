"""What becomes of a message after sending it failed."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.outbound.retry import PATIENCE, Again, GiveUp, WindowClosed, decide
from rasa_whatsapp_channel.whatsapp.errors import (
    CLOUD_CODES,
    ON_PREMISES_CODES,
    APIError,
    PlatformError,
    TransportError,
    decide_remedy,
)


def answer(code, status=400, *, retry_after=None, codes=CLOUD_CODES) -> APIError:
    remedy = decide_remedy(codes, code=code, status=status)
    return APIError(
        PlatformError(code, "title"), status=status, remedy=remedy, retry_after=retry_after
    )


def on_premises(code, status=400) -> APIError:
    return answer(code, status, codes=ON_PREMISES_CODES)


EVERYONE = {"everyone": True}
REFUSED = TransportError("connection refused", reached=False)


@pytest.mark.parametrize(
    ("error", "failures", "decision"),
    [
        (TransportError("no answer"), 1, Again(1)),
        (TransportError("no answer"), 4, Again(8)),
        (TransportError("no answer"), 500, Again(60)),
        (answer(131016, 500), 2, Again(2)),
        (answer(131000, 500), 3, Again(4)),
        (answer(131056), 1, Again(1)),
        (answer(131056), 3, Again(16)),
        (answer(131056), 9, Again(300)),
        (answer(130429), 1, Again(1, **EVERYONE)),
        (answer(130429, retry_after=30), 1, Again(30, **EVERYONE)),
        (answer(80007), 1, Again(300, **EVERYONE)),
        (answer(131048), 1, Again(300, **EVERYONE)),
        (answer(0, 503), 1, Again(1, **EVERYONE)),
        (answer(0, 429), 3, Again(4, **EVERYONE)),
        (answer(190, 401), 1, Again(60, everyone=True, token=True)),
        (answer(131047), 1, WindowClosed()),
        (on_premises(470), 1, WindowClosed()),
        (on_premises(471), 1, Again(300, **EVERYONE)),
        (on_premises(1015, 429), 1, Again(1, **EVERYONE)),
        (on_premises(1011), 2, Again(2, **EVERYONE)),
    ],
)
def test_the_decision_follows_the_code_and_the_failures(error, failures, decision):
    assert decide(error, failures=failures, lasting=60) == decision


@pytest.mark.parametrize(
    ("error", "failures", "age"),
    [
        (answer(131026), 1, 1),
        (answer(131009), 1, 1),
        (answer(131049), 1, 1),
        (answer(999999, 400), 1, 1),
        (answer(131000, 500), 4, 1),
        (answer(135000), 2, 1),
        (on_premises(1014), 2, 1),
        (TransportError("no answer"), 3, PATIENCE + 1),
    ],
)
def test_what_will_fail_again_is_given_up_with_its_reason(error, failures, age):
    decision = decide(error, failures=failures, lasting=age)

    assert isinstance(decision, GiveUp)
    assert str(error) in decision.reason


def test_jitter_only_lengthens_the_wait():
    waits = {
        decide(TransportError("x"), failures=3, lasting=1, jitter=jitter / 10).wait
        for jitter in range(11)
    }

    assert (min(waits), max(waits)) == (4, 6)


@pytest.mark.parametrize(
    ("error", "failures", "wait"),
    [
        (TransportError("no answer"), 1, 5),
        (TransportError("no answer"), 4, 8),
        (REFUSED, 1, 1),
        (answer(131000, 500), 1, 1),
    ],
)
def test_where_statuses_tell_what_was_taken_they_are_given_time(error, failures, wait):
    assert decide(error, failures=failures, lasting=60, echoed=True) == Again(wait)
