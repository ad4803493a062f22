"""
Templates client: the management API of the Cloud API for templates, and uploads of their samples.

https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/whatsapp-business-account/template-api
https://developers.facebook.com/docs/graph-api/guides/upload
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from rasa_whatsapp_channel.whatsapp.clients.base import Clock
from rasa_whatsapp_channel.whatsapp.clients.credentials import FixedCredentials, bearer
from rasa_whatsapp_channel.whatsapp.clients.exchange import Exchange
from rasa_whatsapp_channel.whatsapp.clients.requests import MEDIA_TIMEOUT, join, json_request
from rasa_whatsapp_channel.whatsapp.error_codes import CLOUD_CODES
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage, TransportError
from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of
from rasa_whatsapp_channel.whatsapp.template_definitions import TemplateDefinition
from rasa_whatsapp_channel.whatsapp.transport import File, Request, Transport

FIELDS: Final = (
    "id,name,language,category,status,components,parameter_format,message_send_ttl_seconds,"
    "quality_score,rejected_reason,correct_category,sub_category"
)
EDITABLE: Final = ("category", "parameter_format", "components", "message_send_ttl_seconds")
PAGE: Final = 100  # templates of one answer
MOST_PAGES: Final = 60  # an account has 6,000 templates at the most
SCOPE: Final = "whatsapp_business_management"


class TemplatesClient:
    """Templates of one business *account*. Every method raises `SendError`."""

    def __init__(
        self,
        transport: Transport,
        *,
        base_url: str,
        api_version: str,
        access_token: str,
        account: str | None = None,
        clock: Clock = time.time,
    ) -> None:
        self._token = access_token
        self._base = join(base_url, api_version)
        self._account = account
        self._exchange = Exchange(
            transport, FixedCredentials(bearer(access_token)), codes=CLOUD_CODES, clock=clock
        )

    async def list(self) -> list[TemplateDefinition]:
        """Return all templates, in the order of WhatsApp's pages."""
        found: dict[str, TemplateDefinition] = {}
        query = {"fields": FIELDS, "limit": str(PAGE)}
        for _ in range(MOST_PAGES):
            answer = await self._ask("GET", f"{await self._url()}?{urlencode(query)}")
            rows = answer.get("data")
            if not isinstance(rows, list):
                raise TransportError("the answer has no list of templates")
            for row in rows:
                template = _read(row)
                found[template.id or str(template.key)] = template
            match answer.get("paging"):
                case {"next": str(), "cursors": {"after": str(after)}} if rows:
                    query["after"] = after
                case _:
                    break
        return [*found.values()]

    async def create(self, template: TemplateDefinition) -> TemplateDefinition:
        """Create *template*, and return it with its id and status; its category may be another."""
        answer = await self._ask("POST", await self._url(), template.body())
        if not (template_id := text_of(answer.get("id"))):
            raise TransportError("the answer has no id of the new template")
        return replace(
            template,
            id=template_id,
            status=text_of(answer.get("status")) or "",
            category=(text_of(answer.get("category")) or template.category).upper(),
        )

    async def edit(self, template_id: str, template: TemplateDefinition) -> None:
        body = {key: part for key, part in template.body().items() if key in EDITABLE}
        await self._ask("POST", join(self._base, template_id), body)

    async def delete(self, name: str, template_id: str = "") -> None:
        """Delete *name* in all languages, or only the one with *template_id*."""
        query = {"name": name, **({"hsm_id": template_id} if template_id else {})}
        await self._ask("DELETE", f"{await self._url()}?{urlencode(query)}")

    async def upload(self, file: File) -> str:
        """Upload the sample of a header, and return its handle."""
        app = text_of((await self._debug_token()).get("app_id")) or ""
        query = {"file_name": file.filename, "file_length": file.size, "file_type": file.mime_type}
        session = await self._ask("POST", f"{join(self._base, app, 'uploads')}?{urlencode(query)}")
        headers = {"Authorization": f"OAuth {self._token}", "file_offset": "0"}
        url = f"{self._base}/{session.get('id')}"  # as it is: it holds a signature
        sent = Request("POST", url, headers, file, timeout=MEDIA_TIMEOUT)
        handle = text_of((await self._exchange.ask(sent)).get("h"))
        if not handle:
            raise TransportError(f"{file.filename}: the answer has no handle of the upload")
        return handle

    async def _url(self) -> str:
        if self._account is None:
            scopes = (await self._debug_token()).get("granular_scopes")
            for each in map(object_of, scopes if isinstance(scopes, list) else ()):
                if each.get("scope") == SCOPE and each.get("target_ids"):
                    self._account = str(each["target_ids"][0])
                    break
            else:
                raise InvalidMessage(
                    "account", f"the token does not tell it, or lacks {SCOPE}; give --account"
                )
        return join(self._base, self._account, "message_templates")

    async def _debug_token(self) -> Mapping[str, Any]:
        query = urlencode({"input_token": self._token})
        answer = await self._ask("GET", f"{self._base}/debug_token?{query}")
        return object_of(answer.get("data"))

    async def _ask(
        self, method: str, url: str, body: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        request = Request(method, url) if body is None else json_request(method, url, body)
        return await self._exchange.ask(request)


def _read(row: Any) -> TemplateDefinition:
    try:
        return TemplateDefinition.parse(row)
    except InvalidMessage as error:
        raise TransportError(f"the answer has a template that cannot be read: {error}") from error
