"""What goes when a limit of messages is reached, and when a day ends."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from rasa_whatsapp_channel.billing.limits import Limit, day_of, end_of_day, goes_beyond, reached

BERLIN = ZoneInfo("Europe/Berlin")
DAY = Limit("daily_limit", 100, "day")
ONE = Limit("daily_limit_per_conversation", 5, "one")


@pytest.mark.parametrize(
    ("at_limit", "answer", "template", "notice"),
    [
        ("warn", True, True, True),
        ("template_only", False, True, True),
        ("stop", False, False, True),
    ],
)
def test_what_goes_beyond_a_limit(at_limit, answer, template, notice):
    def goes(*, is_template: bool = False, is_notice: bool = False) -> bool:
        return goes_beyond(at_limit, is_template=is_template, is_notice=is_notice)

    assert (goes(), goes(is_template=True), goes(is_notice=True)) == (answer, template, notice)


@pytest.mark.parametrize(
    ("limits", "counts", "expected"),
    [
        ([DAY, ONE], [99, 4], None),
        ([DAY, ONE], [100, 4], DAY),
        ([DAY, ONE], [99, 5], ONE),
        ([DAY, ONE], [101, 9], DAY),
        ([ONE], [5], ONE),
        ([ONE], [0], None),
    ],
)
def test_a_limit_is_reached_when_it_has_no_room_for_one_more(limits, counts, expected):
    assert reached(limits, counts) == expected


@pytest.mark.parametrize(
    ("at", "day", "seconds"),
    [
        (datetime(2026, 11, 29, 23, 30, tzinfo=BERLIN), "2026-11-29", 1_800),
        (datetime(2026, 11, 30, tzinfo=BERLIN), "2026-11-30", 86_400),
        (datetime(2026, 3, 29, tzinfo=BERLIN), "2026-03-29", 82_800),  # summer time begins
        (datetime(2026, 10, 25, tzinfo=BERLIN), "2026-10-25", 90_000),  # and ends
        (datetime(2026, 12, 31, 12, tzinfo=BERLIN), "2026-12-31", 43_200),
    ],
)
def test_a_day_is_one_of_the_accounts_time_zone(at, day, seconds):
    assert day_of(at.timestamp(), BERLIN) == day
    assert end_of_day(at.timestamp(), BERLIN) - at.timestamp() == seconds
