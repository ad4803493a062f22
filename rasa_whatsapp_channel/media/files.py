"""
Files of the bot: located, recognised by content, and checked against the limits of WhatsApp.

All functions raise `MediaError`; its text begins with the path as the author of the bot wrote it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel.media.access import HEAD, FileAccess, is_database, why_never
from rasa_whatsapp_channel.whatsapp import limits, mime
from rasa_whatsapp_channel.whatsapp.apis import Api
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.messages import Media, parts_of

_MODELS: Final = "models"  # where `rasa train` writes
_TEXTS: Final = frozenset({"application/json", "application/xml"})
_PICTURES: Final = frozenset({"image", "sticker"})
_FAMILIES: Final = ("image", "video", "audio")
# What can be of a kind, or be made into it.
_FITTING: Final = {
    "image": ("image",),
    "sticker": ("image",),
    "video": ("video",),
    "audio": ("audio", "video"),  # the sound of a clip
}
_KINDS: Final = {"gif": "video"}  # a template's gif is an mp4


def locate(root: Path, path: str, access: FileAccess) -> Path:
    """
    Return the file at *path*, which begins in *root* and may be sent as *access* says.

    All of *path* may be what a person wrote. So a symbolic link may not lead elsewhere either, and
    some files are never sent. A whole path is fine: actions hear of what people sent by such paths.
    """
    top = root.resolve()
    found = _as_stored(top / path).resolve()
    inner = access.find_below(top, found)
    if reason := _why_never(top, path, found, inner or ()):
        raise MediaError(f"{path}: {reason}")
    if inner is None:
        folders = ", ".join(access.folders) or "of which there are none"
        raise MediaError(
            f"{path}: lies outside of the folders that files are sent from: {folders}; move it "
            "there, or name its folder with `media: {folders: […]}` in the channel's block"
        )
    if not found.is_file():
        what = "is no file" if found.exists() else "does not exist"
        raise MediaError(f"{path}: {what} in the bot's folder, {top}")
    with found.open("rb") as file:
        if is_database(file.read(HEAD)):
            raise MediaError(f"{path}: a database is never sent")
    return found


def _as_stored(path: Path) -> Path:
    """
    Return *path* with the names that its folders have for it, where they write them otherwise.

    "ü" is one character, or two, as in archives made on a Mac: most file systems tell them apart.
    """
    if str(path).isascii() or path.exists():
        return path
    parent = _as_stored(path.parent)
    wanted = unicodedata.normalize("NFC", path.name)
    with suppress(OSError):
        for entry in parent.iterdir():
            if unicodedata.normalize("NFC", entry.name) == wanted:
                return entry
    return parent / path.name


def _why_never(top: Path, path: str, found: Path, inner: Sequence[str]) -> str | None:
    """Return why *found* is never sent; *inner* are its parts below the folder it is sent from."""
    if found.is_relative_to((top / _MODELS).resolve()):
        return "a model is never sent"
    return why_never(Path(path).parts[-1:]) or why_never(inner or found.parts[-1:])


def find(root: Path | None, path: str, access: FileAccess) -> Path:
    """
    Return the file at *path*, as `locate` does, with every error of the disk made ours.

    Without *root* it may be any file of this machine.
    """
    try:
        if root is not None:
            return locate(root, path, access)
        if not Path(path).is_file():
            raise MediaError(f"{path}: there is no such file")
        return Path(path)
    except (OSError, ValueError, RuntimeError) as error:  # a NUL in the path, links in a circle
        raise MediaError(f"{path}: cannot be read: {error}") from error


def find_kinds(value: object, kind: str = "document") -> Iterator[tuple[Media, str]]:
    """Yield every `Media` inside a message with the kind of file that belongs in its place."""
    if isinstance(value, Media):
        yield value, _KINDS.get(kind, kind if kind in limits.MEDIA_BYTES else "document")
    elif parts := parts_of(value):
        inner = str(getattr(value, "header_type", None) or getattr(value, "type", kind))
        for part in parts:
            yield from find_kinds(part, inner)


def mime_type_of(head: bytes, name: str, kind: str) -> str:
    """Return the MIME type by the content, else by the file extension."""
    found = mime.from_content(head)
    if found is None and kind not in _PICTURES:
        found = mime.from_extension(name)
    elif found is None:  # every picture that is one can be told by its content
        said = mime.from_extension(name) or mime.ANY
        found = mime.ANY if said in limits.MEDIA_TYPES[kind] else said
    found = found or mime.ANY
    if kind == "audio" and found == "video/mp4":  # one container; sound alone is often not marked
        return "audio/mp4"
    return found


def kind_inside(head: bytes, kind: str, api: Api) -> str:
    """
    Return as what a file goes by its content: *kind*, unless it can only be another.

    People and programs give files wrong endings, and each kind has a list of types.
    """
    found = mime.from_content(head)
    if found is None:
        return kind
    base = mime.base_type(found)
    family = base.partition("/")[0]
    if kind == "document":
        listed = family in _FAMILIES and base in limits.MEDIA_TYPES[family]
        return family if listed and not api.any_document else kind
    if base == "application/pdf":
        return "document"
    is_clip = kind == "video" and base == "image/gif"
    return kind if is_clip or family not in _FAMILIES or family in _FITTING[kind] else family


def sent_type(mime_type: str, kind: str, api: Api) -> str:
    """Return the type that is said of a file: the Cloud API knows no text but a plain one."""
    base = mime.base_type(mime_type)
    text = base.startswith("text/") or base in _TEXTS
    return "text/plain" if kind == "document" and text and not api.any_document else mime_type


def check_type(path: str, mime_type: str, kind: str, name: str) -> None:
    if kind == "document":  # each API takes others; it says so itself
        said = mime.from_extension(name)
        # A login or an error, instead of the file; but many a table called .xls is a page.
        if mime_type == "text/html" and said in mime.TOLD:
            raise MediaError(f"{path}: is a web page inside, and not {said}")
        return
    if kind == "audio" and mime_type == "audio/ogg":
        raise MediaError(f"{path}: is Ogg, but not Opus; WhatsApp plays no other sound in Ogg")
    known = limits.MEDIA_TYPES[kind]
    if mime.base_type(mime_type) not in known:
        raise MediaError(
            f"{path}: is {mime_type}; WhatsApp takes {', '.join(sorted(known))} as {kind}"
        )


def check_size(path: str, size: int, limit: int, kind: str) -> None:
    if size == 0:
        raise MediaError(f"{path}: is empty")
    if size > limit:
        raise MediaError(f"{path}: has {size} bytes; WhatsApp takes at most {limit} as {kind}")


def check_sticker(path: str, size: int, head: bytes, api: Api) -> None:
    if not _is_animated(head):
        check_size(path, size, limits.STICKER_STATIC_BYTES, "static sticker")
    elif not api.animated_stickers:
        raise MediaError(f"{path}: api {api.name} takes no animated stickers")


def _is_animated(head: bytes) -> bool:
    """Read the animation flag of a WebP file; only the extended format has one."""
    # https://developers.google.com/speed/webp/docs/riff_container#extended_file_format
    return head[12:16] == b"VP8X" and len(head) > 20 and bool(head[20] & 0b10)
