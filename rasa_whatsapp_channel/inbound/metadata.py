"""Metadata of a turn: event → ``tracker.latest_message["metadata"]["whatsapp"]``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from rasa_whatsapp_channel.media.values import InboundMedia, StoredFile, Transcript
from rasa_whatsapp_channel.whatsapp.events import Context, InboundMessage, Part
from rasa_whatsapp_channel.whatsapp.json_values import object_of, plain, text_of

# Parts of a message that the metadata names, beside those that `InboundMessage` has a field for.
_NAMED: Final = ("identity", "origin")
_SEED: Final = ("profile_name", "username", "country_code", "user_id", "phone_number_id")
MEDIA: Final = frozenset({"image", "video", "audio", "voice", "document", "sticker"})
#: https://developers.facebook.com/docs/whatsapp/flows/reference/media_upload
MOST_IN_FORM: Final = 30


def metadata_of(
    event: InboundMessage,
    file: StoredFile | None = None,
    *,
    problem: str | None = None,
    response: str | None = None,
    transcript: Transcript | None = None,
) -> dict[str, Any]:
    """
    Return what is known of *event*, in WhatsApp's words.

    *response* is the Rasa response that the message quotes, answers or reacts to, where known,
    *transcript* what is said in a voice note, *problem* why a file is not there.

    `type`, `id`, `timestamp`, `from`, `user_id`, `profile_name`, `phone_number_id`, `context` and
    `referral` are always there, None when absent. The part of the type stands under its name.
    """
    part = {event.type: _part(event, file, problem, response)}
    if transcript is not None and event.type in MEDIA:
        said = {
            "transcript": transcript.text,
            "transcript_language": transcript.language,
            "transcript_problem": transcript.problem,
        }
        part[event.type].update({key: value for key, value in said.items() if value})
    always = {
        "type": event.type,
        "id": event.id,
        "timestamp": event.timestamp,
        "from": event.phone,
        "user_id": event.user_id,
        "profile_name": event.profile_name,
        "phone_number_id": event.phone_number_id,
        "context": _context(event.context, response),
        "referral": event.referral,
    }
    sometimes = {
        "username": event.username,
        "parent_user_id": event.parent_user_id,
        "group_id": event.group_id,
        "country_code": event.country_code,
        "identity_key_hash": event.identity_key_hash,
        **{name: event.extra.get(name) for name in _NAMED},
        "extra": {
            name: value
            for name, value in event.extra.items()
            if name not in _NAMED and value is not None
        },
        "errors": [
            {"code": error.code, "title": error.title, "details": error.details}
            for error in event.errors
        ],
    }
    # A type may be called anything one day, so what is always there comes last.
    return {**part, **{key: value for key, value in sometimes.items() if value}, **always}


def seed_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what fields with ``seed: true`` of Rasa Pro's engine Mantle take, by their names."""
    advert = object_of(facts.get("referral"))
    seed = {
        "phone": facts.get("from"),
        **{name: facts.get(name) for name in _SEED},
        "ad": advert.get("source_id"),
        "ad_headline": advert.get("headline"),
    }
    return {name: value for name, value in seed.items() if value}


def media_of(event: InboundMessage) -> InboundMedia | None:
    """Return the file *event* brings; None without one, or when WhatsApp did not keep it for us."""
    content = object_of(event.content)
    media_id = text_of(content.get("id"))
    if event.type not in MEDIA or media_id is None:
        return None
    return InboundMedia(
        kind=event.type,
        id=media_id,
        url=text_of(content.get("url")),
        mime_type=text_of(content.get("mime_type")),
        sha256=text_of(content.get("sha256")),
        filename=text_of(content.get("filename")),
    )


def files_in_form(event: InboundMessage) -> Sequence[tuple[str, InboundMessage]]:
    """
    Return the photos and documents of a filled-in form, as many as one may have: the name of the
    field, a message of its own.

    None is without its hash. What stands in a form comes from a phone, which may write the id of
    anybody's file; only who has the file knows its hash, and the download is checked against it.

    https://developers.facebook.com/docs/whatsapp/flows/reference/media_upload
    """
    return list(islice(_files_in_form(event), MOST_IN_FORM))


def _files_in_form(event: InboundMessage) -> Iterator[tuple[str, InboundMessage]]:
    if event.type != "interactive":
        return
    answers = flow_response(object_of(object_of(event.content).get("nfm_reply"))) or {}
    for field, value in answers.items():
        for number, written in enumerate(map(object_of, value if isinstance(value, list) else ())):
            mime_type = text_of(written.get("mime_type")) or ""
            content = {
                **{"id": text_of(written.get("id")), "mime_type": mime_type},
                "sha256": text_of(written.get("sha256")),
                "filename": text_of(written.get("file_name")),
            }
            if all(content.values()):
                kind = "image" if mime_type.startswith("image/") else "document"
                message_id = f"{event.id}/{field}/{number}"
                yield field, replace(event, id=message_id, type=kind, content=content)


def with_files(event: InboundMessage, files: Sequence[Part]) -> InboundMessage:
    """Return a filled-in form with what is known of its *files*, beside what the phone wrote."""
    content = object_of(event.content)
    reply = {**object_of(content["nfm_reply"]), "files": list(files)}
    return replace(event, content={**content, "nfm_reply": reply})


def quoted_id(event: InboundMessage) -> str | None:
    """Return the id of the message that *event* quotes, answers or reacts to."""
    if event.type == "reaction":
        return text_of(object_of(event.content).get("message_id"))
    return event.context.message_id if event.context else None


def flow_response(reply: Part) -> dict[str, Any] | None:
    """Return the answers in a flow's reply; they come as JSON inside a text."""
    value = reply.get("response_json")
    try:
        value = plain(json.loads(value) if isinstance(value, str) else value)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _part(
    event: InboundMessage, file: StoredFile | None, problem: str | None, response: str | None
) -> Any:
    if event.type in MEDIA:
        return media_part(event, file, problem)
    content = object_of(event.content)
    if event.type == "reaction" and content and response:
        return {**content, "response": response}
    if event.type == "interactive" and "nfm_reply" in content:
        reply = object_of(content["nfm_reply"])
        return {**content, "nfm_reply": {**reply, "response": flow_response(reply)}}
    return event.content


def media_part(
    event: InboundMessage, file: StoredFile | None, problem: str | None
) -> dict[str, Any]:
    """Return what the metadata say of a medium: WhatsApp's part, and where its *file* is."""
    part = {
        **object_of(event.content),
        "path": file.path if file else None,
        "size": file.size if file else None,
    }
    if file is not None:
        part["mime_type"] = file.mime_type
    if media_of(event) is None:
        part["problem"] = "WhatsApp did not hand over the file"
    elif problem is not None:
        part["problem"] = problem
    return part


def _context(context: Context | None, response: str | None) -> dict[str, Any] | None:
    if context is None:
        return None
    words = {
        "id": context.message_id,
        "from": context.sender,
        "response": response if context.message_id else None,
        "forwarded": context.forwarded,
        "frequently_forwarded": context.frequently_forwarded,
        "referred_product": context.referred_product,
        "extra": context.extra,
    }
    return {key: value for key, value in words.items() if value}
