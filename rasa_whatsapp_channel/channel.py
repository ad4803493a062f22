"""
Rasa adapter: Rasa's input and output channel, and how it runs the bot.

Rasa 3.6 forks its workers and Rasa Pro spawns them, so nothing is opened before the server of a
process starts, and everything belongs to that process.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from rasa.core.channels.channel import InputChannel, OutputChannel, UserMessage
from rasa.core.nlg.generator import ResponseVariationFilter
from rasa.shared.core.slots import AnySlot
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import InvalidConfigException
from sanic import Blueprint, Sanic
from sanic.exceptions import SanicException

from rasa_whatsapp_channel.agent import AgentWatch, cancel_turn, entities_of, is_mantle
from rasa_whatsapp_channel.announce import describe
from rasa_whatsapp_channel.app import App
from rasa_whatsapp_channel.conversation.errors import BotUnavailable
from rasa_whatsapp_channel.conversation.handoffs import CancelTurn
from rasa_whatsapp_channel.conversation.restarts import conversation_of
from rasa_whatsapp_channel.conversation.silence import WhySilent
from rasa_whatsapp_channel.desk.delivery import History
from rasa_whatsapp_channel.domain.project import find_channels_file
from rasa_whatsapp_channel.factories import check_settings
from rasa_whatsapp_channel.inbound.bot_runner import Bot, Record
from rasa_whatsapp_channel.inbound.endpoint import WEBHOOK
from rasa_whatsapp_channel.inbound.intents import keep_entities
from rasa_whatsapp_channel.inbound.metadata import seed_of
from rasa_whatsapp_channel.inbound.turn import TrackerEvent, Turn
from rasa_whatsapp_channel.logs import follow_rasa
from rasa_whatsapp_channel.mantle import complete
from rasa_whatsapp_channel.notify.notification import BotNames, NotificationError
from rasa_whatsapp_channel.outbound.due_notifications import Respond
from rasa_whatsapp_channel.outbound.message import name_of
from rasa_whatsapp_channel.outbound.turn_writer import TurnWriter
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.sanic_routes import add_routes
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.settings.roles import BOT
from rasa_whatsapp_channel.store.base import StoreError
from rasa_whatsapp_channel.tracker_events import events_of, note_of
from rasa_whatsapp_channel.tracker_reader import (
    history_of,
    names_of_turn,
    silence_of,
    was_handled,
    was_ignored,
)

logger = logging.getLogger(__name__)

NAME = "whatsapp"
BLUEPRINT: Final = "whatsapp_webhook"
OnNewMessage = Callable[[UserMessage], Awaitable[Any]]


class WhatsAppOutput(OutputChannel):  # type: ignore[misc]  # Rasa ships no types
    """
    Rasa's output channel: puts every response into the outbox, so no call waits for WhatsApp.

    In a turn of our inbox a failing store raises, and the turn is repeated. Elsewhere (reminders,
    ``trigger_intent``) nothing would repeat it, so the failure is logged. *mantle*: the turn is one
    of Rasa Pro's engine Mantle, which keeps a part of each response, and tells *note_outcome* how
    it ended.
    """

    # Rasa Pro would compute the whole tracker state for each response.
    wants_tracker_state = False

    def __init__(
        self,
        writer: Callable[[], OutboxWriter | TurnWriter],
        *,
        in_turn: bool = False,
        mantle: bool = False,
        note_outcome: Callable[[Any], None] = lambda _: None,
    ) -> None:
        super().__init__()
        self.is_mantle = mantle
        self._note_outcome = note_outcome
        self._make_writer = writer
        self._writer: OutboxWriter | TurnWriter | None = None
        self._in_turn = in_turn
        self.has_sent = False

    @classmethod
    def name(cls) -> str:
        return NAME

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Send all parts of a response together, as few WhatsApp messages as they fit into."""
        await self._write(recipient_id, message)

    async def send_text_message(self, recipient_id: str, text: str, **kwargs: Any) -> None:
        await self._write(recipient_id, {**kwargs, "text": text})

    async def send_image_url(self, recipient_id: str, image: str, **kwargs: Any) -> None:
        await self._write(recipient_id, {**kwargs, "image": image})

    async def send_attachment(self, recipient_id: str, attachment: Any, **kwargs: Any) -> None:
        await self._write(recipient_id, {**kwargs, "attachment": attachment})

    async def send_text_with_buttons(
        self, recipient_id: str, text: str | None, buttons: list[dict[str, Any]], **kwargs: Any
    ) -> None:
        await self._write(recipient_id, {**kwargs, "text": text, "buttons": buttons})

    async def send_buttons(
        self, recipient_id: str, buttons: list[dict[str, Any]], **kwargs: Any
    ) -> None:
        """Rasa Pro calls it when the text has been sent before."""
        await self._write(recipient_id, {**kwargs, "buttons": buttons})

    async def send_quick_replies(
        self, recipient_id: str, text: str, quick_replies: list[dict[str, Any]], **kwargs: Any
    ) -> None:
        await self._write(recipient_id, {**kwargs, "text": text, "quick_replies": quick_replies})

    async def send_elements(
        self, recipient_id: str, elements: Iterable[dict[str, Any]], **kwargs: Any
    ) -> None:
        await self._write(recipient_id, {**kwargs, "elements": list(elements)})

    async def send_custom_json(
        self, recipient_id: str, json_message: dict[str, Any], **kwargs: Any
    ) -> None:
        await self._write(recipient_id, {**kwargs, "custom": json_message})

    async def record_turn_outcome(self, outcome: Any) -> None:
        """Rasa Pro's engine Mantle tells it; an answer alone does not show that a turn failed."""
        self._note_outcome(outcome)

    async def _write(self, recipient_id: str, response: dict[str, Any]) -> None:
        self.has_sent = True
        if isinstance(recipient_id, str):  # an action may pass anything
            recipient_id = conversation_of(recipient_id)
        if self.is_mantle:
            response = dict(complete(response))
        try:
            if self._writer is None:
                self._writer = self._make_writer()
            await self._writer.write(recipient_id, response)
        except StoreError as error:
            if self._in_turn:
                raise
            called = name_of(response) or "a response that no turn asked for"
            logger.error("whatsapp.lost: %s: it could not be kept: %s", called, error)


class WhatsAppInput(InputChannel):  # type: ignore[misc]  # Rasa ships no types
    """Rasa's input channel: serves the webhook, and runs the bot for each turn."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._app: App | None = None
        self._watch: AgentWatch | None = None

    @classmethod
    def name(cls) -> str:
        return NAME

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> WhatsAppInput:
        try:
            # The folder that Rasa is started in.
            settings = Settings.from_credentials(credentials, file=find_channels_file(Path()).name)
            check_settings(settings, Path())
        except (SettingsError, StoreError) as error:
            # Rasa prints this one without a traceback.
            raise InvalidConfigException(str(error)) from error
        return cls(settings)

    def get_output_channel(self) -> WhatsAppOutput:
        """Return a channel for reminders and ``trigger_intent``, valid while the server runs."""
        return WhatsAppOutput(lambda: self._running().outbox_writer())

    def blueprint(self, on_new_message: OnNewMessage) -> Blueprint:
        blueprint = Blueprint(BLUEPRINT)
        _refuse_second_block()

        @blueprint.listener("before_server_start")  # type: ignore[untyped-decorator, unused-ignore]
        async def open_app(app: Sanic, _loop: Any = None) -> None:
            follow_rasa()
            self._app = App(
                self.settings,
                self._bot(app, on_new_message),
                ready=lambda: _is_ready(app),
                why_silent=self._why_silent(app),
                record=self._record(app),
                readable=lambda: is_mantle(_agent_of(app)),
                cancel_turn=self._cancel_turn(app),
                history=self._history(app),
                respond=self._respond(app),
                bot_names=lambda: _names_of(_agent_of(app)),
            )
            self._watch = AgentWatch(
                self._app.outages,
                self._app.metrics,
                wait_for_action_server=self.settings.wait_for_action_server,
            )
            self._watch.open()
            await self._app.open()

        @blueprint.listener("after_server_start")  # type: ignore[untyped-decorator, unused-ignore]
        async def start_work(app: Sanic, _loop: Any = None) -> None:
            roles = self.settings.roles
            if BOT in roles:
                self._watching().look_at(_agent_of(app))  # here, so that no turn waits for it
            self._running().start()
            logger.info(
                "whatsapp.started: %s", describe(self.settings, webhook=WEBHOOK, roles=roles)
            )
            if BOT in roles and not _is_ready(app):
                logger.warning(
                    "whatsapp.no_model: Rasa has loaded no model yet; messages are kept until then"
                )

        @blueprint.listener("before_server_stop")  # type: ignore[untyped-decorator, unused-ignore]
        async def stop_work(_app: Sanic, _loop: Any = None) -> None:
            await self._running().stop()

        @blueprint.listener("after_server_stop")  # type: ignore[untyped-decorator, unused-ignore]
        async def close_app(_app: Sanic, _loop: Any = None) -> None:
            self._watching().close()
            await self._running().close()
            self._app = self._watch = None

        desk = self.settings.handoff is not None and bool(self.settings.handoff.desk)
        add_routes(blueprint, lambda: self._running().endpoint, desk=desk)
        return blueprint

    def _running(self) -> App:
        if self._app is None:
            raise StoreError("the WhatsApp channel is not running in this process")
        return self._app

    def _watching(self) -> AgentWatch:
        if self._watch is None:
            raise StoreError("the WhatsApp channel is not running in this process")
        return self._watch

    def _bot(self, app: Sanic, on_new_message: OnNewMessage) -> Bot:
        async def bot(turn: Turn, *, repeated: bool) -> bool | None:
            watch, agent, restarts = self._watching(), app.ctx.agent, self._running().restarts
            async with self._running().turn_writer(turn.message_id, turn.version) as writer:
                tracker_id = await restarts.tracker_id(turn.sender_id)
                if repeated:
                    await writer.resume()
                    tracker = await watch.retrieve(agent, tracker_id)
                    if was_handled(tracker, turn.message_id):
                        await self._ask_for_person(agent, turn, tracker_id)
                        return None
                output = WhatsAppOutput(
                    lambda: writer,
                    in_turn=True,
                    mantle=is_mantle(agent),
                    note_outcome=watch.note_outcome,
                )
                with watch.turn(agent) as report:
                    await on_new_message(self._message(turn, output, tracker_id, agent))
                if not output.has_sent and await self._is_ignored(agent, tracker_id, turn):
                    tracker_id = await self._restart(turn.sender_id)
                    with watch.turn(agent) as report:
                        await on_new_message(self._message(turn, output, tracker_id, agent))
            await watch.look_for_actions(agent, report, tracker_id, turn.message_id)
            await self._ask_for_person(agent, turn, tracker_id)
            if not writer.position:
                await self._running().say_waiting(turn.sender_id, turn.version)
            return output.has_sent

        return bot

    def _message(
        self, turn: Turn, output: WhatsAppOutput, tracker_id: str, agent: Any
    ) -> UserMessage:
        metadata, listed = turn.metadata, entities_of(agent)
        if output.is_mantle:
            metadata = {**metadata, "extra": seed_of(metadata["whatsapp"])}
        return UserMessage(
            turn.text if listed is None else keep_entities(turn.text, listed),
            output,
            tracker_id,
            input_channel=self.name(),
            message_id=turn.message_id,
            metadata=metadata,
        )

    async def _is_ignored(self, agent: Any, tracker_id: str, turn: Turn) -> bool:
        """Return whether a turn has to be begun anew, as Rasa Pro ended its conversation before."""
        if self.settings.on_hangup == "silence":
            return False
        return was_ignored(await self._watching().retrieve(agent, tracker_id), turn.message_id)

    async def _restart(self, conversation: str) -> str:
        self._running().metrics.restarted()
        logger.info(
            "whatsapp.conversation_restarted: somebody writes again whose conversation Rasa has "
            "ended; a new one begins, in a tracker of its own"
        )
        return await self._running().restarts.begin(conversation)

    async def _ask_for_person(self, agent: Any, turn: Turn, tracker_id: str) -> None:
        """Ask for a person if an intent, an action or a flow of the turn is a trigger."""
        handoff = self.settings.handoff
        if handoff is None or not handoff.triggers:
            return
        tracker = await self._watching().retrieve(agent, tracker_id)
        found = names_of_turn(tracker, turn.message_id) & set(handoff.triggers)
        if found:
            await self._running().ask_for_person(turn.sender_id, min(found))

    def _why_silent(self, app: Sanic) -> WhySilent:
        async def why_silent(sender_id: str) -> str | None:
            tracker_id = await self._running().restarts.tracker_id(sender_id)
            why = silence_of(await self._watching().retrieve(app.ctx.agent, tracker_id))
            goes_on = why == "terminated" and self.settings.on_hangup == "new_conversation"
            return None if goes_on else why

        return why_silent

    def _cancel_turn(self, app: Sanic) -> CancelTurn:
        async def cancel(conversation: str) -> None:
            tracker_id = await self._running().restarts.tracker_id(conversation)
            cancel_turn(_agent_of(app), tracker_id)

        return cancel

    def _history(self, app: Sanic) -> History:
        async def history(
            conversation: str, before: float, turn_id: str | None
        ) -> list[dict[str, Any]]:
            tracker_id = await self._running().restarts.tracker_id(conversation)
            try:
                tracker = await self._watching().retrieve(app.ctx.agent, tracker_id)
            except BotUnavailable as error:
                logger.warning("whatsapp.no_history: the desk gets none of before: %s", error)
                return []
            return history_of(tracker, before, turn_id)

        return history

    def _respond(self, app: Sanic) -> Respond:
        async def respond(
            name: str, conversation: str, slots: Mapping[str, Any]
        ) -> Mapping[str, Any] | None:
            agent = _agent_of(app)
            written = agent.domain.responses.get(name)
            if written is None:
                return None
            tracker_id = await self._running().restarts.tracker_id(conversation)
            tracker = await self._watching().retrieve(agent, tracker_id)
            if tracker is None:
                tracker = DialogueStateTracker.from_events(tracker_id, [], agent.domain.slots)
            _set_slots(tracker, slots)
            if not _has_variation(written, tracker):
                raise NotificationError(f"no variation of {name} is for {NAME} and these slots")
            with self._watching().turn(agent):
                response = await agent.nlg.generate(name, tracker, _Channel(NAME))
            return response if isinstance(response, Mapping) else None

        return respond

    def _record(self, app: Sanic) -> Record:
        async def record(event: TrackerEvent) -> bool:
            noted = note_of(event.metadata)
            tracker_id = await self._running().restarts.tracker_id(event.sender_id)
            if event.episode is None:
                return await self._watching().add(app.ctx.agent, tracker_id, noted)
            told = partial(events_of, event.episode, channel=NAME)
            return await self._watching().add(app.ctx.agent, tracker_id, noted, before=told)

        return record


def _refuse_second_block() -> None:
    """Raise `InvalidConfigException` if Rasa's server has this channel already."""
    try:
        server = Sanic.get_app()
    except SanicException:  # there is none yet, or one of several that are no Rasa
        return
    if BLUEPRINT in server.blueprints:
        raise InvalidConfigException(
            "Two blocks are for this channel, and Rasa takes one: further numbers go to `numbers:` "
            "of the first."
        )


class _Channel(str, OutputChannel):  # type: ignore[misc]
    """What responses are generated for: Rasa 3.6 takes its name, Rasa Pro the channel."""

    def __init__(self, _name: str) -> None:
        super().__init__()

    @classmethod
    def name(cls) -> str:
        return NAME


def _set_slots(tracker: DialogueStateTracker, slots: Mapping[str, Any]) -> None:
    """
    Set *slots* in *tracker*, which nobody saves, also those that the domain does not have.

    So they fill a response, and choose its variation and its language. As arguments of `generate`
    they would only fill it, and those with the name of one of its parameters, such as `language`,
    would be an error.
    """
    for name, value in slots.items():
        if name not in tracker.slots:
            tracker.slots[name] = AnySlot(name, mappings=[])
        try:
            tracker.slots[name].value = value
        except (AttributeError, ValueError) as error:  # of Rasa Pro
            raise NotificationError(f"the slot {name} cannot be {value!r}: {error}") from error


def _has_variation(written: Sequence[Mapping[str, Any]], tracker: DialogueStateTracker) -> bool:
    """
    Return whether a variation of a response is for the slots of *tracker*.

    Rasa Pro would say that it has trouble. What a server generates may have none in the domain.
    """
    chosen = ResponseVariationFilter({"": list(written)}).responses_for_utter_action(
        "", NAME, tracker.current_slot_values()
    )
    return bool(chosen or not written)


def _names_of(agent: Any) -> BotNames | None:
    """Return what *agent* has by name; None where there is no domain."""
    if is_mantle(agent):
        return BotNames((), ())
    domain = getattr(agent, "domain", None)
    return None if domain is None else BotNames(domain.responses, domain.intents)


def _is_ready(app: Sanic) -> bool:
    """Return whether Rasa would take a message; without an agent it drops it with a log line."""
    agent = _agent_of(app)
    return agent is not None and agent.is_ready()


def _agent_of(app: Sanic) -> Any:
    """Return Rasa's agent; None until one is loaded."""
    return getattr(app.ctx, "agent", None)
