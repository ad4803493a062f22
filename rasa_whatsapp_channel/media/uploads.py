"""
Media uploads: finds, converts, checks and uploads the files of a message, and reuses their ids.

An id belongs to the content of a file, so files may be renamed, copied and changed at any time.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rasa_whatsapp_channel import instrumentation
from rasa_whatsapp_channel.media import files, names
from rasa_whatsapp_channel.media.access import LINKS, FileAccess, scheme_of, short
from rasa_whatsapp_channel.media.content import Content, read_content
from rasa_whatsapp_channel.media.convert.converter import Converter
from rasa_whatsapp_channel.media.convert.plan import Need
from rasa_whatsapp_channel.media.links import Fetched, Links
from rasa_whatsapp_channel.media.sources import Sources
from rasa_whatsapp_channel.store.base import Values
from rasa_whatsapp_channel.whatsapp import limits, mime
from rasa_whatsapp_channel.whatsapp.clients.base import Client
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.messages import (
    Audio,
    Media,
    MediaMessage,
    Message,
    replace_media,
)
from rasa_whatsapp_channel.whatsapp.transport import File

logger = logging.getLogger(__name__)

# An id that ends while the message is on its way would be refused.
MARGIN: Final = 3600
# As long as the Cloud API keeps what it fetched from a link.
LINK_LIFE: Final = 600


@dataclass(frozen=True)
class Uploaded:
    """An uploaded file, and the *kind* of message it is for; *key* is where the id is kept."""

    id: str
    key: str
    name: str
    kind: str


class MediaUploads:
    """
    Replaces paths by the ids of uploaded files. *root* is the bot's folder, where paths begin;
    *access* says which files may be sent. Without *root* any file of this machine may be sent.
    *account* owns the ids.

    *upload* is the setting: files behind links are uploaded ``always``, ``never``, or if the API
    takes no links. Without *converter* files are sent as they are, or not at all.

    Raises `MediaError` for a file that cannot be sent, `SendError` for a failed upload, and
    `StoreError`.
    """

    def __init__(
        self,
        client: Client,
        values: Values,
        *,
        root: Path | None,
        account: str,
        links: Links,
        access: FileAccess | None = None,
        converter: Converter | None = None,
        upload: str = "auto",
    ) -> None:
        self._client = client
        self._values = values
        self._links = links
        self._access = access or FileAccess()
        self._sources = Sources(self._access)
        self._converter = converter
        self._upload_when = upload
        self.may_upload = upload != "never"
        self._root = root
        self._account = account
        self._running: dict[str, asyncio.Task[Uploaded]] = {}

    def has_work(self, message: Message, *, links: bool = False) -> bool:
        """Return whether `prepare` has files to find, and so may take long."""
        links = self._takes_links_over(message, links)
        return any(media.path or (links and media.link) for media, _ in files.find_kinds(message))

    async def prepare(self, message: Message, *, links: bool = False) -> Message:
        """
        Return *message* as it can be sent, with an id where it had a path.

        With *links* the files behind links are fetched and uploaded too, as they always are for an
        API that takes none.
        """
        links = self._takes_links_over(message, links)
        made: dict[Media, Uploaded] = {}
        for media, kind in files.find_kinds(message):
            source = media.path or (media.link if links else None)
            if source is not None:
                need, others = self._need(message, kind), names.other_kinds(message)
                try:
                    made[media] = await self._find(source, need, others)
                except MediaError as error:
                    raise MediaError(str(error), passing=error.passing, source=source) from error
        message = names.with_names(message, {old: new.name for old, new in made.items()})
        prepared = replace_media(message, {old: Media(id=new.id) for old, new in made.items()})
        for new in made.values():  # one, where it may be of another kind
            prepared = names.as_kind(prepared, new.kind, new.name)
        return prepared

    async def upload(self, path: str, kind: str, *, voice: bool = False) -> str:
        """Return the id of the file at *path*, which is to be sent as *kind*."""
        need = Need(kind, voice, self._client.api.animated_stickers)
        return (await self._find_file(path, need)).id

    async def may_be_shown(self, media: Media) -> bool:
        """Tell whether a person may read where *media* lies: a link that anybody can open."""
        if media.link is None or media.provider is not None:
            return False
        return await self._links.may_be_shown(media.link)

    async def forget(self, media_id: str) -> bool:
        """
        Upload the file behind *media_id* anew when it is needed next: the platform lost it.

        False: it is none of ours, or known to be lost already.
        """
        content_key = _content_key(self._account, media_id)
        key = await self._values.get(content_key)
        if not isinstance(key, str):
            return False
        await self._values.delete(key)
        await self._values.delete(content_key)
        return True

    async def close(self) -> None:
        """Cancel the uploads that are still running."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _takes_links_over(self, message: Message, asked: bool) -> bool:
        # Headers of interactive messages and templates take links everywhere.
        refused = isinstance(message, MediaMessage) and not self._client.api.link
        if not self.may_upload:
            return refused
        return asked or refused or self._upload_when == "always"

    def _need(self, message: Message, kind: str) -> Need:
        voice = isinstance(message, Audio) and message.voice
        return Need(kind, voice, self._client.api.animated_stickers)

    async def _find(
        self, source: str, need: Need, others: frozenset[str] = frozenset()
    ) -> Uploaded:
        """
        Return the id of what is at *source*: a path, a link, or an address of a store.

        A file that is of another kind by its content goes as that, if it is one of *others*.
        """
        if not self.may_upload:
            what = "cannot go as a link here" if scheme_of(source) in LINKS else "is no link"
            raise MediaError(f"{short(source)}: {what}, and `media: {{upload: never}}` is set")
        scheme = scheme_of(source)
        if not scheme:
            return await self._find_file(source, need, others)
        tag = "" if scheme in LINKS else await self._sources.tag(source)
        digest = hashlib.sha256(f"{tag} {source}".encode("utf-8", "surrogatepass")).hexdigest()
        wanted = "-".join((need.name, *sorted(others)))
        key = f"media-source:{self._account}:{digest}:{wanted}"
        known = await self._values.get(key)
        if isinstance(known, list):
            media_id = await self._values.get(known[0])
            if isinstance(media_id, str):
                return Uploaded(media_id, *known)
        return await self._share(key, lambda: self._fetch(source, need, others, key))

    async def _fetch(self, source: str, need: Need, others: frozenset[str], key: str) -> Uploaded:
        async with self._open(source) as fetched:
            made = await self._upload(short(source), fetched, need, others)
        life = LINK_LIFE if scheme_of(source) in LINKS else self._life
        await self._values.set(key, [made.key, made.name, made.kind], life)
        return made

    @asynccontextmanager
    async def _open(self, source: str) -> AsyncIterator[Fetched]:
        fetcher = self._links if scheme_of(source) in LINKS else self._sources
        async with fetcher.fetch(source) as fetched:
            yield fetched

    async def _find_file(
        self, path: str, need: Need, others: frozenset[str] = frozenset()
    ) -> Uploaded:
        found = await asyncio.to_thread(files.find, self._root, path, self._access)
        return await self._upload(path, Fetched(found, found.name), need, others)

    async def _upload(
        self, said: str, fetched: Fetched, need: Need, others: frozenset[str]
    ) -> Uploaded:
        """Upload a file unless it was before; *said* is what its author called it."""
        content = await asyncio.to_thread(_look, said, fetched.path)
        kind = files.kind_inside(content.head, need.kind, self._client.api)
        if kind != need.kind and kind in others:
            found = mime.from_content(content.head)
            logger.warning(
                "whatsapp.other_kind: %s: is %s inside, so it goes as %s and not as %s",
                said,
                found,
                kind,
                need.kind,
            )
            need = Need(kind, animated_stickers=need.animated_stickers)
            inside = mime.base_type(found or mime.ANY)
            fetched = replace(fetched, name=names.of_type(fetched.name, inside))
        mime_type = files.mime_type_of(content.head, fetched.name, need.kind)
        key = f"media:{self._account}:{content.digest}:{mime_type}:{need.name}"
        known = await self._values.get(key)
        if isinstance(known, str):
            return Uploaded(known, key, fetched.name, need.kind)
        made = await self._share(
            key, lambda: self._make(said, fetched, content, need, mime_type, key)
        )
        return replace(made, name=fetched.name)

    async def _make(
        self,
        said: str,
        fetched: Fetched,
        content: Content,
        need: Need,
        mime_type: str,
        key: str,
    ) -> Uploaded:
        known = await self._values.get(key)
        if isinstance(known, str):
            return Uploaded(known, key, fetched.name, need.kind)
        path = await self._fit(said, fetched.path, content, need, mime_type)
        file = await asyncio.to_thread(self._check, said, path, fetched, need)
        with instrumentation.file_span("upload", file.mime_type):
            media_id = await self._client.upload(file)
        # Before the id is kept: it would stand for another content for a month.
        await asyncio.to_thread(_check_unchanged, said, fetched.path, content)
        await self._values.set(_content_key(self._account, media_id), key, self._life)
        await self._values.set(key, media_id, self._life)
        return Uploaded(media_id, key, fetched.name, need.kind)

    async def _fit(
        self, said: str, path: Path, content: Content, need: Need, mime_type: str
    ) -> Path:
        """Return what the file at *path* becomes: itself where it is right, or nothing helps."""
        if self._converter is None or content.size == 0:
            return path
        try:
            with instrumentation.file_span("convert", mime_type) as span:
                fitting = await self._converter.fit(path, content.digest, need, mime_type)
                span.set_attribute(instrumentation.CONVERTED, fitting != path)
                return fitting
        except MediaError as error:
            if error.passing:
                raise MediaError(f"{said}: {error}", passing=True) from error
            try:  # it may be taken as it is: what converts is stricter
                await asyncio.to_thread(self._check, said, path, Fetched(path, path.name), need)
            except MediaError as problem:
                raise MediaError(f"{problem}; {error}") from error
            logger.warning("whatsapp.not_converted: %s: %s", said, error)
            return path

    def _check(self, said: str, path: Path, fetched: Fetched, need: Need) -> File:
        """Return the file at *path* when it can go. Blocks."""
        content = _look(said, path)
        files.check_size(said, content.size, limits.MEDIA_BYTES[need.kind], need.kind)
        # Its ending tells, unless it is a temporary file or a result, which are named by us.
        named = fetched.name if path == fetched.path else path.name
        mime_type = files.mime_type_of(content.head, named, need.kind)
        files.check_type(said, mime_type, need.kind, fetched.name)
        if need.kind == "sticker":
            files.check_sticker(said, content.size, content.head, self._client.api)
        name = fetched.name
        if need.kind != "document":  # WhatsApp goes by the extension, whatever type is said
            name = Path(name).stem + names.ending(mime_type)
        return File(path, files.sent_type(mime_type, need.kind, self._client.api), name)

    async def _share(self, key: str, work: Callable[[], Coroutine[Any, Any, Uploaded]]) -> Uploaded:
        """Do *work* once for all who want *key* at the same time."""
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(work())
            task.add_done_callback(lambda done: self._end(key, done))
        # A caller that is cancelled must not cancel the upload for the others.
        return await asyncio.shield(task)

    def _end(self, key: str, task: asyncio.Task[Uploaded]) -> None:
        del self._running[key]
        if not task.cancelled():
            task.exception()  # seen, also when nobody waits for it any more

    @property
    def _life(self) -> float:
        return self._client.api.media_id_life - MARGIN


def _look(said: str, path: Path) -> Content:
    try:
        return read_content(path)
    except OSError as error:
        raise MediaError(f"{said}: cannot be read: {error}") from error


def _check_unchanged(said: str, path: Path, content: Content) -> None:
    """Raise `MediaError` where *content* is no longer what the file at *path* holds. Blocks."""
    with suppress(FileNotFoundError):  # one that was deleted was not changed
        if read_content(path) != content:
            raise MediaError(f"{said}: was changed while it was uploaded", passing=True)


def _content_key(account: str, media_id: str) -> str:
    """Where the key of the content that became *media_id* is kept, so that it can be forgotten."""
    return f"media-id:{account}:{media_id}"
