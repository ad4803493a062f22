"""Media of a response: reads `image`, `attachment` and the media keys in all common forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rasa_whatsapp_channel.compose.content import MEDIA_KEYS, kind_name, read_text
from rasa_whatsapp_channel.compose.draft import Draft
from rasa_whatsapp_channel.compose.links import encode_link, is_link
from rasa_whatsapp_channel.compose.text import cut, one_line
from rasa_whatsapp_channel.media.access import READ, scheme_of, type_of_data
from rasa_whatsapp_channel.whatsapp import limits, mime
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import MediaMessage
from rasa_whatsapp_channel.whatsapp.messages.media import parse_media_message
from rasa_whatsapp_channel.wording import suggest

CAPTIONED: Final = ("image", "video", "document")

_KINDS: Final = {
    **dict.fromkeys(("image", "photo", "picture"), "image"),
    **dict.fromkeys(("document", "file"), "document"),
    **dict.fromkeys(("audio", "voice", "sound"), "audio"),
    "video": "video",
    "sticker": "sticker",
}
_SOURCES: Final = ("id", "link", "path")
_ADDRESSES: Final = ("url", "src")  # as Rasa's other channels call them: a link or a path
_MIME_TYPES: Final = ("mime_type", "content_type", "mimetype")
_CAPTIONS: Final = ("caption", "title")
_FILENAMES: Final = ("filename", "name")
_WHERE: Final = (*_SOURCES, *_ADDRESSES)
_KEYS: Final = (
    *("type", *_WHERE, *_MIME_TYPES, *_CAPTIONS, *_FILENAMES),
    *("provider", "voice"),
)


@dataclass
class Found:
    """The media of a response, and the captions that have to go as text."""

    media: list[MediaMessage] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


def read_media(draft: Draft, content: Mapping[str, Any]) -> Found:
    """Read every file of *content*, a response or a card."""
    image, attachment = content.get("image"), content.get("attachment")
    found = read_attachment(draft, "image", image)
    for key in MEDIA_KEYS:
        if key in content:
            _read_all(draft, found, key, content[key])
    if attachment != image:  # Rasa copies an image into an empty attachment
        _read_all(draft, found, "attachment", attachment)
    return found


def read_attachment(draft: Draft, where: str, value: Any) -> Found:
    """Read what is written under the key *where*: "image" says what it is."""
    found = Found()
    _read_all(draft, found, where, value)
    return found


def _read_all(draft: Draft, found: Found, where: str, value: Any) -> None:
    if value is None:
        return
    for item in value if isinstance(value, list) else [value]:
        if item is None or item in ("", {}):
            continue
        if isinstance(item, (str, dict, Mapping)):
            part = {"url": item} if isinstance(item, str) else _flatten(item)
            _Reader(draft, where, part).read_into(found)
        else:
            draft.change("WA209", field=where, kind=kind_name(item))


def _flatten(item: Mapping[str, Any]) -> dict[str, Any]:
    """Bring up what stands under `payload`, as in Messenger, or under the type, as in WhatsApp."""
    flat = dict(item)
    for key in ("payload", str(item.get("type"))):
        if isinstance(flat.get(key), dict):
            inner = flat.pop(key)
            flat = {**inner, **flat}
    if isinstance(flat.get("payload"), str) and not any(flat.get(key) for key in _SOURCES):
        flat.setdefault("url", flat.pop("payload"))
    return flat


@dataclass(frozen=True)
class _Reader:
    """One medium: *part* is what the author wrote under the key *where*."""

    draft: Draft
    where: str
    part: Mapping[str, Any]

    def read_into(self, found: Found) -> None:
        source = self._source()
        if source is None:
            return
        for key in self.part:
            if key not in _KEYS:
                self.draft.change("WA207", field=self.where, key=key, hint=suggest(key, _KEYS))
        kind = self._kind(source)
        caption, text = self._caption(kind)
        if text:
            found.texts.append(text)
        fields = {
            **self._credentials(source),
            "caption": caption,
            "filename": self._filename(kind, source),
            "voice": True if self._is_voice(kind) else None,
        }
        given = {key: value for key, value in fields.items() if value is not None}
        try:
            found.media.append(parse_media_message(kind, given))
        except InvalidMessage as error:
            self.draft.change("WA203", field=self.where, problem=error)

    def _source(self) -> dict[str, Any] | None:
        """Return the one source under WhatsApp's key; None, with a change, for none or several."""
        written = {key: self.part[key] for key in _WHERE if self.part.get(key) not in (None, "")}
        if not written:
            self.draft.change("WA202", field=self.where, example=self._example())
            return None
        key, value = next(iter(written.items()))
        if any(other != value for other in written.values()):
            given = " and ".join(written)
            self.draft.change("WA201", field=self.where, given=given, example=self._example())
            return None
        if key == "id" or not isinstance(value, str):
            return {key if key in _SOURCES else "link": value}
        if is_link(value) or (key == "link" and scheme_of(value) not in READ):
            return {"link": encode_link(self.draft, f"{self.where}.{key}", value)}
        scheme = scheme_of(value)
        if scheme and scheme not in READ:
            self.draft.change("WA204", field=self.where, scheme=scheme)
            return None
        return {"path": value}

    def _example(self) -> str:
        return f"{self.where}: {{type: {self._said_kind() or 'image'}, link: …}}"

    def _said_kind(self) -> str | None:
        said = self.part.get("type")
        if not isinstance(said, str):
            return None
        return mime.kind_of(said) if "/" in said else _KINDS.get(said.strip().lower())

    def _kind(self, source: Mapping[str, Any]) -> str:
        kind = self._said_kind() or _KINDS.get(self.where)
        if kind:
            return kind
        mime_type = self._mime_type(source)
        kind = mime.kind_of(mime_type) if mime_type else "document"
        said = self.part.get("type")
        if said:
            reason = f"the type {said!r} is not known"
            self.draft.change("WA205", field=self.where, kind=kind, reason=reason)
        elif not mime_type:
            self.draft.change(
                "WA205", field=self.where, kind=kind, reason="nothing tells what it is"
            )
        return kind

    def _mime_type(self, source: Mapping[str, Any]) -> str | None:
        for key in _MIME_TYPES:
            if isinstance(self.part.get(key), str) and "/" in self.part[key]:
                return str(self.part[key])
        path = source.get("path")
        if isinstance(path, str) and scheme_of(path) == "data":
            return type_of_data(path)
        names = [self.part.get("filename"), self.part.get("name"), *source.values()]
        found = (mime.from_extension(name) for name in names if isinstance(name, str))
        return next((mime_type for mime_type in found if mime_type), None)

    def _caption(self, kind: str) -> tuple[str | None, str | None]:
        """Return the caption, and what cannot be one and goes as text."""
        if not any(map(self.part.get, _CAPTIONS)):
            return None, None
        texts = (
            read_text(self.draft, f"{self.where}.{key}", self.part.get(key)) for key in _CAPTIONS
        )
        caption = "\n\n".join(dict.fromkeys(self.draft.format(text) for text in texts if text))
        if not caption or (kind in CAPTIONED and len(caption) <= limits.CAPTION):
            return caption or None, None
        reason = f"type {kind} has none"
        if kind in CAPTIONED:
            reason = f"it has {len(caption)} characters and WhatsApp takes {limits.CAPTION}"
        self.draft.change("WA206", field=self.where, text=caption, reason=reason)
        return None, caption

    def _filename(self, kind: str, source: Mapping[str, Any]) -> str | None:
        field = f"{self.where}.filename"
        texts = (read_text(self.draft, field, self.part.get(key)) for key in _FILENAMES)
        given = one_line(next(filter(None, texts), ""))
        if kind != "document":
            if given:
                self.draft.change("WA211", field=self.where, kind=kind, name=given)
            return None
        name = given or one_line(_name_of(source))
        new = _cut_filename(name)
        if new != name and given:
            self.draft.change("WA210", field=self.where, limit=limits.FILENAME, name=name, new=new)
        # without an ending, the end of an address is rarely a name
        return new if given or "." in name.strip(".") else None

    def _credentials(self, source: dict[str, Any]) -> dict[str, Any]:
        """Return *source* with its provider where that can be used, else without."""
        provider = self.part.get("provider")
        if not provider:
            return source
        if "link" not in source:
            self.draft.change("WA208", field=self.where, reason="it goes only with a link")
            return source
        if self.draft.api.provider:
            return {**source, "provider": provider}
        reason = "stored credentials for links exist only at on_premises"
        self.draft.change("WA208", field=self.where, reason=reason)
        name = provider.get("name") if isinstance(provider, Mapping) else provider
        # the link may be written "the-provider-name/https://…"
        return {"link": str(source["link"]).removeprefix(f"{name}/")}

    def _is_voice(self, kind: str) -> bool:
        # Where the API has no voice notes, Opus in Ogg is played as one.
        if kind != "audio" or not self.draft.api.voice:
            return False
        # A slot fills in a text.
        said = self.part.get("voice") in (True, "true")
        return said or "voice" in (self.part.get("type"), self.where)


def _name_of(source: Mapping[str, Any]) -> str:
    address = str(source.get("path") or source.get("link") or "")
    return "" if scheme_of(address) == "data" else mime.file_name(address)


def _cut_filename(name: str) -> str:
    if len(name) <= limits.FILENAME:
        return name
    stem, _, ending = name.rpartition(".")
    room = limits.FILENAME - len(ending) - 1
    return f"{cut(stem, room)}.{ending}" if stem and room > 1 else cut(name, limits.FILENAME)
