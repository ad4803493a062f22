"""Billing settings: the group ``billing:``, rates, free messages and limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timezone, tzinfo
from typing import ClassVar, Final

from rasa_whatsapp_channel.settings import parsers
from rasa_whatsapp_channel.settings.keys import Group, key
from rasa_whatsapp_channel.whatsapp.limits import TEXT_BODY

WARN: Final = "warn"
TEMPLATE_ONLY: Final = "template_only"
STOP: Final = "stop"


def _words(value: object) -> str:
    text = parsers.string(value)
    if text.startswith("utter_") and text.isidentifier():
        raise ValueError("the words themselves; no response of the bot goes at a limit")
    if len(text) > TEXT_BODY:
        raise ValueError(f"words of at most {TEXT_BODY} characters")
    return text


@dataclass(frozen=True)
class BillingSettings(Group):
    """The ``billing:`` group."""

    NAME: ClassVar[str] = "billing"
    EXAMPLE: ClassVar[str] = "billing: {time_zone: Europe/Berlin}"

    rate_card: str | None = key(
        parsers.string,
        None,
        section="The group `billing`",
        means="Meta's CSV of rates, beside this file. Without it messages are only counted.",
    )
    currency: str | None = key(
        parsers.currency, None, means="Which rates to read from a file with several currencies."
    )
    free_messages: int = key(
        parsers.whole_or_zero,
        1000,
        means="How many replies of each number are free in a calendar month.",
    )
    time_zone: tzinfo = key(
        parsers.time_zone,
        timezone.utc,
        means="The time zone of your WhatsApp Business account, in which month and day begin.",
    )
    daily_limit: int | None = key(
        parsers.whole,
        None,
        means="How many billed messages may go out in one day; needs `at_limit`: "
        "[a limit](how-to/costs.md#a-limit).",
    )
    daily_limit_per_conversation: int | None = key(
        parsers.whole, None, means="How many of them may go to one person or group."
    )
    at_limit: str | None = key(
        parsers.choice(WARN, TEMPLATE_ONLY, STOP),
        None,
        means="What follows when a limit is reached, until the day ends. `warn`: everything goes "
        "on. `template_only`: only templates go. `stop`: nothing goes.",
    )
    limit_text: str | None = key(
        _words,
        None,
        means="The text that is sent, once a day, to a person whose answer is stopped.",
    )

    @property
    def has_limit(self) -> bool:
        return bool(self.daily_limit or self.daily_limit_per_conversation)

    def problems(self) -> Iterator[str]:
        """Yield what keeps the limits from doing what somebody meant."""
        if self.has_limit and self.at_limit is None:
            yield (
                "'billing.at_limit' is missing: it says what follows when a limit is reached. "
                "Write `at_limit: warn`, `template_only` or `stop`."
            )
        if self.at_limit and not self.has_limit:
            yield "'billing.at_limit' needs a limit beside it, such as `daily_limit: 2000`."
        stops = self.at_limit in (TEMPLATE_ONLY, STOP)
        if stops and self.has_limit and not self.limit_text:
            yield (
                f"'billing.limit_text' is missing: with `at_limit: {self.at_limit}` people would "
                'hear nothing. Write `limit_text: "I can answer again tomorrow."`.'
            )
        if self.limit_text and not stops:
            yield "'billing.limit_text' needs `at_limit: stop` or `template_only` beside it."
        daily, single = self.daily_limit, self.daily_limit_per_conversation
        if daily and single and single > daily:
            yield (
                "'billing.daily_limit_per_conversation' is above 'billing.daily_limit', so it is "
                "never reached."
            )
