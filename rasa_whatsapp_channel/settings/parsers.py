"""Parsers: each reads one value as YAML gives it; its `ValueError` says what it must be."""

from __future__ import annotations

import datetime
import importlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, GRAPH_VERSION
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import find_unknown, parse
from rasa_whatsapp_channel.whatsapp.messages.envelope import MARKETING
from rasa_whatsapp_channel.whatsapp.networks import Network, read_network

Function = Callable[..., Any]

SHORTEST_TOKEN: Final = 16
_TIME: Final = re.compile(r"([01]?\d|2[0-3]):[0-5]\d|24:00")
_PREFIX: Final = re.compile(r"([A-Za-z0-9]+)://([^\s?#\\%]+)")
_GRAPH_VERSION: Final = re.compile(r"v\d{1,3}\.\d{1,2}")
# Object stores of fsspec. Of each only the addresses below `media.sources` are read.
OBJECT_STORES: Final = frozenset(
    {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "hdfs", "webhdfs"}
)


class SettingsError(ChannelError):
    """The block in credentials.yml cannot be used; the text names the key and the line to write."""


def string(value: object) -> str:
    """
    Read a string that YAML also took for one.

    Where YAML took it for something else, what was written is lost: 0123 may be 83, 1e3 is 1000.0,
    and ``no`` is false. A secret made from that would be another one, and easy to guess.
    """
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, (bool, int, float, datetime.date)):
        kind = "true or false" if isinstance(value, bool) else "a number or a date"
        raise ValueError(f"a string in quotes; without them YAML makes {kind} of it")
    raise ValueError("a string")


def identifier(value: object) -> str:
    """
    Read the id of a number, which people write without quotes.

    No id begins with 0 or has a point, so as a whole number it is what was written.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return str(value)
    text = string(value)
    if not re.fullmatch(r"[0-9]+", text):
        raise ValueError('the id that Meta shows beside the number, such as "106540352242922"')
    return text


def access_token(value: object) -> str:
    """Read what logs in: one word of ASCII, which goes into a header of every request."""
    text = string(value)
    if not re.fullmatch(r"[\w-][!-~]*", text, re.ASCII) or text.endswith(("'", '"')):
        raise ValueError("the token alone, without `Bearer`, quotes or brackets")
    return text


def secrets(value: object) -> tuple[str, ...]:
    """Read one secret, or several of which any is enough, so that one can be replaced."""
    if value in ([], ()):
        raise ValueError("a string, or a list of strings")
    return tuple(map(string, value if isinstance(value, (list, tuple)) else (value,)))


def networks(value: object) -> tuple[Network, ...]:
    try:
        if isinstance(value, (list, tuple)) and value:
            return tuple(read_network(item) for item in value)
    except (ValueError, AttributeError):
        pass
    raise ValueError('a list of networks such as ["173.252.64.0/18", "2a03:2880::/32"]')


def folders(value: object) -> tuple[str, ...]:
    """Read folders that files are sent from; neither a hidden one nor the whole disk."""
    wanted = "a list of folders such as [media, invoices], none of them hidden"
    if not isinstance(value, (list, tuple)):
        raise ValueError(wanted)
    for item in value:
        if not isinstance(item, str) or not item.strip() or "://" in item or _is_odd(item):
            raise ValueError(wanted)
    return tuple(item.strip() for item in value)


def _is_odd(folder: str) -> bool:
    path = PurePath(folder.strip())
    hidden = any(part.startswith(".") for part in path.parts if part not in (".", ".."))
    whole_disk = path.is_absolute() and len(path.parts) == 1
    return hidden or whole_disk


def prefixes(value: object) -> tuple[str, ...]:
    """Read prefixes of URLs in object stores; each then ends with a slash."""
    stores = ", ".join(sorted(OBJECT_STORES))
    wanted = (
        f'a list such as ["s3://bucket/folder/"]: each names a bucket, without ".." and "?", '
        f"in one of {stores}"
    )
    if not isinstance(value, (list, tuple)):
        raise ValueError(wanted)
    return tuple(_prefix(item, wanted) for item in value)


def _prefix(item: object, wanted: str) -> str:
    found = _PREFIX.fullmatch(item.strip()) if isinstance(item, str) else None
    if found is None or found[1].lower() not in OBJECT_STORES:
        raise ValueError(wanted)
    rest = found[2].rstrip("/")
    if "::" in rest or any(part in ("", ".", "..") for part in rest.split("/")):
        raise ValueError(wanted)
    return f"{found[1].lower()}://{rest}/"


class QuietHours(NamedTuple):
    """Minutes of the day; *begin* may be in the evening and *end* in the morning."""

    begin: int
    end: int


def quiet_hours(value: object) -> QuietHours:
    try:
        begin, end = (minute_of_day(each) % (24 * 60) for each in str(value).split("-"))
    except ValueError:
        raise ValueError("two times in quotes such as 21:00-08:00") from None
    if begin == end:
        raise ValueError("two different times")
    return QuietHours(begin, end)


def minute_of_day(text: str) -> int:
    """Read a time such as 08:30; 24:00 is the end of the day."""
    if not _TIME.fullmatch(text.strip()):
        raise ValueError("a time such as 08:30")
    hour, _, minute = text.partition(":")
    return 60 * int(hour) + int(minute)


def token(value: object) -> str:
    """Read a password that programs use; a short one could be guessed."""
    text = string(value)
    if len(text) < SHORTEST_TOKEN or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(
            f"at least {SHORTEST_TOKEN} letters and digits, such as `openssl rand -hex 32` makes"
        )
    return text


def url(value: object) -> str:
    address = string(value)
    if not re.match(r"https?://[^/\s]+", address):
        raise ValueError("a URL that begins with https:// or http://")
    return address.rstrip("/")


def base_url(value: object) -> str:
    """Read the URL of an API, to which the channel adds a version."""
    address = url(value)
    if re.search(r"/v\d+(\.\d+)?$", address):
        raise ValueError("a URL without a version at its end, which the channel adds")
    return address


def flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]  # ${VARIABLES} always arrive as strings
    raise ValueError("true or false")


def whole(value: object) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = 0
    if number <= 0 or isinstance(value, bool):
        raise ValueError("a whole number above 0")
    return number


def whole_or_zero(value: object) -> int:
    if str(value).strip() == "0":
        return 0
    try:
        return whole(value)
    except ValueError:
        raise ValueError("a whole number, 0 or more") from None


def _number(value: object) -> float:
    try:
        return -1.0 if isinstance(value, bool) else float(str(value))
    except ValueError:
        return -1.0


def seconds(value: object) -> float:
    found = _number(value)
    if not 0 <= found < float("inf"):
        raise ValueError("a number of seconds, 0 or more")
    return found


def positive(value: object) -> float:
    found = _number(value)
    if not 0 < found < float("inf"):
        raise ValueError("a number above 0")
    return found


def days(value: object) -> float:
    """Read days of the store's memory; fewer than one would forget what a crash left open."""
    found = _number(value)
    if not 1 <= found < float("inf"):
        raise ValueError("a number from 1 on")
    return found


def template(value: object) -> Mapping[str, Any]:
    """Return the body of the template message that *value* describes, as on WhatsApp's page."""
    if not isinstance(value, Mapping):
        raise ValueError("a template such as {name: hello_again, language: en}")
    try:
        beside = {key: value[key] for key in MARKETING if key in value}
        content = {key: item for key, item in value.items() if key not in beside}
        if isinstance(values := content.pop("body", None), list):
            texts = [{"type": "text", "text": str(each)} for each in values]
            content["components"] = [{"type": "body", "parameters": texts}]
        parsed = parse({"type": "template", "template": content, **beside})
    except InvalidMessage as error:
        raise ValueError(f"a template that WhatsApp takes ({error})") from error
    for doubt in find_unknown(parsed, CLOUD):  # a typo is found at the start
        raise ValueError(f"a template that WhatsApp takes ({doubt.place} {doubt.problem})")
    return parsed.body()


def time_zone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(string(value))
    except (ValueError, LookupError, OSError):
        raise ValueError("the name of a time zone such as Europe/Berlin") from None


def currency(value: object) -> str:
    if isinstance(value, str) and re.fullmatch("[A-Z]{3}", value.strip()):
        return value.strip()
    raise ValueError("a currency such as EUR")


def commands(value: object) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return tuple("/" + item.strip().lstrip("/") for item in value)
    raise ValueError('a list such as ["/restart"]')


def names(value: object) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return tuple(item.strip() for item in value)
    raise ValueError("a list of responses such as [utter_wait]")


def words(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(
        isinstance(item, str) and simplify(item) for item in value
    ):
        raise ValueError('a list of words in quotes, such as ["STOP", "no offers"]')
    return tuple(value)


def simplify(text: str) -> str:
    """Return *text* without case, accents and punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[\W_]+", " ", "".join(c for c in plain if not unicodedata.combining(c))).strip()


def combine(value: object) -> str:
    # YAML 1.1 makes false of off
    return choice("off", "turn")("off" if value is False else value)


def dotted(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"\w+(\.\w+)+", value.strip()):
        return value.strip()
    raise ValueError("the name of a function such as my_bot.speech.transcribe")


def load_function(key: str, name: str) -> Function:
    """Return the function that the setting *key* names; raises `SettingsError`."""
    module, _, attribute = name.rpartition(".")
    try:
        function = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # the author's module may raise anything while it is imported
        raise SettingsError(f"'{key}': {name} cannot be imported: {error!r}") from error
    if not callable(function):
        raise SettingsError(f"'{key}': {name} is not a function")
    return function  # type: ignore[no-any-return]


def choice(*choices: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return str(value)

    return read


def graph_version(value: object) -> str:
    """Read a version such as ``v26.0``; empty is none."""
    if value == "" or _GRAPH_VERSION.fullmatch(string(value)):
        return str(value).strip()
    raise ValueError(f"written as {GRAPH_VERSION}")
