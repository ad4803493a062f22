"""
What a connector sends that has no `send_response` of its own, which is each that is known for Rasa.

Rasa then takes a response apart, and each part becomes a message. How a part is sent is as in the
best-known connector for the Cloud API: a text in pieces, one for each paragraph, as in Rasa's own
channels too; three options as reply buttons, the others as lines of a second message. What that
connector does not send at all is counted as one message.
"""

from __future__ import annotations

from typing import Any, Final

from rasa.core.channels.channel import OutputChannel
from support.conversations import Turn

LONGEST: Final = 4096
BUTTONS: Final = 3
PARAGRAPH: Final = "\n\n"
NOWHERE: Final = "\0"


class OnePerPart(OutputChannel):
    """
    Keeps in *messages* what it would send, in short.

    *end* is where a text is split.
    """

    def __init__(self, end: str) -> None:
        super().__init__()
        self.messages: list[str] = []
        self._end = end

    async def send_text_message(self, recipient_id: str, text: str, **kwargs: Any) -> None:
        for part in filter(None, map(str.strip, text.split(self._end))):
            self.messages += [part[n : n + LONGEST] for n in range(0, len(part), LONGEST)]

    async def send_text_with_buttons(
        self, recipient_id: str, text: str | None, buttons: list[dict[str, Any]], **kwargs: Any
    ) -> None:
        usable = [button["title"] for button in buttons if button.get("payload")]
        if not usable:
            await self.send_text_message(recipient_id, text or "")
            return
        self.messages.append(f"{text} {usable[:BUTTONS]}")
        if usable[BUTTONS:]:
            self.messages.append("\n".join(usable[BUTTONS:]))

    async def send_image_url(self, recipient_id: str, image: str, **kwargs: Any) -> None:
        self.messages.append(image)

    async def send_attachment(self, recipient_id: str, attachment: Any, **kwargs: Any) -> None:
        self.messages.append(str(attachment))

    async def send_custom_json(self, recipient_id: str, json_message: Any, **kwargs: Any) -> None:
        self.messages.append(str(json_message))


async def one_per_part(turn: Turn, *, end: str = PARAGRAPH) -> list[str]:
    """Return the messages of *turn*."""
    channel = OnePerPart(end)
    for response in turn.responses:
        # Rasa takes the parts out of what it is given.
        await channel.send_response("4915112345678", dict(response))
    return channel.messages
