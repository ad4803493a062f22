"""
Settings of an on-premises client below ``/v1``: logins for links (providers), and sticker packs.

https://developers.facebook.com/docs/whatsapp/on-premises/reference
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final

from aiohttp import web

from rasa_whatsapp_channel.simulator import problems
from rasa_whatsapp_channel.simulator.api.endpoint import META, ApiAnswer, endpoint, read_json
from rasa_whatsapp_channel.simulator.problems import Refused
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp.apis import ON_PREMISES

PROVIDERS: Final = "/v1/settings/application/media/providers"
PACKS: Final = "/v1/stickerpacks"

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")
_PACK_FIELDS: Final = ("publisher", "name", "ios_app_store_link", "android_app_store_link")

Check = Callable[[web.Request], None]
Handler = Callable[[web.Request], Awaitable[ApiAnswer]]


def settings_routes(world: World, check_access: Check) -> Iterator[web.RouteDef]:
    """Yield the routes; *check_access* raises `Refused` for a caller without a token."""

    def guarded(handler: Handler) -> Any:
        async def handle(request: web.Request) -> ApiAnswer:
            check_access(request)
            return await handler(request)

        return endpoint(world, ON_PREMISES, handle)

    providers, packs = ProviderRoutes(world), PackRoutes(world)
    yield web.get(PROVIDERS, guarded(providers.list_all))
    yield web.post(PROVIDERS, guarded(providers.set_some))
    yield web.delete(PROVIDERS + "/{name}", guarded(providers.delete))
    yield web.get(PACKS, guarded(packs.list_all))
    yield web.post(PACKS, guarded(packs.add))
    one, stickers = PACKS + "/{pack}", PACKS + "/{pack}/stickers"
    yield web.get(one, guarded(packs.get))
    yield web.patch(one, guarded(packs.change))
    yield web.delete(one, guarded(packs.delete))
    yield web.get(stickers, guarded(packs.list_stickers))
    yield web.post(stickers, guarded(packs.add_sticker))
    yield web.get(stickers + r"/{index:\d+}", guarded(packs.get_sticker))
    yield web.patch(stickers + r"/{index:\d+}", guarded(packs.change_sticker))
    yield web.delete(stickers + r"/{index:\d+}", guarded(packs.delete_sticker))


class ProviderRoutes:
    def __init__(self, world: World) -> None:
        self._providers = world.providers

    async def list_all(self, request: web.Request) -> ApiAnswer:
        media = {"providers": list(self._providers.values())}
        return ApiAnswer({"settings": {"application": {"media": media}}, "meta": META})

    async def set_some(self, request: web.Request) -> ApiAnswer:
        body = await read_json(request)
        if not isinstance(body, list):
            raise Refused(problems.INVALID, "The body must be a list of providers.")
        for provider in body:
            _check_provider(provider)
        self._providers.update({provider["name"]: provider for provider in body})
        return ApiAnswer({"meta": META})

    async def delete(self, request: web.Request) -> ApiAnswer:
        if self._providers.pop(request.match_info["name"], None) is None:
            raise Refused(problems.NOT_FOUND, "There is no such provider.")
        return ApiAnswer({"meta": META})


class PackRoutes:
    def __init__(self, world: World) -> None:
        self._world = world
        self._packs = world.packs

    async def list_all(self, request: web.Request) -> ApiAnswer:
        third_party = request.query.get("namespace", "whatsapp") == "third_party"
        packs = [{"id": name} for name in self._packs] if third_party else []
        return ApiAnswer({"stickerpacks": packs, "meta": META})

    async def add(self, request: web.Request) -> ApiAnswer:
        body = await _read_object(request, _PACK_FIELDS)
        for field in ("publisher", "name"):
            if field not in body:
                raise Refused(problems.MISSING, f"A sticker pack needs {field}.")
        name = str(uuid.uuid4())
        self._packs[name] = {"id": name, **body, "stickers": []}
        return ApiAnswer({"stickerpacks": [{"id": name}], "meta": META}, status=201)

    async def get(self, request: web.Request) -> ApiAnswer:
        return ApiAnswer({"stickerpacks": [self._find(request)], "meta": META})

    async def change(self, request: web.Request) -> ApiAnswer:
        self._find(request).update(await _read_object(request, _PACK_FIELDS))
        return ApiAnswer({"meta": META})

    async def delete(self, request: web.Request) -> ApiAnswer:
        del self._packs[self._find(request)["id"]]
        return ApiAnswer({"meta": META})

    async def list_stickers(self, request: web.Request) -> ApiAnswer:
        return ApiAnswer({"stickers": self._stickers(request), "meta": META})

    async def add_sticker(self, request: web.Request) -> ApiAnswer:
        sticker = await self._read_sticker(request)
        stickers = self._stickers(request)
        stickers.append({"index": len(stickers), **sticker})
        return ApiAnswer({"stickers": [stickers[-1]], "meta": META}, status=201)

    async def get_sticker(self, request: web.Request) -> ApiAnswer:
        return ApiAnswer({"stickers": [self._find_sticker(request)], "meta": META})

    async def change_sticker(self, request: web.Request) -> ApiAnswer:
        self._find_sticker(request).update(await self._read_sticker(request))
        return ApiAnswer({"meta": META})

    async def delete_sticker(self, request: web.Request) -> ApiAnswer:
        self._stickers(request).remove(self._find_sticker(request))
        return ApiAnswer({"meta": META})

    def _find(self, request: web.Request) -> dict[str, Any]:
        pack = self._packs.get(request.match_info["pack"])
        if pack is None:
            raise Refused(problems.NOT_FOUND, "There is no such sticker pack.")
        return pack

    def _stickers(self, request: web.Request) -> list[dict[str, Any]]:
        stickers: list[dict[str, Any]] = self._find(request)["stickers"]
        return stickers

    def _find_sticker(self, request: web.Request) -> dict[str, Any]:
        index = int(request.match_info["index"])
        found = [each for each in self._stickers(request) if each["index"] == index]
        if not found:
            raise Refused(problems.NOT_FOUND, f"The pack has no sticker {index}.")
        return found[0]

    async def _read_sticker(self, request: web.Request) -> dict[str, Any]:
        body = await _read_object(request, ("image_data_id", "emojis"))
        if self._world.library.find_usable(body.get("image_data_id")) is None:
            raise Refused(problems.UNKNOWN_MEDIA, "image_data_id is the id of an uploaded picture.")
        return body


async def _read_object(request: web.Request, fields: tuple[str, ...]) -> dict[str, Any]:
    body = await read_json(request)
    if not isinstance(body, dict):
        raise Refused(problems.INVALID, "The body is an object.")
    for field in body:
        if field not in fields:
            raise Refused(
                problems.UNKNOWN_KEY, f"{field} is not known; known: {', '.join(fields)}."
            )
    return body


def _check_provider(provider: object) -> None:
    if not isinstance(provider, Mapping) or not _NAME.fullmatch(str(provider.get("name"))):
        raise Refused(problems.INVALID, "name has letters, digits, - and _ only.")
    if provider.get("type") != "www":
        raise Refused(problems.INVALID, "type is www.")
    if not _is_login(provider.get("config")):
        raise Refused(
            problems.INVALID,
            'config is {"basic": {"username", "password"}} or {"bearer": "token"}.',
        )


def _is_login(config: object) -> bool:
    match config:
        case {"bearer": str(), **rest}:
            return not rest
        case {"basic": {"username": str(), "password": str()}, **rest}:
            return not rest
    return False
