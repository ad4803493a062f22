"""When a notification may go: by tables."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from rasa_whatsapp_channel.notify.notification import NotificationError, read_time
from rasa_whatsapp_channel.notify.timing import due_after, is_failing, quiet_for
from rasa_whatsapp_channel.settings.parsers import quiet_hours
from rasa_whatsapp_channel.whatsapp.time_zones import zones_of

BERLIN, NEW_YORK, DELHI = "4915112345678", "12025550123", "919812345678"
HOUR, DAY = 3600.0, 86_400.0


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize(
    ("person", "hours", "now", "waits"),
    [
        (BERLIN, "21:00-08:00", "2026-12-01T12:00", 0.0),
        (BERLIN, "21:00-08:00", "2026-12-01T20:30", 10.5 * HOUR),  # 21:30 there
        (BERLIN, "21:00-08:00", "2026-12-01T06:59:30", 30.0),
        (BERLIN, "21:00-08:00", "2026-12-01T07:00", 0.0),
        (BERLIN, "21:00-08:00", "2026-07-01T05:30", 0.5 * HOUR),  # summer time
        (BERLIN, "12:00-14:00", "2026-12-01T11:30", 1.5 * HOUR),
        (BERLIN, "12:00-14:00", "2026-12-01T13:00", 0.0),
        (DELHI, "21:00-08:00", "2026-12-01T16:00", 10.5 * HOUR),
        # 08:30 in New York is 03:30 in Hawaii, and 08:00 in Hawaii is 14:30 in Newfoundland
        (NEW_YORK, "21:00-08:00", "2026-12-01T13:30", 4.5 * HOUR),
        # it is always night in one of them, so New York's night counts
        (NEW_YORK, "16:00-14:00", "2026-12-01T19:30", 0.0),
        ("999", "21:00-08:00", "2026-12-01T22:00", 10 * HOUR),  # of no country: UTC
        ("DE.13491208655302741918", "21:00-08:00", "2026-12-01T20:30", 10.5 * HOUR),
    ],
)
def test_quiet_hours_are_those_of_the_persons_country(person, hours, now, waits):
    assert quiet_for(quiet_hours(hours), zones_of(person), utc(now)) == waits


@pytest.mark.parametrize("text", ["21-8", "25:00-08:00", "08:00-08:00", "", "21:00", None])
def test_what_is_no_two_times_is_refused(text):
    with pytest.raises(ValueError, match="two"):
        quiet_hours(text)


@pytest.mark.parametrize(
    ("value", "to", "at"),
    [
        ("2026-12-24T09:00", BERLIN, "2026-12-24T08:00"),
        ("2026-12-24T09:00", NEW_YORK, "2026-12-24T14:00"),
        ("2026-12-24T09:00", f"{DELHI}@106540352242922", "2026-12-24T03:30"),
        ("2026-12-24T09:00Z", BERLIN, "2026-12-24T09:00"),
        ("2026-12-24T09:00+05:30", BERLIN, "2026-12-24T03:30"),
        ("2026-12-24", BERLIN, "2026-12-23T23:00"),
        (utc("2026-12-24T09:00"), BERLIN, "2026-12-24T09:00"),
    ],
)
def test_a_time_without_an_offset_is_that_of_the_person(value, to, at):
    assert read_time(value, to, now=utc("2026-12-01T00:00")) == utc(at)


@pytest.mark.parametrize("value", ["soon", True, "", [], "2026-13-01", float("nan"), 1e300])
def test_what_is_no_time_is_refused(value):
    with pytest.raises(NotificationError, match="'at'"):
        read_time(value, BERLIN, now=utc("2026-12-01T00:00"))


@pytest.mark.parametrize(
    ("sent", "failed", "is_paused"),
    [(0, 19, False), (0, 20, True), (180, 20, False), (179, 20, True), (9999, 1000, False)],
)
def test_a_run_is_paused_when_more_than_a_tenth_fails(sent, failed, is_paused):
    assert is_failing(sent, failed) is is_paused


def test_people_are_spread_over_seconds_and_a_days_share_over_days():
    assert [due_after(place, 2.0, a_day=None) for place in range(4)] == [0.0, 0.5, 1.0, 1.5]
    later = DAY + 7200  # those of the day before are not counted any more by then
    found = [due_after(place, 2.0, a_day=2) for place in range(5)]
    assert found == [0.0, 0.5, later, later + 0.5, 2 * later]
