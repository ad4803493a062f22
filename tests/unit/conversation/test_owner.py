"""The owner of a conversation: every change of every owner, as a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rasa_whatsapp_channel.conversation.owner import APP_IDLE, Owner, Ownership, decide
from rasa_whatsapp_channel.settings.handoff import HandoffSettings

NOW = 1_790_000_000.0
SETTINGS = HandoffSettings(waiting=600.0, idle=3600.0)
BOT, WAITING, HUMAN, APP = Owner

STATES = {
    BOT: Ownership(version=4, floor=3, since=NOW - 900, episode="before"),
    WAITING: Ownership(WAITING, 5, 3, NOW - 60, NOW + 540, "bot", "a refund", "now", NOW - 60),
    HUMAN: Ownership(HUMAN, 5, 5, NOW - 60, NOW + 3540, "operator", "", "now", NOW - 90),
    APP: Ownership(APP, 5, 5, NOW - 60, NOW + 86_340, "whatsapp", "", "now", NOW - 90),
}

# before, wanted → what comes of it; None: it changes nothing
TABLE = [
    (BOT, WAITING, WAITING),
    (BOT, HUMAN, HUMAN),
    (BOT, APP, APP),
    (BOT, BOT, None),
    (WAITING, WAITING, None),
    (WAITING, HUMAN, HUMAN),
    (WAITING, APP, APP),
    (WAITING, BOT, BOT),
    (HUMAN, WAITING, None),
    (HUMAN, APP, APP),
    (HUMAN, BOT, BOT),
    (APP, WAITING, WAITING),
    (APP, HUMAN, HUMAN),
    (APP, BOT, BOT),
]


def give(before: Ownership, wanted: Owner, *, at: float = NOW, now: float = NOW) -> Ownership:
    return decide(
        before, wanted, SETTINGS, by="operator", at=at, now=now, reason="asked", episode="new"
    )


def test_the_table_knows_every_change_but_the_signs_of_life():
    signs_of_life = {(HUMAN, HUMAN), (APP, APP)}

    assert {row[:2] for row in TABLE} | signs_of_life == {(o, w) for o in Owner for w in Owner}


@pytest.mark.parametrize(("owner", "wanted", "after"), TABLE)
def test_every_change_of_every_owner(owner, wanted, after):
    before = STATES[owner]

    found = give(before, wanted)

    if after is None:
        assert found == before
        return
    takes = after in (HUMAN, APP)
    assert found == Ownership(
        owner=after,
        version=before.version + 1,
        floor=before.version + 1 if takes else before.floor,
        since=NOW,
        until={WAITING: NOW + 600, HUMAN: NOW + 3600, APP: NOW + APP_IDLE}.get(after, 0.0),
        by="operator",
        reason="asked",
        episode="new" if owner is BOT else before.episode,
        began=NOW if owner is BOT else before.began,
    )


@pytest.mark.parametrize(("owner", "lasts"), [(HUMAN, 3600.0), (APP, APP_IDLE)])
def test_a_sign_of_life_makes_it_last_and_is_no_change(owner, lasts):
    before = STATES[owner]

    later = give(before, owner)

    assert later == replace(before, until=NOW + lasts)
    # one that was slower than the next one does not shorten it
    assert give(later, owner, at=NOW - 30) == later


def test_a_clock_gives_back_only_what_nobody_made_last_since():
    seen = STATES[HUMAN]
    spoken = replace(seen, until=seen.until + 60)

    assert seen.is_still(seen, "clock")
    assert not spoken.is_still(seen, "clock")
    assert spoken.is_still(seen, "operator")
    assert not replace(seen, version=6).is_still(seen, "operator")


@pytest.mark.parametrize("owner", Owner)
def test_a_sign_of_before_the_last_change_changes_nothing(owner):
    """WhatsApp writes whole seconds, and delivers an echo again for days."""
    before = STATES[owner]
    since = before.since

    assert give(before, HUMAN, at=since - 1) == before
    assert give(before, HUMAN, at=float(int(since))).owner is HUMAN
    assert give(STATES[BOT], HUMAN, at=NOW - 3601, now=NOW).owner is BOT


def test_who_gives_it_back_need_not_have_the_clock_of_who_took_it():
    assert give(STATES[HUMAN], BOT, at=NOW - 65, now=NOW - 65).owner is BOT


# owner, floor, the version of the turn → may be said: while waiting silently, and with the bot
SAYS = [
    (Ownership(), 1, True, True),
    (Ownership(BOT, version=4, floor=3), 2, False, False),
    (Ownership(BOT, version=4, floor=3), 3, True, True),  # said while a person owned it
    (Ownership(BOT, version=4, floor=3), 4, True, True),
    (Ownership(WAITING, version=5, floor=3), 4, True, True),  # asked for a person
    (Ownership(WAITING, version=5, floor=3), 5, False, True),
    (Ownership(WAITING, version=5, floor=3), 2, False, False),
    (Ownership(HUMAN, version=6, floor=6), 5, False, False),
    (Ownership(HUMAN, version=6, floor=6), 6, False, False),
    (Ownership(APP, version=6, floor=6), 6, False, False),
]


@pytest.mark.parametrize(("state", "version", "silent", "with_bot"), SAYS)
def test_what_the_bot_may_still_say(state, version, silent, with_bot):
    assert state.may_say(version, HandoffSettings()) is silent
    assert state.may_say(version, HandoffSettings(while_waiting="bot")) is with_bot


@pytest.mark.parametrize(
    ("owner", "silent", "with_bot"),
    [(BOT, True, True), (WAITING, False, True), (HUMAN, False, False), (APP, False, False)],
)
def test_what_the_bot_hears(owner, silent, with_bot):
    assert Ownership(owner).may_hear(HandoffSettings()) is silent
    assert Ownership(owner).may_hear(HandoffSettings(while_waiting="bot")) is with_bot


@pytest.mark.parametrize("owner", Owner)
def test_a_state_comes_back_from_the_store(owner):
    assert Ownership.from_value(STATES[owner].to_value()) == STATES[owner]
    assert Ownership.from_value(None) == Ownership()
