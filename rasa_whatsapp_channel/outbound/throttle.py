"""Throttle: pauses the sending of one number where all messages would fail. No I/O."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.outbound.recovery import Decision, PauseSending
from rasa_whatsapp_channel.store.base import INFRASTRUCTURE, TOKEN
from rasa_whatsapp_channel.whatsapp.errors import MediaError, SendError, TransportError

logger = logging.getLogger(__name__)

LONGEST: Final = 60.0  # seconds of a pause that WhatsApp did not ask for
# Unanswered requests in a row after which sending is paused.
UNANSWERED: Final = 3
PROBING: Final = 1.0  # seconds until the next check while one message probes
_REASONS: Final = {
    TOKEN: "the token is not accepted; replace it",
    INFRASTRUCTURE: "WhatsApp does not answer",
}


class Throttle:
    """
    A pause ends with a probe: one message is sent, and the others when it was answered.

    *clock* is monotonic, so that a changed wall clock extends no pause.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = 0.0
        self._pauses = 0  # since a message was answered
        self._unanswered = 0
        self._is_probing = False
        self.cause: str | None = None  # of the pause; None when there is none

    @property
    def left(self) -> float:
        """Return the seconds until a message may be sent; 0.0: now."""
        return max(self._until - self._clock(), 0.0) if self.cause else 0.0

    @property
    def is_open(self) -> bool:
        """Return whether a message may be sent now."""
        return not self.cause or not (self.left or self._is_probing)

    def admit(self) -> float:
        """Return 0.0 if the message may be sent now, else the seconds after which to ask again."""
        if not self.is_open:
            return max(self.left, PROBING)
        self._is_probing = self.cause is not None
        return 0.0

    def follow(self, decision: Decision, error: SendError | MediaError) -> None:
        """Pause the number where all messages would fail with *error*, or end a pause."""
        if isinstance(decision, PauseSending):
            self._log_if(self.pause(decision.wait, decision.cause), error)
        elif isinstance(error, MediaError):
            self.not_sent()
        elif isinstance(error, TransportError):
            self._log_if(self.unanswered(), error)
            self.not_sent()
        else:
            self.answered()

    def _log_if(self, is_new: bool, error: ChannelError) -> None:
        if is_new:
            why = _REASONS.get(self.cause or "", "slowing down")
            logger.error("whatsapp.sending_paused: %s (%s)", why, error)

    def pause(self, seconds: float, cause: str) -> bool:
        """Pause sending for *seconds*, longer each time. False: it was paused already."""
        is_new = not self.cause
        if is_new or self._is_probing:
            self._pauses += 1
        seconds = max(seconds, min(2.0 ** min(self._pauses - 1, 16), LONGEST))
        self._until = max(self._until, self._clock() + seconds)
        self._is_probing = False
        self.cause = cause
        return is_new

    def unanswered(self) -> bool:
        """Note a request without an answer. True: that begins a pause."""
        self._unanswered += 1
        if self._unanswered < UNANSWERED:
            return False
        return self.pause(0.0, INFRASTRUCTURE)

    def answered(self) -> bool:
        """Note that WhatsApp accepted or refused a message. True: that ends a pause."""
        self._unanswered = 0
        # Requests sent before the pause say nothing.
        if not self.cause or self.left:
            return False
        self.cause = None
        self._pauses = 0
        self._is_probing = False
        logger.info("whatsapp.sending_resumed: WhatsApp answers this number again")
        return True

    def not_sent(self) -> None:
        """Note that an admitted message was not sent, for reasons of its own."""
        self._is_probing = False
