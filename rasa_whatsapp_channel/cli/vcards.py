"""vCards → contact cards as WhatsApp has them. https://www.rfc-editor.org/rfc/rfc6350"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage

_LISTS: Final = {
    "TEL": ("phones", "phone"),
    "EMAIL": ("emails", "email"),
    "URL": ("urls", "url"),
}
_NAMES: Final = ("last_name", "first_name", "middle_name", "prefix", "suffix")
_ADDRESS: Final = ("", "", "street", "city", "state", "zip", "country")
_ESCAPED: Final = re.compile(r"\\([\\,;:nN])")


@dataclass(frozen=True)
class VCardLine:
    name: str
    types: tuple[str, ...]
    value: str

    @property
    def parts(self) -> list[str]:
        return [_plain(part) for part in re.split(r"(?<!\\);", self.value)]


def read_vcards(text: str) -> list[dict[str, Any]]:
    """Return each card in *text*. Raises `InvalidMessage` where there is none."""
    contacts: list[dict[str, Any]] = []
    for line in _lines(text):
        if line.name == "BEGIN":
            contacts.append({})
        elif contacts:
            _add(contacts[-1], line)
    if not contacts:
        raise InvalidMessage("contacts", "has no BEGIN:VCARD; give a vCard, or WhatsApp's JSON")
    return [_whole(contact) for contact in contacts]


def _add(contact: dict[str, Any], line: VCardLine) -> None:
    if line.name == "FN":
        contact.setdefault("name", {})["formatted_name"] = _plain(line.value)
    elif line.name == "N":
        given = {key: part for key, part in zip(_NAMES, line.parts, strict=False) if part}
        contact["name"] = {**given, **contact.get("name", {})}
    elif line.name == "ORG":
        keys = ("company", "department")
        contact["org"] = {
            key: part for key, part in zip(keys, line.parts, strict=False) if part
        } | contact.get("org", {})
    elif line.name == "TITLE":
        contact.setdefault("org", {})["title"] = _plain(line.value)
    elif line.name == "BDAY" and (found := re.match(r"(\d{4})-?(\d\d)-?(\d\d)", line.value)):
        contact["birthday"] = "-".join(found.groups())
    elif line.name == "ADR":
        address = {
            key: part for key, part in zip(_ADDRESS, line.parts, strict=False) if key and part
        }
        contact.setdefault("addresses", []).append({**address, **_type(line)})
    elif line.name in _LISTS:
        list_name, key = _LISTS[line.name]
        value = _plain(line.value).removeprefix("tel:").removeprefix("mailto:")
        contact.setdefault(list_name, []).append({key: value, **_type(line)})


def _whole(contact: dict[str, Any]) -> dict[str, Any]:
    """Return *contact* with the formatted name and the first name, which WhatsApp requires."""
    name = contact.get("name", {})
    parts = [name.get(key) for key in ("prefix", "first_name", "middle_name", "last_name")]
    shown = name.get("formatted_name") or " ".join(filter(None, parts))
    shown = shown or contact.get("org", {}).get("company", "")
    if not any(name.get(key) for key in _NAMES):
        name = {**name, "first_name": shown}
    return {**contact, "name": {**name, "formatted_name": shown}}


def _type(line: VCardLine) -> dict[str, str]:
    known = [kind for kind in line.types if kind in ("HOME", "WORK", "CELL", "MAIN", "IPHONE")]
    return {"type": known[0]} if known else {}


def _lines(text: str) -> Iterator[VCardLine]:
    unfolded = re.sub(r"=\r?\n(?=[^\r\n:;]*(?:=|$))", "=\n", text)
    unfolded = re.sub(r"(?<!=)\r?\n[ \t]", "", unfolded).replace("=\n", "")
    for raw in unfolded.splitlines():
        head, colon, value = raw.partition(":")
        if not colon:
            continue
        name, *parameters = head.split(";")
        marks = [mark.upper() for each in parameters for mark in each.split("=")[-1].split(",")]
        if "QUOTED-PRINTABLE" in marks:
            value = quopri.decodestring(value.encode()).decode(errors="replace")
        types = tuple(mark.strip('"') for mark in marks)
        yield VCardLine(name.rpartition(".")[2].strip().upper(), types, value.strip())


def _plain(value: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value).strip()
