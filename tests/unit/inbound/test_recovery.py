"""What becomes of a message whose turn failed, or whose file did not come."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.conversation.errors import (
    BotUnavailable,
    ConversationLocked,
    TurnTimeout,
)
from rasa_whatsapp_channel.inbound.recovery import after_failure, is_worth_another_fetch, pause
from rasa_whatsapp_channel.logs import in_one_line
from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.store.base import INFRASTRUCTURE, DeadLetter, Retry
from rasa_whatsapp_channel.whatsapp.error_codes import Verdict
from rasa_whatsapp_channel.whatsapp.errors import (
    APIError,
    MediaError,
    PlatformError,
    TransportError,
)

DAY = 86_400
AWAY = BotUnavailable("lock store", "ConnectionError: refused", everywhere=True)


def failed(error, *, tries=1, claims=1, lasting=0.0):
    return after_failure(error, tries=tries, claims=claims, lasting=lasting)


def waits(seconds, error):
    return Retry(seconds, cause=INFRASTRUCTURE, counted=False, error=str(error))


@pytest.mark.parametrize(
    ("claims", "seconds"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (5000, 60)]
)
def test_what_is_away_is_waited_for_with_growing_pauses_and_counts_no_try(claims, seconds):
    assert failed(AWAY, claims=claims) == waits(seconds, AWAY)
    assert failed(ConversationLocked(), claims=claims) == waits(seconds, ConversationLocked())


def test_an_outage_is_waited_for_a_day_and_then_the_message_is_a_dead_letter():
    assert failed(AWAY, claims=1000, lasting=DAY - 1) == waits(60, AWAY)
    assert failed(AWAY, claims=1440, lasting=DAY + 1) == DeadLetter(
        "the bot's lock store is away: ConnectionError: refused (for more than a day)"
    )


@pytest.mark.parametrize(("tries", "seconds"), [(1, 1), (2, 4), (3, 16), (4, 64)])
def test_an_error_of_the_bots_own_code_is_tried_again(tries, seconds):
    slip = ZeroDivisionError("no")

    assert failed(slip, tries=tries, claims=100, lasting=2 * DAY) == Retry(
        seconds, error="ZeroDivisionError: no"
    )


def test_an_error_of_the_bots_own_code_has_five_tries():
    assert failed(ZeroDivisionError("no"), tries=5) == DeadLetter(
        "the bot failed 5 times, last with ZeroDivisionError: no"
    )


def test_a_turn_that_takes_too_long_is_not_begun_again_and_the_setting_is_named():
    outcome = failed(TurnTimeout(300))

    assert isinstance(outcome, DeadLetter)
    assert "300 seconds" in outcome.reason
    assert "`turn_timeout` in the channel's block" in outcome.reason


def test_the_pauses_never_grow_beyond_a_minute():
    assert [pause(n) for n in (1, 2, 7, 10_000)] == [1, 2, 60, 60]


def test_an_error_that_rasa_has_wrapped_is_told_with_what_is_behind_it():
    try:
        try:
            raise KeyError("name")
        except KeyError as error:
            raise RuntimeError("component failed") from error
    except RuntimeError as error:
        words = in_one_line(error)

    assert words == "RuntimeError: component failed (from KeyError: 'name')"


def refused(status: int, verdict: Verdict) -> APIError:
    return APIError(PlatformError(0), status=status, verdict=verdict)


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (refused(404, Verdict.DO_NOT_RETRY), False),
        (refused(400, Verdict.DO_NOT_RETRY), False),
        (refused(403, Verdict.DO_NOT_RETRY), False),
        (refused(401, Verdict.REFRESH_TOKEN), True),
        (refused(429, Verdict.RETRY), True),
        (refused(500, Verdict.RETRY), True),
        (TransportError("no answer"), True),
        (MediaError("arrived damaged", passing=True), True),
        (MediaError("larger than 5 bytes"), False),
        (SettingsError("no such thing"), False),
    ],
)
def test_which_file_is_asked_for_again(error, again):
    assert is_worth_another_fetch(error) is again
