"""The owner of a conversation: every sign in every state, as a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rasa_whatsapp_channel.conversation.owner import (
    APP_IDLE,
    Decision,
    Owner,
    Ownership,
    Sign,
    decide,
)
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

# before, sign → after, whether the bot is silenced; None: it changes nothing
TABLE = [
    (BOT, Sign.ASKED, WAITING, False),
    (BOT, Sign.TOOK, HUMAN, True),
    (BOT, Sign.ELSEWHERE, APP, True),
    (BOT, Sign.HEARD, None, False),
    (BOT, Sign.RETURNED, None, False),
    (BOT, Sign.TIME, None, False),
    (WAITING, Sign.ASKED, None, False),
    (WAITING, Sign.TOOK, HUMAN, True),
    (WAITING, Sign.ELSEWHERE, APP, True),
    (WAITING, Sign.HEARD, None, False),
    (WAITING, Sign.RETURNED, BOT, False),
    (WAITING, Sign.TIME, None, False),
    (HUMAN, Sign.ASKED, None, False),
    (HUMAN, Sign.ELSEWHERE, APP, False),
    (HUMAN, Sign.HEARD, None, False),
    (HUMAN, Sign.RETURNED, BOT, False),
    (HUMAN, Sign.TIME, None, False),
    (APP, Sign.ASKED, WAITING, False),
    (APP, Sign.TOOK, HUMAN, False),
    (APP, Sign.HEARD, BOT, False),
    (APP, Sign.RETURNED, BOT, False),
    (APP, Sign.TIME, None, False),
]


def give(before: Ownership, sign: Sign, *, at: float = NOW, now: float = NOW) -> Decision:
    return decide(
        before, sign, SETTINGS, by="operator", at=at, now=now, reason="asked", episode="new"
    )


def test_the_table_knows_every_sign_in_every_state_but_the_signs_of_life():
    signs_of_life = {(HUMAN, Sign.TOOK), (APP, Sign.ELSEWHERE)}

    assert {row[:2] for row in TABLE} | signs_of_life == {(o, s) for o in Owner for s in Sign}


@pytest.mark.parametrize(("owner", "sign", "after", "silences"), TABLE)
def test_every_sign_in_every_state(owner, sign, after, silences):
    before = STATES[owner]

    decision = give(before, sign)

    assert decision.silences is silences
    if after is None:
        assert decision.after == before
        return
    takes = after in (HUMAN, APP)
    assert decision.after == Ownership(
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


@pytest.mark.parametrize(
    ("owner", "sign", "lasts"), [(HUMAN, Sign.TOOK, 3600.0), (APP, Sign.ELSEWHERE, APP_IDLE)]
)
def test_a_sign_of_life_makes_it_last_and_is_no_change(owner, sign, lasts):
    before = STATES[owner]

    assert give(before, sign) == Decision(before, replace(before, until=NOW + lasts))
    # one that was slower than the next one does not shorten it
    later = give(before, sign).after
    assert give(later, sign, at=NOW - 30).after == later


@pytest.mark.parametrize("owner", [WAITING, HUMAN, APP])
def test_when_its_time_is_over_it_is_the_bots_again(owner):
    until = STATES[owner].until

    early = give(STATES[owner], Sign.TIME, at=until - 0.1, now=until - 0.1)
    due = give(STATES[owner], Sign.TIME, at=until, now=until)

    assert early.after.owner is owner
    assert due.after.owner is BOT


@pytest.mark.parametrize("owner", Owner)
def test_a_sign_of_before_the_last_change_changes_nothing(owner):
    """WhatsApp writes whole seconds, and delivers an echo again for days."""
    before = STATES[owner]
    since = before.since

    assert give(before, Sign.TOOK, at=since - 1).after == before
    assert give(before, Sign.TOOK, at=float(int(since))).after.owner is HUMAN
    assert give(STATES[BOT], Sign.TOOK, at=NOW - 3601, now=NOW).after.owner is BOT


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
