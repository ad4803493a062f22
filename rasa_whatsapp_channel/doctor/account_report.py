"""
Account report: what WhatsApp answers about the state of an account, and what the bot was told.

https://developers.facebook.com/documentation/business-messaging/whatsapp/support/health-status
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import Any, Final

from rasa_whatsapp_channel.account import Trouble, to_json
from rasa_whatsapp_channel.doctor.checks.account import ApiAnswer
from rasa_whatsapp_channel.whatsapp.account_events import template_subject
from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of
from rasa_whatsapp_channel.whatsapp.template_definitions import APPROVED, TemplateDefinition

#: fields of a number to ask for
FIELDS: Final = (
    "display_phone_number,verified_name,status,quality_rating,"
    "whatsapp_business_manager_messaging_limit,health_status"
)


@dataclass(frozen=True)
class Row:
    """One line of the table: who says it, what it is about, and its state."""

    source: str
    what: str
    state: str
    detail: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        return (self.source, self.what, self.state, self.detail)


@dataclass(frozen=True)
class AccountReport:
    """*failures* say in words what could not be read, of WhatsApp or the store."""

    stored: Sequence[Trouble] = ()
    numbers: Sequence[ApiAnswer] = ()
    templates: Sequence[TemplateDefinition] = ()
    failures: Sequence[str] = field(default_factory=tuple)

    def live(self) -> Iterator[Row]:
        """Yield what WhatsApp says; of the templates those that are not approved."""
        for number in self.numbers:
            yield from _number_rows(number.body)
        for each in self.templates:
            if each.status != APPROVED:
                what = f"template {template_subject(*each.key)}"
                yield Row("WhatsApp", what, each.status, each.detail)

    def rows(self) -> list[Row]:
        return [*self.live(), *map(_stored_row, self.stored)]

    def json(self) -> dict[str, Any]:
        live = [{key: each for key, each in asdict(row).items() if each} for row in self.live()]
        return {"stored": to_json(self.stored), "live": live, "failures": list(self.failures)}


def _number_rows(number: Mapping[str, Any]) -> Iterator[Row]:
    name = f"number {_text(number, 'display_phone_number') or _text(number, 'id')}"
    details = (
        ("quality", _text(number, "quality_rating")),
        ("limit", _text(number, "whatsapp_business_manager_messaging_limit")),
    )
    said = ", ".join(f"{key} {value}" for key, value in details if value)
    yield Row("WhatsApp", name, _text(number, "status") or "?", said)
    entities = object_of(number.get("health_status")).get("entities")
    for entity in map(object_of, entities if isinstance(entities, list) else ()):
        what = f"sending as {_text(entity, 'entity_type')} {_text(entity, 'id')}"
        yield Row("WhatsApp", what, _text(entity, "can_send_message") or "?", _reasons(entity))


def _reasons(entity: Mapping[str, Any]) -> str:
    errors, more = entity.get("errors"), entity.get("additional_info")
    said = [
        f"{each.get('error_code')} {_text(each, 'error_description')} "
        f"{_text(each, 'possible_solution')}".strip()
        for each in map(object_of, errors if isinstance(errors, list) else ())
    ]
    return "; ".join((*said, *(map(str, more) if isinstance(more, list) else ())))


def _stored_row(trouble: Trouble) -> Row:
    what = " ".join(filter(None, (trouble.topic, trouble.subject)))
    since = datetime.fromtimestamp(trouble.since, timezone.utc)
    detail = ", ".join(filter(None, (f"since {since:%Y-%m-%d %H:%M} UTC", trouble.detail)))
    return Row("the bot", what, trouble.event, detail)


def _text(value: Mapping[str, Any], name: str) -> str:
    return " ".join((text_of(value.get(name)) or "").split())
