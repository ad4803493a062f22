"""Test user: a person with a phone; what they do, and what they get."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rasa_whatsapp_channel.replay.budget import Budget, count_billed
from rasa_whatsapp_channel.replay.chat import Chat
from rasa_whatsapp_channel.replay.simulator_client import SimulatorClient
from rasa_whatsapp_channel.testing.thread import LoopThread
from rasa_whatsapp_channel.transcript.expect import Difference, differences, shown
from rasa_whatsapp_channel.transcript.words import FILES, Words, line_of, words_of

WITHIN = 10.0
ROUGH_WITHIN = 120.0  # lost answers and expired tokens take time
_SHOWN = 12  # messages of the chat in a failure


class User:
    """
    A person at the simulator, by phone number.

    What they do (`sends`, `taps`, `sends_image`, …) is done at once and returns the person, so that
    it can be chained. What they get is awaited, since the bot takes its time: `gets`,
    `gets_nothing`; or `must_get` and `must_get_nothing` in tests that are not async.
    """

    def __init__(
        self,
        thread: LoopThread,
        client: SimulatorClient,
        chat: Chat,
        name: str,
        *,
        patience: float = WITHIN,
    ) -> None:
        self._thread = thread
        self._client = client
        self._chat = chat
        self._patience = patience
        self.name = name

    @property
    def phone(self) -> str:
        return self._chat.person

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Everything in the chat, as the simulator's ``GET …/messages`` has it."""
        return self._thread.run(self._chat.messages())

    @property
    def billed(self) -> Counter[str]:
        """How many billed messages each response was so far, once the bot is idle."""
        return count_billed(self._thread.run(self._chat.conversation()))

    def overruns(self, budget: Budget) -> list[str]:
        """Return in words what of this conversation is more than *budget*."""
        return budget.overruns(self._thread.run(self._chat.conversation()))

    def sends(self, text: str) -> User:
        return self._does(text=text)

    def taps(self, title: str) -> User:
        """Tap the button or the row with this title, in the newest message that has it."""
        return self._does(taps=title)

    def sends_image(self, path: str | Path, caption: str | None = None) -> User:
        return self._sends_file("image", path, caption)

    def sends_video(self, path: str | Path, caption: str | None = None) -> User:
        return self._sends_file("video", path, caption)

    def sends_audio(self, path: str | Path) -> User:
        return self._sends_file("audio", path)

    def sends_voice(self, path: str | Path) -> User:
        return self._sends_file("voice", path)

    def sends_document(self, path: str | Path, caption: str | None = None) -> User:
        return self._sends_file("document", path, caption)

    def sends_sticker(self, path: str | Path) -> User:
        return self._sends_file("sticker", path)

    def sends_location(
        self,
        latitude: float,
        longitude: float,
        *,
        name: str | None = None,
        address: str | None = None,
    ) -> User:
        place: dict[str, Any] = {"latitude": latitude, "longitude": longitude}
        given = {"name": name, "address": address}
        return self._does(location=place | {key: value for key, value in given.items() if value})

    def sends_contacts(self, *contacts: str | Mapping[str, Any]) -> User:
        """Send contact cards: names, or objects of WhatsApp's contact shape."""
        return self._does(contacts=list(contacts))

    def reacts(self, emoji: str) -> User:
        """React to the bot's last message; an empty text takes the reaction away."""
        return self._does(reaction=emoji)

    def sends_message(self, message: Mapping[str, Any]) -> User:
        """Send any message in the words of a webhook: ``{"type": "order", "order": {…}}``."""
        return self._does(message=message)

    def reads(self) -> User:
        """Look at the chat: all ticks of the bot's messages turn blue."""
        self._thread.run(self._client.read(self.phone))
        return self

    async def gets(
        self, text: Any = None, *, within: float | None = None, **expected: Any
    ) -> Words:
        """
        Assert that the bot's next message is as named, and return all that it shows.

        The kind of the message always counts, beyond it only what is named: `text` (with a file its
        caption), `image`, `video`, `audio`, `voice`, `document`, `sticker`, `buttons`, `rows`,
        `link`, `cards`, `header`, `footer`, `location`, `contacts`, `template`, `values`,
        `reaction`. A value is the value, a compiled pattern or a text ``~/pattern/`` for the whole
        of it, or True for anything. A file is named by its name, or by a `Path` whose bytes it
        shall have. Raises `AssertionError`, which shows what differs and the chat.
        """
        return await self._thread.wait(self._get(_named(text, expected), within))

    def must_get(self, text: Any = None, *, within: float | None = None, **expected: Any) -> Words:
        """`gets`, for tests that are not async."""
        return self._thread.run(self._get(_named(text, expected), within))

    async def gets_nothing(self, *, within: float = 1.0) -> None:
        """
        Assert that the bot says nothing more.

        Waits until the bot is idle, or *within* seconds where it does not tell whether it is.
        """
        await self._thread.wait(self._get_nothing(within))

    def must_get_nothing(self, *, within: float = 1.0) -> None:
        """`gets_nothing`, for tests that are not async."""
        self._thread.run(self._get_nothing(within))

    def _does(self, **words: Any) -> User:
        self._thread.run(self._chat.does(words))
        return self

    def _sends_file(self, kind: str, path: str | Path, caption: str | None = None) -> User:
        return self._does(**{kind: path}, **({"text": caption} if caption is not None else {}))

    async def _get(self, expected: Mapping[str, Any], wanted_within: float | None) -> Words:
        within = self._patience if wanted_within is None else wanted_within
        message = await self._chat.next(within)
        if message is None:
            wanted = ", ".join(f"{name}={shown(value)}" for name, value in expected.items())
            raise AssertionError(
                await self._story(f"{self.name} got nothing within {within:g} s, expected {wanted}")
            )
        words = words_of(message)
        expected, wrong = await self._compare_files(dict(expected), message)
        found = [*wrong, *differences(expected, words)]
        if found:
            lines = [f"  {line}" for difference in found for line in difference.lines()]
            raise AssertionError(
                await self._story("\n".join((f"{self.name} got something else:", *lines)))
            )
        return words

    async def _compare_files(
        self, expected: dict[str, Any], message: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[Difference]]:
        """Compare the bytes of files that a `Path` names; the rest is left to `differences`."""
        wrong = []
        for kind in FILES:
            path = expected.get(kind)
            if not isinstance(path, Path):
                continue
            expected[kind] = True
            address = _address(message["content"])
            content = await self._client.file(address) if address else b""
            if address and content != path.read_bytes():
                same = f"the bytes of {path}"
                wrong.append(Difference(kind, same, f"{len(content)} other bytes"))
        return expected, wrong

    async def _get_nothing(self, within: float) -> None:
        message = await self._chat.nothing(within)
        if message is not None:
            line = line_of(words_of(message))
            raise AssertionError(
                await self._story(f"{self.name} got a message, expected none:\n  {line}")
            )

    async def _story(self, what: str) -> str:
        """Return *what* with the chat behind it."""
        messages = (await self._chat.messages())[-_SHOWN:]
        lines = [
            f"  {self.name if m['direction'] == 'inbound' else 'bot'}: {line_of(words_of(m))}"
            for m in messages
        ]
        return "\n".join((what, "The chat:", *(lines or ["  (empty)"])))


def _named(text: Any, expected: dict[str, Any]) -> dict[str, Any]:
    from rasa_whatsapp_channel.transcript.expect import NAMES

    for name in expected:
        if name not in NAMES:
            raise TypeError(f"gets() knows no {name}; it knows {', '.join(NAMES)}")
    named = {**({"text": text} if text is not None else {}), **expected}
    if not named:
        raise TypeError("gets() wants to know what: gets(text=…), gets(image=…)")
    return named


def _address(content: Any) -> str | None:
    """Return where the file of a message is, its header's if it is an interactive one."""
    if not isinstance(content, Mapping):
        return None
    if "url" in content:
        return str(content["url"])
    header = content.get("header")
    if not isinstance(header, Mapping):
        return None
    return _address(header.get(str(header.get("type"))))
