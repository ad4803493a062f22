"""Credentials checks: whether the file with the channels is there, is YAML, and starts ours."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel.doctor.checks.versions import read_version
from rasa_whatsapp_channel.doctor.results import CheckResult, error, ok, warning
from rasa_whatsapp_channel.domain.marked import DomainError, Marked, parse
from rasa_whatsapp_channel.domain.project import (
    ENABLED,
    is_integrations,
    is_off,
    read_channels,
)
from rasa_whatsapp_channel.domain.slots import Unset, count_variables, fill_variables
from rasa_whatsapp_channel.settings import CHANNEL, Settings, TranscriptionSettings, read_block
from rasa_whatsapp_channel.settings.foreign_keys import mistaken_channel
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, GRAPH_VERSION
from rasa_whatsapp_channel.whatsapp.clients.requests import is_loopback

_RENAMED: Final = re.compile(r"(?<=did you mean ')\w+|(?<=write `)\w+(?=:)")
_KNOWN: Final = {field.name for field in dataclasses.fields(Settings)}
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
# Rasa Pro reads the variables of such keys later, where they are used.
_RESOLVED_LATER: Final = (
    *("client_id", "client_secret", "token_url", "secret"),
    *("public_key", "private_key"),
)
_FLOW_LIST: Final = re.compile(r"[\[{][^\n]*\$\{")
_READABLE: Final = "Make it readable for you, and save it as UTF-8."
_INIT: Final = "`rasa-whatsapp init` writes one to fill in."


@dataclass(frozen=True)
class CheckedCredentials:
    """The results, and the settings unless an error keeps the channel from starting."""

    results: tuple[CheckResult, ...]
    settings: Settings | None = None


@dataclass(frozen=True)
class Written:
    """The file as found; *text* is None where it could not be read, because of *problem*."""

    path: Path
    text: str | None
    problem: str = ""


def check_credentials(
    written: Written, *, environ: Mapping[str, str], dotenv: Collection[str] = ()
) -> CheckedCredentials:
    """Check the file; *dotenv* are the names of variables in a file ``.env`` beside it."""
    if written.text is None:
        return CheckedCredentials((error("credentials.file", *_why_unreadable(written)),))
    try:
        document = parse(written.text, str(written.path))
    except DomainError as refused:
        return CheckedCredentials(
            (error("credentials.file", str(refused), _yaml_remedy(written.text)),)
        )
    if not isinstance(document.value, Mapping):
        text = f"{written.path} holds no channels: it must be a map, with one block for each."
        return CheckedCredentials((error("credentials.file", text, _INIT),))
    twice = [key for key, _ in document.repeated]
    if twice:
        text = f"{', '.join(twice)} is duplicated in one map of {written.path}; Rasa refuses that."
        return CheckedCredentials(
            (
                error(
                    "credentials.file", text, "Keep one of them; further numbers go to `numbers:`."
                ),
            )
        )
    channels = read_channels(document)
    found = (
        ok("credentials.file", str(written.path)),
        *_check_block(channels),
        *_check_rest(document, environ, dotenv),
    )
    block = _block(channels)
    if block is None:
        return CheckedCredentials(found)
    may_be_off = is_integrations(document)
    if may_be_off and is_off(block):
        text = f"Line {block.line}: the channel is switched off, so Rasa passes over it."
        off = error("credentials.enabled", text, f"Take `{ENABLED}: false` away.")
        return CheckedCredentials((*found, off))
    return _check_values(block, found, environ, dotenv, may_be_off=may_be_off)


def _why_unreadable(written: Written) -> tuple[str, str]:
    if written.problem:
        return f"{written.path} cannot be read: {written.problem}.", _READABLE
    return (
        f"There is no {written.path}.",
        f"Go to the bot's folder, or name the file with --credentials; {_INIT}",
    )


def _yaml_remedy(text: str) -> str:
    if _FLOW_LIST.search(text):
        return "Write lists with ${VARIABLES} over several lines, each with `- ` in front."
    if "\t" in text:
        return "Indent with spaces; YAML takes no tabs."
    return "Fix that line; keys are indented by two spaces, and `key: value` has one after `:`."


def _check_block(channels: Mapping[str, Marked]) -> Iterator[CheckResult]:
    mistaken = {name: why for name in channels if (why := mistaken_channel(name))}
    if CHANNEL in channels:
        yield ok("credentials.block", f"{CHANNEL}, line {channels[CHANNEL].line}")
        for name in mistaken:
            yield warning(
                "credentials.other_block",
                f"{name}, line {channels[name].line}, is a second channel for WhatsApp: "
                "Rasa loads both, or fails at it.",
                f"Take {name} away.",
            )
    elif mistaken:
        name, why = next(iter(mistaken.items()))
        line = channels[name].line
        yield error(
            "credentials.block", f"{name}, line {line}: {why}.", f"Write `{CHANNEL}:` there."
        )
    elif "twilio" in channels:
        yield error(
            "credentials.block",
            "Only Twilio's channel is there, which sends WhatsApp no more than texts and links.",
            f"Add a block `{CHANNEL}:` with the keys of Meta's dashboard; `rasa-whatsapp init` "
            "writes one.",
        )
    else:
        there = f"; there are {', '.join(channels)}" if channels else ""
        yield error("credentials.block", f"There is no block {CHANNEL}{there}.", _INIT)


def _block(channels: Mapping[str, Marked]) -> Marked | None:
    """Return the channel's block, also one under a mistaken name."""
    if CHANNEL in channels:
        return channels[CHANNEL]
    return next((part for name, part in channels.items() if mistaken_channel(name)), None)


def _check_rest(
    document: Marked, environ: Mapping[str, str], dotenv: Collection[str]
) -> Iterator[CheckResult]:
    """Check the variables outside of the block: Rasa replaces all of the file, or loads nothing."""
    for each in fill_variables(document, environ)[1]:
        key = each.key.rpartition(".")[2]
        is_fatal = each.variable not in environ and key not in _RESOLVED_LATER
        if is_fatal and f"{CHANNEL}." not in each.key:
            yield _unset(each, dotenv, "; without it Rasa loads none of the channels")


def _check_values(
    block: Marked,
    found: tuple[CheckResult, ...],
    environ: Mapping[str, str],
    dotenv: Collection[str],
    *,
    may_be_off: bool,
) -> CheckedCredentials:
    if block.value is not None and not isinstance(block.value, Mapping):
        text = f"Line {block.line}: the block must be a map of keys, each on a line of its own."
        return CheckedCredentials((*found, error("credentials.settings", text, _INIT)))
    filled, unset = fill_variables(block, environ)
    variables = tuple(_check_variables(block, unset, dotenv))
    ids = tuple(_check_ids(block))
    passed = (_top(unset) & _KNOWN) | ({ENABLED} if may_be_off else set())
    values, problems = read_block(
        {key: value for key, value in (filled or {}).items() if key not in passed},
        environ=environ,
    )
    # What is not set was named already, and is not missing.
    problems = [text for text in problems if not _is_about(text, _top(unset) | _renamed(problems))]
    settings = tuple(_check_settings(problems, complete=not unset))
    usable = not problems and not unset
    made = Settings(**values) if usable else None
    more = (*_check_api_version(made), *_check_safety(made)) if made else ()
    return CheckedCredentials((*found, *variables, *ids, *settings, *more), made)


def _top(unset: list[Unset]) -> set[str]:
    return {each.key.partition(".")[0] for each in unset}


def _is_about(problem: str, keys: set[str]) -> bool:
    return any(problem.startswith(f"'{key}'") for key in keys)


def _renamed(problems: list[str]) -> set[str]:
    """Return the required keys that are present under a misspelt name."""
    unknown = " ".join(text for text in problems if text.startswith("unknown key "))
    return set(_RENAMED.findall(unknown))


def _check_variables(
    block: Marked, unset: list[Unset], dotenv: Collection[str]
) -> Iterator[CheckResult]:
    for each in unset:
        yield _unset(each, dotenv)
    if not unset and (found := count_variables(block)):
        yield ok("credentials.variables", f"{found} from the environment")


def _unset(each: Unset, dotenv: Collection[str], why: str = "") -> CheckResult:
    if not _NAME.fullmatch(each.variable):
        name = re.split(r"\W", each.variable)[0]
        return error(
            "credentials.variables",
            f"{each.key}: ${{{each.variable}}} is no variable; Rasa knows no defaults.",
            f"Write ${{{name}}}, and set {name} where the bot is started.",
        )
    if each.variable in dotenv:
        return error(
            "credentials.variables",
            f"{each.key}: {each.variable} stands in .env, but is not set here{why}.",
            "Load it before Rasa starts: `set -a; . ./.env; set +a`.",
        )
    return error(
        "credentials.variables",
        f"{each.key}: {each.variable} is not set, or empty{why}.",
        f"`export {each.variable}=…`, here and where the bot is started.",
    )


def _check_ids(block: Marked) -> Iterator[CheckResult]:
    """Check ids without quotes: YAML reads them as numbers and drops leading zeros and a plus."""
    for name, part in block.items():
        raw = part.written()
        is_text = name in _TEXTS and part.is_plain(()) and not isinstance(part.value, (str, bool))
        if is_text and part.value is not None and str(part.value) != raw:
            secret = name not in _SHOWN
            became = "another number of it" if secret else f"the number {part.value} of {raw}"
            yield error(
                "credentials.ids",
                f"{name}: YAML makes {became}.",
                f'Write `{name}: "{"…" if secret else raw}"`, in quotes.',
            )
    number = str(block.value.get("phone_number_id", "")) if block.value else ""
    if re.search(r"^\+|[\s()-]", number.strip()):
        yield error(
            "credentials.ids",
            f"phone_number_id: {number} is the number, not its id.",
            "Write the id, about 15 digits, from WhatsApp → API Setup in Meta's dashboard.",
        )


_SHOWN: Final = ("phone_number_id", "username", "webhook_username")


_TEXTS: Final = frozenset(
    {
        *("phone_number_id", "access_token", "app_secret", "verify_token", "webhook_secret"),
        *("webhook_token", "webhook_username", "webhook_password", "username", "password"),
    }
)


def _check_settings(problems: list[str], *, complete: bool) -> Iterator[CheckResult]:
    for problem in problems:
        yield error("credentials.settings", *_split(problem))
    if not problems and complete:
        yield ok("credentials.settings", "every key is known and complete")


def _split(problem: str) -> tuple[str, str]:
    """Split a problem, as Rasa shows it at its start, into what is wrong and the remedy."""
    for mark in (
        " Write",
        "; write ",
        "; leave it out",
        "; did you mean ",
        "; known are ",
        ": take ",
    ):
        text, found, rest = problem.partition(mark)
        if found:
            words = f"{found.lstrip(';: ')}{rest}".strip()
            return text.rstrip(".") + ".", words[0].upper() + words[1:]
    return problem, "Correct it; the settings are in the README."


def _check_api_version(settings: Settings) -> Iterator[CheckResult]:
    given = settings.api_version
    if settings.api != CLOUD.name or given in ("", GRAPH_VERSION):
        return
    if read_version(given) < read_version(GRAPH_VERSION):
        text = f"api_version: {given} is older than {GRAPH_VERSION}, which the channel is made for."
        hint = "Leave it out: Meta switches old versions off, and answers without what is new."
    else:
        text = f"api_version: {given} is newer than {GRAPH_VERSION}, which the channel is made for."
        hint = "Leave it out, or read Meta's changelog for what became different."
    yield warning("credentials.api_version", text, hint)


def _check_safety(settings: Settings) -> Iterator[CheckResult]:
    server = settings.transcribe
    if (
        isinstance(server, TranscriptionSettings)
        and server.url.startswith("http://")
        and not is_loopback(server.url)
    ):
        yield warning(
            "credentials.transcribe",
            "transcribe.url: voice notes and the key go there without encryption.",
            "Write https://, unless the server is in your own network.",
        )
    if is_loopback(settings.base_url):
        return
    if settings.allow_unsigned_webhooks:
        yield warning(
            "credentials.signature",
            "allow_unsigned_webhooks: anybody who knows the address can write to the bot.",
            "Take it away, and set the secret with which the API signs its webhooks.",
        )
    if not settings.verify_tls:
        yield warning(
            "credentials.tls",
            "verify_tls: false trusts whoever answers at the client's address.",
            "Name its certificate instead: `ca_file: whatsapp-ca.pem`.",
        )
