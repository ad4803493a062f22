"""
Errors of a conversation: a turn cannot be done now, or was ended.

    ChannelError
    ├── BotUnavailable          something that the bot needs is away: no fault of the message
    │   └── ConversationLocked  somebody else is at work in the conversation
    └── TurnTimeout             the bot took longer for a turn than `turn_timeout` allows
"""

from __future__ import annotations

from rasa_whatsapp_channel.common import ChannelError


class BotUnavailable(ChannelError):
    """
    Infrastructure of the bot is away, so that no turn, or not this one, can be done now.

    *what* is it in words, such as ``lock store``. *everywhere*: every turn needs it, and would meet
    the same.
    """

    def __init__(self, what: str, reason: str, *, everywhere: bool = False) -> None:
        super().__init__(f"the bot's {what} is away: {reason}")
        self.what = what
        self.reason = reason
        self.everywhere = everywhere


class ConversationLocked(BotUnavailable):
    """Rasa's lock of this conversation is with somebody else, and was not given back in time."""

    def __init__(self) -> None:
        super().__init__("lock of the conversation", "somebody else holds it")


class TurnTimeout(ChannelError):
    """A turn was ended after `turn_timeout` seconds; begun again it would take as long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the bot was not through after {seconds:g} seconds, and may have done part of it; "
            "`turn_timeout` in credentials.yml allows more"
        )
