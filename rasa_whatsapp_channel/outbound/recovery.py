"""
What to do with a message that could not be sent or delivered: one function, without I/O.

It makes no difference whether WhatsApp said so in its answer, in a status after it, or in a status
that was faster than the answer; nor, for a file, whether it could not even be prepared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from rasa_whatsapp_channel.common import DAY
from rasa_whatsapp_channel.outbound.drop_media import holds_file, needs_file
from rasa_whatsapp_channel.outbound.message import OutboxMessage
from rasa_whatsapp_channel.store.base import THROUGHPUT, TOKEN, DeadLetter
from rasa_whatsapp_channel.whatsapp.error_codes import ERROR_CODES, Remedy, Verdict, remedy_of
from rasa_whatsapp_channel.whatsapp.errors import APIError, MediaError, SendError, TransportError
from rasa_whatsapp_channel.whatsapp.messages import Message, find_media

PATIENCE: Final = DAY  # an outage may last; after a day an answer is no answer any more
LONGEST: Final = 60.0  # so that everything goes again within a minute after an outage
WAIT: Final = 300.0  # where WhatsApp asks for minutes to hours
LONGEST_RETRY_AFTER: Final = 300.0  # a maintenance page may ask for a day, and be gone in a minute
TOKEN_WAIT: Final = 60.0  # between two looks whether the token is accepted again

# Seconds in which a status may tell that a message was taken, though no answer said so: where the
# connection broke, and where the answer took too long, which its status then may do as well.
BROKEN: Final = 10.0
TIMED_OUT: Final = 60.0
SENT_AT_MOST: Final = 2  # times without an answer

# A file server that is busy is asked as often, and for as long.
FILE_TRIES: Final = 6
FILE_PATIENCE: Final = 60.0


@dataclass(frozen=True)
class RetryLater:
    """Try the same message again after *wait* seconds."""

    wait: float


@dataclass(frozen=True)
class PauseSending:
    """The number sends nothing for *wait* seconds; *cause* is THROUGHPUT or TOKEN."""

    wait: float
    cause: str


@dataclass(frozen=True)
class Confirm:
    """
    The message was sent, and whether WhatsApp took it is not known.

    A status may tell within *wait* seconds; *entry* is what goes again if none does.
    """

    wait: float
    entry: OutboxMessage


@dataclass(frozen=True)
class AnotherWay:
    """
    Send *entry* instead, at once; *how* is for a log line, a *quiet* one where nothing is amiss.
    """

    entry: OutboxMessage
    how: str
    quiet: bool = True


@dataclass(frozen=True)
class WaitForWindow:
    """Only a template goes to this person now."""


Decision = RetryLater | PauseSending | Confirm | AnotherWay | WaitForWindow | DeadLetter


def recover(
    entry: OutboxMessage,
    error: SendError | MediaError,
    *,
    now: float,
    is_sent: bool = False,
    in_upload: bool = False,
    jitter: float = 0.0,
) -> Decision:
    """
    Decide about *entry*, which counts this failure already (`failed`, `file_failed`).

    *is_sent*: the request that failed was the message's own; *in_upload*: it was that of an upload
    before it.
    *jitter*, 0 to 1, spreads what would meet again.
    https://developers.facebook.com/documentation/business-messaging/whatsapp/about-the-platform
    gives the one formula there is, for the pair limit: 4^X seconds.
    """
    if isinstance(error, MediaError):
        return _after_file_failure(entry, error, now=now, jitter=jitter)
    code = error.code if isinstance(error, APIError) else 0
    if is_sent and isinstance(error, TransportError) and (wait := _confirmation(error)):
        sent = SENT_AT_MOST if error.verdict.is_final else entry.unconfirmed + 1
        return Confirm(wait, replace(entry, unconfirmed=sent))
    if remedy_of(code) is Remedy.SEND_TEMPLATE:
        return DeadLetter(str(error)) if entry.is_template else WaitForWindow()
    if error.verdict is Verdict.REFRESH_TOKEN:
        return PauseSending(TOKEN_WAIT, TOKEN)
    if another := find_another_way(entry, code):
        return another
    lasting = now - entry.failing_since
    row = ERROR_CODES.get(code)
    is_hopeless = error.verdict.is_final
    if is_hopeless or (row and row.attempts and entry.failures >= row.attempts):
        is_about_file = remedy_of(code) is Remedy.UPLOAD_FILE and holds_file(entry.outgoing.message)
        if isinstance(error, APIError) and (is_about_file or in_upload):
            return _without_file(entry, str(error.error), code=code)
        tried = f", after {entry.failures} attempts in {lasting:.0f} seconds"
        return DeadLetter(f"{error}{'' if is_hopeless else tried}")
    if lasting > PATIENCE:
        return DeadLetter(f"{error}, after {entry.failures} attempts in {lasting:.0f} seconds")
    wait = _backoff(error, code, entry.failures) * (1 + jitter / 2)
    asked = min(error.retry_after or 0.0, LONGEST_RETRY_AFTER)
    # Where WhatsApp says how long, it is not ours to say longer.
    wait = asked if asked and error.verdict is Verdict.RETRY_AFTER else max(wait, asked)
    if (row and row.stops_sending) or getattr(error, "status", None) in (429, 503):
        return PauseSending(wait, THROUGHPUT)
    return RetryLater(wait)


def _after_file_failure(
    entry: OutboxMessage, error: MediaError, *, now: float, jitter: float
) -> RetryLater | AnotherWay | DeadLetter:
    is_over = now - entry.file_failing_since >= FILE_PATIENCE
    if error.passing and entry.file_failures < FILE_TRIES and not is_over:
        return RetryLater(2.0**entry.file_failures * (1 + jitter / 2))
    return _without_file(entry, str(error), source=error.source)


def _without_file(
    entry: OutboxMessage, reason: str, *, code: int = 0, source: str | None = None
) -> AnotherWay | DeadLetter:
    """Let the file go and keep the words, unless nothing goes without it."""
    if needs_file(entry.outgoing.message):
        return DeadLetter(
            f"a template that has a file in its header cannot go without it, and there is none "
            f"to send: {reason}"
        )
    why = {"reason": reason, "code": code, "source": source}
    # Said aloud when it is done: by then it is known what is left.
    return AnotherWay(replace(entry, ids=(), without_file=why), "goes without its file")


def _confirmation(error: TransportError) -> float:
    """Return the seconds to wait for a status; 0.0 where WhatsApp surely has not taken it."""
    if not error.reached or (error.status is not None and error.status >= 300):
        return 0.0
    return TIMED_OUT if error.timed_out else BROKEN


def _backoff(error: SendError, code: int, failures: int) -> float:
    if error.verdict is Verdict.RETRY_AFTER:
        return WAIT
    row = ERROR_CODES.get(code)
    base = row.backoff if row is not None else 2.0
    longest = WAIT if base > 2 else LONGEST
    # The exponent is bounded too: a day of failures must not overflow a float.
    return min(base ** min(failures - 1, 16), longest)


def find_another_way(entry: OutboxMessage, code: int) -> AnotherWay | None:
    """
    Return how *entry* may still get through whole after error *code*, None when there is no way.

    A file that was uploaded by us is uploaded again, once; a link is fetched and uploaded.
    """
    if remedy_of(code) is not Remedy.UPLOAD_FILE:
        return None
    if entry.ids and not entry.renewed:
        again = replace(entry, renewed=1)
        return AnotherWay(again, "is sent again, with its file uploaded anew", quiet=False)
    if not entry.by_upload and has_links(entry.outgoing.message):
        by_upload = replace(entry, by_upload=True, ids=())
        return AnotherWay(by_upload, "is sent again, with the file behind its link uploaded")
    return None


def find_made(entry: OutboxMessage, sent: Message) -> tuple[str, ...]:
    """Return the ids in *sent* that are not the author's own, but were made by us."""
    given = {media.id for media in find_media(entry.outgoing.message)}
    return tuple(media.id for media in find_media(sent) if media.id and media.id not in given)


def has_links(message: Message) -> bool:
    return any(media.link for media in find_media(message))
