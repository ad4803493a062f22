"""
What became of the bot's answers, judged by what the phones show and what was said of the rest.

All of it is read from a simulator's records: chats, refusals, requests and webhooks.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import yaml

from rasa_whatsapp_channel.simulator.media_library import media_objects

Json = Any
TABLE: Mapping[str, list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("responses.yml").read_text(encoding="utf-8")
)["responses"]
LONG = "\n".join(f"This is line {n} of a story that nobody reads to the end." for n in range(100))
PUBLIC = "http://93.184.215.14/"
FILES = ("image", "document", "audio", "video", "sticker")
# What stands in a response or a message and is no text for people.
SILENT = frozenset(
    {"id", "payload", "type", "path", "image_url", "filename", "button_type", "sub_type", "code"}
    | {"parameter_name", "index", "language", "media_type", "sha256", "mime_type", "voice"}
)
# Files that nobody can have, by what their addresses hold.
DEAD = re.compile(
    r"/gone/|/closed/|//10\.0\.0\.7/|notes\.txt|nothing\.jpg|silence\.ogg|\.\./|^103754329154363"
)
# What WhatsApp refuses as a whole.
REFUSED = frozenset({"utter_template_gone", "utter_own_typo"})
NO_MEDIA = re.compile(r"There is no media with id ([\w-]+)\.")
ANSWER_LOST = ("answer is lost", "never answers", "answer breaks off")
LOST = "lost by a fault"
DELIVERED_TIMEOUT = 3.0  # as `delivered_timeout` in the settings


def responses_to(text: str) -> list[dict[str, Any]]:
    """Return what the bot says to somebody who writes "utter_text utter_image_id:1037543"."""
    return [response_of(*word.split(":")) for word in text.split()]


def response_of(name: str, media_id: str = "") -> dict[str, Any]:
    return {**_filled(TABLE[name][0], media_id), "utter_action": name}


def kind_by_id(name: str) -> str | None:
    """Return of which kind the file is that is said by a living id."""
    attachment = TABLE[name][0].get("attachment", {})
    return str(attachment["type"]) if attachment.get("id") == "{id}" else None


def _filled(value: Json, media_id: str) -> Json:
    if isinstance(value, Mapping):
        return {key: _filled(part, media_id) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, media_id) for part in value]
    if isinstance(value, str):
        return value.replace("{id}", media_id).replace("{long}", LONG)
    return value


def texts_of(value: Json) -> Iterator[str]:
    """Return every line that people read in a response, or in the content of a message."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            if key in SILENT or (key in FILES and isinstance(part, str)) or key == "link":
                continue
            if key == "name" and "parameters" in value:  # of an action, such as cta_url
                continue
            yield from texts_of(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from texts_of(part)
    elif isinstance(value, str):
        yield from value.splitlines()


def files_of(value: Json) -> Iterator[str]:
    """Return path, link or id of every file in a response."""
    if isinstance(value, list):
        for part in value:
            yield from files_of(part)
    if not isinstance(value, Mapping):
        return
    for key, part in value.items():
        if key == "image_url" or (key in FILES and isinstance(part, str)):
            yield str(part)
        elif key in (*FILES, "attachment") and isinstance(part, Mapping):
            yield str(part.get("link") or part.get("path") or part.get("id"))
        else:
            yield from files_of(part)


def plain(texts: str | Iterable[str]) -> str:
    """Return letters and digits alone: how a text looks is not what this is about."""
    return "".join(char for char in "".join(texts).casefold() if char.isalnum())


@dataclass(frozen=True)
class Seen:
    """What one person was to see of one response, and what there was."""

    response: Mapping[str, Any]
    messages: Sequence[Json]  # of the chat, in the order in which the phone shows them
    failed: Sequence[Json]
    given_up: Sequence[Json]  # refusals by the channel
    gone: frozenset[str] = frozenset()  # ids that have died
    files: int = 0  # of its own, that are shown

    @property
    def name(self) -> str:
        return str(self.response["utter_action"])

    @property
    def wanted(self) -> list[str]:
        said = {key: part for key, part in self.response.items() if key != "utter_action"}
        return [line for line in texts_of(said) if plain(line)]

    @property
    def missing(self) -> list[str]:
        """Return what the phone does not show, though it could be shown, or nothing says why."""
        shown = plain(self._visible(self.messages))
        said = plain(self._said())
        missing = [line for line in self.wanted if plain(line) not in shown]
        if self.name in REFUSED:
            missing = [line for line in missing if plain(line) not in said]
        files = list(files_of(self.response))
        lost = len(files) - self.files
        dead = [file for file in files if DEAD.search(file) or file in self.gone]
        if lost > len(dead):
            return [*missing, *files]
        if lost <= 0:
            return missing
        links = [file for file in dead if file.startswith(PUBLIC)] if said else dead
        return missing + [link for link in links if plain(link) not in shown + " " + said]

    @property
    def is_whole(self) -> bool:
        return bool(self.messages or self.given_up) and not self.missing

    @property
    def named(self) -> int:
        """Return how much of it is named only."""
        shown = plain(self._visible(self.messages))
        texts = sum(plain(line) not in shown for line in self.wanted)
        files = len(list(files_of(self.response))) - self.files
        return texts + max(files, 0)

    def place_of(self, line: str, requests: Iterable[Json], webhooks: Iterable[Json]) -> int | None:
        """
        Return which message of the whole chat shows *line* first.

        None where something may have overtaken it: it failed at first, which was told when nothing
        waited for it any more, or it has a file that the phone showed later than the channel waits
        for.
        """
        failed = any(
            plain(line) in plain(self._visible([each]))
            and not fails_early(each, requests, webhooks)
            for each in self.failed
        )
        for message in self.messages:
            if plain(line) in plain(self._visible([message])):
                return None if failed or is_late(message, requests) else int(message["place"])
        return None

    def doubles(self) -> list[tuple[Json, Json]]:
        """Return the pairs of messages that are one message twice."""
        alike: dict[str, list[Json]] = {}
        for message in self.messages:
            alike.setdefault(look_of(message), []).append(message)
        return [pair for each in alike.values() for pair in pairwise(each)]

    def _visible(self, messages: Iterable[Json]) -> Iterator[str]:
        for message in messages:
            yield from texts_of([message["content"], message["filled"]])

    def _said(self) -> Iterator[str]:
        for message in self.messages:
            yield from (str(part) for change in message["changes"] for part in change.values())
        for each in self.given_up:
            yield str(each["rule"])
            yield from texts_of((each["request"] or {}).get("body"))


def _own_files(
    response: Mapping[str, Any],
    asked: Iterable[Mapping[str, Any]],
    messages: Iterable[Json],
    outbound: Iterable[Json],
    gone: frozenset[str],
) -> int:
    """Return how many files of *response* are shown: without those of what shares its messages."""
    names = {response["utter_action"], *(name for each in messages for name in names_of(each))}
    shown = sum(
        files_in(each)
        for each in outbound
        if each["status"] != "failed" and names & {*names_of(each)}
    )
    others = [each for each in asked if each["utter_action"] in names - {response["utter_action"]}]
    living = [
        file
        for other in others
        for file in files_of(other)
        if not (DEAD.search(file) or file in gone)
    ]
    return shown - len(living)


def names_of(message: Json) -> list[str]:
    """Return the responses that a message holds."""
    return str(message["response"]).split(", ")


def files_in(message: Json) -> int:
    return sum(1 for _ in media_objects(message["type"], message["content"]))


def is_late(message: Json, requests: Iterable[Json]) -> bool:
    """Was the file of *message* shown so long after WhatsApp had it that the next one went?"""
    taken = [each["time"] for each in requests if each["body"] == message["body"]]
    shown = message["timestamp"] + 1  # a whole second, rounded down
    return bool(files_in(message)) and shown - min(taken) > DELIVERED_TIMEOUT


def fails_early(message: Json, requests: Iterable[Json], webhooks: Iterable[Json]) -> bool:
    """Was told that *message* failed while what came after it waited for its file?"""
    taken = min(each["time"] for each in requests if each["body"] == message["body"])
    told = [
        each["time"]
        for each in webhooks
        if not each["error"] and _statuses(each["body"], message["id"]) & {"failed"}
    ]
    return bool(files_in(message) and told) and min(told) - taken < DELIVERED_TIMEOUT - 1


def _statuses(body: Json, message_id: str) -> set[str]:
    """Return what a webhook tells of the message."""
    values = [change["value"] for entry in body.get("entry", ()) for change in entry["changes"]]
    return {
        status["status"]
        for value in values or [body]  # on-premises and Turn have no envelope
        for status in value.get("statuses", ())
        if status["id"] == message_id
    }


def look_of(message: Json) -> str:
    """Return what tells a message from another one: a file that is sent again has another id."""

    def look(value: Json) -> Json:
        if isinstance(value, Mapping):
            left = (key for key in value if key not in ("id", "link", "url", "sha256"))
            return {key: look(value[key]) for key in left}
        return [look(part) for part in value] if isinstance(value, list) else value

    return json.dumps([message["type"], look(message["content"])], sort_keys=True)


@dataclass
class Verdict:
    """The lists are faults, in words."""

    answers: int = 0
    items: int = 0  # texts, options, files and links of all answers
    named: int = 0  # of these in a change or a loss only
    lost: list[str] = field(default_factory=list)  # answers of which nothing is seen or said
    unsaid: list[str] = field(default_factory=list)  # parts of answers
    doubled: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    unknowable: list[str] = field(default_factory=list)  # twice, and WhatsApp told nobody

    def __str__(self) -> str:
        return (
            f"{self.answers} answers, {len(self.lost)} lost, {len(self.doubled)} doubled "
            f"({len(self.unknowable)} that nobody could know of), "
            f"{len(self.disordered)} out of order; {self.items - len(self.unsaid)} of "
            f"{self.items} parts shown or named, {self.named} of them named"
        )

    @property
    def faults(self) -> list[str]:
        lists = {
            "lost": self.lost,
            "not shown, not said": self.unsaid,
            "doubled": self.doubled,
            "out of order": self.disordered,
        }
        return [f"{name}: {text}" for name, texts in lists.items() for text in texts]


def seen_by(
    asked: Sequence[Mapping[str, Any]], chat: Sequence[Json], refusals: Iterable[Json]
) -> list[Seen]:
    """Return what became of each of the responses that were *asked* for in *chat*."""
    outbound = [
        {**message, "place": place}
        for place, message in enumerate(chat)
        if message["direction"] == "outbound"
    ]
    given_up = [each for each in refusals if each["by"] == "channel"]
    gone = frozenset(found[1] for each in refusals if (found := NO_MEDIA.search(str(each["rule"]))))
    seen = []
    for response in asked:
        ours = [each for each in outbound if response["utter_action"] in names_of(each)]
        messages = [each for each in ours if each["status"] != "failed"]
        seen.append(
            Seen(
                response=response,
                messages=messages,
                failed=[each for each in ours if each["status"] == "failed"],
                given_up=[e for e in given_up if response["utter_action"] in names_of(e)],
                gone=gone,
                files=_own_files(response, asked, messages, outbound, gone),
            )
        )
    return seen


def judge(
    seen: Mapping[str, Sequence[Seen]], requests: Sequence[Json], webhooks: Sequence[Json]
) -> Verdict:
    """Judge what everybody has seen of everything, by name of the person."""
    verdict = Verdict()
    for person, answers in seen.items():
        for each in answers:
            verdict.answers += 1
            verdict.items += len(each.wanted) + len(list(files_of(each.response)))
            verdict.named += each.named
            missing = each.missing
            if not each.messages and (not each.given_up or each.missing):
                verdict.lost.append(f"{person}: {each.name}")
            elif missing:
                verdict.unsaid.append(f"{person}: {each.name}: {missing}")
            for first, again in each.doubles():
                known = is_known(first, again, requests, webhooks)
                doubles = verdict.doubled if known else verdict.unknowable
                story = story_of((first, again), requests, webhooks)
                doubles.append(f"{person}: {each.name}\n{story}")
        places = [
            (line, each.place_of(line, requests, webhooks))
            for each in answers
            for line in each.wanted
        ]
        found = [(line, place) for line, place in places if place is not None]
        verdict.disordered += [
            f"{person}: {late!r} before {early!r}"
            for (early, before), (late, behind) in combinations(found, 2)
            if behind < before
        ]
    return verdict


def is_known(first: Json, again: Json, requests: Iterable[Json], webhooks: Iterable[Json]) -> bool:
    """
    Could the channel know that WhatsApp had *first* when it sent it *again*?

    Not where the answer and every status of this very message were lost.
    """
    unanswered = any(
        entry["body"] == first["body"] and any(lost in entry["fault"] for lost in ANSWER_LOST)
        for entry in requests
        if entry["fault"]
    )
    told = [each for each in webhooks if first["id"] in json.dumps(each["body"])]
    return not unanswered or any(each["error"] != LOST for each in told)


def story_of(messages: Iterable[Json], requests: Iterable[Json], webhooks: Iterable[Json]) -> str:
    """Tell what happened around *messages*, in the order of time."""
    lines = []
    for message in messages:
        lines += [
            (each["time"], f"{each['status']} for {message['id'][-6:]}: {each['fault']}")
            for each in requests
            if each["body"] == message["body"]
        ]
        lines += [
            (each["time"], f"told of {message['id'][-6:]}: {each['status'] or each['error']}")
            for each in webhooks
            if message["id"] in json.dumps(each["body"])
        ]
    return "\n".join(f"      {at:.2f} {what}" for at, what in sorted(lines))


def met(faults: Iterable[Json]) -> Counter[str]:
    return Counter(f"{each['kind']}: {next(iter(each['do']))}" for each in faults)
