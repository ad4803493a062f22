"""What became of messages WhatsApp accepted: the ledger, what waits for them, and what failed."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final

from rasa_whatsapp_channel.outbound.entry import Entry
from rasa_whatsapp_channel.outbound.failures import Failures
from rasa_whatsapp_channel.outbound.heal import WINDOW_CODES, heal
from rasa_whatsapp_channel.outbound.window import CLOSED
from rasa_whatsapp_channel.store.base import DAY, Sent, Store, is_news
from rasa_whatsapp_channel.store.keys import echo_key, sent_key, wrote_key
from rasa_whatsapp_channel.whatsapp.errors import PlatformError
from rasa_whatsapp_channel.whatsapp.events import Status

logger = logging.getLogger(__name__)

# After one of these the next message may go; `delivered` itself is skipped when a chat is open.
ENDED: Final = frozenset({"delivered", "read", "played", "failed"})


class Statuses:
    def __init__(self, store: Store, failures: Failures) -> None:
        self._store = store
        self._failures = failures

    async def note(self, status: Status) -> None:
        """Keep *status*, and do what follows from it. Raises `StoreError`."""
        reason = "; ".join(str(error) for error in status.errors) or None
        is_settled = await self._settle_failure(status)
        sent = await self._store.ledger.note_status(status.message_id, status.status, reason=reason)
        if sent is None:
            await self._hear_echo(status)
            return
        if status.status == "failed" and not is_settled:
            await self.failed(sent, status.errors)
        if status.status in ENDED:
            await self._store.outbox.free(sent.recipient_id)

    async def _settle_failure(self, status: Status) -> bool:
        """
        Do what follows from a failure before it is kept; False: there is nothing to do yet.

        Where that breaks off WhatsApp sends the status again, and then it must still be news.
        """
        if status.status != "failed":
            return False
        sent = await self._store.ledger.get(status.message_id)
        if sent is None or not is_news(status.status, sent.status):
            return False
        await self.failed(sent, status.errors)
        return True

    async def _hear_echo(self, status: Status) -> None:
        """
        Keep that an entry of the outbox was taken, though nobody noted it (yet).

        Its process may have died before the answer came, or the connection broke; the sender looks
        here before it tries again.
        """
        key = status.callback_data
        if key and await self._store.ledger.get(status.message_id) is None:
            await self._store.values.set(echo_key(key), status.message_id, DAY)

    async def let_go(self, message_id: str) -> None:
        """
        End the wait for *message_id* if its end came while its entry was still out.

        `note` had nothing to free then: a wait begins with the end of the entry.
        """
        sent = await self._store.ledger.get(message_id)
        if sent is not None and sent.status in ENDED:
            await self._store.outbox.free(sent.recipient_id)

    async def failed(self, sent: Sent, errors: tuple[PlatformError, ...] = ()) -> None:
        """WhatsApp accepted the message and could not deliver it: another way, or tell the bot."""
        error = errors[0] if errors else PlatformError(0, sent.reason or "no reason given")
        kept = await self._store.values.get(sent_key(sent.message_id))
        entry = Entry.from_body(kept) if kept else Entry(sent.recipient_id, {}, sent.response)
        if kept and await self._send_another_way(sent, entry, error.code):
            return
        await self._failures.tell(sent.key, entry, code=error.code, reason=str(error))

    async def _send_another_way(self, sent: Sent, entry: Entry, code: int) -> bool:
        if code in WINDOW_CODES and not entry.is_template:
            # The sender finds the window closed, sends the template and lets the message wait.
            wrote_at = await self._store.values.get(wrote_key(sent.recipient_id))
            if wrote_at is None or wrote_at <= sent.at:  # else it was opened since
                await self._store.values.set(wrote_key(sent.recipient_id), CLOSED, 2 * DAY)
            healed: Entry | None = replace(entry, ids=())
        else:
            healed = heal(entry, code)
        if healed is None:
            return False
        logger.warning(
            "whatsapp.sent_another_way: %s",
            entry.name,
            extra={"key": sent.key, "code": code, "response": entry.response},
        )
        key = f"{sent.key}:after-{sent.message_id}"
        await self._store.outbox.put(key, sent.recipient_id, healed.body())
        return True
