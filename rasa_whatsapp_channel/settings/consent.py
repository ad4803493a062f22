"""Consent settings: the group ``consent:``, words that stop marketing messages and allow them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final

from rasa_whatsapp_channel.settings import parsers
from rasa_whatsapp_channel.settings.keys import Group, key

#: language → what people there write to stop, and to begin again
BUILT_IN: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = MappingProxyType(
    {
        "de": (
            ("stop", "stopp", "abmelden", "abbestellen", "keine werbung"),
            ("start", "anmelden", "abonnieren"),
        ),
        "en": (
            ("stop", "unsubscribe", "opt out", "stop promotions"),
            ("start", "unstop", "subscribe", "opt in"),
        ),
        "es": (
            ("stop", "baja", "parar", "cancelar suscripción"),
            ("start", "alta", "suscribirme"),
        ),
        "fr": (
            ("stop", "arrêt", "désabonner", "se désabonner"),
            ("start", "abonner", "s'abonner"),
        ),
        "it": (("stop", "disiscrivimi", "annulla iscrizione"), ("start", "iscrivimi")),
        "pt": (("stop", "sair", "parar", "descadastrar"), ("start", "voltar", "cadastrar")),
    }
)


def _languages(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(item in BUILT_IN for item in value):
        raise ValueError(f"a list with some of {', '.join(BUILT_IN)}")
    return tuple(value)


@dataclass(frozen=True)
class ConsentSettings(Group):
    """The ``consent:`` group. A word counts where it is all that somebody wrote."""

    NAME: ClassVar[str] = "consent"
    EXAMPLE: ClassVar[str] = "consent: {languages: [en]}"

    languages: tuple[str, ...] = key(
        _languages,
        (),
        section="The group `consent`",
        means="Languages whose usual words count, such as `STOP` and `START` for `en`.",
    )
    stop: tuple[str, ...] = key(
        parsers.words, (), means="Further words after which somebody gets no marketing template."
    )
    start: tuple[str, ...] = key(
        parsers.words, (), means="Further words after which they get them again."
    )

    def wish(self, text: str) -> bool | None:
        """Return whether somebody who writes *text* wants marketing; None if it says neither."""
        said = parsers.simplify(text)
        found: bool | None = None
        for wanted, own, place in ((True, self.start, 1), (False, self.stop, 0)):
            words = (*own, *(word for each in self.languages for word in BUILT_IN[each][place]))
            if said and said in map(parsers.simplify, words):
                found = wanted  # a word for both stops
        return found
