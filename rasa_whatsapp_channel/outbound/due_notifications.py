"""Due notifications: decides whether one that is due goes now, and puts it into the outbox."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from rasa_whatsapp_channel.account import TEMPLATE, AccountState, Trouble
from rasa_whatsapp_channel.compose import Composed
from rasa_whatsapp_channel.compose.closed_window import UTILITY
from rasa_whatsapp_channel.compose.combine import alone
from rasa_whatsapp_channel.compose.content import READ
from rasa_whatsapp_channel.conversation.errors import BotUnavailable
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.notify.notification import (
    MARKETING,
    BotNames,
    Notification,
    NotificationError,
)
from rasa_whatsapp_channel.notify.notifications import (
    FAILED,
    NOTIFICATIONS,
    QUEUED,
    SCHEDULED,
    WITHHELD,
    Notifications,
    Record,
)
from rasa_whatsapp_channel.notify.timing import quiet_for
from rasa_whatsapp_channel.outbound.marketing import Marketing
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.settings.parsers import QuietHours
from rasa_whatsapp_channel.store.base import (
    DONE,
    Clock,
    DeadLetter,
    Outcome,
    Queue,
    QueueItem,
    Retry,
    StoreError,
)
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.account_events import Stops, template_subject
from rasa_whatsapp_channel.whatsapp.events import IntentAsked, to_body
from rasa_whatsapp_channel.whatsapp.identity import split_number
from rasa_whatsapp_channel.whatsapp.messages import Template
from rasa_whatsapp_channel.whatsapp.time_zones import zones_of

logger = logging.getLogger(__name__)

# The response of this name for a conversation, with slots filled in; None: the bot has none.
Respond = Callable[[str, str, Mapping[str, Any]], Awaitable["Mapping[str, Any] | None"]]

AGAIN: Final = 30.0  # seconds
ATTEMPTS: Final = 5  # of one that the bot's own code fails
PAUSE: Final = 900.0  # seconds between two looks whether a pause is over


async def no_response(name: str, conversation: str, slots: Mapping[str, Any]) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class DueNotifications:
    """
    Handles the items of the inbox that are of the kind `DUE`.

    *writer* makes the writer of one of them, by the name that its messages are called after.
    """

    notifications: Notifications
    inbox: Queue
    people: People
    marketing: Marketing
    account: AccountState
    writer: Callable[[str], OutboxWriter]
    respond: Respond
    names: Callable[[], BotNames | None]
    quiet: QuietHours | None
    metrics: Metrics
    clock: Clock

    async def handle(self, item: QueueItem) -> Outcome:
        key = str(item.body["key"])
        try:
            return await self._handle(key, item)
        except StoreError:
            raise
        except Exception as error:
            if item.tries < ATTEMPTS:
                raise
            return await self._fail(key, f"{type(error).__name__}: {error}")

    async def _handle(self, key: str, item: QueueItem) -> Outcome:
        wish = Notification.from_body(item.body)
        record = await self.notifications.get(key)
        if record is None or record.state not in (SCHEDULED, QUEUED):
            return DONE
        name, conversation = f"notify:{key}", await self.people.conversation_of(wish.to)
        writer = self.writer(name)
        try:
            if names := self.names():  # the model may be another since the wish was taken
                names.check(wish)
            said = writer.compose(conversation, await self._response(wish, conversation))
        except NotificationError as error:
            return await self._fail(key, str(error))
        except BotUnavailable as error:  # whoever has the slots is away
            return Retry(AGAIN, counted=False, error=str(error))
        category = category_of(wish, said.composed)
        if record.state == SCHEDULED:  # what is queued was decided by a process that died
            subject = subject_of(said.composed) if category == MARKETING else None
            if held := await self._hold(key, wish, record, conversation, subject):
                return held
        if wish.intent:
            if await self.notifications.queue(key):
                asked = IntentAsked(f"{name}:turn", name, wish.intent, wish.slots)
                await self.inbox.put(asked.key, conversation, to_body(asked))
            return DONE
        if not said.composed.messages:
            reasons = (change.text for change in said.composed.changes)
            return await self._fail(key, "; ".join(reasons) or "it is empty")
        if await self.notifications.queue(key, len(said.composed.messages)):
            if category != UTILITY:
                said = replace(said, composed=replace(said.composed, direct_send=False))
            await writer.put(conversation, [said], alone([said.composed]))
        return DONE

    async def _hold(
        self, key: str, wish: Notification, record: Record, conversation: str, marketing: str | None
    ) -> Outcome | None:
        """Return why *wish* does not go now; *marketing* is the template of what is marketing."""
        now = self.clock()
        zones = zones_of(split_number(wish.to)[0])
        if self.quiet and not wish.urgent and (left := quiet_for(self.quiet, zones, now)):
            return Retry(left, counted=False)
        if marketing is None:
            return None
        if reason := await self.marketing.opted_out(await self.people.of(conversation)):
            logger.info("whatsapp.notification_withheld: %s is not sent: %s", key, reason)
            self.metrics.withheld()
            await self.notifications.end(key, WITHHELD, reason)
            return DONE
        paused = why_paused(await self.account.troubles(), marketing)
        if paused and now < (record.at or 0.0) + DAY:
            logger.info("whatsapp.notification_waits: %s: %s", key, paused)
            return Retry(PAUSE, counted=False)
        return None

    async def _response(self, wish: Notification, conversation: str) -> Mapping[str, Any]:
        """Return the response that *wish* asks for; raises `NotificationError`."""
        if wish.template is not None:
            return {"metadata": {"whatsapp": {"template": wish.with_slots(wish.template)}}}
        if not isinstance(wish.response, str):
            return wish.with_slots(wish.response or {})
        found = await self.respond(wish.response, conversation, wish.slots)
        if found is None:
            raise NotificationError(f"the bot has no response {wish.response}")
        # What else Rasa Pro tells of it, such as the prompt that rephrased it, may have braces.
        read = {key: value for key, value in found.items() if key in READ}
        return {"utter_action": wish.response, **wish.with_slots(read)}

    async def _fail(self, key: str, reason: str) -> Outcome:
        await self.notifications.end(key, FAILED, reason)
        return DeadLetter(reason)


def category_of(wish: Notification, composed: Composed) -> str:
    """Return what was asked for, or else the category that *composed* names, or marketing."""
    told = [each.body().get("category") for each in composed.messages]
    if (template := _template_of(composed)) is not None:
        told.append(template.category)
    return str(wish.category or next(filter(None, told), MARKETING)).lower()


def subject_of(composed: Composed) -> str:
    """Return the template of *composed*, as account events name it; empty if it has none."""
    template = _template_of(composed)
    return template_subject(template.name, template.language) if template is not None else ""


def _template_of(composed: Composed) -> Template | None:
    """Return the template that *composed* is, or becomes while the 24-hour window is closed."""
    found = (composed.template, *(each.message for each in composed.messages))
    return next((each for each in found if isinstance(each, Template)), None)


def why_paused(troubles: Sequence[Trouble], template: str) -> Trouble | None:
    """Return why no marketing goes now, beyond what also holds up every other message."""
    for trouble in troubles:
        is_about_template = trouble.topic.startswith(TEMPLATE) and trouble.subject == template
        is_about_all = trouble.topic in (NOTIFICATIONS, "number quality")
        if is_about_template or is_about_all or trouble.stops != Stops.NOTHING.value:
            return trouble
    return None
