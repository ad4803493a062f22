"""
Template management: create, edit and delete templates, uploads of samples, and the review.

https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/whatsapp-business-account/template-api
https://developers.facebook.com/docs/graph-api/guides/upload
"""

from __future__ import annotations

import hmac
import re
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.simulator import problems, reports
from rasa_whatsapp_channel.simulator.api.endpoint import ApiAnswer, endpoint, read_json
from rasa_whatsapp_channel.simulator.problems import Problem, Refused
from rasa_whatsapp_channel.simulator.templates import parse_template
from rasa_whatsapp_channel.simulator.webhooks.platform_events import (
    TEMPLATE_STATUS,
    template_status,
)
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp.apis import CLOUD
from rasa_whatsapp_channel.whatsapp.json_values import object_of
from rasa_whatsapp_channel.whatsapp.template_definitions import (
    APPROVED,
    AUTHENTICATION,
    Part,
    TemplateDefinition,
)

VERSION: Final = r"/{version:v\d+\.\d+}"
PER_HOUR: Final = 100
EDITABLE: Final = ("APPROVED", "REJECTED", "PAUSED")
# What the review makes of words, far simpler than Meta's.
MARKETING: Final = re.compile(r"\b(sale|discount|offer|% off)\b", re.IGNORECASE)
ABUSIVE: Final = re.compile(r"\b(casino|lottery)\b", re.IGNORECASE)
_OTP_LINK: Final = "https://www.whatsapp.com/otp/code/"
_VARIABLE: Final = re.compile(r"\{\{\s*\w+\s*\}\}")


def template_management_routes(world: World) -> Iterator[web.RouteDef]:
    routes = TemplateManagement(world)
    account, app = world.config.account.id, world.config.account.app
    for prefix in ("", VERSION):
        templates = f"{prefix}/{account}/message_templates"
        yield web.post(templates, endpoint(world, CLOUD, routes.create, place="templates"))
        yield web.delete(templates, endpoint(world, CLOUD, routes.delete))
        yield web.post(prefix + r"/{template_id:\d{15}}", endpoint(world, CLOUD, routes.edit))
        yield web.post(f"{prefix}/{app}/uploads", endpoint(world, CLOUD, routes.begin_upload))
        yield web.post(prefix + "/upload:{upload}", endpoint(world, CLOUD, routes.upload))


class TemplateManagement:
    def __init__(self, world: World) -> None:
        self._world = world
        self._uploads: dict[str, int] = {}  # id → length that was announced
        self._handles: set[str] = set()
        self._created: deque[float] = deque()

    async def create(self, request: web.Request) -> ApiAnswer:
        self._check_access(request)
        template = self._read(await read_json(request))
        self._count()
        if self._world.templates.get(template.name, template.language) is not None:
            raise _refused(
                2388024,
                f"There is already {template.language} content for this template. You can create "
                "a new template and try again.",
            )
        if template.category == "UTILITY" and MARKETING.search(_words(template)):
            template = replace(template, category="MARKETING")
        self._review(template)
        answer = {"id": template.id, "status": "PENDING", "category": template.category}
        return ApiAnswer(answer)

    async def edit(self, request: web.Request) -> ApiAnswer:
        self._check_access(request)
        found = self._find(request.match_info["template_id"])
        if found.status not in EDITABLE:
            raise _refused(2388039, f"A template that is {found.status} cannot be edited.")
        given = await read_json(request)
        template = self._read({**found.body(), **given})
        if found.status == "APPROVED" and template.category != found.category:
            raise _refused(2388041, "The category of an approved template cannot be edited.")
        self._review(template)
        return ApiAnswer({"success": True})

    async def delete(self, request: web.Request) -> ApiAnswer:
        self._check_access(request)
        name, number = request.query.get("name", ""), request.query.get("hsm_id")
        removed = self._world.templates.remove(name, number)
        if not removed:
            raise _refused(2593002, f"There is no template {name}.")
        for template in removed:
            self._tell(replace(template, status="DELETED"))
        return ApiAnswer({"success": True})

    async def begin_upload(self, request: web.Request) -> ApiAnswer:
        self._check_access(request)
        kind, length = request.query.get("file_type"), request.query.get("file_length", "")
        if kind not in ("image/jpeg", "image/png", "video/mp4", "application/pdf"):
            raise Refused(problems.FILE, f"file_type {kind} is no type of samples.")
        if not length.isdecimal():
            raise Refused(problems.MISSING, "file_length is the size in bytes.")
        upload = uuid.uuid4().hex
        self._uploads[upload] = int(length)
        return ApiAnswer({"id": f"upload:{upload}?sig=ARZ{upload[:8]}"})

    async def upload(self, request: web.Request) -> ApiAnswer:
        self._check_access(request, scheme="OAuth")
        upload = request.match_info["upload"]
        length = self._uploads.get(upload)
        if length is None or request.query.get("sig") != f"ARZ{upload[:8]}":
            raise Refused(problems.NOT_FOUND, "There is no such upload session.")
        if request.headers.get("file_offset") != "0":
            raise Refused(problems.MISSING, "file_offset is 0 for a new upload.")
        content = await request.read()
        if len(content) != length:
            raise Refused(problems.FILE, f"file_length said {length} bytes; {len(content)} came.")
        handle = f"4::{upload}"
        self._handles.add(handle)
        return ApiAnswer({"h": handle})

    def _read(self, value: Any) -> TemplateDefinition:
        if not isinstance(value, Mapping):
            raise Refused(problems.NO_JSON, "A template is a JSON object.")
        if not re.fullmatch(r"[a-z0-9_]{1,512}", str(value.get("name"))):
            raise _refused(2388042, "The name takes lower-case letters, digits and _ only.")
        try:
            template = parse_template({**value, "status": "PENDING"}, "The template")
        except SettingsError as error:
            raise Refused(problems.UNKNOWN_KEY, str(error)) from error
        for part in template.parts():
            self._check_part(part, template)
        return replace(template, components=tuple(listed(template)))

    def _check_part(self, part: Part, template: TemplateDefinition) -> None:
        text = part.text("text")
        if part.kind == "HEADER" and part.value["format"] in ("IMAGE", "VIDEO", "DOCUMENT"):
            handles = object_of(part.value.get("example")).get("header_handle") or ()
            if not handles or not {*handles} <= self._handles:
                raise _refused(2388273, "The header needs the handle of an uploaded sample.")
        if part.kind == "FOOTER" and _VARIABLE.search(text):
            raise _refused(2388073, "The footer takes no variables.")
        if part.kind != "BODY" or template.category == AUTHENTICATION:
            return
        if len(text) > 1024:
            raise _refused(2388040, "The body has more than 1024 characters.")
        variables = _VARIABLE.findall(text)
        if variables and (text.startswith(variables[0]) or text.endswith(variables[-1])):
            raise _refused(2388299, "Variables can't be at the start or end of the template.")
        if len(_VARIABLE.sub(" ", text).split()) < len(variables):
            raise _refused(
                2388293, "This template has too many variables for its length. Reduce them."
            )
        if variables and not part.value.get("example"):
            raise _refused(2388043, "The body has variables, and no example.")

    def _find(self, number: str) -> TemplateDefinition:
        for template in self._world.templates:
            if template.id == number:
                return template
        raise Refused(problems.NOT_FOUND, f"There is no template with the id {number}.")

    def _count(self) -> None:
        now = self._world.clock()
        while self._created and self._created[0] <= now - 3_600:
            self._created.popleft()
        if len(self._created) >= PER_HOUR:
            raise Refused(problems.of_code(80007), f"{PER_HOUR} templates are created in an hour.")
        self._created.append(now)

    def _review(self, template: TemplateDefinition) -> None:
        """Keep *template*, and let it be reviewed after a while."""
        world = self._world
        world.templates.put(template)
        world.feed.publish("templates", templates=world.templates.to_json())

        async def review() -> None:
            await world.clock.sleep(world.config.review)
            found = world.templates.get(template.name, template.language)
            if found is None or found.status != "PENDING":
                return  # decided by hand
            is_bad = ABUSIVE.search(_words(found))
            reason = "ABUSIVE_CONTENT" if is_bad else ""
            decided = replace(found, status="REJECTED" if is_bad else APPROVED, rejected=reason)
            world.templates.put(decided)
            self._tell(decided)

        world.deliveries.put(f"review/{template.id}", review)

    def _tell(self, template: TemplateDefinition) -> None:
        world = self._world
        world.feed.publish("templates", templates=world.templates.to_json())
        reports.send_event(world, TEMPLATE_STATUS, template_status(template, int(world.clock())))

    def _check_access(self, request: web.Request, *, scheme: str = "Bearer") -> None:
        account = self._world.config.account
        wanted = f"{scheme} {self._world.config.access_token}"
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), wanted.encode()):
            raise Refused(problems.TOKEN, f"The header Authorization: {scheme} holds the token.")
        if 0 < account.token_ends <= self._world.clock():
            raise Refused(problems.TOKEN_EXPIRED, "The access token has expired; create a new one.")


def _refused(subcode: int, text: str) -> Refused:
    code = problems.Code(100, "Invalid parameter", subcode=subcode)
    return Refused(Problem(code, code), text)


def listed(template: TemplateDefinition) -> Iterator[Mapping[str, Any]]:
    """
    Yield the components of *template* as the API lists them: a sample with a URL, and of an
    authentication template the texts, and a button with a link.
    """
    minutes = [part.value.get("code_expiration_minutes") for part in template.parts()]
    expires = next(filter(None, minutes), "")
    for part in template.components:
        if template.category == AUTHENTICATION:
            part = _listed_otp(part, str(expires))
        elif part["type"] == "CAROUSEL":
            cards = [[*map(_listed_sample, card["components"])] for card in part["cards"]]
            part = {**part, "cards": [{"components": each} for each in cards]}
        yield _listed_sample(part)


def _listed_sample(part: Mapping[str, Any]) -> Mapping[str, Any]:
    if not (handles := object_of(part.get("example")).get("header_handle")):
        return part
    url = f"https://scontent.whatsapp.net/v/{handles[0][3:]}"
    return {**part, "example": {"header_handle": [url]}}


def _listed_otp(part: Mapping[str, Any], expires: str) -> Mapping[str, Any]:
    if part["type"] == "BODY":
        advice = " For your security, do not share this code."
        text = "*{{1}}* is your verification code."
        safe = advice if part.get("add_security_recommendation") else ""
        return {**part, "text": text + safe, "example": {"body_text": [["123456"]]}}
    if part["type"] == "FOOTER":
        return {**part, "text": f"This code expires in {expires} minutes."}
    if part["type"] != "BUTTONS" or len(part["buttons"]) != 1:
        return part
    (button,) = part["buttons"]
    app: Mapping[str, str] = next(iter(button.get("supported_apps", ())), {})
    said = {
        "otp_type": button.get("otp_type", "COPY_CODE"),
        "cta_display_name": button.get("autofill_text", ""),
        **app,
        "code_expiration_minutes": expires,
        "code": "otp",
    }
    link = f"{_OTP_LINK}?{urlencode({key: each for key, each in said.items() if each})}"
    text, example = button.get("text", "Copy code"), [f"{link}123456"]
    url = {"type": "URL", "text": text, "url": f"{link}{{{{1}}}}", "example": example}
    return {**part, "buttons": [url]}


def _words(template: TemplateDefinition) -> str:
    return " ".join(str(part.get("text") or "") for part in template.components)
