"""
Conversation errors: a turn cannot run now, or was cancelled.

    ChannelError
    ├── BotUnavailable          a service that the bot needs is down; the message is not the cause
    │   └── ConversationLocked  another process holds Rasa's lock of the conversation
    └── TurnTimeout             the turn took longer than `turn_timeout`
"""

from __future__ import annotations

from rasa_whatsapp_channel.errors import ChannelError


class BotUnavailable(ChannelError):
    """
    A service that the bot needs is down, so that this turn, or every turn, cannot run now.

    *what* names the service, such as ``lock store``. *everywhere*: every turn needs it.
    """

    def __init__(self, what: str, reason: str, *, everywhere: bool = False) -> None:
        super().__init__(f"the bot's {what} is away: {reason}")
        self.what = what
        self.reason = reason
        self.everywhere = everywhere


class ConversationLocked(BotUnavailable):
    """Rasa's lock of the conversation is held by another process, and was not released in time."""

    def __init__(self) -> None:
        super().__init__("lock of the conversation", "somebody else holds it")


class TurnTimeout(ChannelError):
    """A turn was cancelled after `turn_timeout` seconds; a retry would take as long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the bot was not through after {seconds:g} seconds, and may have done part of it; "
            "`turn_timeout` in the channel's block allows more"
        )
