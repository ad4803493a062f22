"""
Recovery: decides what follows when a message could not be sent or delivered. No I/O.

It makes no difference whether the error came in the answer, in a later status, or in a status that
was faster than the answer. For a file, preparing it may have failed already.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from rasa_whatsapp_channel.outbound.drop_media import holds_file, needs_file
from rasa_whatsapp_channel.outbound.message import OutboxMessage, SendRemedy
from rasa_whatsapp_channel.store.base import THROUGHPUT, TOKEN, DeadLetter
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.error_codes import (
    DIRECT_REFUSED,
    ERROR_CODES,
    NO_SUCH_NUMBER,
    Remedy,
    Scope,
    Verdict,
    remedy_of,
)
from rasa_whatsapp_channel.whatsapp.errors import (
    APIError,
    InvalidMessage,
    MediaError,
    SendError,
    TransportError,
)
from rasa_whatsapp_channel.whatsapp.identity import as_dialled, split_number
from rasa_whatsapp_channel.whatsapp.messages import Message, find_media, parse_outgoing
from rasa_whatsapp_channel.whatsapp.messages.envelope import is_direct, is_marketing

PATIENCE: Final = DAY  # the longest outage after which a message is still sent
LONGEST: Final = 60.0  # so that sending resumes within a minute after an outage
WAIT: Final = 300.0  # where WhatsApp asks for minutes to hours
LONGEST_RETRY_AFTER: Final = 300.0  # a maintenance page may ask for a day, and be gone in a minute
TOKEN_WAIT: Final = 60.0  # between two checks whether the token is accepted again

# Seconds in which a status may confirm a message without an answer: after a broken connection, and
# after a timeout, when the status may be slow as well. A person waits meanwhile.
BROKEN: Final = 20.0
TIMED_OUT: Final = 60.0
# While the 24-hour window is closed nobody waits, and what goes costs money each time. Under load,
# or where a webhook met a server that had died, statuses come minutes late.
OUTSIDE_WINDOW: Final = 600.0
SENT_AT_MOST: Final = 2  # without an answer

UPLOADED_AGAIN_AT_MOST: Final = 2  # the id may be gone, and WhatsApp may fail with the file, too

# Seconds for the upload of a file that is never answered, while WhatsApp answers all else.
UPLOAD_PATIENCE: Final = 600.0

# Attempts at a busy file server, and seconds for all of them.
FILE_TRIES: Final = 6
FILE_PATIENCE: Final = 60.0


REMEDY_TEXTS: Final[Mapping[SendRemedy, str]] = MappingProxyType(
    {
        SendRemedy.UPLOAD_AGAIN: "is sent again, with its file uploaded again",
        SendRemedy.SAME_FILE: "is sent again, with the same file",
        SendRemedy.UPLOAD_LINK: "is sent again, with the file behind its link uploaded",
        SendRemedy.DROP_FILE: "is sent without its file",
        SendRemedy.AS_MARKETING: "is sent again, as a marketing message",
        SendRemedy.AS_DIALLED: "is sent again, to the number as it is dialled",
        SendRemedy.AS_SERVICE: "is sent again, as an ordinary message instead of Direct Send",
        SendRemedy.WITHOUT_TEMPLATE: "waits for the window, as the template of its text is refused",
        SendRemedy.TEMPLATE_REFUSED: "goes another way, as its template is refused",
    }
)


@dataclass(frozen=True)
class RetryLater:
    """Send *entry*, the same message, after *wait* seconds."""

    wait: float
    entry: OutboxMessage

    def __str__(self) -> str:
        return f"is sent again in {self.wait:.0f} s"


@dataclass(frozen=True)
class PauseSending(RetryLater):
    """The number sends nothing for *wait* seconds; *cause* is THROUGHPUT or TOKEN."""

    cause: str


@dataclass(frozen=True)
class AwaitConfirmation:
    """
    The message was sent, and whether WhatsApp accepted it is not known.

    A status may confirm it within *wait* seconds; otherwise *entry* is sent.
    """

    wait: float
    entry: OutboxMessage

    def __str__(self) -> str:
        return f"may have been taken, as a status may tell in {self.wait:g} s"


@dataclass(frozen=True)
class ApplyRemedy:
    """Send *entry* instead, at once, with *remedy* applied to it."""

    remedy: SendRemedy
    entry: OutboxMessage

    def __str__(self) -> str:
        return REMEDY_TEXTS[self.remedy]


@dataclass(frozen=True)
class WaitForWindow:
    """The 24-hour window is closed: only a template may be sent to this person."""

    def __str__(self) -> str:
        return "waits for the window"


@dataclass(frozen=True)
class TemplateRefused:
    """The template has *event*, a status in which it is not sent; `policy.hold` decides further."""

    event: str
    entry: OutboxMessage

    def __str__(self) -> str:
        return f"is not sent while its template is {self.event}"


@dataclass(frozen=True)
class SendOther:
    """The template that stands in for a message is refused; another one goes, if there is one."""

    reason: str


# The message is sent again, sooner or later, as it is or changed.
NextAttempt = RetryLater | ApplyRemedy | WaitForWindow | TemplateRefused
Decision = NextAttempt | AwaitConfirmation | SendOther | DeadLetter


def recover(
    entry: OutboxMessage,
    error: SendError | MediaError,
    *,
    now: float,
    is_sent: bool = False,
    in_upload: bool = False,
    answers: bool = False,
    may_upload: bool = True,
    jitter: float = 0.0,
) -> Decision:
    """
    Decide about *entry*, which met *error*. An entry in the decision counts this failure.

    *is_sent*: the failed request sent the message; *in_upload*: it uploaded its file; *answers*:
    WhatsApp answered another request after it; *may_upload*: files may be uploaded. *jitter*, 0 to
    1, spreads retries of the same time.
    WhatsApp documents one backoff, 4^X seconds for the pair limit:
    https://developers.facebook.com/documentation/business-messaging/whatsapp/about-the-platform
    """
    if isinstance(error, MediaError):
        return _after_file_failure(entry.file_failed(now), error, now=now, jitter=jitter)
    entry = entry.failed(now)
    if in_upload and answers and now - entry.failing_since >= UPLOAD_PATIENCE:
        return _drop_file(entry, f"its upload brings no answer: {error}")
    decision = _decide(
        entry,
        error,
        now=now,
        is_sent=is_sent,
        in_upload=in_upload,
        may_upload=may_upload,
        jitter=jitter,
    )
    return _next_way(entry, error, decision) if isinstance(decision, DeadLetter) else decision


def _decide(
    entry: OutboxMessage,
    error: SendError,
    *,
    now: float,
    is_sent: bool,
    in_upload: bool,
    may_upload: bool,
    jitter: float,
) -> Decision:
    code = _code_of(error)
    if is_sent and isinstance(error, TransportError) and (wait := _confirmation(error)):
        sent = SENT_AT_MOST if error.verdict.is_final else entry.unconfirmed + 1
        return AwaitConfirmation(wait, replace(entry, unconfirmed=sent))
    if remedy := _recover_route(entry, code):
        return remedy
    row = ERROR_CODES.get(code)
    if row and row.template and entry.is_template:
        return TemplateRefused(row.template, entry)
    if remedy_of(code) is Remedy.SEND_TEMPLATE:
        return DeadLetter(str(error)) if entry.is_template else WaitForWindow()
    if error.verdict is Verdict.REFRESH_TOKEN:
        return PauseSending(TOKEN_WAIT, entry, TOKEN)
    if remedy := _recover_file(entry, code, may_upload):
        return remedy
    lasting = now - entry.failing_since
    is_hopeless = error.verdict.is_final
    if is_hopeless or (row and row.attempts and entry.failures >= row.attempts):
        is_about_file = remedy_of(code) is Remedy.UPLOAD_FILE and holds_file(entry.outgoing.message)
        # An upload fails with the whole account, too: its file is not at fault then.
        is_about_us = row is not None and row.scope in (Scope.NUMBER, Scope.ACCOUNT)
        if isinstance(error, APIError) and (is_about_file or (in_upload and not is_about_us)):
            is_kept_from = not may_upload and has_links(entry.outgoing.message)
            rule = ", and `media: {upload: never}` is set" if is_kept_from else ""
            return _drop_file(entry, f"{error.error}{rule}", code=code)
        tried = f", after {entry.failures} attempts in {lasting:.0f} seconds"
        return DeadLetter(f"{error}{'' if is_hopeless else tried}")
    if lasting > PATIENCE:
        return DeadLetter(f"{error}, after {entry.failures} attempts in {lasting:.0f} seconds")
    wait = _backoff(error, code, entry.failures) * (1 + jitter / 2)
    asked = min(error.retry_after or 0.0, LONGEST_RETRY_AFTER)
    # Where WhatsApp says how long to wait, that is long enough.
    wait = asked if asked and error.verdict is Verdict.RETRY_AFTER else max(wait, asked)
    is_busy = getattr(error, "status", None) in (429, 503)
    # A limit of one person or group is sent as 429, too, and is no limit of the number.
    if row.stops_sending or (is_busy and row.scope is not Scope.RECIPIENT) if row else is_busy:
        return PauseSending(wait, entry, THROUGHPUT)
    return RetryLater(wait, entry)


def _code_of(error: SendError) -> int:
    """Return the code of *error*: to send, the address of the request names the number only."""
    if not isinstance(error, APIError):
        return 0
    return NO_SUCH_NUMBER if error.is_missing else error.code


def _next_way(entry: OutboxMessage, error: SendError, failed: DeadLetter) -> Decision:
    """Return the next way out of a closed window, where only the way of *entry* is at fault."""
    row = ERROR_CODES.get(_code_of(error))
    if row is None or row.scope is not Scope.MESSAGE:
        return failed
    if entry.stands_in:
        return SendOther(failed.reason)
    if entry.instead_of is None:
        return failed
    if is_direct(entry.message):
        return ApplyRemedy(SendRemedy.AS_SERVICE, entry.as_service())
    ordinary = replace(entry.without_template(), template=None)
    return ApplyRemedy(SendRemedy(ordinary.remedies[-1]), ordinary)


def _after_file_failure(
    entry: OutboxMessage, error: MediaError, *, now: float, jitter: float
) -> RetryLater | ApplyRemedy | DeadLetter:
    is_over = now - entry.file_failing_since >= FILE_PATIENCE
    if error.passing and entry.file_failures < FILE_TRIES and not is_over:
        return RetryLater(2.0**entry.file_failures * (1 + jitter / 2), entry)
    return _drop_file(entry, str(error), source=error.source)


def _drop_file(
    entry: OutboxMessage, reason: str, *, code: int = 0, source: str | None = None
) -> ApplyRemedy | DeadLetter:
    """Drop the file and keep the text, unless the message needs the file."""
    if needs_file(entry.outgoing.message):
        return DeadLetter(
            f"a template that has a file in its header cannot go without it, and there is none "
            f"to send: {reason}"
        )
    error = {"reason": reason, "code": code, "source": source}
    entry = replace(entry.with_remedy(SendRemedy.DROP_FILE), ids=(), file_error=error)
    return ApplyRemedy(SendRemedy.DROP_FILE, entry)


def _confirmation(error: TransportError) -> float:
    """Return the seconds to wait for a status; 0.0 where WhatsApp surely has not taken it."""
    if not error.reached or (error.status is not None and error.status >= 300):
        return 0.0
    # An answer that broke off after its status line: it was taken, and a status will say so.
    is_taken = error.status is not None
    return TIMED_OUT if error.timed_out or is_taken else BROKEN


def _backoff(error: SendError, code: int, failures: int) -> float:
    if error.verdict is Verdict.RETRY_AFTER:
        return WAIT
    row = ERROR_CODES.get(code)
    base = row.backoff if row is not None else 2.0
    longest = WAIT if base > 2 else LONGEST
    # The exponent is bounded too: a day of failures must not overflow a float.
    return min(base ** min(failures - 1, 16), longest)


def _recover_route(entry: OutboxMessage, code: int) -> ApplyRemedy | None:
    """Return the other way by which *entry* may go after error *code*, if there is one."""
    message = entry.outgoing.message
    if remedy_of(code) is Remedy.SEND_AS_MARKETING and not is_marketing(message):
        return ApplyRemedy(SendRemedy.AS_MARKETING, entry.as_marketing())
    if (
        remedy_of(code) is Remedy.SEND_AS_DIALLED
        and SendRemedy.AS_DIALLED not in entry.remedies
        and as_dialled(split_number(entry.recipient_id)[0])
    ):
        return ApplyRemedy(SendRemedy.AS_DIALLED, entry.with_remedy(SendRemedy.AS_DIALLED))
    if is_direct(entry.message) and code in DIRECT_REFUSED:
        ordinary = entry.as_service()
        with suppress(InvalidMessage):  # buttons that only Direct Send has
            parse_outgoing(ordinary.message)
            return ApplyRemedy(SendRemedy.AS_SERVICE, ordinary)
    return None


def _recover_file(entry: OutboxMessage, code: int, may_upload: bool) -> ApplyRemedy | None:
    """
    Return how *entry* may still be delivered with its file after error *code*, if it may.

    With *may_upload* a file that we uploaded is uploaded again, and a link is fetched and uploaded.
    An id of the author is sent again, once, where that may help.
    """
    if remedy_of(code) is not Remedy.UPLOAD_FILE:
        return None
    uploads = entry.remedies.count(SendRemedy.UPLOAD_AGAIN)
    if may_upload and entry.ids and uploads < UPLOADED_AGAIN_AT_MOST:
        return ApplyRemedy(SendRemedy.UPLOAD_AGAIN, entry.with_remedy(SendRemedy.UPLOAD_AGAIN))
    may_fetch = may_upload and SendRemedy.UPLOAD_LINK not in entry.remedies
    if may_fetch and has_links(entry.outgoing.message):
        entry = replace(entry.with_remedy(SendRemedy.UPLOAD_LINK), ids=())
        return ApplyRemedy(SendRemedy.UPLOAD_LINK, entry)
    has_id = any(media.id for media in find_media(entry.outgoing.message))
    if has_id and ERROR_CODES[code].retries_file and SendRemedy.SAME_FILE not in entry.remedies:
        return ApplyRemedy(SendRemedy.SAME_FILE, entry.with_remedy(SendRemedy.SAME_FILE))
    return None


def is_quiet(decision: Decision) -> bool:
    """Return whether no warning is due: links may be refused, losses are reported later."""
    quiet = (SendRemedy.UPLOAD_LINK, SendRemedy.DROP_FILE)
    return isinstance(decision, ApplyRemedy) and decision.remedy in quiet


def uploaded_ids(entry: OutboxMessage, sent: Message) -> tuple[str, ...]:
    """Return the ids in *sent* that we uploaded; others were written by the author of the bot."""
    given = {media.id for media in find_media(entry.outgoing.message)}
    return tuple(media.id for media in find_media(sent) if media.id and media.id not in given)


def has_links(message: Message) -> bool:
    return any(media.link for media in find_media(message))
