"""
Account API: token, number and subscription at Meta, webhook at 360dialog. Read only.

https://developers.facebook.com/docs/graph-api/reference/debug_token/
https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/whatsapp-business-account/subscribed-apps-api
https://docs.360dialog.com/docs/waba-messaging/webhook
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from aiohttp import web

from rasa_whatsapp_channel.simulator import problems
from rasa_whatsapp_channel.simulator.api.endpoint import ApiAnswer, endpoint
from rasa_whatsapp_channel.simulator.problems import Refused
from rasa_whatsapp_channel.simulator.sending_limits import tier
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360

VERSION: Final = r"/{version:v\d+\.\d+}"
_FIELDS: Final = ("id", "display_phone_number", "verified_name", "quality_rating")

Handler = Callable[[web.Request], Awaitable[ApiAnswer]]


def account_routes(world: World) -> Iterator[web.RouteDef]:
    routes = AccountRoutes(world)
    number, account = world.config.number.phone_number_id, world.config.account.id
    paths: dict[str, Handler] = {
        "/debug_token": routes.debug_token,
        f"/{number}": routes.number,
        f"/{account}/phone_numbers": routes.numbers,
        f"/{account}/subscribed_apps": routes.apps,
        f"/{account}/message_templates": routes.templates,
    }
    for prefix in ("", VERSION):
        for path, handler in paths.items():
            yield web.get(prefix + path, endpoint(world, CLOUD, handler))
    yield web.get("/v1/configs/webhook", endpoint(world, DIALOG360, routes.webhook))


class AccountRoutes:
    def __init__(self, world: World) -> None:
        self._config = world.config
        self._templates = world.templates
        self._clock = world.clock
        self._rates = world.rates

    async def debug_token(self, request: web.Request) -> ApiAnswer:
        """Accept the access token, or the app's own token: its id and its secret."""
        account = self._config.account
        app_token = f"{account.app}|{self._config.app_secret}"
        self._check_bearer(request, self._config.access_token, app_token)
        if request.query.get("input_token") != self._config.access_token or self._is_over():
            error = {"code": 190, "message": "The access token could not be decrypted"}
            return ApiAnswer({"data": {"error": error, "is_valid": False, "scopes": []}})
        return ApiAnswer(
            {
                "data": {
                    "app_id": account.app,
                    "type": "SYSTEM_USER",
                    "application": account.apps.get(account.app, "Simulator"),
                    "data_access_expires_at": 0,
                    "expires_at": account.token_ends,
                    "is_valid": True,
                    "scopes": [*account.scopes, "public_profile"],
                    "granular_scopes": [
                        {"scope": scope, "target_ids": [account.id]} for scope in account.scopes
                    ],
                    "user_id": "122100000000000001",
                }
            }
        )

    async def number(self, request: web.Request) -> ApiAnswer:
        self._check_bearer(request, self._config.access_token)
        fields = self._number()
        asked = request.query.get("fields", ",".join(_FIELDS)).split(",")
        unknown = [name for name in asked if name not in fields]
        if unknown:
            raise Refused(problems.NOT_FOUND, f"Tried accessing nonexisting field ({unknown[0]}).")
        return ApiAnswer({name: fields[name] for name in dict.fromkeys((*asked, "id"))})

    async def numbers(self, request: web.Request) -> ApiAnswer:
        self._check_bearer(request, self._config.access_token)
        fields = self._number()
        return ApiAnswer({"data": [{name: fields[name] for name in _FIELDS}]})

    async def apps(self, request: web.Request) -> ApiAnswer:
        self._check_bearer(request, self._config.access_token)
        return ApiAnswer(
            {
                "data": [
                    {
                        "whatsapp_business_api_data": {
                            "id": app,
                            "name": name,
                            "link": f"https://www.facebook.com/games/?app_id={app}",
                        }
                    }
                    for app, name in self._config.account.apps.items()
                ]
            }
        )

    async def templates(self, request: web.Request) -> ApiAnswer:
        """Return the templates of one page: `limit` of them from `after` on."""
        self._check_bearer(request, self._config.access_token)
        found = self._templates.to_json()
        if wanted := request.query.get("status"):
            found = [each for each in found if each["status"] == wanted.upper()]
        limit, after = request.query.get("limit", "25"), request.query.get("after", "0")
        if not (limit.isdecimal() and int(limit) and after.isdecimal()):
            raise Refused(problems.INVALID, "limit is a number, after a cursor of an answer.")
        end = int(after) + int(limit)
        paging = {"cursors": {"before": after, "after": str(end)}}
        address = request.rel_url.update_query(after=str(end))
        following = {"next": f"{request.scheme}://{request.host}{address}"}
        return ApiAnswer(
            {
                "data": found[int(after) : end],
                "paging": {**paging, **(following if end < len(found) else {})},
            }
        )

    async def webhook(self, request: web.Request) -> ApiAnswer:
        given = request.headers.get("D360-API-KEY", "")
        if not hmac.compare_digest(given.encode(), self._config.access_token.encode()):
            raise Refused(problems.TOKEN, "The header D360-API-KEY must hold the access token.")
        return ApiAnswer({"url": self._registered()})

    def _number(self) -> dict[str, Any]:
        number, account = self._config.number, self._config.account
        return {
            "id": number.phone_number_id,
            "display_phone_number": f"+{number.display_phone_number}",
            "verified_name": number.name,
            "quality_rating": account.quality,
            "status": account.status,
            "platform_type": "CLOUD_API",
            "whatsapp_business_manager_messaging_limit": tier(self._rates.people),
            "health_status": self._health(),
            "webhook_configuration": {"application": self._registered()},
        }

    def _health(self) -> dict[str, Any]:
        """Return whether number and account can send; the worse one counts."""
        can_send = "AVAILABLE" if self._config.account.status == "CONNECTED" else "BLOCKED"
        number = {
            "entity_type": "PHONE_NUMBER",
            "id": self._config.number.phone_number_id,
            "can_send_message": can_send,
        }
        account = {
            "entity_type": "WABA",
            "id": self._config.account.id,
            "can_send_message": "AVAILABLE",
        }
        return {"can_send_message": can_send, "entities": [number, account]}

    def _registered(self) -> str:
        return self._config.account.registered or self._config.webhook_address

    def _is_over(self) -> bool:
        ends = self._config.account.token_ends
        return 0 < ends < self._clock()

    def _check_bearer(self, request: web.Request, *tokens: str) -> None:
        given = request.headers.get("Authorization", "").encode()
        if not any(hmac.compare_digest(given, f"Bearer {token}".encode()) for token in tokens):
            raise Refused(
                problems.TOKEN, "The header Authorization: Bearer must hold the access token."
            )
