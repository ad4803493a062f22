"""
On-premises API below ``/v1``, and Turn, which has the same paths without the login.

https://developers.facebook.com/docs/whatsapp/on-premises/reference
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, Final

from aiohttp import web

from rasa_whatsapp_channel.simulator import ids, media_checks, outgoing, problems
from rasa_whatsapp_channel.simulator.api import sending
from rasa_whatsapp_channel.simulator.api.endpoint import (
    META,
    ApiAnswer,
    endpoint,
    named_media,
    read_json,
)
from rasa_whatsapp_channel.simulator.api.uploads import check_upload, read_body
from rasa_whatsapp_channel.simulator.api.validate import DIALECTS, read_send
from rasa_whatsapp_channel.simulator.media_library import MediaFile
from rasa_whatsapp_channel.simulator.outgoing import MarkRead
from rasa_whatsapp_channel.simulator.problems import Refused
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp.apis import ON_PREMISES, TURN

BEARER: Final = "Bearer "


def on_premises_routes(world: World) -> Iterator[web.RouteDef]:
    api = world.config.v1
    routes = OnPremisesRoutes(world)
    if api is not TURN:
        yield web.post("/v1/users/login", endpoint(world, api, routes.login, place="login"))
        yield web.post("/v1/users/logout", endpoint(world, api, routes.logout))
        yield from settings_routes(world, routes.check_access)
    yield web.post("/v1/messages", endpoint(world, api, routes.post_message, place="messages"))
    yield web.put("/v1/messages/{message_id}", endpoint(world, api, routes.put_message))
    yield web.post("/v1/media", endpoint(world, api, routes.post_media, place="media"))
    yield web.get("/v1/media/{media_id}", endpoint(world, api, routes.get_media, place="download"))
    yield web.delete(
        "/v1/media/{media_id}", endpoint(world, api, routes.delete_media, place="media")
    )
    yield web.get("/v1/health", endpoint(world, api, routes.health))


class OnPremisesRoutes:
    def __init__(self, world: World) -> None:
        self._world = world
        self._api = world.config.v1
        self._tokens: dict[str, float] = {}  # token → expiry time

    async def login(self, request: web.Request) -> ApiAnswer:
        config = self._world.config
        expected = f"{config.username}:{config.password}".encode()
        if not hmac.compare_digest(_basic(request), expected):
            raise Refused(
                problems.TOKEN,
                "A login needs Authorization: Basic with the user name and the password.",
                details="Invalid credentials.",
            )
        token, ends = secrets.token_urlsafe(48), self._world.clock() + config.login_life
        self._tokens[token] = ends
        # The client separates date and time by a space, not by a T.
        expires_after = datetime.fromtimestamp(ends, timezone.utc).strftime(
            "%Y-%m-%d %H:%M:%S+00:00"
        )
        return ApiAnswer(
            {"users": [{"token": token, "expires_after": expires_after}], "meta": META}
        )

    async def logout(self, request: web.Request) -> ApiAnswer:
        self.check_access(request)
        self._tokens.pop(_bearer(request), None)
        return ApiAnswer({"meta": META})

    async def post_message(self, request: web.Request) -> ApiAnswer:
        self.check_access(request)
        body = await read_json(request)
        number = self._world.config.number
        dialect, sender = DIALECTS[self._api.name], number.display_phone_number
        wanted = read_send(body, dialect, sender=sender)
        return sending.send(self._world, wanted, self._api, body, request, number)

    async def put_message(self, request: web.Request) -> ApiAnswer:
        self.check_access(request)
        body = await read_json(request)
        if body != {"status": "read"}:
            raise Refused(problems.INVALID, 'The body must be {"status": "read"}.')
        message_id = request.match_info["message_id"]
        try:
            outgoing.mark_read(self._world, MarkRead(message_id))
        except Refused as error:
            raise Refused(problems.NOT_FOUND, f"No person has written {message_id}.") from error
        return ApiAnswer({"meta": META})

    async def post_media(self, request: web.Request) -> ApiAnswer:
        self.check_access(request)
        upload = await read_body(request)
        animated = media_checks.is_animated(upload.content)
        size = len(upload.content)
        check_upload(self._api, upload.mime_type, size, animated=animated)
        media_id = ids.new_media_id(self._api)
        await self._world.library.add(
            media_id,
            upload.content,
            mime_type=upload.mime_type,
            life=media_checks.life_of(self._api, uploaded=True),
        )
        return ApiAnswer({"media": [{"id": media_id}], "meta": META})

    async def get_media(self, request: web.Request) -> web.StreamResponse:
        file = self._find_media(request)
        headers = {"Content-Type": file.mime_type, "Cache-Control": "no-store"}
        return web.FileResponse(file.path, headers=headers)

    async def delete_media(self, request: web.Request) -> ApiAnswer:
        self._world.library.delete(self._find_media(request).id)
        return ApiAnswer({"meta": META})

    async def health(self, request: web.Request) -> ApiAnswer:
        self.check_access(request)
        return ApiAnswer({"health": {"gateway_status": "connected"}, "meta": META})

    def _find_media(self, request: web.Request) -> MediaFile:
        self.check_access(request)
        return named_media(self._world, request)

    def check_access(self, request: web.Request) -> None:
        token = _bearer(request)
        if self._api is TURN:
            expected = self._world.config.access_token
            if not hmac.compare_digest(token.encode(), expected.encode()):
                raise Refused(problems.TOKEN, "Authorization: Bearer must hold the access token.")
            return
        ends = self._tokens.get(token)
        if ends is None:
            raise Refused(
                problems.TOKEN,
                "Authorization: Bearer must hold a token from POST /v1/users/login.",
                details="Invalid credentials.",
            )
        if ends < self._world.clock():
            raise Refused(
                problems.TOKEN,
                "The token has expired; log in again.",
                details="Invalid credentials.",
            )


def _basic(request: web.Request) -> bytes:
    """Return ``name:password`` from the header; empty if missing or invalid."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        return b""


def _bearer(request: web.Request) -> str:
    header = request.headers.get("Authorization", "")
    return header.removeprefix(BEARER) if header.startswith(BEARER) else ""


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
