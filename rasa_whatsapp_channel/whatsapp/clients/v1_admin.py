"""
What is set up in an on-premises client: logins for links, and sticker packs.

https://developers.facebook.com/docs/whatsapp/api/settings/app
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rasa_whatsapp_channel.whatsapp.clients.exchange import Exchange
from rasa_whatsapp_channel.whatsapp.clients.urls import join
from rasa_whatsapp_channel.whatsapp.transport import Request

_JSON: Final = {"Content-Type": "application/json"}
_PROVIDERS: Final = ("settings", "application", "media", "providers")


class V1Admin:
    """Needs the login of an admin. All raise `SendError`."""

    def __init__(self, exchange: Exchange, url: str) -> None:
        self._exchange = exchange
        self._url = url

    async def providers(self) -> list[Mapping[str, Any]]:
        answer = await self._ask("GET", *_PROVIDERS)
        found: Any = answer
        for key in _PROVIDERS:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found if isinstance(found, list) else []

    async def set_provider(self, name: str, config: Mapping[str, Any]) -> None:
        """*config* is ``{"bearer": token}`` or ``{"basic": {"username", "password"}}``."""
        # a list, also for one; the same name is written over
        await self._ask("POST", *_PROVIDERS, body=[{"name": name, "type": "www", "config": config}])

    async def delete_provider(self, name: str) -> None:
        await self._ask("DELETE", *_PROVIDERS, name)

    async def packs(self, *, third_party: bool) -> list[Mapping[str, Any]]:
        query = "?namespace=third_party" if third_party else ""
        return _list(await self._ask("GET", "stickerpacks", query=query), "stickerpacks")

    async def add_pack(self, fields: Mapping[str, str]) -> str:
        made = _list(await self._ask("POST", "stickerpacks", body=fields), "stickerpacks")
        return str(made[0].get("id", "")) if made else ""

    async def change_pack(self, pack: str, fields: Mapping[str, str]) -> None:
        await self._ask("PATCH", "stickerpacks", pack, body=fields)

    async def delete_pack(self, pack: str) -> None:
        await self._ask("DELETE", "stickerpacks", pack)

    async def stickers(self, pack: str) -> list[Mapping[str, Any]]:
        return _list(await self._ask("GET", "stickerpacks", pack, "stickers"), "stickers")

    async def add_sticker(self, pack: str, media_id: str, emojis: Sequence[str]) -> None:
        body = {"image_data_id": media_id, "emojis": list(emojis)}
        await self._ask("POST", "stickerpacks", pack, "stickers", body=body)

    async def delete_sticker(self, pack: str, index: int) -> None:
        await self._ask("DELETE", "stickerpacks", pack, "stickers", str(index))

    async def _ask(
        self, method: str, *parts: str, body: object = None, query: str = ""
    ) -> Mapping[str, Any]:
        url = join(self._url, *parts) + query
        if body is None:
            return await self._exchange.ask(Request(method, url))
        return await self._exchange.ask(Request(method, url, _JSON, json.dumps(body).encode()))


def _list(answer: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = answer.get(key)
    items = found if isinstance(found, list) else [found]
    return [item for item in items if isinstance(item, Mapping)]
