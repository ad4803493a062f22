"""
Conversation silence: why Rasa answers nobody, as it is paused or the conversation is over.

Nobody answers while the bot is paused, because a person took over, or after the conversation was
terminated. The bot's tracker says so, and reading it before every message costs as much as the
message itself (10 ms for a session of 300 events). So it is read when a turn had no answer, and
from then on before each message of that conversation, until the bot answers again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from rasa_whatsapp_channel.conversation.errors import BotUnavailable
from rasa_whatsapp_channel.logs import in_one_line
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.store.base import StoreError, Values
from rasa_whatsapp_channel.unix_time import DAY

logger = logging.getLogger(__name__)

LIFE: Final = 90 * DAY

# Returns why nobody answers in a conversation, ``paused`` or ``terminated``; None: the bot does.
WhySilent = Callable[[str], Awaitable["str | None"]]

REMEDIES: Final = {
    "paused": "until the event `resume` is added to its tracker",
    "terminated": "for good, unless its tracker is deleted or replaced",
}


async def never_silent(sender_id: str) -> None:
    return None


class Silences:
    """The conversations in which nobody answers. Every method raises `StoreError`."""

    def __init__(self, values: Values, why: WhySilent, metrics: Metrics) -> None:
        self._values = values
        self._why = why
        self._metrics = metrics

    async def is_silent(self, conversation: str) -> bool:
        """
        Return whether the next message will have no answer, as the ones before it.

        Raises `BotUnavailable` if the tracker cannot be read.
        """
        if await self._values.get(silence_key(conversation)) is None:
            return False
        if await self._look(conversation):
            return True
        await self._values.delete(silence_key(conversation))
        logger.info("whatsapp.silence_over: the bot answers again in a conversation")
        return False

    async def fell_silent(self, conversation: str) -> bool:
        """Return whether a turn had no answer because nobody answers; log the first of them."""
        try:
            why = await self._look(conversation)
        except BotUnavailable:
            return False  # the turn is done all the same
        if why is None:
            return False
        self._metrics.silenced(why)
        if await self._values.add(silence_key(conversation), why, LIFE):
            logger.warning(
                "whatsapp.silenced: a message is not answered, as its conversation is %s, %s; "
                "docs/inbound.md tells how",
                why,
                REMEDIES[why],
            )
            logger.debug("whatsapp.silenced: %s", conversation)
        return True

    async def _look(self, conversation: str) -> str | None:
        try:
            return await self._why(conversation)
        except (BotUnavailable, StoreError):
            raise
        except Exception as error:  # whatever a tracker store raises: no turn fails because of it
            logger.warning(
                "whatsapp.tracker_not_read: whether the bot is silenced is not known: %s",
                in_one_line(error),
            )
            return None


def silence_key(conversation: str) -> str:
    return f"silence:{conversation}"
