"""
Every change to a response, by code: 1 text, 2 media, 3 buttons, 4 elements, 5 custom, which
composing can make, and 8 for what happens on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rasa_whatsapp_channel.compose.changes.choices import CHOICES
from rasa_whatsapp_channel.compose.changes.content import CONTENT
from rasa_whatsapp_channel.compose.changes.rule import Rule
from rasa_whatsapp_channel.compose.changes.sending import SENDING
from rasa_whatsapp_channel.compose.characters import cut
from rasa_whatsapp_channel.compose.plan import Change

RULES: Final[Mapping[str, Rule]] = MappingProxyType({**CONTENT, **CHOICES, **SENDING})

_SHORT: Final = 80


def make_change(code: str, response: str | None, values: Mapping[str, object]) -> Change:
    """Return the change *code*, its texts filled in with *values*."""
    rule = RULES[code]
    return Change(
        code,
        rule.says.format(**values),
        response,
        rule.lost,
        before=cut(rule.before.format(**values), _SHORT),
        after=cut(rule.after.format(**values), _SHORT),
    )
