"""
Conversations in which the bot says nothing: a person took over, or the bot has hung up.

Whether one is silenced stands in the bot's tracker, and reading that before every message costs as
much as the message brings (10 ms for a session of 300 events). So it is read when a turn said
nothing, and from then on before each message of that conversation, until it is over.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from rasa_whatsapp_channel.common import DAY
from rasa_whatsapp_channel.inbound.recovery import in_words
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.store.base import Values
from rasa_whatsapp_channel.store.keys import silence_key
from rasa_whatsapp_channel.whatsapp.errors import BotUnavailable, StoreError

logger = logging.getLogger(__name__)

LIFE: Final = 90 * DAY

# Returns why nobody answers in a conversation, ``paused`` or ``terminated``; None: somebody does.
Why = Callable[[str], Awaitable["str | None"]]

REMEDIES: Final = {
    "paused": "until the event `resume` is added to its tracker",
    "terminated": "for good, unless its tracker is deleted or replaced",
}


async def nobody_is_silent(sender_id: str) -> None:
    return None


class Silences:
    def __init__(self, values: Values, why: Why, metrics: Metrics) -> None:
        self._values = values
        self._why = why
        self._metrics = metrics

    async def last(self, conversation: str) -> bool:
        """
        Return whether the next message will not be answered, as the ones before it.

        Raises `BotUnavailable` where that cannot be looked up.
        """
        if await self._values.get(silence_key(conversation)) is None:
            return False
        if await self._look(conversation):
            return True
        await self._values.delete(silence_key(conversation))
        logger.info("whatsapp.silence_over: the bot answers again in a conversation")
        return False

    async def begin(self, conversation: str) -> bool:
        """Return whether a turn said nothing because nobody is to answer, and say so once."""
        try:
            why = await self._look(conversation)
        except BotUnavailable:
            return False  # the turn is through all the same
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
        except Exception as error:  # whatever a tracker store raises: no turn fails for this
            logger.warning(
                "whatsapp.tracker_not_read: whether the bot is silenced is not known: %s",
                in_words(error),
            )
            return None
