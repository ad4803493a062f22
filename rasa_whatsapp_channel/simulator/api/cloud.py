"""
Cloud API, with or without a version in the path, and 360dialog's paths.

https://developers.facebook.com/documentation/business-messaging/whatsapp/
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Final

from aiohttp import hdrs, web

from rasa_whatsapp_channel.simulator import (
    ids,
    media_checks,
    outgoing,
    ownership,
    problems,
)
from rasa_whatsapp_channel.simulator.api import sending
from rasa_whatsapp_channel.simulator.api.dialects import DIALECTS
from rasa_whatsapp_channel.simulator.api.endpoint import (
    ApiAnswer,
    Endpoint,
    endpoint,
    named_media,
    read_json,
)
from rasa_whatsapp_channel.simulator.api.uploads import check_upload, read_form
from rasa_whatsapp_channel.simulator.api.validate import read_request
from rasa_whatsapp_channel.simulator.config import Number
from rasa_whatsapp_channel.simulator.media_library import MediaFile
from rasa_whatsapp_channel.simulator.outgoing import MarkRead
from rasa_whatsapp_channel.simulator.problems import Refused
from rasa_whatsapp_channel.simulator.state import clean_phone
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360, Api

ATTACHMENTS: Final = "/whatsapp_business/attachments/"
DIALOG360_HOST: Final = "https://lookaside.fbsbx.com"  # in the URLs that 360dialog returns
CALL_ACTIONS: Final = ("pre_accept", "accept", "reject", "terminate")
VERSION: Final = r"/{version:v\d+\.\d+}"


def download_url(world: World, file: MediaFile, *, origin: str, api: Api) -> str:
    """Return a URL of the file that is valid for five minutes; *origin* is that of this server."""
    expires = int(world.clock()) + limits.MEDIA_URL_LIFE
    host = DIALOG360_HOST if api is DIALOG360 else origin
    return f"{host}{ATTACHMENTS}?mid={file.id}&ext={expires}&hash={_seal(world, file.id, expires)}"


def origin_of(request: web.Request) -> str:
    """Return the scheme and host by which the caller reaches this server."""
    return f"{request.scheme}://{request.host}"


def cloud_routes(world: World) -> Iterator[web.RouteDef]:
    yield web.get(
        ATTACHMENTS, endpoint(world, CLOUD, CloudRoutes(world, CLOUD).download, place="download")
    )
    cloud, dialog360 = CloudRoutes(world, CLOUD), CloudRoutes(world, DIALOG360)
    for prefix in ("", VERSION):
        number = prefix + r"/{phone_number_id:\d+}"
        yield web.post(
            f"{number}/messages", endpoint(world, CLOUD, cloud.post_message, place="messages")
        )
        yield web.post(f"{number}/calls", endpoint(world, CLOUD, cloud.post_call))
        yield web.post(
            f"{number}/thread_control", endpoint(world, CLOUD, cloud.post_thread_control)
        )
        yield web.post(
            f"{number}/marketing_messages",
            endpoint(world, CLOUD, cloud.post_marketing, place="messages"),
        )
        yield web.post(f"{number}/media", endpoint(world, CLOUD, cloud.post_media, place="media"))
    yield web.post(
        "/messages", endpoint(world, DIALOG360, dialog360.post_message, place="messages")
    )
    yield web.post("/calls", endpoint(world, DIALOG360, dialog360.post_call))
    yield web.post("/thread_control", endpoint(world, DIALOG360, dialog360.post_thread_control))
    yield web.post(
        "/marketing_messages",
        endpoint(world, DIALOG360, dialog360.post_marketing, place="messages"),
    )
    yield web.post("/media", endpoint(world, DIALOG360, dialog360.post_media, place="media"))
    for prefix in ("", VERSION):
        yield from _media_routes(world, prefix + r"/{media_id:\d+}")


def _media_routes(world: World, path: str) -> Iterator[web.RouteDef]:
    """Yield routes that both APIs share; the header with the API key tells them apart."""
    for method, name in ((hdrs.METH_GET, "get_media"), (hdrs.METH_DELETE, "delete_media")):
        cloud, dialog360 = (
            endpoint(world, api, getattr(CloudRoutes(world, api), name), place="media")
            for api in (CLOUD, DIALOG360)
        )
        yield web.route(method, path, _by_header(cloud, dialog360))


def _by_header(cloud: Endpoint, dialog360: Endpoint) -> Endpoint:
    async def choose(request: web.Request) -> web.StreamResponse:
        chosen = dialog360 if "D360-API-KEY" in request.headers else cloud
        return await chosen(request)

    return choose


class CloudRoutes:
    def __init__(self, world: World, api: Api) -> None:
        self._world = world
        self._api = api

    async def post_message(self, request: web.Request) -> ApiAnswer:
        return await self._post(request, marketing=False)

    async def post_marketing(self, request: web.Request) -> ApiAnswer:
        return await self._post(request, marketing=True)

    async def _post(self, request: web.Request, *, marketing: bool) -> ApiAnswer:
        self._check_access(request)
        number = self._find_number(request)
        body = await read_json(request)
        sender = number.display_phone_number
        dialect = DIALECTS[self._api.name]
        wanted = read_request(body, dialect, sender=sender, marketing=marketing)
        if isinstance(wanted, MarkRead):
            outgoing.mark_read(self._world, wanted)
            return ApiAnswer({"success": True})
        return sending.send(self._world, wanted, self._api, body, request, number)

    async def post_call(self, request: web.Request) -> ApiAnswer:
        """Take an action on a call that a webhook announced; nothing rings here."""
        self._check_access(request)
        self._find_number(request)
        body = await read_json(request)
        if not isinstance(body, dict) or body.get("messaging_product") != "whatsapp":
            raise Refused(problems.UNKNOWN_KEY, "The body needs messaging_product=whatsapp.")
        if body.get("action") not in CALL_ACTIONS:
            raise Refused(problems.INVALID, f"action is one of {', '.join(CALL_ACTIONS)}.")
        if not isinstance(body.get("call_id"), str) or not body["call_id"]:
            raise Refused(problems.INVALID, "call_id is the id of the call, a string.")
        return ApiAnswer({"messaging_product": "whatsapp", "success": True})

    async def post_thread_control(self, request: web.Request) -> ApiAnswer:
        """Pass, release or take the thread of a person."""
        self._check_access(request)
        number = self._find_number(request)
        body = await read_json(request)
        if not isinstance(body, dict) or body.get("messaging_product") != "whatsapp":
            raise Refused(problems.UNKNOWN_KEY, "The body needs messaging_product=whatsapp.")
        action, metadata = body.get("action"), body.get("metadata", "")
        if action not in ownership.ACTIONS:
            raise Refused(problems.INVALID, f"action is one of {', '.join(ownership.ACTIONS)}.")
        if not isinstance(metadata, str) or len(metadata) > limits.THREAD_METADATA:
            rule = f"metadata is a string of at most {limits.THREAD_METADATA} characters."
            raise Refused(problems.INVALID, rule)
        person = self._world.find_person(clean_phone(str(body.get("to") or "")))
        person = person or self._world.find_person(str(body.get("recipient") or ""))
        if person is None:
            raise Refused(problems.RECIPIENT, "to or recipient is a person who has a chat.")
        ownership.control(self._world, "bot", person, number, action, metadata=metadata)
        return ApiAnswer({"messaging_product": "whatsapp", "success": True})

    async def post_media(self, request: web.Request) -> ApiAnswer:
        self._check_access(request)
        self._find_number(request)
        fields, upload = await read_form(request)
        if fields.get("messaging_product") != "whatsapp":
            raise Refused(problems.UNKNOWN_KEY, "The form needs messaging_product=whatsapp.")
        if upload is None:
            raise Refused(problems.FILE, "The form needs a part named file, with a filename.")
        animated = media_checks.is_animated(upload.content)
        size = len(upload.content)
        check_upload(self._api, upload.mime_type, size, animated=animated)
        stored = await self._world.library.add(
            ids.new_media_id(self._api),
            upload.content,
            mime_type=upload.mime_type,
            filename=upload.filename,
            life=media_checks.life_of(self._api, uploaded=True),
        )
        return ApiAnswer({"id": stored.id})

    async def get_media(self, request: web.Request) -> ApiAnswer:
        file = self._find_media(request)
        url = download_url(self._world, file, origin=origin_of(request), api=self._api)
        return ApiAnswer(
            {
                "messaging_product": "whatsapp",
                "url": url,
                "mime_type": file.mime_type,
                "sha256": file.sha256,
                "file_size": file.size,
                "id": file.id,
            }
        )

    async def delete_media(self, request: web.Request) -> ApiAnswer:
        self._world.library.delete(self._find_media(request).id)
        return ApiAnswer({"success": True})

    async def download(self, request: web.Request) -> ApiAnswer | web.StreamResponse:
        """Every failure is a 404 without a reason; the reason is in the simulator's own field."""
        file = self._world.library.find_usable(request.query.get("mid"))
        problem = self._download_problem(request)
        if file is None or problem is not None:
            rule = problem or "There is no such file; request its URL again."
            explained = {"simulator": {"rule": rule}} if self._world.config.explanations else {}
            return ApiAnswer({"error": "Not Found", **explained}, status=404)
        headers = {"Content-Type": file.mime_type, "Cache-Control": "no-store"}
        return web.FileResponse(file.path, headers=headers)

    def _download_problem(self, request: web.Request) -> str | None:
        media_id, expires = request.query.get("mid", ""), request.query.get("ext", "")
        if not self._has_access(request):
            return "A download needs the same token as every other request."
        if not request.headers.get("User-Agent"):
            return "A download needs a User-Agent."
        if not hmac.compare_digest(
            request.query.get("hash", "").encode(), _seal(self._world, media_id, expires).encode()
        ):
            return "The URL was modified."
        if int(expires) < self._world.clock():
            return "The URL is older than five minutes; request a new one."
        return None

    def _find_media(self, request: web.Request) -> MediaFile:
        self._check_access(request)
        return named_media(self._world, request)

    def _find_number(self, request: web.Request) -> Number:
        given = request.match_info.get("phone_number_id")
        number = self._world.config.find_number(given)
        if number is None:
            raise Refused(problems.NOT_FOUND, f"There is no number with phone_number_id {given}.")
        return number

    def _check_access(self, request: web.Request) -> None:
        if not self._has_access(request):
            name = "D360-API-KEY" if self._api is DIALOG360 else "Authorization: Bearer"
            raise Refused(problems.TOKEN, f"The header {name} must hold the access token.")
        ends = self._world.config.account.token_ends
        if 0 < ends <= self._world.clock():
            raise Refused(problems.TOKEN_EXPIRED, "The access token has expired; create a new one.")

    def _has_access(self, request: web.Request) -> bool:
        token = self._world.config.access_token
        if "D360-API-KEY" in request.headers:
            return _same(request.headers["D360-API-KEY"], token)
        return self._api is CLOUD and _same(
            request.headers.get("Authorization", ""), f"Bearer {token}"
        )


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _seal(world: World, media_id: str, expires: int | str) -> str:
    text = f"{media_id}.{expires}".encode()
    return hmac.new(world.config.app_secret.encode(), text, hashlib.sha256).hexdigest()[:32]
