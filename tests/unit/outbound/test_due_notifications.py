"""What a notification is about, and which troubles of the account let marketing wait."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.account import Trouble
from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.notify.notification import Notification
from rasa_whatsapp_channel.outbound.due_notifications import category_of, subject_of, why_paused
from rasa_whatsapp_channel.whatsapp.apis import CLOUD

OURS = {"name": "sale", "language": {"code": "en-US"}}
UTILITY = {"category": "UTILITY"}
OWN = {**UTILITY, "language": "de"}
DIRECT = {"type": "text", "text": {"body": "It is here"}, "category": "utility"}


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
    response = {"custom": {"type": "template", "template": OURS}}
    template = subject_of(compose(response, api=CLOUD))

    assert (why_paused([Trouble("group", "SUSPENDED"), trouble], template) is trouble) is waits


@pytest.mark.parametrize(
    ("response", "template"),
    [
        ({"text": "Hello"}, ""),
        ({"metadata": {"whatsapp": {"template": {"name": "sale", "language": "de"}}}}, "sale (de)"),
        ({"custom": {"whatsapp": {"template": {"name": "sale", "language": "de"}}}}, "sale (de)"),
        ({"custom": {"type": "template", "template": OURS}}, "sale (en_US)"),
        ({"metadata": {"whatsapp": {"template": OURS}}}, "sale (en_US)"),
        (
            {
                "utter_action": "utter_sale",
                "text": "Cheaper",
                "metadata": {"whatsapp": {"template": {**OWN, "version": 2}}},
            },
            "utter_sale_v2 (de)",
        ),
        ({"custom": "odd", "metadata": ["odd"]}, ""),
    ],
)
def test_the_subject_of_a_response_has_the_name_that_events_give_it(response, template):
    assert subject_of(compose(response, api=CLOUD)) == template


@pytest.mark.parametrize(
    ("response", "asked", "category"),
    [
        ({"text": "Hello"}, None, "marketing"),
        ({"text": "Hello"}, "utility", "utility"),
        ({"custom": DIRECT}, None, "utility"),
        ({"custom": {"type": "template", "template": OURS}}, None, "marketing"),
        (
            {"metadata": {"whatsapp": {"template": {**OURS, "category": "utility"}}}},
            None,
            "utility",
        ),
        (
            {
                "utter_action": "utter_sale",
                "text": "Cheaper",
                "metadata": {"whatsapp": {"template": OWN}},
            },
            None,
            "utility",
        ),
        ({"custom": DIRECT}, "marketing", "marketing"),
    ],
)
def test_the_category_is_what_was_asked_for_or_what_the_response_names(response, asked, category):
    wish = Notification("4915112345678", response, category=asked)

    assert category_of(wish, compose(response, api=CLOUD)) == category
