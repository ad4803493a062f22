"""Credentials: the headers that authenticate a request, and how they are renewed."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final, Protocol

from rasa_whatsapp_channel.whatsapp.clients.answers import read_answer
from rasa_whatsapp_channel.whatsapp.clients.base import Clock
from rasa_whatsapp_channel.whatsapp.error_codes import ON_PREMISES_CODES
from rasa_whatsapp_channel.whatsapp.errors import APIError, TransportError
from rasa_whatsapp_channel.whatsapp.transport import Request, Transport

Headers = Mapping[str, str]

# A token is replaced after this part of its life: well before its end, however long it lives.
_RENEW_AT: Final = 0.9
_PASSWORD_CHANGE_REQUIRED: Final = 1024
_FIRST_LOGIN: Final = (
    "this user never logged in, and the first login must set a password of its own: "
    'POST /v1/users/login with the body {"new_password": "…"}, then use that password'
)


class Credentials(Protocol):
    async def headers(self) -> Headers: ...

    async def renew(self, refused: Headers) -> Headers | None:
        """Return others than *refused*, which WhatsApp no longer takes; None if there are none."""


@dataclass(frozen=True)
class FixedCredentials:
    """A token that lives until a person replaces it."""

    sent: Headers = field(repr=False)

    async def headers(self) -> Headers:
        return self.sent

    async def renew(self, refused: Headers) -> None:
        return None


def bearer(token: str) -> Headers:
    return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True)
class Token:
    headers: Headers = field(repr=False)
    renew_at: float  # unix seconds


class Login:
    """The token of an on-premises client: got by name and password, renewed before its end."""

    def __init__(
        self, transport: Transport, *, url: str, username: str, password: str, clock: Clock
    ) -> None:
        self._transport = transport
        self._request = login_request(url, username, password)
        self._clock = clock
        self._token: Token | None = None
        # Many requests find the token expired at the same moment; one of them logs in.
        self._lock = asyncio.Lock()

    async def headers(self) -> Headers:
        async with self._lock:
            if self._token is None or self._clock() >= self._token.renew_at:
                self._token = await self._log_in()
            return self._token.headers

    async def renew(self, refused: Headers) -> Headers:
        async with self._lock:
            if self._token is None or self._token.headers == refused:
                self._token = await self._log_in()
            return self._token.headers

    async def _log_in(self) -> Token:
        try:
            response = await self._transport.send(self._request)
            now = self._clock()
            return read_token(read_answer(response, codes=ON_PREMISES_CODES, now=now), now=now)
        except TransportError as error:  # whatever is asked for was not sent at all
            text = f"the login failed: {error}"
            raise TransportError(text, verdict=error.verdict, reached=False) from error
        except APIError as error:
            if error.code != _PASSWORD_CHANGE_REQUIRED:
                raise
            explained = dataclasses.replace(error.error, details=_FIRST_LOGIN)
            raise APIError(explained, status=error.status, verdict=error.verdict) from error


def login_request(url: str, username: str, password: str) -> Request:
    login = base64.b64encode(f"{username}:{password}".encode()).decode()
    return Request("POST", url, {"Authorization": f"Basic {login}"})


def read_token(answer: Mapping[str, Any], *, now: float) -> Token:
    """Read ``{"users": [{"token": …, "expires_after": "2018-03-01 15:29:26+00:00"}]}``."""
    match answer:
        case {"users": [{"token": str(token), **rest}, *_]} if token:
            end = _read_time(rest.get("expires_after"))
            renew_at = float("inf") if end is None else now + (end - now) * _RENEW_AT
            return Token(bearer(token), renew_at)
    raise TransportError("the answer to the login holds no token")


def _read_time(text: object) -> float | None:
    """None where no end can be read: then the token is kept until it is refused."""
    try:
        end = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return (end if end.tzinfo else end.replace(tzinfo=timezone.utc)).timestamp()
