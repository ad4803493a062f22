"""
On-premises API below ``/v1``, and Turn, which has the same paths without the login.

https://developers.facebook.com/docs/whatsapp/on-premises/reference
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Final

from aiohttp import web

from rasa_whatsapp_channel.simulator import ids, media_checks, outgoing, problems
from rasa_whatsapp_channel.simulator.api import sending
from rasa_whatsapp_channel.simulator.api.dialects import DIALECTS
from rasa_whatsapp_channel.simulator.api.endpoint import (
    META,
    ApiAnswer,
    endpoint,
    named_media,
    read_json,
)
from rasa_whatsapp_channel.simulator.api.on_premises_settings import settings_routes
from rasa_whatsapp_channel.simulator.api.uploads import check_upload, read_body
from rasa_whatsapp_channel.simulator.api.validate import read_send
from rasa_whatsapp_channel.simulator.media_library import MediaFile
from rasa_whatsapp_channel.simulator.outgoing import MarkRead
from rasa_whatsapp_channel.simulator.problems import Refused
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp.apis import TURN

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
