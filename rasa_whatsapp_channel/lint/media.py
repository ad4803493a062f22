"""
Media of a variation: whether its files and links exist and WhatsApp accepts them.

`ask_all` asks the servers of links, the only network access of the linter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from rasa_whatsapp_channel.compose.markdown import replace_images
from rasa_whatsapp_channel.domain import marked
from rasa_whatsapp_channel.domain.slots import texts_of
from rasa_whatsapp_channel.lint.composed import Sent
from rasa_whatsapp_channel.lint.rules import Remark, remark
from rasa_whatsapp_channel.media import files
from rasa_whatsapp_channel.media.access import FileAccess, scheme_of
from rasa_whatsapp_channel.media.convert.plan import Clip, Need, Source, decide, needs_a_look
from rasa_whatsapp_channel.media.names import other_kinds
from rasa_whatsapp_channel.whatsapp import limits, mime
from rasa_whatsapp_channel.whatsapp.apis import Api
from rasa_whatsapp_channel.whatsapp.errors import MediaError, TransportError
from rasa_whatsapp_channel.whatsapp.media_headers import read_opus_channels, read_picture
from rasa_whatsapp_channel.whatsapp.messages import Audio, Message
from rasa_whatsapp_channel.whatsapp.networks import is_inner
from rasa_whatsapp_channel.whatsapp.transport import Request, Transport
from rasa_whatsapp_channel.whatsapp.uris import to_uri

# Generic types that say nothing about a file.
_UNTOLD: Final = frozenset({mime.ANY, "binary/octet-stream"})

TIMEOUT: Final = 10.0  # seconds for one link
_REDIRECTS: Final = 5
_AT_ONCE: Final = 8  # links


@dataclass(frozen=True)
class LinkAnswer:
    """A server's answer to a link, or the *problem*; *size* in bytes."""

    mime_type: str = ""
    size: int | None = None
    problem: str | None = None


async def ask_all(transport: Transport, links: Iterable[str]) -> dict[str, LinkAnswer]:
    """Request each of *links* once. Errors of servers are returned, not raised."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def ask(link: str) -> LinkAnswer:
        async with turn:
            return await _ask(transport, link)

    wanted = list(dict.fromkeys(links))
    return dict(zip(wanted, await asyncio.gather(*map(ask, wanted)), strict=True))


async def _ask(transport: Transport, link: str) -> LinkAnswer:
    url = link
    try:
        for _ in range(_REDIRECTS + 1):
            # As WhatsApp does it; many servers refuse HEAD. The body is not read.
            async with transport.stream(Request("GET", url, timeout=TIMEOUT)) as answer:
                if answer.status in (301, 302, 303, 307, 308):
                    url = urljoin(url, answer.headers.get("location", ""))
                    continue
                if answer.status != 200:
                    return LinkAnswer(problem=f"answers HTTP {answer.status}")
                return _read(answer.headers)
    except TransportError as error:
        return LinkAnswer(problem=str(error))
    return LinkAnswer(problem="leads from one address to the next")


def _read(headers: Mapping[str, str]) -> LinkAnswer:
    length = headers.get("content-length", "")
    return LinkAnswer(headers.get("content-type", ""), int(length) if length.isdecimal() else None)


@dataclass(frozen=True)
class Use:
    """
    A file or link that a response sends as *kind*, written at *path*.

    A file whose content is of one of the kinds in *others* is sent as that kind.
    """

    source: str
    is_link: bool
    kind: str
    voice: bool
    path: marked.Path
    others: frozenset[str] = frozenset()


def find_uses(variation: Mapping[str, Any], sents: Iterable[Sent]) -> Iterator[Use]:
    """Yield the files and links of *variation*, except those that slots are part of."""
    texts = texts_of(variation)
    written = {_as_sent(source): path for path, text in texts for source in _sources(text)}
    for message in (message for sent in sents for message in _messages(sent)):
        voice = isinstance(message, Audio) and message.voice
        for media, kind in files.find_kinds(message):
            source = media.path or media.link
            if source in written:
                is_link, others = media.link is not None, other_kinds(message)
                yield Use(source, is_link, kind, voice, written[source], others)


def _sources(text: str) -> list[str]:
    """Return *text*, which may be a link or a path, and those of the pictures in it."""
    sources = [text]
    replace_images(text, lambda _, address: sources.append(address))
    return sources


def _as_sent(text: str) -> str:
    try:
        return to_uri(text)
    except ValueError:  # a path, or no source at all
        return text.strip()


def _messages(sent: Sent) -> Iterator[Message]:
    yield from (outgoing.message for outgoing in sent.composed.messages)
    if sent.composed.template is not None:
        yield sent.composed.template


def check_link(use: Use, api: Api, answer: LinkAnswer | None) -> Iterator[Remark]:
    """Yield what is wrong with a link; *answer* is that of its server, where it was asked."""
    host = _host(use.source)
    if api.name != "on_premises" and is_inner(host):  # that one fetches from where it runs
        yield remark("WA705", use.path, link=use.source, host=host or "it")
    answer = answer or LinkAnswer(mime_type=mime.from_extension(use.source) or "")
    if answer.problem:
        yield remark("WA707", use.path, link=use.source, problem=answer.problem)
    if answer.mime_type:
        yield from _check_type(use, answer.mime_type, api)
    if answer.size is not None:
        yield from _check_size(use, answer.size)


def _check_type(use: Use, mime_type: str, api: Api) -> Iterator[Remark]:
    base, known = mime.base_type(mime_type), limits.MEDIA_TYPES[use.kind]
    any_type = use.kind == "document" and (api.any_document or base in _UNTOLD)
    if base not in known and not any_type:
        types = ", ".join(sorted(known))
        yield remark("WA706", use.path, link=use.source, mime_type=base, known=types, kind=use.kind)


def check_file(use: Use, root: Path, api: Api, access: FileAccess) -> Iterator[Remark]:
    """Yield what is wrong with a file below *root*, the bot's folder; stores are not asked."""
    need = Need(use.kind, use.voice, api.animated_stickers)
    try:
        if scheme := scheme_of(use.source):
            if scheme != "data":
                access.address_of(use.source)
            return
        found = files.find(root, use.source, access)
        kind = files.kind_inside(_read_head(found), use.kind, api)
        if kind != use.kind and kind in use.others:
            yield remark("WA708", use.path, path=use.source, kind=use.kind, new=kind)
            use, need = replace(use, kind=kind), replace(need, kind=kind, voice=False)
        source = read_source(found, need)
    except (MediaError, OSError) as error:
        yield remark("WA701", use.path, problem=error)
        return
    if source.size and decide(need, source):
        yield remark("WA704", use.path, path=use.source, what=_describe(source), kind=use.kind)
        return
    wrong = list(_check_size(use, source.size))
    yield from wrong
    if wrong:
        return
    try:
        files.check_type(use.source, source.mime_type, use.kind, found.name)
    except MediaError as error:
        yield remark("WA703", use.path, problem=error)
    base = mime.base_type(files.sent_type(source.mime_type, use.kind, api))
    listed = limits.MEDIA_TYPES["document"]
    if use.kind == "document" and not api.any_document and base not in listed:
        yield remark("WA709", use.path, path=use.source, mime_type=base)


def _check_size(use: Use, size: int) -> Iterator[Remark]:
    try:
        files.check_size(use.source, size, limits.MEDIA_BYTES[use.kind], use.kind)
    except MediaError as error:
        yield remark("WA702", use.path, problem=error)


def _host(link: str) -> str:
    try:
        return urlsplit(link).hostname or ""
    except ValueError:  # such as "http://["
        return ""


def read_source(path: Path, need: Need) -> Source:
    """Return facts of the file at *path*. Clips are analysed where PyAV is installed."""
    with path.open("rb") as file:
        head = file.read(mime.HEAD)
        file.seek(0)
        picture = read_picture(file)
    mime_type = files.mime_type_of(head, path.name, need.kind)
    clip = _look_into(path) if needs_a_look(need, mime_type) else None
    return Source(mime_type, path.stat().st_size, picture, read_opus_channels(head), clip)


def _read_head(path: Path) -> bytes:
    """Return the beginning of the file at *path*, which tells its type."""
    with path.open("rb") as file:
        return file.read(mime.HEAD)


def _describe(source: Source) -> str:
    return ", ".join(_facts(source))


def _look_into(path: Path) -> Clip | None:
    try:
        from rasa_whatsapp_channel.media.convert import streams
    except ImportError:
        return None
    return streams.look(path)


def _facts(source: Source) -> Iterator[str]:
    yield mime.base_type(source.mime_type)
    yield f"{source.size:,} bytes"
    if source.picture:
        yield f"{source.picture.width} × {source.picture.height} pixels"
    if source.channels:
        yield "mono" if source.channels == 1 else f"{source.channels} channels"
    if source.clip:
        yield " and ".join(name for name in (source.clip.video, *source.clip.sounds) if name)
        if source.clip.b_frames:
            yield f"{source.clip.profile} profile with B-frames"
        if not source.clip.index_first:
            yield "its index at the end"
