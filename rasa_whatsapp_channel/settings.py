"""
The block in credentials.yml → `Settings`, checked as a whole.

Every key is declared once, at its field: what kind of value, for which APIs, and the line to write
when it is missing. All mistakes of a block are reported together, so that nobody mends them one
start of Rasa at a time.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rasa_whatsapp_channel import wording
from rasa_whatsapp_channel.whatsapp.apis import APIS, CLOUD, DIALOG360, ON_PREMISES, TURN, Api
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage, SettingsError
from rasa_whatsapp_channel.whatsapp.limits import MB
from rasa_whatsapp_channel.whatsapp.messages import Template
from rasa_whatsapp_channel.whatsapp.networks import Network, read_network

CHANNEL: Final = "rasa_whatsapp_channel.WhatsAppInput"

_VARIABLE: Final = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_DEFAULT_URLS: Final = {
    CLOUD.name: "https://graph.facebook.com",
    TURN.name: "https://whatsapp.turn.io",
    DIALOG360.name: "https://waba-v2.360dialog.io",
}


def _text(value: object) -> str:
    # YAML makes a number of an id that is written without quotes.
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise ValueError("a text")


def _secrets(value: object) -> str | tuple[str, ...]:
    """Read one secret, or several of which any is enough while one takes the other's place."""
    if not isinstance(value, (list, tuple)):
        return _text(value)
    if not value:
        raise ValueError("a text, or a list of texts")
    return tuple(_text(item) for item in value)


def _networks(value: object) -> tuple[Network, ...]:
    try:
        if isinstance(value, (list, tuple)) and value:
            return tuple(read_network(item) for item in value)
    except (ValueError, AttributeError):
        pass
    raise ValueError('a list of networks such as ["173.252.64.0/18", "2a03:2880::/32"]')


def _url(value: object) -> str:
    text = _text(value)
    if not re.match(r"https?://[^/\s]+", text):
        raise ValueError("an address that begins with https:// or http://")
    return text.rstrip("/")


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]  # ${VARIABLES} always arrive as text
    raise ValueError("true or false")


def _whole(value: object) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = 0
    if number <= 0 or isinstance(value, bool):
        raise ValueError("a whole number above 0")
    return number


def _number(value: object) -> float:
    try:
        return -1.0 if isinstance(value, bool) else float(str(value))
    except ValueError:
        return -1.0


def _seconds(value: object) -> float:
    number = _number(value)
    if not 0 <= number < float("inf"):
        raise ValueError("a number of seconds, 0 or more")
    return number


def _positive(value: object) -> float:
    number = _number(value)
    if not 0 < number < float("inf"):
        raise ValueError("a number above 0")
    return number


def _template(value: object) -> Mapping[str, Any]:
    """Return the body of the template message that *value* describes, as on WhatsApp's page."""
    if not isinstance(value, Mapping):
        raise ValueError("a template such as {name: hello_again, language: en}")
    try:
        return Template.parse(value).body()
    except InvalidMessage as error:
        raise ValueError(f"a template that WhatsApp takes ({error})") from error


def _commands(value: object) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return tuple("/" + item.strip().lstrip("/") for item in value)
    raise ValueError('a list such as ["/restart"]')


def _dotted(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"\w+(\.\w+)+", value.strip()):
        return value.strip()
    raise ValueError("the name of a function such as my_bot.speech.transcribe")


def _choice(*choices: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return str(value)

    return read


def _maybe_empty(value: object) -> str:
    return "" if value == "" else _text(value)


def _key(
    read: Callable[[object], Any],
    default: Any = None,
    *,
    apis: Sequence[Api] = tuple(APIS.values()),
    required: Sequence[Api] = (),
    secret: bool = False,
    line: str = "",
) -> Any:
    metadata = {
        "read": read,
        "apis": [api.name for api in apis],
        "required": [api.name for api in required],
        "secret": secret,
        "line": line,
    }
    return field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True)
class MediaSettings:
    """The ``media:`` group."""

    store: str = _key(_text, "whatsapp_media")  # folder, or address, for what users send
    download: bool = _key(_flag, True)
    max_bytes: int = _key(_whole, 100 * MB)
    private_links: bool = _key(_flag, False)
    upload: str = _key(_choice("auto", "always", "never"), "auto")
    convert: bool = _key(_flag, True)
    keep_days: int | None = _key(_whole, None)


def _media(value: object) -> MediaSettings:
    if not isinstance(value, Mapping):
        raise ValueError("a group of keys, such as `media: {download: false}`")
    values, problems = _read_keys(MediaSettings, value, prefix="media.")
    if problems:
        raise SettingsError("\n".join(problems))
    return MediaSettings(**values)


@dataclass(frozen=True)
class NumberSettings:
    """One item of ``numbers:``, a further business number of the same bot."""

    phone_number_id: str = _key(_text, "")
    access_token: str = _key(_text, "", secret=True)  # the block's, if not given


def _numbers(value: object) -> tuple[NumberSettings, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, Mapping) for item in value):
        raise ValueError('a list such as `numbers: [{phone_number_id: "106540352242922"}]`')
    numbers: list[NumberSettings] = []
    problems: list[str] = []
    for item in value:
        values, wrong = _read_keys(NumberSettings, item, prefix="numbers.")
        problems += wrong
        if not wrong and "phone_number_id" not in values:
            problems.append("'numbers.phone_number_id' is missing.")
        numbers.append(NumberSettings(**values))
    if problems:
        raise SettingsError("\n".join(problems))
    return tuple(numbers)


def _inbound(value: object) -> Mapping[str, str]:
    """Return kind of message → its template, checked by `wording`."""
    if not isinstance(value, Mapping):
        raise ValueError('a group of keys, such as `inbound: {image: "[picture] {caption}"}`')
    words: dict[str, str] = {}
    problems: list[str] = []
    for kind, template in value.items():
        if kind not in wording.FIELDS:
            problems.append(_unknown(str(kind), wording.FIELDS, "inbound."))
            continue
        try:
            words[kind] = wording.check(kind, template)
        except ValueError as error:
            problems.append(f"'inbound.{kind}' must be {error}, not {template!r}.")
    if problems:
        raise SettingsError("\n".join(problems))
    return words


@dataclass(frozen=True)
class Settings:
    """What a bot's credentials.yml says. Secrets do not print."""

    api: str = _key(_choice(*APIS), CLOUD.name)
    base_url: str = _key(
        _url, "", required=(ON_PREMISES,), line="base_url: https://your-whatsapp-client:9090"
    )
    api_version: str = _key(_maybe_empty, "v25.0", apis=(CLOUD,))
    phone_number_id: str = _key(
        _text, "", apis=(CLOUD,), required=(CLOUD,), line='phone_number_id: "106540352242922"'
    )
    access_token: str = _key(
        _text,
        "",
        apis=(CLOUD, TURN, DIALOG360),
        required=(CLOUD, TURN, DIALOG360),
        secret=True,
        line="access_token: ${WHATSAPP_ACCESS_TOKEN}",
    )
    username: str = _key(
        _text, "", apis=(ON_PREMISES,), required=(ON_PREMISES,), line="username: admin"
    )
    password: str = _key(
        _text,
        "",
        apis=(ON_PREMISES,),
        required=(ON_PREMISES,),
        secret=True,
        line="password: ${WHATSAPP_PASSWORD}",
    )
    numbers: tuple[NumberSettings, ...] = _key(_numbers, (), apis=(CLOUD,))
    app_secret: str | tuple[str, ...] = _key(_secrets, "", apis=(CLOUD,), secret=True)
    verify_token: str = _key(
        _text,
        "",
        apis=(CLOUD,),
        required=(CLOUD,),
        secret=True,
        line="verify_token: ${WHATSAPP_VERIFY_TOKEN}",
    )
    webhook_secret: str | tuple[str, ...] = _key(_secrets, "", apis=(TURN, DIALOG360), secret=True)
    webhook_username: str = _key(_text, "", apis=(ON_PREMISES, DIALOG360))
    webhook_password: str = _key(_text, "", apis=(ON_PREMISES, DIALOG360), secret=True)
    webhook_token: str = _key(_text, "", apis=(ON_PREMISES, DIALOG360), secret=True)
    allow_unsigned_webhooks: bool = _key(_flag, False)
    allowed_networks: tuple[Network, ...] = _key(_networks, ())
    trusted_proxies: tuple[Network, ...] = _key(_networks, ())
    max_age: float | None = _key(_positive, None)
    ca_file: str | None = _key(_text, None, apis=(ON_PREMISES,))
    verify_tls: bool = _key(_flag, True, apis=(ON_PREMISES,))
    store: str = _key(_text, "sqlite:///whatsapp.db", secret=True)  # may hold Redis' password
    captions: str = _key(_choice("merge", "separate"), "merge")
    markdown: bool = _key(_flag, True)
    typing_indicator: bool = _key(_flag, True, apis=(CLOUD, DIALOG360))
    mark_read: bool = _key(_flag, True, apis=(CLOUD, ON_PREMISES, DIALOG360))
    commands: tuple[str, ...] = _key(_commands, ())
    sender_id: str = _key(_choice("phone", "user_id"), "phone")
    wait_for_delivered: str = _key(_choice("none", "media", "all"), "media")
    delivered_timeout: float = _key(_seconds, 3.0)
    max_messages_per_second: float = _key(_positive, 80.0)
    reengagement_template: Mapping[str, Any] | None = _key(_template, None)
    wait_for_window: float = _key(_seconds, 86_400.0)
    failure_intent: str | None = _key(_text, None)
    media: MediaSettings = _key(_media, MediaSettings())
    inbound: Mapping[str, str] | None = _key(_inbound, None)
    debounce: float = _key(_seconds, 0.0)
    transcribe: str | None = _key(_dotted, None)

    @property
    def platform(self) -> Api:
        return APIS[self.api]

    def by_number(self) -> Mapping[str, Settings]:
        """Return the settings of each business number; the first is that of the block itself."""
        numbers = {self.phone_number_id: self}
        for number in self.numbers:
            numbers[number.phone_number_id] = dataclasses.replace(
                self,
                phone_number_id=number.phone_number_id,
                access_token=number.access_token or self.access_token,
            )
        return numbers

    @classmethod
    def from_credentials(
        cls,
        credentials: Mapping[str, Any] | None,
        *,
        environ: Mapping[str, str] = os.environ,
    ) -> Settings:
        """
        Read the block under the channel's name; Rasa hands over None when it is empty.

        A secret that is not in the block is taken from the variable ``WHATSAPP_<KEY>``.
        Raises `SettingsError` with one paragraph for each mistake.
        """
        block = dict(credentials or {})
        values, problems = _read_keys(cls, block)
        api = values.get("api") or (None if block.get("api") else CLOUD.name)
        for key in dataclasses.fields(cls):
            fallback = environ.get(f"WHATSAPP_{key.name.upper()}", "").strip()
            absent = key.name not in block and api in key.metadata["apis"]
            if key.metadata["secret"] and absent and fallback:
                values[key.name] = fallback
        if api is not None:
            problems += _problems_of_api(cls, api, block, values)
        if problems:
            raise SettingsError("credentials.yml: " + "\ncredentials.yml: ".join(problems))
        values.setdefault("base_url", _DEFAULT_URLS.get(api or "", ""))
        return cls(**values)


def _read_keys(
    cls: type, block: Mapping[str, Any], *, prefix: str = ""
) -> tuple[dict[str, Any], list[str]]:
    known = {key.name: key for key in dataclasses.fields(cls)}
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in block.items():
        if name not in known:
            problems.append(_unknown(str(name), known, prefix))
            continue
        if value is None:
            continue  # `key:` with nothing behind it is as good as no key
        if variable := _literal_variable(value):
            problems.append(
                f"'{prefix}{name}' is the text {value!r}, not the variable's value. "
                f"Write `{_line(name, value, variable)}`, without quotes."
            )
            continue
        read = known[name].metadata["read"]
        try:
            values[name] = read(value)
        except ValueError as error:
            shown = "" if known[name].metadata["secret"] else f", not {value!r}"
            problems.append(f"'{prefix}{name}' must be {error}{shown}.")
        except SettingsError as error:
            problems += str(error).split("\n")
    return values, problems


def _line(name: str, value: object, variable: str) -> str:
    listed = isinstance(value, (list, tuple))
    return f"{name}: [${{{variable}}}, …]" if listed else f"{name}: ${{{variable}}}"


def _unknown(name: str, known: Mapping[str, Any], prefix: str) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"unknown key '{prefix}{name}'; did you mean '{prefix}{near[0]}'?"
    return f"unknown key '{prefix}{name}'; known are {', '.join(known)}."


def _literal_variable(value: object) -> str | None:
    """Return the name of the variable that *value*, or one of its items, was not replaced by."""
    if isinstance(value, (list, tuple)):
        return next(filter(None, map(_literal_variable, value)), None)
    found = _VARIABLE.fullmatch(value.strip()) if isinstance(value, str) else None
    return found.group(1) if found else None


def _problems_of_api(
    cls: type, api: str, block: Mapping[str, Any], values: Mapping[str, Any]
) -> Iterator[str]:
    for key in dataclasses.fields(cls):
        given = block.get(key.name) is not None
        if given and api not in key.metadata["apis"]:
            of = " and ".join(key.metadata["apis"])
            yield f"'{key.name}' is a key for api {of}; this block says `api: {api}`."
        if api in key.metadata["required"] and key.name not in values and not given:
            yield _missing(key.name, key.metadata["line"], api)
    ids = [values.get("phone_number_id"), *(n.phone_number_id for n in values.get("numbers", ()))]
    for twice in sorted({number for number in ids if number and ids.count(number) > 1}):
        yield f"'numbers' names {twice} twice, or it is the block's own 'phone_number_id'."
    if "transcribe" in values and not values.get("media", MediaSettings()).download:
        yield "'transcribe' needs the files: take away `download: false` from 'media'."
    if "trusted_proxies" in values and "allowed_networks" not in values:
        yield "'trusted_proxies' needs 'allowed_networks' beside it."
    yield from _problems_of_proof(api, values)


def _missing(name: str, line: str, api: str) -> str:
    return f"'{name}' is missing; api {api} needs it. Write\n\n  {CHANNEL}:\n    {line}\n"


def _problems_of_proof(api: str, values: Mapping[str, Any]) -> Iterator[str]:
    """Without a way to tell WhatsApp from anybody else the channel starts only when told to."""
    if "webhook_username" in values and "webhook_password" not in values:
        yield "'webhook_username' needs 'webhook_password' beside it."
    if "webhook_password" in values and "webhook_username" not in values:
        yield "'webhook_password' needs 'webhook_username' beside it."
    ways = {
        CLOUD.name: {"app_secret": "app_secret: ${WHATSAPP_APP_SECRET}"},
        TURN.name: {"webhook_secret": "webhook_secret: ${WHATSAPP_WEBHOOK_SECRET}"},
        ON_PREMISES.name: {
            "webhook_token": "webhook_token: ${WHATSAPP_WEBHOOK_TOKEN}",
            "webhook_password": "",
        },
        DIALOG360.name: {
            "webhook_token": "webhook_token: ${WHATSAPP_WEBHOOK_TOKEN}",
            "webhook_password": "",
            "webhook_secret": "",
        },
    }[api]
    if values.get("allow_unsigned_webhooks") or any(way in values for way in ways):
        return
    name, line = next(iter(ways.items()))
    yield (
        f"'{name}' is missing: without it anybody could write to your bot. Write\n\n"
        f"  {CHANNEL}:\n    {line}\n\n"
        "or, to run without any check, `allow_unsigned_webhooks: true`."
    )
