"""
The channel as Rasa sees it: the only module that imports Rasa and Sanic.

Rasa 3.6 forks its workers and Rasa Pro spawns them, so nothing is opened before the server of a
process starts, and everything is held by that process alone.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from rasa.core.channels.channel import InputChannel, OutputChannel, UserMessage
from rasa.shared.core.events import StoryExported
from rasa.shared.exceptions import InvalidConfigException
from sanic import Blueprint, Sanic
from sanic import response as http
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse

from rasa_whatsapp_channel.agent import Watch, silence_of, was_handled
from rasa_whatsapp_channel.announce import describe
from rasa_whatsapp_channel.inbound.bodies import Bodies
from rasa_whatsapp_channel.inbound.silence import Why
from rasa_whatsapp_channel.inbound.transcribe import load_function
from rasa_whatsapp_channel.inbound.turn import TrackerEvent, Turn
from rasa_whatsapp_channel.inbound.worker import Bot, Record
from rasa_whatsapp_channel.logs import follow_rasa
from rasa_whatsapp_channel.metrics import CONTENT_TYPE
from rasa_whatsapp_channel.outbound.called import name_of
from rasa_whatsapp_channel.outbound.outlet import Outlet
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.store import check_store
from rasa_whatsapp_channel.whatsapp import webhook
from rasa_whatsapp_channel.whatsapp.errors import SettingsError, StoreError, WebhookRefused
from rasa_whatsapp_channel.whatsapp.networks import Networks
from rasa_whatsapp_channel.whatsapp.unproven import read_length
from rasa_whatsapp_channel.wiring import Wiring, make_proof

logger = logging.getLogger(__name__)

NAME = "whatsapp"
WEBHOOK = f"/webhooks/{NAME}/webhook"  # where Rasa puts it
AGAIN = {"Retry-After": "5"}
# Refused like that, nobody may get rid of what it has begun to send.
AT_ONCE = ("length", "slow", "busy")
OnNewMessage = Callable[[UserMessage], Awaitable[Any]]


class WhatsAppOutput(OutputChannel):  # type: ignore[misc]  # Rasa ships no types
    """
    What a bot speaks through. Everything goes into the outbox, so no call waits for WhatsApp.

    Inside a turn from our inbox a failing store raises, and the turn is repeated; elsewhere
    (reminders, ``trigger_intent``) nothing would repeat it, so the failure is logged.
    """

    # Rasa Pro would compute the whole tracker state for each response.
    wants_tracker_state = False

    def __init__(self, outlet: Callable[[], Outlet], *, in_turn: bool = False) -> None:
        super().__init__()
        self._make_outlet = outlet
        self._outlet: Outlet | None = None
        self._in_turn = in_turn
        self.spoke = False

    @classmethod
    def name(cls) -> str:
        return NAME

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Send all parts of a response together, as few WhatsApp messages as they fit into."""
        await self._say(recipient_id, message)

    async def send_text_message(self, recipient_id: str, text: str, **kwargs: Any) -> None:
        await self._say(recipient_id, {**kwargs, "text": text})

    async def send_image_url(self, recipient_id: str, image: str, **kwargs: Any) -> None:
        await self._say(recipient_id, {**kwargs, "image": image})

    async def send_attachment(self, recipient_id: str, attachment: Any, **kwargs: Any) -> None:
        await self._say(recipient_id, {**kwargs, "attachment": attachment})

    async def send_text_with_buttons(
        self, recipient_id: str, text: str | None, buttons: list[dict[str, Any]], **kwargs: Any
    ) -> None:
        await self._say(recipient_id, {**kwargs, "text": text, "buttons": buttons})

    async def send_buttons(
        self, recipient_id: str, buttons: list[dict[str, Any]], **kwargs: Any
    ) -> None:
        """Rasa Pro calls it when the text has been sent before."""
        await self._say(recipient_id, {**kwargs, "buttons": buttons})

    async def send_quick_replies(
        self, recipient_id: str, text: str, quick_replies: list[dict[str, Any]], **kwargs: Any
    ) -> None:
        await self._say(recipient_id, {**kwargs, "text": text, "quick_replies": quick_replies})

    async def send_elements(
        self, recipient_id: str, elements: Iterable[dict[str, Any]], **kwargs: Any
    ) -> None:
        await self._say(recipient_id, {**kwargs, "elements": list(elements)})

    async def send_custom_json(
        self, recipient_id: str, json_message: dict[str, Any], **kwargs: Any
    ) -> None:
        await self._say(recipient_id, {**kwargs, "custom": json_message})

    async def _say(self, recipient_id: str, response: dict[str, Any]) -> None:
        self.spoke = True
        try:
            if self._outlet is None:
                self._outlet = self._make_outlet()
            await self._outlet.say(recipient_id, response)
        except StoreError as error:
            if self._in_turn:
                raise
            said = name_of(response) or "a response that no turn asked for"
            logger.error("whatsapp.lost: %s: it could not be kept: %s", said, error)


class WhatsAppInput(InputChannel):  # type: ignore[misc]  # Rasa ships no types
    """WhatsApp in credentials.yml."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._wiring: Wiring | None = None
        self._watch: Watch | None = None

    @classmethod
    def name(cls) -> str:
        return NAME

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> WhatsAppInput:
        try:
            settings = Settings.from_credentials(credentials)
            check_store(settings.store)
            if settings.transcribe:
                load_function(settings.transcribe)
        except (SettingsError, StoreError) as error:
            # Rasa prints this one without a traceback.
            raise InvalidConfigException(str(error)) from error
        return cls(settings)

    def get_output_channel(self) -> WhatsAppOutput:
        """Return a channel for reminders and ``trigger_intent``, valid while the server runs."""
        return WhatsAppOutput(lambda: self._running().outlet())

    def blueprint(self, on_new_message: OnNewMessage) -> Blueprint:
        blueprint = Blueprint("whatsapp_webhook")
        proof = make_proof(self.settings)
        networks = Networks(self.settings.allowed_networks, self.settings.trusted_proxies)
        bodies = Bodies()

        @blueprint.listener("before_server_start")  # type: ignore[untyped-decorator, unused-ignore]
        async def open_wiring(app: Sanic, _loop: Any = None) -> None:
            follow_rasa()
            self._wiring = Wiring(
                self.settings,
                self._bot(app, on_new_message),
                ready=lambda: _is_ready(app),
                why_silent=self._why_silent(app),
                record=self._record(app),
            )
            self._watch = Watch(
                self._wiring.outages,
                self._wiring.metrics,
                wait_for_action_server=self.settings.wait_for_action_server,
            )
            self._watch.open()
            await self._wiring.open()

        @blueprint.listener("after_server_start")  # type: ignore[untyped-decorator, unused-ignore]
        async def start_work(app: Sanic, _loop: Any = None) -> None:
            self._running().start()
            logger.info("whatsapp.started: %s", describe(self.settings, webhook=WEBHOOK))
            if not _is_ready(app):
                logger.warning(
                    "whatsapp.no_model: Rasa has loaded no model yet; messages are kept until then"
                )

        @blueprint.listener("before_server_stop")  # type: ignore[untyped-decorator, unused-ignore]
        async def stop_work(_app: Sanic, _loop: Any = None) -> None:
            await self._running().stop()

        @blueprint.listener("after_server_stop")  # type: ignore[untyped-decorator, unused-ignore]
        async def close_wiring(_app: Sanic, _loop: Any = None) -> None:
            self._watching().close()
            await self._running().close()
            self._wiring = self._watch = None

        # Sanic would hold what comes with a GET, up to 100 MB of each, before it calls us.
        @blueprint.route("/", methods=["GET"], ignore_body=True)  # type: ignore[untyped-decorator, unused-ignore]
        async def health(request: Request) -> HTTPResponse:
            _leave_body(request)
            try:
                return http.json(await self._running().health())
            except StoreError as error:
                return http.json({"status": "store failed", "reason": str(error)}, status=503)

        @blueprint.route("/metrics", methods=["GET"], ignore_body=True)  # type: ignore[untyped-decorator, unused-ignore]
        async def metrics(request: Request) -> HTTPResponse:
            _leave_body(request)
            page = await self._running().metrics_page()
            return http.raw(page, content_type=CONTENT_TYPE)

        @blueprint.route("/webhook", methods=["GET"], ignore_body=True)  # type: ignore[untyped-decorator, unused-ignore]
        async def challenge(request: Request) -> HTTPResponse:
            _leave_body(request)
            query = dict(request.query_args)
            try:
                networks.verify(request.ip, _forwarded_for(request))
                answer = webhook.verify_challenge(query, verify_token=self.settings.verify_token)
            except WebhookRefused as error:
                return self._refuse(error)
            return http.text(answer)

        @blueprint.route("/webhook", methods=["POST"], stream=True)  # type: ignore[untyped-decorator, unused-ignore]
        async def receive(request: Request) -> HTTPResponse:
            traced = self._running().tracing.receive(self._receive)
            answer: HTTPResponse = await traced(request, proof, networks, bodies)
            return answer

        return blueprint

    async def _receive(
        self, request: Request, proof: webhook.Proof, networks: Networks, bodies: Bodies
    ) -> HTTPResponse:
        headers = request.headers
        try:
            length = read_length(headers.get("content-length"))
            networks.verify(request.ip, _forwarded_for(request))
            query = dict(request.query_args) if request.query_string else {}
            webhook.verify_head(proof, headers=headers, query=query)
            body = await bodies.read(request.stream.read, length)
        except WebhookRefused as error:
            answer = self._refuse(error)
            if error.kind not in AT_ONCE and not request.stream.expecting_continue:
                with contextlib.suppress(SanicException):  # a body that is none
                    await bodies.drop(request.stream.read)
            _leave_body(request)
            return answer
        with self._running().metrics.webhook_timer():
            try:
                webhook.verify_body(proof, body=body, headers=headers)
            except WebhookRefused as error:
                return self._refuse(error)
            return await self._keep(body)

    async def _keep(self, body: bytes) -> HTTPResponse:
        wiring = self._running()
        try:
            await wiring.receive(webhook.read(body))
        except StoreError as error:
            wiring.metrics.refused("store_failed")
            logger.error("whatsapp.store_failed: a webhook was answered 503: %s", error)
            return http.text("cannot be kept now, send again", status=503, headers=AGAIN)
        return http.text("ok")

    def _refuse(self, error: WebhookRefused) -> HTTPResponse:
        self._running().metrics.refused(error.kind)
        logger.warning("whatsapp.refused: %s", error)
        headers = AGAIN if error.status == 503 else None
        return http.text("refused", status=error.status, headers=headers)

    def _running(self) -> Wiring:
        if self._wiring is None:
            raise StoreError("the WhatsApp channel is not running in this process")
        return self._wiring

    def _watching(self) -> Watch:
        if self._watch is None:
            raise StoreError("the WhatsApp channel is not running in this process")
        return self._watch

    def _bot(self, app: Sanic, on_new_message: OnNewMessage) -> Bot:
        async def bot(turn: Turn, *, repeated: bool) -> bool | None:
            watch, agent = self._watching(), app.ctx.agent
            if repeated:
                tracker = await watch.retrieve(agent, turn.sender_id)
                if was_handled(tracker, turn.message_id):
                    return None
            output = WhatsAppOutput(lambda: self._running().outlet(turn.message_id), in_turn=True)
            with watch.turn(agent) as heard:
                await on_new_message(
                    UserMessage(
                        turn.text,
                        output,
                        turn.sender_id,
                        input_channel=self.name(),
                        message_id=turn.message_id,
                        metadata=turn.metadata,
                    )
                )
            await watch.look_for_actions(agent, heard, turn.sender_id, turn.message_id)
            return output.spoke

        return bot

    def _why_silent(self, app: Sanic) -> Why:
        async def why_silent(sender_id: str) -> str | None:
            return silence_of(await self._watching().retrieve(app.ctx.agent, sender_id))

        return why_silent

    def _record(self, app: Sanic) -> Record:
        async def record(event: TrackerEvent) -> bool:
            # Rasa lets nobody add kinds of events: a tracker with one cannot be read without us.
            # This kind says nothing to policies, forms, flows and prompts, and does nothing.
            noted = StoryExported(metadata=event.metadata)
            return await self._watching().add(app.ctx.agent, event.sender_id, noted)

        return record


def _is_ready(app: Sanic) -> bool:
    """Return whether Rasa would take a message; without an agent it drops it with a log line."""
    agent = getattr(app.ctx, "agent", None)
    return agent is not None and agent.is_ready()


def _forwarded_for(request: Request) -> str:
    """Return all of a header that may stand there several times."""
    return ",".join(request.headers.getall("x-forwarded-for", []))


def _leave_body(request: Request) -> None:
    """
    Answer without the body, and close the connection if there is one.

    Sanic would read the rest of it afterwards, for as long as it comes.
    """
    stream = request.stream
    if stream.request_body == "chunked" or stream.request_bytes_left:
        stream.keep_alive = False
        stream.request_body = None
        # Sanic 21.12 keeps a connection for 15 seconds after it was closed, with all that came.
        stream.recv_buffer.clear()
