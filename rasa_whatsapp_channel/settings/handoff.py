"""Handoff settings: the group ``handoff:``, how a person takes a conversation and gives it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rasa_whatsapp_channel.settings import parsers
from rasa_whatsapp_channel.settings.keys import key, read_group
from rasa_whatsapp_channel.settings.parsers import SettingsError

ADDRESS: Final = "/webhooks/whatsapp/handoff/"  # where desks ask; what they ask for follows


@dataclass(frozen=True)
class HandoffSettings:
    """The ``handoff:`` group."""

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
        parsers.choice("answer", "ask", "silent"),
        "answer",
        means="What becomes of messages that no person answered: `answer`: they are the bot's next "
        "turn. `ask`: the bot hears `return_intent`. `silent`: nothing.",
    )
    return_intent: str = key(
        parsers.string,
        "",
        means="For `on_return: ask`: the intent, with the entity `unanswered`.",
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
    secret: str | tuple[str, ...] = key(
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

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.secret,) if isinstance(self.secret, str) else self.secret

    def is_return(self, text: str) -> bool:
        """Return whether *text* is a word for going back to the bot."""
        said = parsers.simplify(text)
        return bool(said) and said in map(parsers.simplify, self.return_words)


def parse_group(value: object) -> HandoffSettings:
    group = read_group(HandoffSettings, value, "handoff", "handoff: {idle: 43200}")
    if (group.on_return == "ask") is not bool(group.return_intent):
        raise SettingsError(
            "'handoff.on_return: ask' and 'handoff.return_intent' need each other: write both, "
            "such as `on_return: ask` and `return_intent: handoff_over`."
        )
    needs = {
        "webhook": ("url", "secret"),
        "chatwoot": ("url", "secret", "token", "account", "inbox"),
    }
    missing = [name for name in needs.get(group.desk, ()) if not getattr(group, name)]
    if missing:
        raise SettingsError(
            f"'handoff.desk: {group.desk}' needs {', '.join(missing)} beside it, as docs/how-to/"
            "handoff.md shows."
        )
    return group
