"""
APIs: what each of them accepts, as values.

The clients in `whatsapp.clients` write what differs in the shape of bodies; here is only what must
be known before a message is composed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp import limits

# Of the Cloud API, since 29 July 2026, https://developers.facebook.com/docs/graph-api/changelog
GRAPH_VERSION: Final = "v26.0"


@dataclass(frozen=True)
class Api:
    """What one API can take."""

    name: str
    base_url: str  # empty: each client has its own
    interactive: frozenset[str]  # values of `interactive.type`
    context: bool  # can quote a message
    reactions: bool
    voice: bool  # `audio.voice`
    animated_stickers: bool
    link: bool  # `image.link` and its like in a media message; headers take links everywhere
    provider: bool  # `provider` beside `link`
    typing: bool  # a typing indicator
    mark_read: bool
    user_ids: bool  # `recipient` takes a business-scoped user id
    both_ids: bool  # `recipient` may stand beside `to`
    any_document: bool  # documents of any MIME type; else those of the list
    callback_data: bool  # `biz_opaque_callback_data` comes back in each status of the message
    pair_limit: bool  # 1 message per 6 seconds and person, beyond a burst
    media_id_life: int  # seconds an uploaded id stays valid
    list_body: int = limits.LIST_BODY
    in_group: bool = False  # writes to a group, where less is supported

    @property
    def who(self) -> str:
        """Return what a sentence calls it."""
        return "a group" if self.in_group else f"api {self.name}"

    def for_group(self) -> Api:
        """Return what the API takes for a group: texts, files, templates and pins."""
        return replace(self, in_group=True, interactive=frozenset())


_BOTH: Final = frozenset(
    {
        "button",
        "list",
        "product",
        "product_list",
        "catalog_message",
        "location_request_message",
        "flow",
    }
)
_CLOUD_ONLY: Final = frozenset(
    {
        "cta_url",
        "carousel",
        "request_contact_info",
        "voice_call",
        "call_permission_request",
        "address_message",
        "order_details",
        "order_status",
    }
)

CLOUD: Final = Api(
    name="cloud",
    base_url="https://graph.facebook.com",
    interactive=_BOTH | _CLOUD_ONLY,
    context=True,
    reactions=True,
    voice=True,
    animated_stickers=True,
    link=True,
    provider=False,
    typing=True,
    mark_read=True,
    user_ids=True,
    both_ids=True,
    any_document=False,
    callback_data=True,
    pair_limit=True,
    media_id_life=30 * DAY,
)
# The Cloud API behind another host and key.
DIALOG360: Final = replace(CLOUD, name="360dialog", base_url="https://waba-v2.360dialog.io")
ON_PREMISES: Final = Api(
    name="on_premises",
    base_url="",
    interactive=_BOTH,
    context=False,
    reactions=False,
    voice=False,
    animated_stickers=False,
    link=True,
    provider=True,
    typing=False,
    mark_read=True,
    user_ids=False,
    both_ids=False,
    any_document=True,
    callback_data=False,
    pair_limit=False,
    media_id_life=14 * DAY,
    list_body=limits.INTERACTIVE_BODY,
)
TURN: Final = Api(
    name="turn",
    base_url="https://whatsapp.turn.io",
    interactive=_BOTH | {"cta_url"},  # seen in other projects' clients of it
    context=False,
    reactions=False,
    voice=False,
    animated_stickers=False,
    link=False,
    provider=False,
    typing=False,
    mark_read=False,  # undocumented there
    user_ids=True,
    both_ids=False,  # undocumented there
    any_document=True,
    callback_data=False,
    pair_limit=True,  # it sends through the Cloud API
    media_id_life=7 * DAY,
    list_body=limits.INTERACTIVE_BODY,
)

APIS: Final[Mapping[str, Api]] = MappingProxyType(
    {api.name: api for api in (CLOUD, ON_PREMISES, TURN, DIALOG360)}
)
