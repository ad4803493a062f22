"""Which troubles of the account let marketing wait."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.account import Trouble
from rasa_whatsapp_channel.inbound.notify import subject_of, why_paused

OURS = {"name": "sale", "language": {"code": "en-US"}}


@pytest.mark.parametrize(
    ("trouble", "waits"),
    [
        (Trouble("notifications", "PAUSED"), True),
        (Trouble("number quality", "FLAGGED", "15550783881"), True),
        (Trouble("template", "PAUSED", "sale (en_US)"), True),
        (Trouble("template quality", "RED", "sale (en_US)"), True),
        (Trouble("template", "PAUSED", "sale (de)"), False),
        (Trouble("template", "PAUSED", "order (en_US)"), False),
        (Trouble("restriction of templates", "RESTRICTED", stops="templates"), True),
        (Trouble("account", "DISABLED", stops="messages"), True),
        (Trouble("payments", "inactive", "upi"), False),
        (Trouble("limit", "REACHED", "daily_limit"), False),
        (Trouble("flow", "THROTTLED", "1"), False),
    ],
)
def test_marketing_waits_for_what_concerns_it(trouble, waits):
    template = subject_of({"custom": {"type": "template", "template": OURS}})

    assert (why_paused([Trouble("group", "SUSPENDED"), trouble], template) is trouble) is waits


@pytest.mark.parametrize(
    ("response", "template"),
    [
        ({"text": "Hello"}, ""),
        ({"metadata": {"whatsapp": {"template": {"name": "sale", "language": "de"}}}}, "sale (de)"),
        ({"custom": {"whatsapp": {"template": {"name": "sale", "language": "de"}}}}, "sale (de)"),
        ({"custom": {"type": "template", "template": OURS}}, "sale (en_US)"),
        ({"custom": "odd", "metadata": ["odd"]}, ""),
    ],
)
def test_the_subject_of_a_response_has_the_name_that_events_give_it(response, template):
    assert subject_of(response) == template
