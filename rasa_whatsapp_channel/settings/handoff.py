"""Handoff settings: the group ``handoff:``, how a person takes a conversation and gives it back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone, tzinfo
from typing import ClassVar, Final

from rasa_whatsapp_channel.settings import parsers
from rasa_whatsapp_channel.settings.keys import Group, key

ADDRESS: Final = "/webhooks/whatsapp/handoff/"  # where desks ask; what they ask for follows


_DAY: Final = 24 * 60  # minutes
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WANTED: Final = 'a list such as ["Mon-Fri 09:00-17:00", "Sat 10:00-12:00, 13:00-15:00"]'


def hours(value: object) -> tuple[range, ...]:
    """Read in which minutes of the week, from Monday on, people answer."""
    if not isinstance(value, (list, tuple)) or not value:
        raise ValueError(_WANTED)
    try:
        return tuple(each for line in value for each in _read_hours(str(line).strip().lower()))
    except ValueError:
        raise ValueError(f"{_WANTED}; each ends on its day, at 24:00 at the latest") from None


def _read_hours(line: str) -> Iterator[range]:
    named, _, spans = line.partition(" ")
    first, _, last = named.partition("-")
    begin, end = _DAYS.index(first), _DAYS.index(last or first)
    for span in spans.split(","):
        start, until = map(parsers.minute_of_day, span.split("-"))
        if start >= until:
            raise ValueError(span)
        for day in range(begin, begin + (end - begin) % 7 + 1):
            midnight = day % 7 * _DAY
            yield range(midnight + start, midnight + until)


def _on_return(value: object) -> str:
    if value in ("answer", "silent") or re.fullmatch(r"/\w+", str(value)):
        return str(value)
    raise ValueError("answer, silent, or an intent such as /handoff_over")


@dataclass(frozen=True)
class HandoffSettings(Group):
    """The ``handoff:`` group."""

    NAME: ClassVar[str] = "handoff"
    EXAMPLE: ClassVar[str] = "handoff: {idle: 43200}"

    waiting: float = key(
        parsers.positive,
        600.0,
        section="The group `handoff`",
        means="How many seconds somebody waits for a person; then the bot answers again.",
    )
    idle: float = key(
        parsers.positive,
        43_200.0,
        means="How many seconds after a person's last word the bot answers again.",
    )
    while_waiting: str = key(
        parsers.choice("silent", "bot"),
        "silent",
        means="Who answers until a person comes: nobody, or the bot.",
    )
    triggers: tuple[str, ...] = key(
        parsers.names,
        (),
        means="Intents, actions and flows that ask for a person, such as "
        "`[ask_for_human, pattern_human_handoff]`.",
    )
    return_words: tuple[str, ...] = key(
        parsers.words,
        (),
        means="With one of these words, written alone, the person goes back to the bot, and a "
        "colleague who writes with the WhatsApp app gives the conversation back.",
    )
    on_return: str = key(
        _on_return,
        "answer",
        means="What becomes of messages that no person answered: `answer`: they are the bot's next "
        "turn. An intent such as `/handoff_over`: the bot hears it with the entity `unanswered`. "
        "`silent`: nothing.",
    )
    hours: tuple[range, ...] = key(
        hours,
        (),
        means='When people answer, such as `["Mon-Fri 09:00-17:00", "Sat 10:00-12:00"]`. Outside '
        "of these whoever asks for a person gets `text_closed`, and the bot answers on.",
    )
    time_zone: tzinfo = key(
        parsers.time_zone, timezone.utc, means="The zone of `hours`, such as `Europe/Berlin`."
    )
    text_closed: str = key(
        parsers.string, "", means="What is written to somebody who asks outside of `hours`."
    )
    text_waiting: str = key(
        parsers.string,
        "",
        means="What is written to somebody who waits for a person, where the bot says nothing.",
    )
    text_nobody: str = key(
        parsers.string, "", means="What is written to somebody who waited for a person in vain."
    )
    text_return: str = key(
        parsers.string, "", means="What is written when the bot has the conversation again."
    )
    desk: str = key(
        parsers.choice("webhook", "chatwoot"),
        "",
        means="Where people answer: a server of yours (`webhook`), or a Chatwoot.",
    )
    url: str = key(
        parsers.url, "", means="Where the desk is told what happens; or Chatwoot's address."
    )
    secret: tuple[str, ...] = key(
        parsers.secrets,
        (),
        secret=True,
        means="Signs what goes to the desk, and what comes from it. With two both are accepted, so "
        "that one can be replaced. For Chatwoot: the secret of the inbox's webhook.",
    )
    public_url: str = key(
        parsers.url,
        "",
        means="The bot's own address, such as `https://bot.example`, for links to files.",
    )
    history: int = key(
        parsers.whole_or_zero, 20, means="How many messages of before the desk is shown."
    )
    token: str = key(parsers.string, "", secret=True, means="Chatwoot's access token of a user.")
    account: int = key(parsers.whole, 0, means="Chatwoot's number of the account.")
    inbox: int = key(parsers.whole, 0, means="Chatwoot's number of the inbox, of the kind API.")

    def is_open(self, at: float) -> bool:
        """Return whether people answer at the time *at*, in unix seconds."""
        there = datetime.fromtimestamp(at, self.time_zone)
        minute = _DAY * there.weekday() + 60 * there.hour + there.minute
        return not self.hours or any(minute in each for each in self.hours)

    def is_return(self, text: str) -> bool:
        """Return whether *text* is a word for going back to the bot."""
        said = parsers.simplify(text)
        return bool(said) and said in map(parsers.simplify, self.return_words)

    def problems(self) -> Iterator[str]:
        if bool(self.hours) is not bool(self.text_closed):
            yield (
                "'handoff.hours' and 'handoff.text_closed' need each other: write both, such as "
                '`text_closed: "We are back on Monday at nine."`.'
            )
        needs = {
            "webhook": ("url", "secret"),
            "chatwoot": ("url", "secret", "token", "account", "inbox"),
        }
        missing = [name for name in needs.get(self.desk, ()) if not getattr(self, name)]
        if missing:
            yield (
                f"'handoff.desk: {self.desk}' needs {', '.join(missing)} beside it, as docs/how-to/"
                "handoff.md shows."
            )
