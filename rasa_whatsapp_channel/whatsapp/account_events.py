"""
Account events: what WhatsApp reports about templates, numbers, limits, restrictions, groups, flows.

Each webhook field has a row in `READERS`. Where Meta's own samples name another field, an event is
recognised by what it holds. Nothing raises; a missing or odd value becomes an empty one.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of

Part = Mapping[str, Any]

MARKETING: Final = "MARKETING"
_TIER: Final = re.compile(r"([0-9]{1,9})(K?)")


class Severity(str, Enum):
    """How much an event matters to the people who run the bot."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Condition(str, Enum):
    """Whether an event begins something that lasts until it is over, or ends it."""

    NONE = "none"
    BEGINS = "begins"
    ENDS = "ends"


class Stops(str, Enum):
    """What cannot be sent while a condition lasts."""

    NOTHING = ""
    TEMPLATES = "templates"
    MESSAGES = "messages"
    DIRECT_SEND = "direct_send"


@dataclass(frozen=True)
class AccountEvent:
    """
    One webhook about the account.

    *event* is WhatsApp's word within the field, in its own spelling; empty if it has none.
    *subject* names whom it concerns: a template with its language, a number, a flow, a group.
    """

    event: str = ""
    subject: str = ""
    detail: str = ""
    severity: Severity = Severity.INFO
    condition: Condition = Condition.NONE
    #: what the condition is about, the same for its beginning and its end
    topic: str = ""
    stops: Stops = Stops.NOTHING
    #: when the condition is over by itself, unix seconds
    until: float | None = None
    #: name of the webhook field
    field: str = ""
    #: unix seconds
    timestamp: int | None = None
    value: Part = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        what = " ".join(filter(None, (self.field, self.event, self.subject)))
        return f"{what}: {self.detail}" if self.detail else what


def read_account_event(name: str, value: object, timestamp: int | None = None) -> AccountEvent:
    """Return what the webhook field *name* reports; *timestamp* is the entry's, in unix seconds."""
    part = object_of(value)
    event = READERS.get(_field_of(name, part), _read_other)(part)
    return replace(event, field=name, timestamp=timestamp, value=part)


def template_subject(name: str, language: str) -> str:
    """Return how a template is named here; samples write ``en-US`` as well as ``en_US``."""
    return f"{name} ({language.replace('-', '_')})" if language else name


def template_category(event: AccountEvent) -> str:
    """Return the category that *event* tells of its subject, empty if it tells none."""
    # `correct_category` is the one to come; `new_category` is that of today in both forms.
    return _word(event.value, "new_category", "message_template_category")


def messaging_limit(event: AccountEvent) -> int | None:
    """Return how many people *event* says may be written to in a day; 0: all, None: no word."""
    names = "max_daily_conversations_per_business", "max_daily_conversation_per_phone"
    current = () if event.event.startswith("THROUGHPUT") else ("current_limit",)
    written = (_word(event.value, name) for name in (*names, *current))
    text = next(filter(None, written), "").removeprefix("TIER_")
    found = _TIER.fullmatch(text)
    if found is None:
        return 0 if text in ("UNLIMITED", "-1") else None
    return int(found[1]) * (1000 if found[2] else 1)


def _field_of(name: str, value: Part) -> str:
    """Return the field that *value* belongs to; Meta's samples contain wrong names."""
    return next((real for key, real in _TOLD_BY.items() if key in value), name)


def _read_other(value: Part) -> AccountEvent:
    return AccountEvent(_word(value, "event", "type", "decision", "status"), _number(value))


def _read_template_status(value: Part) -> AccountEvent:
    event = _word(value, "event")
    reasons = (
        _text(value, "reason").replace("NONE", ""),
        _text(object_of(value.get("rejection_info")), "reason"),
        _text(object_of(value.get("rejection_info")), "recommendation"),
        _text(object_of(value.get("other_info")), "title"),
        _text(object_of(value.get("other_info")), "description"),
    )
    severity, condition = _TEMPLATE_STATUSES.get(event, (Severity.INFO, Condition.NONE))
    return AccountEvent(event, _template(value), _joined(*reasons), severity, condition, "template")


def _read_template_quality(value: Part) -> AccountEvent:
    score = _word(value, "new_quality_score")
    before = _text(value, "previous_quality_score")
    severity = Severity.WARNING if score in ("YELLOW", "RED") else Severity.INFO
    condition = _NO_CONDITION.get(score, Condition.ENDS)
    if score == "RED":
        condition = Condition.BEGINS
    detail = f"was {before}" if before else ""
    return AccountEvent(score, _template(value), detail, severity, condition, "template quality")


def _read_template_category(value: Part) -> AccountEvent:
    new, correct = _word(value, "new_category"), _text(value, "correct_category")
    if correct:
        return AccountEvent(
            new, _template(value), f"becomes {correct} within a day", Severity.WARNING
        )
    before = _text(value, "previous_category")
    return AccountEvent(new, _template(value), f"was {before}" if before else "", Severity.WARNING)


def _read_template_components(value: Part) -> AccountEvent:
    return AccountEvent(
        subject=_template(value), detail=_text(value, "message_template_element")[:200]
    )


def _read_account_update(value: Part) -> AccountEvent:
    event = _word(value, "event")
    severity, condition, topic = _ACCOUNT_UPDATES.get(event, (Severity.INFO, Condition.NONE, ""))
    ban = object_of(value.get("ban_info"))
    state = _word(ban, "waba_ban_state")
    if event == "DISABLED_UPDATE" and state == "REINSTATE":
        severity, condition = Severity.INFO, Condition.ENDS
    violation = object_of(value.get("violation_info"))
    disconnection = object_of(value.get("disconnection_info"))
    restrictions = [object_of(each) for each in _list(value.get("restriction_info"))]
    types = {_word(each, "restriction_type") for each in restrictions}
    stops = next((_STOPS[each] for each in _STOPS if each in types | {state, event}), Stops.NOTHING)
    if topic == "restriction" and stops is not Stops.NOTHING:
        topic = f"restriction of {stops.value}"
    ends = [_seconds(each.get("expiration")) for each in restrictions]
    until = max((end for end in ends if end is not None), default=None)
    detail = _joined(
        _text(violation, "violation_type"),
        _text(violation, "remediation"),
        *(_restriction(each) for each in restrictions),
        _text(ban, "waba_ban_state"),
        _text(ban, "waba_ban_date"),
        _text(disconnection, "reason"),
        _text(value, "country"),
    )
    subject = _number(value)
    return AccountEvent(event, subject, detail, severity, condition, topic, stops, until)


def _restriction(part: Part) -> str:
    until = _text(part, "expiration")
    return _joined(
        _text(part, "restriction_type"),
        f"until {_date(part.get('expiration')) or until}" if until else "",
        _text(part, "remediation"),
    )


def _read_alert(value: Part) -> AccountEvent:
    alert = object_of(value.get("alert_info")) or value
    severity = _ALERT_SEVERITIES.get(_word(alert, "alert_severity"), Severity.INFO)
    kind = _text(alert, "alert_type") or _text(alert, "alert_severity")
    return AccountEvent(
        kind, _text(value, "entity_id"), _text(alert, "alert_description"), severity
    )


def _read_decision(value: Part) -> AccountEvent:
    decision = _word(value, "decision")
    severity = Severity.WARNING if decision == "REJECTED" else Severity.INFO
    reasons = (_text(value, "requested_verified_name"), _text(value, "rejection_reason"))
    return AccountEvent(decision, _number(value), _joined(*reasons), severity)


def _read_quality(value: Part) -> AccountEvent:
    event = _word(value, "event")
    limit = _text(value, "current_limit") or _text(value, "max_daily_conversations_per_business")
    severity, condition = _NUMBER_QUALITY.get(event, (Severity.INFO, Condition.NONE))
    return AccountEvent(event, _number(value), limit, severity, condition, "number quality")


def _read_capability(value: Part) -> AccountEvent:
    names = (
        "max_daily_conversations_per_business",
        "max_daily_conversation_per_phone",
        "max_phone_numbers_per_waba",
        "max_phone_numbers_per_business",
    )
    return AccountEvent(
        detail=_joined(*(f"{name} {value[name]}" for name in names if name in value))
    )


def _read_security(value: Part) -> AccountEvent:
    return AccountEvent(_word(value, "event"), _number(value), "", Severity.WARNING)


def _read_payment_configuration(value: Part) -> AccountEvent:
    status = _text(value, "status")
    is_active = status.casefold() == "active"
    severity = Severity.INFO if is_active else Severity.WARNING
    condition = Condition.ENDS if is_active else Condition.BEGINS
    return AccountEvent(
        status, _text(value, "configuration_name"), "", severity, condition, "payments"
    )


def _read_flow(value: Part) -> AccountEvent:
    event, state = _word(value, "event"), _word(value, "alert_state")
    condition = _FLOW_ALERTS.get(state) or _FLOW_STATUSES.get(_word(value, "new_status"))
    severity = Severity.WARNING if condition is Condition.BEGINS else Severity.INFO
    detail = _joined(_text(value, "new_status"), _text(value, "message"))
    topic = f"flow {event}" if state else "flow"
    subject = _text(value, "flow_id")
    return AccountEvent(event, subject, detail, severity, condition or Condition.NONE, topic)


def _read_groups(value: Part) -> AccountEvent:
    groups = [object_of(each) for each in _list(value.get("groups"))]
    kinds = dict.fromkeys(_text(each, "type") for each in groups)
    names = dict.fromkeys(_text(each, "group_id") for each in groups)
    has_failed = any(each.get("errors") for each in groups)
    condition = next((_GROUP_STATUSES[kind] for kind in kinds if kind in _GROUP_STATUSES), None)
    is_trouble = has_failed or condition is Condition.BEGINS
    return AccountEvent(
        ", ".join(filter(None, kinds)),
        ", ".join(filter(None, names)),
        severity=Severity.WARNING if is_trouble else Severity.INFO,
        condition=condition or Condition.NONE,
        topic="group",
    )


def _read_history(value: Part) -> AccountEvent:
    chunks = [object_of(each) for each in _list(value.get("history"))]
    progress = [_text(object_of(each.get("metadata")), "progress") for each in chunks]
    errors = [each for each in chunks if each.get("errors")]
    severity = Severity.WARNING if errors else Severity.INFO
    done = [f"{each} %" for each in progress if each]
    return AccountEvent("error" if errors else "history", _number(value), _joined(*done), severity)


def _read_state_sync(value: Part) -> AccountEvent:
    items = [object_of(each) for each in _list(value.get("state_sync"))]
    return AccountEvent(
        ", ".join(dict.fromkeys(_text(each, "action") for each in items)), _number(value)
    )


def _read_username(value: Part) -> AccountEvent:
    return AccountEvent(_text(value, "status"), _text(value, "username"))


def _read_automatic(value: Part) -> AccountEvent:
    items = [object_of(each) for each in _list(value.get("automatic_events"))]
    return AccountEvent(", ".join(dict.fromkeys(_text(each, "event_name") for each in items)))


def _template(value: Part) -> str:
    name = _text(value, "message_template_name") or _text(value, "message_template_id")
    return template_subject(name, _text(value, "message_template_language"))


def _number(value: Part) -> str:
    """Return the number that *value* concerns, as WhatsApp writes it there."""
    settings = object_of(value.get("phone_number_settings"))
    metadata = object_of(value.get("metadata"))
    return next(
        filter(
            None,
            (
                _text(value, "display_phone_number"),
                _text(value, "phone_number"),
                _text(settings, "phone_number_id"),
                _text(metadata, "display_phone_number"),
            ),
        ),
        "",
    )


def _word(value: Part, *names: str) -> str:
    """Return the first of *names* in upper case, as nearly all of WhatsApp's words are written."""
    return next((text.upper() for name in names if (text := _text(value, name))), "")


def _text(value: Part, name: str) -> str:
    """Return a member as one line, however it came."""
    member = value.get(name)
    text = str(member) if isinstance(member, int | float) else text_of(member) or ""
    return " ".join(text.split())


def _seconds(value: object) -> float | None:
    """Return unix seconds, which samples write as a number and as a text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) else None


def _date(value: object) -> str:
    """Return the day and minute of *value*, empty if it is no time."""
    seconds = _seconds(value)
    try:
        moment = datetime.fromtimestamp(seconds or 0.0, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return ""
    return f"{moment:%Y-%m-%d %H:%M} UTC" if seconds else ""


def _joined(*texts: str) -> str:
    return ", ".join(filter(None, texts))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value] if value else []


# A member that only one field has.
_TOLD_BY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "new_quality_score": "message_template_quality_update",
        "new_category": "template_category_update",
        "message_template_element": "message_template_components_update",
    }
)

_NO_CONDITION: Final = MappingProxyType({"": Condition.NONE, "UNKNOWN": Condition.NONE})

_TEMPLATE_STATUSES: Final[Mapping[str, tuple[Severity, Condition]]] = MappingProxyType(
    {
        "APPROVED": (Severity.INFO, Condition.ENDS),
        "REINSTATED": (Severity.INFO, Condition.ENDS),
        "UNARCHIVED": (Severity.INFO, Condition.ENDS),
        "UNLOCKED": (Severity.INFO, Condition.ENDS),
        "FLAGGED": (Severity.WARNING, Condition.NONE),
        "PENDING": (Severity.INFO, Condition.BEGINS),
        "IN_APPEAL": (Severity.INFO, Condition.BEGINS),
        "PAUSED": (Severity.WARNING, Condition.BEGINS),
        "REJECTED": (Severity.WARNING, Condition.BEGINS),
        "LIMIT_EXCEEDED": (Severity.WARNING, Condition.BEGINS),
        "LOCKED": (Severity.WARNING, Condition.BEGINS),
        "ARCHIVED": (Severity.WARNING, Condition.BEGINS),
        "PENDING_DELETION": (Severity.WARNING, Condition.BEGINS),
        "DISABLED": (Severity.ERROR, Condition.BEGINS),
        "DELETED": (Severity.WARNING, Condition.BEGINS),
    }
)

_ACCOUNT_UPDATES: Final[Mapping[str, tuple[Severity, Condition, str]]] = MappingProxyType(
    {
        "ACCOUNT_VIOLATION": (Severity.WARNING, Condition.NONE, ""),
        "ACCOUNT_RESTRICTION": (Severity.ERROR, Condition.BEGINS, "restriction"),
        "DISABLED_UPDATE": (Severity.ERROR, Condition.BEGINS, "account"),
        "ACCOUNT_DELETED": (Severity.ERROR, Condition.BEGINS, "account"),
        "ACCOUNT_OFFBOARDED": (Severity.ERROR, Condition.BEGINS, "connection"),
        "ACCOUNT_RECONNECTED": (Severity.INFO, Condition.ENDS, "connection"),
        "PARTNER_REMOVED": (Severity.ERROR, Condition.BEGINS, "partner"),
        "PARTNER_APP_UNINSTALLED": (Severity.ERROR, Condition.BEGINS, "partner"),
        "PARTNER_ADDED": (Severity.INFO, Condition.ENDS, "partner"),
        "PARTNER_APP_INSTALLED": (Severity.INFO, Condition.ENDS, "partner"),
    }
)

# By restriction type, state of a ban, or event; the first that applies counts.
_STOPS: Final[Mapping[str, Stops]] = MappingProxyType(
    {
        "RESTRICTED_CUSTOMER_INITIATED_MESSAGING": Stops.MESSAGES,
        "DISABLE": Stops.MESSAGES,
        "ACCOUNT_DELETED": Stops.MESSAGES,
        "RESTRICTED_BIZ_INITIATED_MESSAGING": Stops.TEMPLATES,
        "RESTRICTED_DIRECT_SEND_UTILITY_TEMPLATES": Stops.DIRECT_SEND,
    }
)

_NUMBER_QUALITY: Final[Mapping[str, tuple[Severity, Condition]]] = MappingProxyType(
    {
        "FLAGGED": (Severity.WARNING, Condition.BEGINS),
        "DOWNGRADE": (Severity.WARNING, Condition.NONE),
        "UNFLAGGED": (Severity.INFO, Condition.ENDS),
        "UPGRADE": (Severity.INFO, Condition.ENDS),
    }
)

_ALERT_SEVERITIES: Final = MappingProxyType(
    {"CRITICAL": Severity.ERROR, "WARNING": Severity.WARNING}
)

_FLOW_ALERTS: Final = MappingProxyType(
    {"ACTIVATED": Condition.BEGINS, "DEACTIVATED": Condition.ENDS}
)
_FLOW_STATUSES: Final = MappingProxyType(
    {
        "PUBLISHED": Condition.ENDS,
        "THROTTLED": Condition.BEGINS,
        "BLOCKED": Condition.BEGINS,
        "DEPRECATED": Condition.BEGINS,
    }
)

_GROUP_STATUSES: Final = MappingProxyType(
    {"group_suspend": Condition.BEGINS, "group_suspend_cleared": Condition.ENDS}
)

# What may be counted as it is; any other word is WhatsApp's of tomorrow.
WORDS: Final = frozenset(
    {
        *("", *_TEMPLATE_STATUSES, *_ACCOUNT_UPDATES, *_NUMBER_QUALITY, *_GROUP_STATUSES),
        *("GREEN", "YELLOW", "RED", "UNKNOWN", "UTILITY", "MARKETING", "AUTHENTICATION"),
        *("PIN_CHANGED", "PIN_RESET_REQUEST", "PIN_RESET_SUCCESS", "ONBOARDING"),
        *("THROUGHPUT_UPGRADE", "Active", "Needs Connecting", "Needs Testing", "history", "error"),
        *("FLOW_STATUS_CHANGE", "CLIENT_ERROR_RATE", "ENDPOINT_ERROR_RATE", "ENDPOINT_LATENCY"),
        *("ENDPOINT_AVAILABILITY", "group_create", "group_delete", "group_participants_add"),
        *("group_participants_remove", "group_join_request_created", "group_settings_update"),
    }
)

READERS: Final[Mapping[str, Callable[[Part], AccountEvent]]] = MappingProxyType(
    {
        "account_alerts": _read_alert,
        "account_review_update": _read_decision,
        "account_settings_update": _read_other,
        "account_update": _read_account_update,
        "automatic_events": _read_automatic,
        "business_capability_update": _read_capability,
        "business_status_update": _read_other,
        "business_username_update": _read_username,
        "flows": _read_flow,
        "group_lifecycle_update": _read_groups,
        "group_participants_update": _read_groups,
        "group_settings_update": _read_groups,
        "group_status_update": _read_groups,
        "history": _read_history,
        "message_template_components_update": _read_template_components,
        "message_template_quality_update": _read_template_quality,
        "message_template_status_update": _read_template_status,
        "partner_solutions": _read_other,
        "payment_configuration_update": _read_payment_configuration,
        "phone_number_name_update": _read_decision,
        "phone_number_quality_update": _read_quality,
        "security": _read_security,
        "smb_app_state_sync": _read_state_sync,
        "template_category_update": _read_template_category,
        "template_correct_category_detection": _read_template_category,
        "tracking_events": _read_other,
    }
)
FIELDS: Final = frozenset(READERS)
