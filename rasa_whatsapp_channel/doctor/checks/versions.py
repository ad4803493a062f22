"""Version checks: whether the installed packages work together, and the optional ones are there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rasa_whatsapp_channel.distribution import install_extra
from rasa_whatsapp_channel.doctor.results import CheckResult, error, ok, warning
from rasa_whatsapp_channel.settings import MediaSettings, Settings

Version = tuple[int, ...]


@dataclass(frozen=True)
class Known:
    """Versions that work together: from the first one, and below the second."""

    rasa: tuple[Version, Version]
    python: tuple[Version, Version]
    sanic: tuple[Version, Version]


KNOWN: Final[Mapping[str, Known]] = {
    "rasa": Known(((3, 6), (3, 7)), ((3, 10), (3, 11)), ((21, 12), (21, 13))),
    "rasa-pro": Known(((3, 14), (4,)), ((3, 10), (3, 15)), ((21, 12), (26,))),
}


# The first version whose Mantle reads such projects.
MANTLE: Final[Version] = (3, 21)


@dataclass(frozen=True)
class VersionFacts:
    """
    What is installed, and the *oldest* versions that the channel works with, by package.

    *shadows* hide a package, *load* is why Rasa cannot load the channel.
    """

    python: str
    installed: Mapping[str, str]
    oldest: Mapping[str, str] = field(default_factory=dict)
    shadows: Sequence[str] = ()
    is_mantle: bool = False
    load: str | None = None
    protocol: str | None = None  # why fsspec cannot open `media.store` or one of `media.sources`
    transcribe: str | None = None  # why the function cannot be imported


def check_versions(facts: VersionFacts) -> Iterator[CheckResult]:
    for shadow in facts.shadows:
        yield error(
            "versions.shadow",
            f"{shadow} beside the bot hides the package of this name.",
            "Give it another name: Rasa looks into the bot's folder first.",
        )
    rasas = [name for name in KNOWN if name in facts.installed]
    if not rasas:
        yield error(
            "versions.rasa",
            "There is no Rasa in this environment, so it is not the one the bot runs in.",
            "Install the channel into the bot's environment, and run its `rasa-whatsapp` there.",
        )
    elif len(rasas) > 1:
        yield error(
            "versions.rasa",
            "Both rasa and rasa-pro are installed; each overwrites files of the other.",
            "`pip uninstall rasa rasa-pro`, then install the one you use.",
        )
    else:
        yield from _check_rasa(rasas[0], facts)
    yield from _check_oldest(facts)
    if facts.load:
        yield error(
            "versions.load",
            f"Rasa cannot load the channel: {facts.load}.",
            "Rasa itself only says that it failed to find the class; fix this, or install again.",
        )


def _check_rasa(name: str, facts: VersionFacts) -> Iterator[CheckResult]:
    known, rasa = KNOWN[name], facts.installed[name]
    if facts.is_mantle and (name != "rasa-pro" or read_version(rasa) < MANTLE):
        yield error(
            "versions.mantle",
            f"The bot is for Mantle, an engine of rasa-pro from {_dotted(MANTLE)}, and here is "
            f"{name} {rasa}: it does not read integrations.yml.",
            f'pip install "rasa-pro>={_dotted(MANTLE)}"',
        )
    sanic = facts.installed.get("sanic", "0")
    parts = {
        f"{name} {rasa}": (rasa, known.rasa),
        f"Python {facts.python}": (facts.python, known.python),
        f"Sanic {sanic}": (sanic, known.sanic),
    }
    odd = [text for text, (version, between) in parts.items() if not _is_between(version, between)]
    if not odd:
        yield ok("versions.together", ", ".join(parts))
        return
    low, high = known.python
    yield warning(
        "versions.together",
        f"{', '.join(odd)}: not known to work together with {name}.",
        f"Known are {name} {_range(known.rasa)} on Python {_range((low, high))} with Sanic "
        f"{_range(known.sanic)}.",
    )


def _check_oldest(facts: VersionFacts) -> Iterator[CheckResult]:
    for name, oldest in facts.oldest.items():
        found = facts.installed.get(name)
        if found is not None and read_version(found) < read_version(oldest):
            yield error(
                "versions.packages",
                f"{name} {found} is too old.",
                f'pip install "{name}>={oldest}"',
            )


def check_extras(facts: VersionFacts, settings: Settings) -> Iterator[CheckResult]:
    """Check that the extras which the settings need are installed."""
    stores = object_stores(settings.media)
    lacks = {
        "redis": settings.store.startswith(("redis://", "rediss://")) and ["redis"],
        "files": bool(stores) and ["fsspec"],
        "convert": settings.media.convert and ["av", "pillow"],
    }
    uses = {
        "redis": "store: redis://…",
        "files": next((f"{key}: {scheme}://…" for key, scheme in stores), ""),
        "convert": "media.convert, which is on by default",
    }
    missing = [
        extra
        for extra, packages in lacks.items()
        if packages and not all(package in facts.installed for package in packages)
    ]
    for extra in missing:
        make = warning if extra == "convert" else error
        install = install_extra(extra)
        without = "" if extra != "convert" else ", or write `media: {convert: false}`"
        yield make(
            "versions.extras", f"{uses[extra]}, needs the extra [{extra}].", f"{install}{without}"
        )
    if facts.protocol and "files" not in missing:
        yield error("versions.extras", f"{facts.protocol}.", "Install the store's own package.")
    if facts.transcribe:
        yield error(
            "versions.transcribe",
            f"{facts.transcribe}.",
            "Write the function's dotted path as seen from the bot's folder.",
        )
    if not missing and not facts.protocol:
        used = [extra for extra, packages in lacks.items() if packages]
        yield ok("versions.extras", f"{', '.join(used) or 'none'} needed, and there")


def object_stores(media: MediaSettings) -> list[tuple[str, str]]:
    """Return pairs of setting and URL scheme of object stores."""
    named = [("media.store", media.store)] if "://" in media.store else []
    named += [("media.sources", source) for source in media.sources]
    return [(key, address.partition("://")[0].lower()) for key, address in named]


def read_version(text: str) -> Version:
    return tuple(int(part) for part in re.findall(r"\d+", text.partition("+")[0])[:3])


def _is_between(version: str, between: tuple[Version, Version]) -> bool:
    low, high = between
    return low <= read_version(version) < high


def _range(between: tuple[Version, Version]) -> str:
    return f"{_dotted(between[0])} to below {_dotted(between[1])}"


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))
