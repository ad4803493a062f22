"""Webhook fields about the account, with bodies typed in from Meta's reference pages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_whatsapp_channel.whatsapp import webhook
from rasa_whatsapp_channel.whatsapp.account_events import (
    READERS,
    AccountEvent,
    Condition,
    Severity,
    read_account_event,
)
from rasa_whatsapp_channel.whatsapp.events import from_body, to_body

INFO, WARNING, ERROR = Severity
NONE, BEGINS, ENDS = Condition

TEMPLATE = {
    "message_template_id": 1689556908129835,
    "message_template_name": "abandoned_cart",
    "message_template_language": "en",
}
NUMBER = {"display_phone_number": "15550783881"}
METADATA = {
    "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"}
}


def status(event: str, **more: Any) -> tuple[str, dict[str, Any]]:
    value = {"event": event, **TEMPLATE, "reason": "NONE", **more}
    return "message_template_status_update", value


def account(event: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "account_update", {"event": event, **more}


def groups(field: str, kind: str, **more: Any) -> tuple[str, dict[str, Any]]:
    group = {"timestamp": "1750269342", "group_id": "Y2FwaV9n", "type": kind, **more}
    return field, {"messaging_product": "whatsapp", **METADATA, "groups": [group]}


CASES: list[tuple[tuple[str, Any], tuple[str, str, str, Severity, Condition, str]]] = [
    (
        status("PAUSED", other_info={"title": "FIRST_PAUSE", "description": "paused for 3 hours"}),
        (
            "PAUSED",
            "abandoned_cart (en)",
            "FIRST_PAUSE, paused for 3 hours",
            WARNING,
            BEGINS,
            "template",
        ),
    ),
    (
        status(
            "REJECTED",
            reason="INVALID_FORMAT",
            rejection_info={"reason": "two parameters without text", "recommendation": "add words"},
        ),
        (
            "REJECTED",
            "abandoned_cart (en)",
            "INVALID_FORMAT, two parameters without text, add words",
            WARNING,
            BEGINS,
            "template",
        ),
    ),
    (
        status("DISABLED", disable_info={"disable_date": 1751234563}),
        ("DISABLED", "abandoned_cart (en)", "", ERROR, BEGINS, "template"),
    ),
    (status("APPROVED"), ("APPROVED", "abandoned_cart (en)", "", INFO, ENDS, "template")),
    (status("REINSTATED"), ("REINSTATED", "abandoned_cart (en)", "", INFO, ENDS, "template")),
    (status("FLAGGED"), ("FLAGGED", "abandoned_cart (en)", "", WARNING, NONE, "template")),
    (
        status("A_WORD_OF_TOMORROW"),
        ("A_WORD_OF_TOMORROW", "abandoned_cart (en)", "", INFO, NONE, "template"),
    ),
    (
        (
            "message_template_quality_update",
            {"previous_quality_score": "GREEN", "new_quality_score": "RED", **TEMPLATE},
        ),
        ("RED", "abandoned_cart (en)", "was GREEN", WARNING, BEGINS, "template quality"),
    ),
    (  # Meta's own sample of this webhook names the other field
        (
            "message_template_status_update",
            {"previous_quality_score": "YELLOW", "new_quality_score": "GREEN", **TEMPLATE},
        ),
        ("GREEN", "abandoned_cart (en)", "was YELLOW", INFO, ENDS, "template quality"),
    ),
    (
        (
            "template_category_update",
            {**TEMPLATE, "new_category": "UTILITY", "correct_category": "MARKETING"},
        ),
        ("UTILITY", "abandoned_cart (en)", "becomes MARKETING within a day", WARNING, NONE, ""),
    ),
    (
        (
            "template_category_update",
            {**TEMPLATE, "previous_category": "UTILITY", "new_category": "MARKETING"},
        ),
        ("MARKETING", "abandoned_cart (en)", "was UTILITY", WARNING, NONE, ""),
    ),
    (
        (
            "message_template_components_update",
            {**TEMPLATE, "message_template_element": "Thank you, {{1}}!"},
        ),
        ("", "abandoned_cart (en)", "Thank you, {{1}}!", INFO, NONE, ""),
    ),
    (
        account(
            "ACCOUNT_RESTRICTION",
            phone_number="16505551111",
            restriction_info=[
                {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1641848057}
            ],
        ),
        (
            "ACCOUNT_RESTRICTION",
            "16505551111",
            "RESTRICTED_BIZ_INITIATED_MESSAGING, until 2022-01-10 20:54 UTC",
            ERROR,
            BEGINS,
            "restriction of templates",
        ),
    ),
    (
        account("ACCOUNT_VIOLATION", violation_info={"violation_type": "ALCOHOL"}),
        ("ACCOUNT_VIOLATION", "", "ALCOHOL", WARNING, NONE, ""),
    ),
    (
        account(
            "DISABLED_UPDATE",
            ban_info={"waba_ban_state": "DISABLE", "waba_ban_date": "April 17, 2025"},
        ),
        ("DISABLED_UPDATE", "", "DISABLE, April 17, 2025", ERROR, BEGINS, "account"),
    ),
    (
        account("DISABLED_UPDATE", ban_info={"waba_ban_state": "REINSTATE"}),
        ("DISABLED_UPDATE", "", "REINSTATE", INFO, ENDS, "account"),
    ),
    (account("ACCOUNT_DELETED"), ("ACCOUNT_DELETED", "", "", ERROR, BEGINS, "account")),
    (account("ACCOUNT_OFFBOARDED"), ("ACCOUNT_OFFBOARDED", "", "", ERROR, BEGINS, "connection")),
    (account("ACCOUNT_RECONNECTED"), ("ACCOUNT_RECONNECTED", "", "", INFO, ENDS, "connection")),
    (
        account(
            "PARTNER_REMOVED",
            disconnection_info={"reason": "PRIMARY_INACTIVITY", "initiated_by": "SYSTEM"},
        ),
        ("PARTNER_REMOVED", "", "PRIMARY_INACTIVITY", ERROR, BEGINS, "partner"),
    ),
    (
        account("VOLUME_BASED_PRICING_TIER_UPDATE", volume_tier_info={"region": "INDIA"}),
        ("VOLUME_BASED_PRICING_TIER_UPDATE", "", "", INFO, NONE, ""),
    ),
    (
        (
            "account_alerts",
            {
                "entity_type": "WABA",
                "entity_id": "506914307656634",
                "alert_info": {
                    "alert_severity": "CRITICAL",
                    "alert_status": "ACTIVE",
                    "alert_type": "OBA_REJECTED",
                    "alert_description": "no",
                },
            },
        ),
        ("OBA_REJECTED", "506914307656634", "no", ERROR, NONE, ""),
    ),
    (
        (
            "account_alerts",
            {"entity_id": "1", "alert_severity": "WARNING", "alert_type": "OBA_REJECTED"},
        ),
        ("OBA_REJECTED", "1", "", WARNING, NONE, ""),
    ),
    (("account_review_update", {"decision": "REJECTED"}), ("REJECTED", "", "", WARNING, NONE, "")),
    (
        (
            "business_capability_update",
            {"max_daily_conversations_per_business": 2000, "max_phone_numbers_per_waba": 25},
        ),
        (
            "",
            "",
            "max_daily_conversations_per_business 2000, max_phone_numbers_per_waba 25",
            INFO,
            NONE,
            "",
        ),
    ),
    (
        (
            "phone_number_quality_update",
            {**NUMBER, "event": "FLAGGED", "current_limit": "TIER_10K"},
        ),
        ("FLAGGED", "15550783881", "TIER_10K", WARNING, BEGINS, "number quality"),
    ),
    (
        (
            "phone_number_quality_update",
            {**NUMBER, "event": "UNFLAGGED", "current_limit": "TIER_10K"},
        ),
        ("UNFLAGGED", "15550783881", "TIER_10K", INFO, ENDS, "number quality"),
    ),
    (
        (
            "phone_number_name_update",
            {
                **NUMBER,
                "decision": "APPROVED",
                "requested_verified_name": "Lucky Shrub",
                "rejection_reason": None,
            },
        ),
        ("APPROVED", "15550783881", "Lucky Shrub", INFO, NONE, ""),
    ),
    (
        ("security", {**NUMBER, "event": "PIN_RESET_REQUEST", "requester": "61555822107539"}),
        ("PIN_RESET_REQUEST", "15550783881", "", WARNING, NONE, ""),
    ),
    (
        (
            "account_settings_update",
            {
                "timestamp": "1671644824",
                "type": "phone_number_settings",
                "phone_number_settings": {
                    "phone_number_id": "PNID",
                    "calling": {"status": "ENABLED"},
                },
            },
        ),
        ("PHONE_NUMBER_SETTINGS", "PNID", "", INFO, NONE, ""),
    ),
    (
        (
            "payment_configuration_update",
            {"configuration_name": "razorpay", "status": "Needs Testing"},
        ),
        ("Needs Testing", "razorpay", "", WARNING, BEGINS, "payments"),
    ),
    (
        ("payment_configuration_update", {"configuration_name": "razorpay", "status": "Active"}),
        ("Active", "razorpay", "", INFO, ENDS, "payments"),
    ),
    (
        (
            "flows",
            {
                "event": "ENDPOINT_AVAILABILITY",
                "flow_id": "6912",
                "availability": 75,
                "threshold": 90,
                "alert_state": "ACTIVATED",
                "message": "not available",
            },
        ),
        (
            "ENDPOINT_AVAILABILITY",
            "6912",
            "not available",
            WARNING,
            BEGINS,
            "flow ENDPOINT_AVAILABILITY",
        ),
    ),
    (
        (
            "flows",
            {
                "event": "FLOW_STATUS_CHANGE",
                "flow_id": "6627",
                "old_status": "DRAFT",
                "new_status": "PUBLISHED",
            },
        ),
        ("FLOW_STATUS_CHANGE", "6627", "PUBLISHED", INFO, ENDS, "flow"),
    ),
    (
        groups("group_lifecycle_update", "group_create", subject="s"),
        ("group_create", "Y2FwaV9n", "", INFO, NONE, "group"),
    ),
    (
        groups(
            "group_lifecycle_update", "group_create", errors=[{"code": 131214, "message": "no"}]
        ),
        ("group_create", "Y2FwaV9n", "", WARNING, NONE, "group"),
    ),
    (
        groups(
            "group_participants_update",
            "group_participants_add",
            added_participants=[{"wa_id": "1650"}],
        ),
        ("group_participants_add", "Y2FwaV9n", "", INFO, NONE, "group"),
    ),
    (
        groups("group_settings_update", "group_settings_update"),
        ("group_settings_update", "Y2FwaV9n", "", INFO, NONE, "group"),
    ),
    (
        groups("group_status_update", "group_suspend"),
        ("group_suspend", "Y2FwaV9n", "", WARNING, BEGINS, "group"),
    ),
    (
        groups("group_status_update", "group_suspend_cleared"),
        ("group_suspend_cleared", "Y2FwaV9n", "", INFO, ENDS, "group"),
    ),
    (
        (
            "history",
            {**METADATA, "history": [{"metadata": {"phase": 0, "progress": 55}, "threads": []}]},
        ),
        ("history", "15550783881", "55 %", INFO, NONE, ""),
    ),
    (
        ("history", {**METADATA, "history": [{"errors": [{"code": 2593109}]}]}),
        ("error", "15550783881", "", WARNING, NONE, ""),
    ),
    (
        ("smb_app_state_sync", {**METADATA, "state_sync": [{"type": "contact", "action": "add"}]}),
        ("add", "15550783881", "", INFO, NONE, ""),
    ),
    (
        ("business_username_update", {**NUMBER, "username": "luckyshrub", "status": "approved"}),
        ("approved", "luckyshrub", "", INFO, NONE, ""),
    ),
    (
        ("partner_solutions", {"event": "SOLUTION_CREATED", "solution_id": "7744"}),
        ("SOLUTION_CREATED", "", "", INFO, NONE, ""),
    ),
    (
        (
            "automatic_events",
            {**METADATA, "automatic_events": [{"id": "wamid.1", "event_name": "LeadSubmitted"}]},
        ),
        ("LeadSubmitted", "", "", INFO, NONE, ""),
    ),
]


@pytest.mark.parametrize(("told", "expected"), CASES, ids=lambda part: str(part[0]))
def test_a_webhook_about_the_account_is_read(told: tuple[str, Any], expected: Any) -> None:
    field, value = told
    event = one({"field": field, "value": value})

    assert isinstance(event, AccountEvent)
    assert (event.field, event.timestamp, event.value) == (field, 1739321024, value)
    found = (event.event, event.subject, event.detail, event.severity, event.condition, event.topic)
    assert found == expected
    assert from_body(json.loads(json.dumps(to_body(event)))) == event


def test_languages_are_written_in_one_way() -> None:
    value = {**TEMPLATE, "event": "PAUSED", "message_template_language": "en-US"}

    assert read_account_event("message_template_status_update", value).subject == (
        "abandoned_cart (en_US)"
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=8,
)
members = sorted(
    {name for (_, value), _ in CASES for name in value}
    | {"alert_info", "ban_info", "violation_info", "disconnection_info", "restriction_info"}
)


@given(st.sampled_from(sorted(READERS)), st.dictionaries(st.sampled_from(members), json_values))
def test_nothing_in_a_value_raises(field: str, value: dict[str, Any]) -> None:
    event = read_account_event(field, value)

    assert event.field == field
    assert "\n" not in event.event + event.subject


@pytest.mark.parametrize("value", [None, [], "text", 3, {}])
@pytest.mark.parametrize("field", sorted(READERS))
def test_a_value_that_is_no_object_is_an_event_without_words(field: str, value: Any) -> None:
    event = read_account_event(field, value)

    assert (event.field, event.value) == (field, {})


def one(change: dict[str, Any]) -> Any:
    body = {
        "object": "whatsapp_business_account",
        "entry": [{"id": "WABA", "time": 1739321024, "changes": [change]}],
    }
    (event,) = webhook.read(json.dumps(body).encode())
    return event
