"""Notification handler: sends what is due, and tells your server how far each one came."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from rasa_whatsapp_channel.account import TEMPLATE, AccountState, Trouble
from rasa_whatsapp_channel.common import DAY
from rasa_whatsapp_channel.compose.closed_window import UTILITY
from rasa_whatsapp_channel.compose.draft import Draft
from rasa_whatsapp_channel.compose.style import style_of
from rasa_whatsapp_channel.compose.template import own_name, read_template, written_template
from rasa_whatsapp_channel.conversation.consent import Consents
from rasa_whatsapp_channel.conversation.errors import BotUnavailable
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.notify.notification import MARKETING, Notification, NotificationError
from rasa_whatsapp_channel.notify.notifications import (
    CHANGED,
    DUE,
    FAILED,
    NOTIFICATIONS,
    QUEUED,
    SCHEDULED,
    WITHHELD,
    Notifications,
)
from rasa_whatsapp_channel.notify.timing import quiet_for
from rasa_whatsapp_channel.settings.parsers import QuietHours
from rasa_whatsapp_channel.store.base import (
    DONE,
    DeadLetter,
    Handler,
    Outcome,
    QueueItem,
    Retry,
    Store,
)
from rasa_whatsapp_channel.whatsapp.account_events import Stops, template_subject
from rasa_whatsapp_channel.whatsapp.apis import Api
from rasa_whatsapp_channel.whatsapp.errors import SendError
from rasa_whatsapp_channel.whatsapp.events import IntentAsked, to_body
from rasa_whatsapp_channel.whatsapp.identity import split_number
from rasa_whatsapp_channel.whatsapp.json_values import object_of
from rasa_whatsapp_channel.whatsapp.time_zones import zones_of
from rasa_whatsapp_channel.whatsapp.transport import Request, Transport

logger = logging.getLogger(__name__)

# The response of this name for a conversation, with slots filled in; None: the bot has none.
Respond = Callable[[str, str, Mapping[str, Any]], Awaitable["Mapping[str, Any] | None"]]
# Puts a response into the outbox as messages with this key; returns how many there are.
Write = Callable[[str, str, Mapping[str, Any]], Awaitable[int]]

AGAIN: Final = 30.0  # seconds
PAUSE: Final = 900.0  # seconds between two looks whether a pause is over
TELL_FOR: Final = DAY  # how long a change is told to a server that does not take it
LONGEST: Final = 900.0
SIGNATURE: Final = "X-Hub-Signature-256"  # as of WhatsApp's webhooks, so that one check does both


async def no_response(name: str, conversation: str, slots: Mapping[str, Any]) -> None:
    return None


class NotificationHandler:
    """*url* is that of your server, *secret* signs what it is told."""

    def __init__(
        self,
        store: Store,
        notifications: Notifications,
        *,
        people: People,
        consents: Consents,
        account: AccountState,
        write: Write,
        respond: Respond = no_response,
        transport: Transport,
        api: Api,
        quiet: QuietHours | None = None,
        url: str = "",
        secret: str = "",
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._inbox = store.inbox
        self._notifications = notifications
        self._people = people
        self._consents = consents
        self._account = account
        self._write = write
        self._respond = respond
        self._transport = transport
        self._api = api
        self._quiet = quiet
        self._url = url
        self._secret = secret
        self._metrics = metrics or Metrics()
        self._clock = clock

    def before(self, handle: Handler) -> Handler:
        """Return a handler of the inbox that leaves to *handle* what is no notification."""

        async def either(item: QueueItem) -> Outcome:
            kind = item.body.get("kind")
            if kind == DUE:
                return await self._handle_due(item)
            if kind == CHANGED:
                return await self._tell(item)
            return await handle(item)

        return either

    async def _handle_due(self, item: QueueItem) -> Outcome:
        key, wish = str(item.body["key"]), Notification.from_body(item.body)
        record = await self._notifications.get(key)
        if record is None or record.state != SCHEDULED:
            return DONE  # cancelled, or handled before this process died
        now = self._clock()
        zones = zones_of(split_number(wish.to)[0])
        if self._quiet and not wish.urgent and (left := quiet_for(self._quiet, zones, now)):
            return Retry(left, counted=False)
        conversation = await self._people.conversation_of(wish.to)
        try:
            response = await self._response(wish, conversation)
        except NotificationError as error:
            return await self._fail(key, str(error))
        except BotUnavailable as error:  # whoever has the slots is away
            return Retry(AGAIN, counted=False, error=str(error))
        category = category_of(wish, response)
        if category != UTILITY:
            response = _without_direct_send(response)
        if category == MARKETING:
            consent = await self._consents.of(await self._people.of(conversation))
            if consent is not None and not consent.marketing:
                return await self._withhold(key, f"the person opted out: {consent.source}")
            paused = why_paused(await self._account.troubles(), subject_of(response))
            if paused and now < (record.at or 0.0) + DAY:
                logger.info("whatsapp.notification_waits: %s: %s", key, paused)
                return Retry(PAUSE, counted=False)
        name = f"notify:{key}"
        if wish.intent:
            asked = IntentAsked(f"{name}:turn", name, wish.intent, wish.slots)
            await self._inbox.put(asked.key, conversation, to_body(asked))
            await self._notifications.move(key, QUEUED)
            return DONE
        count = await self._write(name, conversation, response)
        if not count:
            return await self._fail(key, "nothing of the response can be sent; the log says why")
        await self._notifications.move(key, QUEUED, to=count)
        return DONE

    async def _response(self, wish: Notification, conversation: str) -> Mapping[str, Any]:
        """Return the response that *wish* asks for; raises `NotificationError`."""
        if wish.template is not None:
            draft = Draft(self._api)
            template = read_template(draft, wish.with_slots(wish.template))
            if template is None:
                raise NotificationError("; ".join(change.text for change in draft.changes))
            return {"custom": template.body()}
        if not isinstance(wish.response, str):
            return wish.with_slots(wish.response or {})
        found = await self._respond(wish.response, conversation, wish.slots)
        if found is None:
            raise NotificationError(f"the bot has no response {wish.response}")
        return {"utter_action": wish.response, **wish.with_slots(found)}

    async def _fail(self, key: str, reason: str) -> Outcome:
        await self._notifications.move(key, FAILED, reason=reason)
        return DeadLetter(reason)

    async def _withhold(self, key: str, reason: str) -> Outcome:
        logger.info("whatsapp.notification_withheld: %s is not sent: %s", key, reason)
        self._metrics.withheld()
        await self._notifications.move(key, WITHHELD, reason=reason)
        return DONE

    async def _tell(self, item: QueueItem) -> Outcome:
        """Tell your server of a change, again and again for a day until it answers with 2xx."""
        if not self._url:
            return DONE  # of a time in which the setting was there
        told = {name: value for name, value in item.body.items() if name not in ("kind", "trace")}
        body = json.dumps(told).encode()
        digest = hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", SIGNATURE: f"sha256={digest}"}
        try:
            answer = await self._transport.send(Request("POST", self._url, headers, body))
            if 200 <= answer.status < 300:
                return DONE
            reason = f"your server answered with HTTP {answer.status}"
        except SendError as error:
            reason = str(error)
        if self._clock() - item.put_at > TELL_FOR:
            return DeadLetter(f"a change of {told['key']} could not be told: {reason}")
        return Retry(min(2.0 ** min(item.tries, 16), LONGEST), error=reason)


def category_of(wish: Notification, response: Mapping[str, Any]) -> str:
    """Return the category of *response*: what was asked for, what it says, or marketing."""
    parts = (
        written_template(response),
        object_of(wish.template),
        object_of(response.get("custom")),
    )
    told = (part["category"] for part in parts if part.get("category"))
    return str(wish.category or next(told, MARKETING)).lower()


def subject_of(response: Mapping[str, Any]) -> str:
    """Return the template of *response*, as account events name it; empty if it has none."""
    template = written_template(response)
    language = template.get("language") or ""
    code = language.get("code", "") if isinstance(language, Mapping) else language
    own = response.get("utter_action")
    name = template.get("name") or (own_name(str(own), template) if template and own else "")
    return template_subject(str(name), str(code)) if name else ""


def _without_direct_send(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return *response* as it goes while it is not known to be utility."""
    place = "custom" if object_of(response.get("custom")).get("whatsapp") else "metadata"
    style = {**style_of(response), "direct_send": False}
    return {**response, place: {**object_of(response.get(place)), "whatsapp": style}}


def why_paused(troubles: Sequence[Trouble], template: str) -> Trouble | None:
    """Return why no marketing goes now, beyond what also holds up every other message."""
    for trouble in troubles:
        is_about_template = trouble.topic.startswith(TEMPLATE) and trouble.subject == template
        is_about_all = trouble.topic in (NOTIFICATIONS, "number quality")
        if is_about_template or is_about_all or trouble.stops != Stops.NOTHING.value:
            return trouble
    return None
