"""
Metrics for Prometheus, on ``GET /webhooks/whatsapp/metrics``.

Each server process has one `Metrics` with a registry of its own, since it may serve more than this
channel. Labels are fixed words of this package or of WhatsApp; any other word counts as ``other``,
so that no caller can create series without end. No label holds a person or a text.
docs/monitoring.md lists the series.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.whatsapp.account_events import FIELDS, WORDS
from rasa_whatsapp_channel.whatsapp.error_codes import ERROR_CODES
from rasa_whatsapp_channel.whatsapp.errors import APIError, SendError
from rasa_whatsapp_channel.whatsapp.markets import CALLING_CODES
from rasa_whatsapp_channel.whatsapp.pricing import CATEGORIES
from rasa_whatsapp_channel.whatsapp.pricing import TYPES as CHARGE_TYPES

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
OTHER: Final = "other"
PAUSES: Final = ("token", "throughput", "infrastructure", "account")
# First words of the topics of account events.
TOPICS: Final = (
    *("template", "restriction", "account", "connection", "partner", "number"),
    *("payments", "flow", "group", "limit", "notifications"),
)
QUEUES: Final = ("inbox", "outbox", "desk")
# What the bot needs; `agent` and `inbound.outages` tell when it is away.
NEEDS: Final = ("lock store", "tracker store", "event broker", "action server", "service", "engine")

# https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
TYPES: Final = frozenset(
    {
        *("text", "image", "video", "audio", "voice", "document", "sticker"),
        *("location", "contacts", "order", "reaction", "interactive", "button"),
        *("template", "system", "unsupported", "edit", "revoke"),
    }
)
# What is kept without a turn: messages, and what WhatsApp says of ours and of the conversation.
EVENTS: Final = TYPES | {
    *("delivery_failed", "status", "payment", "call", "overheard", "handover", "handoff")
}
STATUSES: Final = frozenset(
    {"sent", "delivered", "read", "played", "failed", "deleted", "warning", "payment"}
)
# Of a conversation, beside messages and statuses: what happened, by the webhook's field.
HAPPENINGS: Final = frozenset(
    {
        *("connect", "terminate", "call_recording_available", "call_transcription_available"),
        *("ringing", "accepted", "rejected", "message", "echo", "status"),
        *("control_passed", "control_taken"),
    }
)
# Gateways write an HTTP status where the code belongs.
CODES: Final = frozenset({*ERROR_CODES, *range(400, 430), *range(500, 505)})

# Upper ends in seconds; each is about the time in which nobody notices, up to what is a fault.
WEBHOOK_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
TURN_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
SEND_SECONDS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
WAIT_SECONDS: Final = (0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800, 3600, 21600, 86400)

Timer = AbstractContextManager[Any]


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._received = self._counters("received", "Messages of people, by type", "type")
        self._duplicates = self._counter("duplicates", "Messages delivered once more")
        self._statuses = self._counters("statuses", "What became of sent messages", "status")
        self._refused = self._counters("webhooks_refused", "Webhooks not taken", "reason")
        self._handled = self._counter("turns_handled", "Turns the bot got through")
        self._noted = self._counters("tracker_events", "Kept in a tracker without a turn", "type")
        self._ignored = self._counters("ignored", "Messages neither heard nor kept", "type")
        self._account_events = self._counters(
            "account_events", "Webhooks about the account", "field", "event"
        )
        self._conversation_events = self._counters(
            "conversation_events",
            "Calls, handovers, and what others said in a conversation",
            "field",
            "event",
        )
        self._sent = self._counters("sent", "Messages WhatsApp accepted, by type", "type")
        self._api_errors = self._counters("api_errors", "Failed requests to WhatsApp", "code")
        self._changes = self._counters("changes", "Parts of responses changed to fit", "code")
        self._charges = self._counters(
            "charges",
            "Delivered messages, by what WhatsApp charges for them",
            *("category", "type", "country", "billable"),
        )
        self._over_limit = self._counters(
            "over_limit", "Messages beyond a limit of `billing`", "limit", "outcome"
        )
        self._retries = self._counters("retries", "Items to be handled again", "queue")
        self._dead = self._counters("dead_letters", "Items that cannot be handled", "queue")
        self._actions = self._counters("actions_failed", "Actions that did not run", "reason")
        self._turn_errors = self._counters(
            "turn_errors", "Turns that Rasa's engine ended with an error", "reason"
        )
        self._restarts = self._counter(
            "conversations_restarted", "Ended conversations in which somebody wrote again"
        )
        self._silenced = self._counters("turns_silenced", "Turns nobody answers", "reason")

        self._owners = self._counters(
            "owner_changes", "Conversations that got another owner", "owner", "by"
        )
        self._owned = self._gauge("conversations", "Not the bot's now, by who has them", "owner")
        self._longest = self._gauge(
            "longest_wait_for_a_person_seconds", "How long somebody has waited for a person"
        )
        self._came = self._histogram(
            "wait_for_a_person", "From the request to a person's first word", WAIT_SECONDS
        )
        self._consent = self._counters("consent", "Changes of who wants marketing", "value")
        self._withheld = self._counter("withheld", "Templates not sent to who wants no marketing")

        self._webhook = self._histogram("webhook", "Answering a webhook", WEBHOOK_SECONDS)
        self._turn = self._histogram("turn", "One turn of the bot", TURN_SECONDS)
        self._send = self._histogram("send", "Sending one message", SEND_SECONDS)
        wait = self._histogram("queue_wait", "From put to first taken up", WAIT_SECONDS, "queue")
        self._wait = cache(wait.labels)
        for queue in ("inbox", "outbox"):  # the desk's is shown where there is one
            self._wait(queue)

        away = self._gauge("bot_away", "1 while something that the bot needs is away", "what")
        self._away = {need: away.labels(need.replace(" ", "_")) for need in NEEDS}
        self._store_up = self._gauge("store_up", "1 while the store can be read")
        self._waiting = self._gauge("queue_waiting", "Items that wait now", "queue")
        self._dead_now = self._gauge("queue_dead_letters", "Dead letters that are kept", "queue")
        self._oldest = self._gauge("queue_oldest_seconds", "How long an item is late", "queue")
        self._failing = self._gauge("queue_failing", "Waiting items that failed", "queue")
        self._allowance = self._gauge(
            "free_messages_left", "Replies of this month that are still free", "number"
        )
        self._paused = self._gauge("sending_paused", "1 while a number sends nothing", "cause")
        self._troubles = self._gauge("account_troubles", "What lasts of the account", "topic")
        self.account_troubles(())
        for queue in QUEUES:  # a series that begins with 0 shows its first 1 as a rise
            self._retries(queue)
            self._dead(queue)
        self.sending_paused(())
        for reason in ("away", "failed"):
            self._actions(reason)
        for reason in ("model", "other"):
            self._turn_errors(reason)
        for reason in ("paused", "terminated"):
            self._silenced(reason)
        for value in ("stop", "resume"):
            self._consent(value)
        self.owners(dict.fromkeys(("waiting", "human", "app"), 0), longest=0.0)

    def received(self, kind: str) -> None:
        """*kind* is WhatsApp's type of the message, here and in `sent`."""
        self._received(known(kind, TYPES)).inc()

    def duplicate(self) -> None:
        self._duplicates.inc()

    def status(self, status: str) -> None:
        self._statuses(known(status, STATUSES)).inc()

    def refused(self, reason: str) -> None:
        """*reason* is a word of ours, see `WebhookRefused.kind`."""
        self._refused(reason).inc()

    def handled(self) -> None:
        self._handled.inc()

    def noted(self, kind: str) -> None:
        """*kind* is the type of a message, or one of the others in `EVENTS`; as in `ignored`."""
        self._noted(known(kind, EVENTS)).inc()

    def ignored(self, kind: str) -> None:
        self._ignored(known(kind, EVENTS)).inc()

    def account_event(self, field: str, event: str) -> None:
        """*field* is the webhook's, *event* WhatsApp's word in it."""
        self._account_events(known(field, FIELDS), known(event, WORDS)).inc()

    def conversation_event(self, field: str, event: str) -> None:
        """*field* is the webhook's, as this package writes it; *event* is WhatsApp's word."""
        self._conversation_events(field, known(event, HAPPENINGS)).inc()

    def sent(self, kind: str) -> None:
        self._sent(known(kind, TYPES)).inc()

    def api_error(self, error: ChannelError) -> None:
        """Count *error* if it comes from a request to WhatsApp, and not from before one."""
        if isinstance(error, APIError):
            self._api_errors(str(error.code) if error.code in CODES else OTHER).inc()
        elif isinstance(error, SendError):
            self._api_errors("no_answer").inc()

    def changed(self, code: str) -> None:
        """*code* is one of ours, see docs/changes.md."""
        self._changes(code).inc()

    def charged(self, category: str, kind: str, country: str, *, is_billed: bool) -> None:
        """*category* and *kind* are WhatsApp's words, *country* is a calling code."""
        words = known(category, CATEGORIES), known(kind, CHARGE_TYPES)
        self._charges(*words, known(country, CALLING_CODES), str(is_billed).lower()).inc()

    def allowance_left(self, place: int, left: int) -> None:
        """*place* is that of a number in the settings, from 1."""
        self._allowance.labels(place).set(left)

    def over_limit(self, limit: str, *, is_stopped: bool) -> None:
        """*limit* is the setting's name."""
        self._over_limit(limit, "stopped" if is_stopped else "sent").inc()

    def retried(self, queue: str) -> None:
        self._retries(queue).inc()

    def dead_letter(self, queue: str) -> None:
        self._dead(queue).inc()

    def outage(self, what: str, away: bool) -> None:
        """*what* is one of `NEEDS`."""
        self._away[what].set(away)

    def action_failed(self, reason: str) -> None:
        """*reason*: ``away`` where the action server was not reached, else ``failed``."""
        self._actions(reason).inc()

    def turn_error(self, reason: str) -> None:
        """*reason*: ``model`` where the language model did not answer, else ``other``."""
        self._turn_errors(reason).inc()

    def restarted(self) -> None:
        self._restarts.inc()

    def silenced(self, reason: str) -> None:
        """*reason*: ``paused`` or ``terminated``."""
        self._silenced(reason).inc()

    def owner_changed(self, owner: str, by: str) -> None:
        """*owner* is the new one, *by* who made the change; both are words of `conversation`."""
        self._owners(owner, by).inc()

    def owners(self, counts: Mapping[str, int], *, longest: float) -> None:
        """*counts* are of all owners but the bot; *longest* is a wait that is not over."""
        for owner, count in counts.items():
            self._owned.labels(owner).set(count)
        self._longest.set(longest)

    def person_came(self, seconds: float) -> None:
        self._came.observe(seconds)

    def consent(self, value: str) -> None:
        """*value*: ``stop`` or ``resume``."""
        self._consent(value).inc()

    def withheld(self) -> None:
        self._withheld.inc()

    def waited(self, queue: str, seconds: float) -> None:
        self._wait(queue).observe(max(seconds, 0.0))  # clocks of two servers differ

    def webhook_timer(self) -> Timer:
        return self._webhook.time()

    def turn_timer(self) -> Timer:
        return self._turn.time()

    def send_timer(self) -> Timer:
        return self._send.time()

    def sending_paused(self, causes: Collection[str]) -> None:
        """*causes* of the pauses that there are now, see `store.base`."""
        for cause in PAUSES:
            self._paused.labels(cause).set(cause in causes)

    def account_troubles(self, topics: Iterable[str]) -> None:
        """*topics* of what WhatsApp reported and is not over."""
        counts = collections.Counter(topic.partition(" ")[0] for topic in topics)
        for topic in TOPICS:
            self._troubles.labels(topic).set(counts[topic])

    def depth(
        self, queue: str, *, waiting: int, dead_letters: int, failing: int, oldest_age: float
    ) -> None:
        self._store_up.set(1)
        self._failing.labels(queue).set(failing)
        self._waiting.labels(queue).set(waiting)
        self._dead_now.labels(queue).set(dead_letters)
        self._oldest.labels(queue).set(max(oldest_age, 0.0))

    def store_failed(self) -> None:
        """Forget the depths: yesterday's are worse than none."""
        self._store_up.set(0)
        for gauge in (
            *(self._waiting, self._dead_now, self._oldest, self._failing),
            *(self._allowance, self._owned),
        ):
            gauge.clear()

    def page(self) -> bytes:
        """Return all of it in Prometheus' text format; its type is `CONTENT_TYPE`."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"whatsapp_{name}", text, labels, registry=self.registry)

    def _counters(self, name: str, text: str, *labels: str) -> Callable[..., Counter]:
        """Return what finds the counter of words; the library takes a lock to look it up."""
        return cache(self._counter(name, text, *labels).labels)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"whatsapp_{name}", text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(
            f"whatsapp_{name}_seconds",
            f"{text}, in seconds",
            labels,
            registry=self.registry,
            buckets=buckets,
        )


def known(word: str, words: frozenset[str]) -> str:
    """Return *word* where it is one of *words*, else `OTHER`: nobody outside makes new ones."""
    return word if word in words else OTHER
