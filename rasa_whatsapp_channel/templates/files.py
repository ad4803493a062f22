"""Template files: templates without a response, as a list in WhatsApp's own form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel.domain.marked import DomainError, parse
from rasa_whatsapp_channel.domain.read import read_text
from rasa_whatsapp_channel.plain_yaml import plain_yaml
from rasa_whatsapp_channel.templates import Written
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.template_definitions import TemplateDefinition

NAME: Final = "templates.yml"
_HEAD: Final = "# Templates without a response: rasa-whatsapp templates pull | push\n"


def read_file(path: Path) -> Iterator[Written]:
    """Yield the templates in the file at *path*, none where there is none. Raises `DomainError`."""
    if not path.is_file():
        return
    document = parse(read_text(path), str(path))
    if not isinstance(document.value or [], list):
        raise DomainError(f"{path}: must be a list of templates")
    for _, part in document.items():
        try:
            yield Written(TemplateDefinition.parse(part.value), str(path), part.line)
        except InvalidMessage as error:
            raise DomainError(f"{path}:{part.line}: {error}") from error


def write_file(templates: Iterable[TemplateDefinition]) -> str:
    """Return the text of a file with *templates*."""
    rows = [each.body() for each in sorted(templates, key=lambda each: each.key)]
    yaml = plain_yaml("rt")
    yaml.width = 4096
    text = StringIO()
    yaml.dump(rows, text)
    return _HEAD + text.getvalue()
