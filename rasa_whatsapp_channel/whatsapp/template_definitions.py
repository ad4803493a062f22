"""
Template definitions: templates as the management API creates and lists them, and what they say.

https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of
from rasa_whatsapp_channel.whatsapp.messages import checks

APPROVED: Final = "APPROVED"
AUTHENTICATION: Final = "AUTHENTICATION"
NAMED: Final = "NAMED"
POSITIONAL: Final = "POSITIONAL"
ORDER: Final = ("HEADER", "LIMITED_TIME_OFFER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL")
_WORDS: Final = ("type", "format", "otp_type")  # written in any case


@dataclass(frozen=True)
class TemplateDefinition:
    """*components* are in WhatsApp's form. What follows them only WhatsApp knows."""

    name: str
    language: str
    category: str
    components: tuple[Mapping[str, Any], ...]
    parameter_format: str = POSITIONAL
    ttl: int | None = None
    id: str = ""
    status: str = ""
    quality: str = ""
    #: why it was rejected, or which category it would have
    detail: str = ""

    @classmethod
    def parse(cls, value: object) -> TemplateDefinition:
        """Read a template of an answer or a file. Raises `InvalidMessage`."""
        given = checks.mapping("template", value)
        name = checks.check_text("template.name", given.get("name"))
        components = checks.sequence(f"{name}.components", given.get("components"))
        reason = text_of(given.get("rejected_reason")) or ""
        correct = text_of(given.get("correct_category")) or ""
        category = checks.check_text(f"{name}.category", given.get("category")).upper()
        details = (
            "" if reason == "NONE" else reason,
            f"should be {correct}" if correct and correct != category else "",
        )
        ttl = given.get("message_send_ttl_seconds")
        return cls(
            name,
            checks.check_text(f"{name}.language", given.get("language")),
            category,
            tuple(checks.mapping(f"{name}.components", each) for each in components),
            str(given.get("parameter_format") or POSITIONAL).upper(),
            ttl if isinstance(ttl, int) else None,
            str(given.get("id") or ""),
            str(given.get("status") or ""),
            text_of(object_of(given.get("quality_score")).get("score")) or "",
            ", ".join(filter(None, details)),
        )

    @property
    def key(self) -> tuple[str, str]:
        return self.name, self.language

    def body(self) -> dict[str, Any]:
        """Return what is sent to create it, and written into files."""
        ttl = {} if self.ttl is None else {"message_send_ttl_seconds": self.ttl}
        return {
            "name": self.name,
            "language": self.language,
            "category": self.category,
            **({"parameter_format": NAMED} if self.parameter_format == NAMED else {}),
            **ttl,
            "components": [dict(each) for each in self.components],
        }

    @property
    def samples(self) -> list[str]:
        """Return the sample files of its headers, each once."""
        return [*dict.fromkeys(_samples(self.components))]

    def with_handles(self, handles: Mapping[str, str]) -> TemplateDefinition:
        """Return it with the *handles* of its uploaded samples."""
        return replace(self, components=_with_handles(self.components, handles))

    def content(self) -> Mapping[str, Any]:
        """Return what of it people see, the same however it is written; samples are none of it."""
        parts = [_plain(each) for each in self.components]
        if self.category == AUTHENTICATION:  # WhatsApp writes the texts
            parts = [_without_text(each) for each in parts]
        parts.sort(key=lambda each: ORDER.index(each["type"]) if each["type"] in ORDER else 9)
        return {
            "category": self.category,
            "parameter_format": self.parameter_format,
            "components": parts,
        }


def _samples(value: Any) -> Iterator[str]:
    for part in value.values() if isinstance(value, Mapping) else value:
        if isinstance(part, Mapping) and "header_handle" in part:
            yield from map(str, part["header_handle"] or ())
        elif isinstance(part, Mapping | list | tuple):
            yield from _samples(part)


def _with_handles(value: Any, handles: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {
            key: [handles[str(each)] for each in part]
            if key == "header_handle"
            else _with_handles(part, handles)
            for key, part in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(_with_handles(part, handles) for part in value)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        plain = {
            str(key): str(part).upper() if key in _WORDS else _plain(part)
            for key, part in value.items()
            if key != "example" and part is not None
        }
        return plain | ({"format": "TEXT"} if plain.get("type") == "HEADER" else {}) | plain
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(part) for part in value]
    return value.strip() if isinstance(value, str) else value


def _without_text(part: Mapping[str, Any]) -> dict[str, Any]:
    if part["type"] == "BUTTONS":
        return {"type": "BUTTONS", "count": len(part.get("buttons") or ())}
    return {key: value for key, value in part.items() if key != "text" and value is not False}
