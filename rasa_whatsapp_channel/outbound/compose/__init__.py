"""
A Rasa response → WhatsApp messages. Decides only: no I/O, no clock, nothing is sent.

    plain     whatever a custom action passed → plain JSON values
    style     metadata.whatsapp and custom.whatsapp
    text, media, buttons, elements, custom   one module per part of a response
    join      how text, media and buttons become the fewest bubbles
    changes   what composing had to change, by code
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rasa_whatsapp_channel.outbound.compose.buttons import Options, read_options
from rasa_whatsapp_channel.outbound.compose.custom import read_custom, split_style
from rasa_whatsapp_channel.outbound.compose.draft import Draft
from rasa_whatsapp_channel.outbound.compose.elements import compose_elements
from rasa_whatsapp_channel.outbound.compose.join import Parts, join
from rasa_whatsapp_channel.outbound.compose.media import read_media
from rasa_whatsapp_channel.outbound.compose.plain import to_plain
from rasa_whatsapp_channel.outbound.compose.plan import Change, Composed
from rasa_whatsapp_channel.outbound.compose.style import Style, read_style
from rasa_whatsapp_channel.outbound.compose.text import read_text
from rasa_whatsapp_channel.whatsapp.apis import Api
from rasa_whatsapp_channel.whatsapp.messages import Interactive, Outgoing

__all__ = ["Change", "Composed", "compose"]


def compose(response: Mapping[str, Any], *, api: Api, captions: str = "merge") -> Composed:
    """
    Compose a whole response, as Rasa hands it over, for *api*.

    *captions*: ``merge`` puts a text into the caption of the file beside it, ``separate`` does not.
    Never raises, whatever *response* holds, and does not change it. A single part, as in
    ``{"text": …}``, is a response too.
    """
    name = response.get("utter_action") if isinstance(response, Mapping) else None
    draft = Draft(api, captions, name if isinstance(name, str) else None)
    content = to_plain(draft, response)
    custom, custom_style = split_style(content.get("custom"))
    style = read_style(draft, _metadata_style(content), custom_style)
    main = [Outgoing(message) for message in join(draft, _read_parts(draft, content, style))]
    cards = compose_elements(draft, content.get("elements"), list_button=style.list_button)
    others = [*read_custom(draft, custom), *map(Outgoing, cards)]
    # The buttons stay at the bottom, where the thumb is.
    tapped = bool(main) and isinstance(main[-1].message, Interactive)
    messages = (*others, *main) if tapped else (*main, *others)
    if not messages and not any(change.lost for change in draft.changes):
        draft.change("WA103")
    return Composed(messages, tuple(draft.changes), draft.payloads)


def _read_parts(draft: Draft, content: Mapping[str, Any], style: Style) -> Parts:
    text = read_text(draft, "text", content.get("text"))
    found = read_media(draft, image=content.get("image"), attachment=content.get("attachment"))
    quick = read_options(draft, "quick_replies", content.get("quick_replies"))
    buttons = read_options(draft, "buttons", content.get("buttons"))
    return Parts(
        text="\n\n".join(part for part in (text, *found.texts) if part) or None,
        media=tuple(found.media),
        options=Options((*quick.replies, *buttons.replies), (*quick.links, *buttons.links)),
        style=style,
    )


def _metadata_style(content: Mapping[str, Any]) -> Any:
    metadata = content.get("metadata")
    return metadata.get("whatsapp") if isinstance(metadata, Mapping) else None
