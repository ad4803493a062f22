"""What the account cannot send: when it goes, if at all."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.account import Trouble
from rasa_whatsapp_channel.outbound.policy import NotNeeded, SendOther, WaitForAccount, hold
from rasa_whatsapp_channel.store.base import DeadLetter


def template(event: str, until: float | None = None) -> Trouble:
    return Trouble("template", event, "order (en_US)", until=until)


PAUSED = template("PAUSED")
RESTRICTED = Trouble("restriction of templates", "ACCOUNT_RESTRICTION", until=1_060.0)
DISABLED = Trouble("account", "DISABLED_UPDATE")
WAIT, OTHER, NO_NEED = WaitForAccount(3_600), SendOther(), NotNeeded()
TOO_LATE = DeadLetter("it waited too long: template order (en_US) PAUSED")


@pytest.mark.parametrize(
    ("obstacle", "stands_in", "is_needed", "has_other", "left", "decision"),
    [
        # what is sent on its own waits
        (PAUSED, False, False, False, 3_600, WAIT),
        (PAUSED, False, True, True, 3_600, WAIT),
        (template("PENDING"), False, False, False, 3_600, WAIT),
        (template("LOCKED"), False, False, False, 3_600, WAIT),
        (template("PAUSED", until=1_030), False, False, False, 3_600, WaitForAccount(30)),
        (PAUSED, False, False, False, 0, TOO_LATE),
        # or never goes
        *(
            (template(word), False, False, False, 3_600, DeadLetter(f"it cannot be sent: {named}"))
            for word in ("DISABLED", "REJECTED", "DELETED", "PENDING_DELETION", "MISSING")
            for named in (f"template order (en_US) {word}",)
        ),
        # what stands in goes another way
        (PAUSED, True, True, True, 3_600, OTHER),
        (template("DELETED"), True, True, True, 3_600, OTHER),
        (PAUSED, True, True, True, 0, OTHER),
        (PAUSED, True, True, False, 3_600, WAIT),
        (PAUSED, True, True, False, 0, TOO_LATE),
        # and is not needed once the person wrote
        (PAUSED, True, False, True, 3_600, NO_NEED),
        (DISABLED, True, False, False, 3_600, NO_NEED),
        # where the account is at fault, no other template goes
        (RESTRICTED, False, True, False, 3_600, WaitForAccount(60)),
        (RESTRICTED, True, True, True, 3_600, WaitForAccount(60)),
        (DISABLED, False, False, False, 3_600, WAIT),
        (
            DISABLED,
            False,
            False,
            False,
            0,
            DeadLetter(f"it waited too long: {DISABLED}"),
        ),
    ],
)
def test_what_the_account_cannot_send_waits_goes_another_way_or_never(
    obstacle, stands_in, is_needed, has_other, left, decision
):
    decided = hold(
        obstacle,
        stands_in=stands_in,
        is_needed=is_needed,
        has_other=has_other,
        left=left,
        now=1_000,
    )

    assert decided == decision
