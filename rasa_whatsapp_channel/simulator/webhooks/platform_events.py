"""Platform events: the webhooks that tell more than messages and statuses, from their examples."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from rasa_whatsapp_channel.plain_yaml import plain_yaml
from rasa_whatsapp_channel.simulator import ids
from rasa_whatsapp_channel.simulator.config import Number
from rasa_whatsapp_channel.simulator.sending_limits import tier
from rasa_whatsapp_channel.simulator.state import WhatsAppUser
from rasa_whatsapp_channel.simulator.webhooks.envelopes import WABA_ID, contact, metadata
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.apis import CLOUD
from rasa_whatsapp_channel.whatsapp.template_definitions import TemplateDefinition

EXAMPLES: Final = Path(__file__).with_name("platform_events.yaml")
TEMPLATE_STATUS: Final = "message_template_status_update"
TEMPLATE_QUALITY: Final = "message_template_quality_update"
NUMBER_QUALITY: Final = "phone_number_quality_update"
# Further members of the status of a template.
_STATUSES: Final[Mapping[str, Mapping[str, Any]]] = {
    "PAUSED": {
        "other_info": {
            "title": "FIRST_PAUSE",
            "description": "Paused for 3 hours, as its recent quality is low.",
        }
    },
    "REJECTED": {
        "reason": "INVALID_FORMAT",
        "rejection_info": {
            "reason": "Two parameters stand without text between them.",
            "recommendation": "Add words.",
        },
    },
}


@dataclass(frozen=True)
class PlatformEvent:
    """An example: one webhook of *field* for each of *values*."""

    name: str
    field: str
    values: Sequence[Mapping[str, Any]]


@cache
def examples() -> Mapping[str, PlatformEvent]:
    rows = plain_yaml("safe").load(EXAMPLES.read_text(encoding="utf-8"))
    return {row["name"]: PlatformEvent(**row) for row in rows}


def fill(
    event: PlatformEvent, person: WhatsAppUser, *, number: Number, now: int
) -> list[Mapping[str, Any]]:
    """Return the values of *event* with the facts of the simulator."""
    facts: dict[str, Any] = {
        "$metadata": metadata(number),
        "$number": number.display_phone_number,
        "$number_id": number.phone_number_id,
        "$waba": WABA_ID,
        "$contacts": [contact(person)],
        "$phone": person.phone or person.user_id,
        "$user_id": person.user_id,
        "$message_id": ids.new_message_id(CLOUD, inbound=True),
        "$call_id": f"wacid.{uuid.uuid4().hex}",
        "$now": str(now),
        "$time": now,
        "$tomorrow": now + DAY,
    }
    return [_fill(value, facts) for value in event.values]


def _fill(value: Any, facts: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: _fill(each, facts) for key, each in value.items()}
    if isinstance(value, list):
        return [_fill(each, facts) for each in value]
    return facts.get(value, value) if isinstance(value, str) else value


def event_webhook(field: str, value: Any, *, now: int) -> dict[str, Any]:
    change = {"value": value, "field": field}
    entry = {"id": WABA_ID, "time": now, "changes": [change]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def limit_change(number: Number, before: int | None, people: int | None) -> dict[str, Any]:
    """Return the value of the webhook that tells another messaging limit of *number*."""
    is_less = people is not None and (before is None or people < before)
    return {
        "display_phone_number": number.display_phone_number,
        "event": "DOWNGRADE" if is_less else "UPGRADE",
        "old_limit": tier(before),
        "current_limit": tier(people),
        "max_daily_conversations_per_business": tier(people),
    }


def template_status(template: TemplateDefinition, now: int) -> dict[str, Any]:
    """Return the value of the webhook that tells the status of *template*."""
    return {
        "event": template.status,
        "message_template_id": int(template.id),
        "message_template_name": template.name,
        "message_template_language": template.language,
        "message_template_category": template.category,
        "reason": "NONE",
        **_STATUSES.get(template.status, {}),
        **({"reason": template.rejected} if template.rejected else {}),
        **({"disable_info": {"disable_date": now}} if template.status == "DISABLED" else {}),
    }


def template_quality(template: TemplateDefinition, before: str) -> dict[str, Any]:
    """Return the value of the webhook that tells the quality of *template*."""
    return {
        "previous_quality_score": before,
        "new_quality_score": template.quality,
        "message_template_id": int(template.id),
        "message_template_name": template.name,
        "message_template_language": template.language,
    }
