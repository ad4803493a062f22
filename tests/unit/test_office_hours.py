"""Office hours: when people answer, in whose time, and what is no such line."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.settings.parsers import SettingsError

BERLIN = "Europe/Berlin"
HOURS = {"hours": ["Mon-Fri 09:00-12:30, 13:00-17:00", "sat 10:00-24:00"], "text_closed": "Closed."}


def settings(zone: str | None = BERLIN, **more: object) -> HandoffSettings:
    return HandoffSettings.parse({**HOURS, **({"time_zone": zone} if zone else {}), **more})


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-11-30 09:00", True),  # a Monday
        ("2026-11-30 08:59", False),
        ("2026-11-30 12:30", False),
        ("2026-11-30 13:00", True),
        ("2026-12-04 16:59", True),
        ("2026-12-04 17:00", False),
        ("2026-12-05 23:59", True),
        ("2026-12-06 00:00", False),
        ("2026-12-06 12:00", False),
        ("2026-07-06 09:00", True),  # in summer time, too
    ],
)
def test_hours_are_those_of_the_zone(at, is_open):
    there = datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(BERLIN)).timestamp()

    assert settings().is_open(there) is is_open
    assert HandoffSettings().is_open(there)


def test_without_a_zone_it_is_utc():
    at = datetime.fromisoformat("2026-11-30 08:30+00:00").timestamp()

    assert settings(BERLIN).is_open(at)
    assert not settings(None).is_open(at)


def test_days_may_go_over_the_weekend():
    sunday = datetime.fromisoformat("2026-12-06 12:00+00:00").timestamp()

    assert settings(None, hours=["Sat-Mon 10:00-13:00"]).is_open(sunday)


@pytest.mark.parametrize(
    "line",
    [
        *("Mon", "Mon 9-17", "Mon-Fry 09:00-17:00", "Mon 17:00-09:00", "Mon 09:00-25:00", ""),
        *("Mon 09:00-09:60", "Mon 09:00-", "Mon 09:00-17:00 Tue", 9),
    ],
)
def test_a_line_that_says_no_hours_is_told(line):
    with pytest.raises(SettingsError, match="Mon-Fri 09:00-17:00"):
        settings(hours=[line])


def test_hours_and_their_text_need_each_other():
    with pytest.raises(SettingsError, match="text_closed"):
        HandoffSettings.parse({"hours": HOURS["hours"]})
    with pytest.raises(SettingsError, match="hours"):
        HandoffSettings.parse({"text_closed": "Closed."})
