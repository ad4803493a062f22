"""Recovery of failed turns: decides whether a message is tried again, and when. No I/O."""

from __future__ import annotations

from typing import Final

from rasa_whatsapp_channel.conversation.errors import BotUnavailable, TurnTimeout
from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.logs import in_one_line
from rasa_whatsapp_channel.store.base import INFRASTRUCTURE, DeadLetter, Outcome, Retry
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.error_codes import Verdict
from rasa_whatsapp_channel.whatsapp.errors import MediaError, SendError

ATTEMPTS: Final = 5  # of a turn that the bot's own code fails
LONGEST_PAUSE: Final = 60.0  # between two attempts while a service is down
LONGEST_OUTAGE: Final = DAY


def after_failure(error: Exception, *, tries: int, claims: int, lasting: float) -> Outcome:
    """
    Return the outcome of an item whose turn raised *error*.

    *tries* are the attempts that count, this one included, *claims* all of them; *lasting* is for
    how many seconds it has been failing.
    """
    if isinstance(error, BotUnavailable):
        if lasting > LONGEST_OUTAGE:
            return DeadLetter(f"{error} (for more than a day)")
        return Retry(pause(claims), cause=INFRASTRUCTURE, counted=False, error=str(error))
    if isinstance(error, TurnTimeout):
        return DeadLetter(str(error))
    if tries >= ATTEMPTS:
        return DeadLetter(f"the bot failed {tries} times, last with {in_one_line(error)}")
    return Retry(4.0 ** (tries - 1), error=in_one_line(error))


def pause(failures: int) -> float:
    """Return the seconds until the next attempt after *failures* attempts."""
    return min(2.0 ** min(failures - 1, 10), LONGEST_PAUSE)


def is_worth_another_fetch(error: ChannelError) -> bool:
    """
    Return whether another attempt to download a file may succeed within seconds.

    Missing and forbidden files are not requested again: after too many errors 360dialog refuses
    every download for a while.
    """
    if isinstance(error, MediaError):
        return error.passing
    if isinstance(error, SendError):
        return error.verdict in (Verdict.RETRY, Verdict.REFRESH_TOKEN)
    return False
