"""Scaffold: what `rasa-whatsapp init` adds to the text of each of a bot's files. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from rasa_whatsapp_channel.domain.marked import DomainError, YamlDocument, parse
from rasa_whatsapp_channel.domain.project import CREDENTIALS, DOMAIN
from rasa_whatsapp_channel.domain.read import listed_names
from rasa_whatsapp_channel.inbound.intents import INTENTS
from rasa_whatsapp_channel.settings import CHANNEL
from rasa_whatsapp_channel.settings.foreign_keys import mistaken_channel
from rasa_whatsapp_channel.simulator.config import Config, credentials_block
from rasa_whatsapp_channel.whatsapp.apis import APIS
from rasa_whatsapp_channel.wording import counted

ENVIRONMENT: Final = ".env.example"
GITIGNORE: Final = ".gitignore"
DOMAIN_FOLDER_FILE: Final = "domain/whatsapp.yml"
EXAMPLES: Final = "whatsapp-examples.yml"
# api → key, value, comment
_KEYS: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = MappingProxyType(
    {
        "cloud": (
            (
                "phone_number_id",
                "${WHATSAPP_PHONE_NUMBER_ID}",
                "the id of the number, not the number",
            ),
            ("access_token", "${WHATSAPP_ACCESS_TOKEN}", "of a system user, so that it never ends"),
            ("app_secret", "${WHATSAPP_APP_SECRET}", "App settings → Basic"),
            ("verify_token", "${WHATSAPP_VERIFY_TOKEN}", "any word; Meta asks for it"),
        ),
        "360dialog": (
            ("access_token", "${WHATSAPP_ACCESS_TOKEN}", "the API key"),
            ("webhook_token", "${WHATSAPP_WEBHOOK_TOKEN}", "the webhook ends in ?token=…"),
        ),
        "turn": (
            ("access_token", "${WHATSAPP_ACCESS_TOKEN}", "Settings → API & Webhooks"),
            ("webhook_secret", "${WHATSAPP_WEBHOOK_SECRET}", "the webhook's HMAC secret"),
        ),
        "on_premises": (
            ("base_url", "${WHATSAPP_BASE_URL}", "such as https://whatsapp.internal:9090"),
            ("username", "${WHATSAPP_USERNAME}", ""),
            ("password", "${WHATSAPP_PASSWORD}", ""),
            ("webhook_token", "${WHATSAPP_WEBHOOK_TOKEN}", "the webhook ends in ?token=…"),
        ),
    }
)
_UNTRACKED: Final = (".env", "whatsapp.db*", "whatsapp_media/")
EXAMPLE_RESPONSES: Final = """\
# Responses to copy into your domain. Rasa does not read this file.
# What each becomes: rasa-whatsapp preview whatsapp-examples.yml utter_offer
responses:
  utter_offer:                      # a picture with a text and two buttons, in one message
  - text: "Our offer for *today*"
    image: "https://shop.example/offer.jpg"
    buttons:
    - {title: "Buy", payload: "/buy"}
    - {title: "Later", payload: "/later"}

  utter_menu:                       # more than three buttons become a list
  - text: "What would you like to see?"
    buttons:
    - {title: "Rooms", payload: "/rooms", description: "Prices and pictures"}
    - {title: "Breakfast", payload: "/breakfast"}
    - {title: "The lake", payload: "/lake"}
    - {title: "The way to us", payload: "/way"}

  utter_invoice:                    # a document; path begins in the bot's folder
  - text: "Your invoice"
    attachment: {type: document, link: "https://shop.example/i.pdf", filename: "invoice.pdf"}

  utter_place:                      # any message of WhatsApp, in WhatsApp's own words
  - custom:
      type: location
      location: {latitude: 48.85, longitude: 2.35, name: "Paris"}

  utter_shipped:                    # outside of the 24-hour window the template goes instead
  - text: "Your order is on its way"
    metadata:
      whatsapp:
        template: {name: order_shipped, language: en_US, body: ["tomorrow"]}

  utter_thank_for_image:            # what a rule or a flow may say to /whatsapp_image
  - text: "Thank you for the picture!"
"""


@dataclass(frozen=True)
class FileChange:
    """
    The change of a file: *text* is its new content, None where it stays as it is.

    *by_hand* is what a person has to add, where it cannot be inserted safely.
    """

    name: str
    what: str
    text: str | None = None
    by_hand: str = ""


def plan(
    api: str, files: Mapping[str, str], *, has_domain_folder: bool, simulator: bool = False
) -> Iterator[FileChange]:
    """
    Yield the changes that a bot with *files*, name → text, needs for WhatsApp.

    *files* include its domain. *simulator*: the block is for one on this machine, without
    variables. After these changes another plan changes nothing.
    """
    yield _plan_credentials(block_of(api, simulator=simulator), files.get(CREDENTIALS, ""))
    yield from plan_surroundings(api, files, simulator=simulator)
    yield _plan_domain(files, has_domain_folder)
    yield plan_new(EXAMPLES, files, "responses to copy", EXAMPLE_RESPONSES)


def plan_new(name: str, files: Mapping[str, str], what: str, text: str) -> FileChange:
    """Plan a file that is written once, and stays as it is from then on."""
    if name in files:
        return FileChange(name, "is there already")
    return FileChange(name, f"written: {what}", text)


def plan_surroundings(
    api: str, files: Mapping[str, str], *, simulator: bool
) -> Iterator[FileChange]:
    """Yield the changes beside the block: its variables, and what Git should leave out."""
    if not simulator:
        yield _plan_environment(api, files.get(ENVIRONMENT, ""))
    text = files.get(GITIGNORE, "")
    missing = [line for line in _UNTRACKED if line not in text.split()]
    if not missing:
        yield FileChange(GITIGNORE, "leaves out secrets and data already")
        return
    added = "".join(f"{line}\n" for line in missing)
    yield FileChange(GITIGNORE, f"leaves out {', '.join(missing)}", append(text, added))


def _plan_credentials(block: str, text: str) -> FileChange:
    value = _value(text, CREDENTIALS)
    if value is not None and not isinstance(value, Mapping):
        raise DomainError(f"{CREDENTIALS}: must be a map, with one block for each channel")
    names = [str(name) for name in value or {}]
    return plan_block(CREDENTIALS, text, names, block, append(text, block))


def plan_block(
    name: str, text: str, channels: Sequence[str], block: str, new: str | None
) -> FileChange:
    """
    Plan the file *name*, whose *text* has *channels*, and which *new* is with the *block*.

    Where that would change what is there, or *new* is None, a person has to add the block.
    """
    if CHANNEL in channels:
        return FileChange(name, "has the block already")
    mistaken = [each for each in channels if mistaken_channel(each)]
    if mistaken:
        return FileChange(name, f"has a block {mistaken[0]}; write in its place", by_hand=block)
    if new is not None and _only_adds(_value(text, name), _value_or_none(new)):
        return FileChange(name, "block added" if text else "written, with the block", new)
    return FileChange(name, "is written in a way of its own; add", by_hand=block)


def _plan_environment(api: str, text: str) -> FileChange:
    there = set(re.findall(r"^\s*#?\s*(?:export\s+)?(\w+)\s*=", text, re.MULTILINE))
    missing = {name: why for name, why in _variables(api).items() if name not in there}
    if not missing:
        return FileChange(ENVIRONMENT, "has the variables already")
    lines = "".join(f"# {why}\n{name}=\n" for name, why in missing.items())
    head = "" if text else "# Copy this file to .env, fill it in, and keep .env out of git.\n"
    what = (
        f"{counted(len(missing), 'variable')} added"
        if text
        else "written, with the block's variables"
    )
    return FileChange(ENVIRONMENT, what, append(text, head + lines) if text else head + lines)


def _plan_domain(files: Mapping[str, str], has_folder: bool) -> FileChange:
    domains = {name: text for name, text in files.items() if name.endswith((".yml", ".yaml"))}
    domains = {name: t for name, t in domains.items() if name not in (CREDENTIALS, EXAMPLES)}
    there = _listed(domains, "intents")
    missing = [name for name in INTENTS if name not in there]
    name = next((each for each in (DOMAIN, "domain.yaml") if each in domains), DOMAIN)
    if has_folder and name not in domains:
        name = DOMAIN_FOLDER_FILE
    if not missing:
        return FileChange(name, "has the intents already")
    count, text = counted(len(missing), "intent"), domains.get(name, "")
    new = add_names(text, parse(text, name), "intents", missing)
    if new is None or not _only_adds(_value(text, name), _value_or_none(new)):
        snippet = "".join(f"- {intent}\n" for intent in missing)
        return FileChange(
            name, "is written in a way of its own; add", by_hand=f"intents:\n{snippet}"
        )
    return FileChange(name, f"{count} added" if text else f"written, with {count}", new)


def _listed(domains: Mapping[str, str], key: str) -> set[str]:
    values = [_value(text, name) for name, text in domains.items()]
    return {
        each
        for value in values
        if isinstance(value, Mapping)
        for each in listed_names(value.get(key))
    }


def _value(text: str, name: str) -> Any:
    """Raises `DomainError` for what is no YAML."""
    return parse(text, name).value


def _value_or_none(text: str) -> Any:
    try:
        return parse(text, "").value
    except DomainError:
        return None


def _only_adds(before: Any, after: Any) -> bool:
    """Return whether *after* contains all of *before*; lists may be longer."""
    if before is None:
        return after is not None
    if isinstance(before, Mapping):
        return isinstance(after, Mapping) and all(
            key in after and (value == after[key] or _only_adds(value, after[key]))
            for key, value in before.items()
        )
    if isinstance(before, list):
        return isinstance(after, list) and after[: len(before)] == before
    return bool(before == after)


def append(text: str, addition: str) -> str:
    """Append *addition* to *text*, after an empty line."""
    if not text.strip():
        return text + addition
    return f"{text.rstrip()}\n\n{addition}"


def add_names(text: str, document: YamlDocument, key: str, names: Iterable[str]) -> str | None:
    """
    Append *names* to the list at the top-level *key*, which is added if missing.

    Return None where the list is written in brackets, so that lines cannot be added.
    """
    names = list(names)
    value = (document.value or {}).get(key)
    if key not in (document.value or {}):
        return append(text, "\n".join([f"{key}:", *(f"- {name}" for name in names)]) + "\n")
    lines = text.split("\n")
    start = document.line_of((key,))
    if value is None:
        return _put(lines, start, [f"- {name}" for name in names])
    if not isinstance(value, list) or not value:
        return None
    first = document.line_of((key, 0))
    dash = re.match(r"(\s*)-", lines[first - 1])
    if first == start or dash is None:
        return None
    end = _end_of_list(lines, document.line_of((key, len(value) - 1)), len(dash[1]))
    return _put(lines, end, [f"{dash[1]}- {name}" for name in names])


def _end_of_list(lines: list[str], last: int, indent: int) -> int:
    """Return the number of the list's last line; its last item begins at *last*."""
    end = last
    while end < len(lines):
        line = lines[end]
        inside = len(line) - len(line.lstrip()) > indent
        if not line.strip() or not inside:
            break
        end += 1
    return end


def _put(lines: list[str], behind: int, new: list[str]) -> str:
    return "\n".join([*lines[:behind], *new, *lines[behind:]])


def block_of(api: str, *, simulator: bool) -> str:
    """Return the channel's block for *api*, or for a *simulator* of it, as in credentials.yml."""
    combine = ("combine", "turn", "fewer messages, each of which is billed")
    if simulator:
        config = Config(api=APIS[api])
        address = f"http://{config.host}:{config.port}"
        return f"{credentials_block(config, address)}\n  {combine[0]}: {combine[1]}\n"
    keys = (*_KEYS[api], combine)
    pairs = [(f"  {key}: {value}", comment) for key, value, comment in keys]
    width = max(len(line) for line, _ in pairs)
    lines = [f"{line:<{width}}  # {comment}" if comment else line for line, comment in pairs]
    return "\n".join([f"{CHANNEL}:", f"  api: {api}", *lines]) + "\n"


def _variables(api: str) -> dict[str, str]:
    """Return the variables of the block with their purpose."""
    return {value.strip("${}"): comment or key for key, value, comment in _KEYS[api]}
