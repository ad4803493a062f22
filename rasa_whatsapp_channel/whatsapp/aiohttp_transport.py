"""AiohttpTransport: `Transport` over aiohttp, the only HTTP client code of this package."""

from __future__ import annotations

import asyncio
import errno
import re
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import ExitStack, asynccontextmanager
from functools import cache, lru_cache
from io import BufferedReader, BytesIO, FileIO
from pathlib import Path
from typing import IO, Any, Final
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from rasa_whatsapp_channel.distribution import PRODUCT, installed_version
from rasa_whatsapp_channel.whatsapp.error_codes import Verdict
from rasa_whatsapp_channel.whatsapp.errors import MediaError, TransportError
from rasa_whatsapp_channel.whatsapp.networks import is_public
from rasa_whatsapp_channel.whatsapp.transport import File, Form, Request, Response

CONNECTIONS: Final = 200
KEEP_ALIVE: Final = 30.0  # seconds that an idle connection stays open
CONNECT: Final = 10.0  # seconds until one is there
CHUNK: Final = 64 * 1024

Watch = Callable[[File], Callable[[int], None]]

# Every error of the network; ValueError: an address or a header that cannot be sent
_ERRORS: Final = (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError)


class AiohttpTransport:
    """
    A pool of connections, opened by the first request, so that it belongs to the running loop.

    *ca_file* holds certificates (PEM) to trust beside the system's: an on-premises client signs its
    own. Without *verify_tls* any certificate is trusted. Raises `ValueError` where the file cannot
    be read.

    *watch* is called with each file on disk before it is sent; what it returns is called with the
    number of bytes of each chunk, from another thread.

    With *public_only* it connects to addresses on the public internet only, checked when the name
    is resolved, and to the proxy of the environment, which must check them itself.
    """

    def __init__(
        self,
        *,
        ca_file: str | None = None,
        verify_tls: bool = True,
        public_only: bool = False,
        watch: Watch | None = None,
    ) -> None:
        self._watch = watch
        self._public_only = public_only
        self._tls = _tls(ca_file) if verify_tls else False
        self._session: aiohttp.ClientSession | None = None
        self._proxies: Mapping[str, str] | None = None

    async def send(self, request: Request) -> Response:
        with ExitStack() as files:
            answer = await self._open(request, files)
            try:
                body = await answer.read()
            except _ERRORS as error:
                raise _explain(request, error, status=answer.status) from error
            finally:
                answer.close()  # a connection that was read to its end is back in the pool already
            return Response(answer.status, _lower(answer.headers), body)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[AiohttpStream]:
        with ExitStack() as files:
            answer = await self._open(request, files)
            try:
                yield AiohttpStream(request, answer)
            finally:
                answer.close()

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _open(self, request: Request, files: ExitStack) -> aiohttp.ClientResponse:
        """Return the answer, not yet read; *files* closes the files that were sent."""
        data, headers = _body(request.body, files, self._watch)
        try:
            return await self._pool().request(
                request.method,
                _address(request.url),
                data=data,
                headers={**headers, **request.headers},
                timeout=_timeout(request.timeout),
                proxy=self.proxy_of(request.url),
                allow_redirects=False,
            )
        except _ERRORS as error:
            raise _explain(request, error) from error

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=CONNECTIONS,
                    keepalive_timeout=KEEP_ALIVE,
                    ssl=self._tls,
                    resolver=self._resolver() if self._public_only else None,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                # WhatsApp's download host refuses requests without one.
                headers={"User-Agent": f"{PRODUCT}/{installed_version() or 0}"},
            )
        return self._session

    def _resolver(self) -> _PublicResolver:
        proxies = self._known_proxies()
        used = (proxies[scheme] for scheme in ("http", "https") if scheme in proxies)
        return _PublicResolver(filter(None, (URL(proxy).raw_host for proxy in used)))

    def proxy_of(self, url: str) -> str | None:
        """Return the proxy that the environment names for *url*."""
        return proxy_of(url, self._known_proxies())

    def _known_proxies(self) -> Mapping[str, str]:
        if self._proxies is None:
            self._proxies = getproxies()  # reads the whole environment
        return self._proxies


def proxy_of(url: str, proxies: Mapping[str, str]) -> str | None:
    """
    Return which of the environment's *proxies*, by scheme, is asked for *url*.

    aiohttp's `trust_env` does the same, but also replaces the token by a login in ~/.netrc.
    """
    if not proxies:
        return None
    there = URL(url)
    # Without a login, which would keep the host from matching ``no_proxy``.
    host = there.raw_host or ""
    host = f"[{host}]" if ":" in host else host
    return None if proxy_bypass(f"{host}:{there.port}") else proxies.get(there.scheme)


class _WatchedFile(BufferedReader):
    """Reports how much of *file* was read, and so sent."""

    def __init__(self, file: File, told: Callable[[int], None]) -> None:
        super().__init__(FileIO(str(file.content)))
        self._told = told

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(size)
        self._told(len(chunk))
        return chunk


class _PublicResolver(aiohttp.ThreadedResolver):
    """Refuses hosts in private networks, except for *proxies*."""

    def __init__(self, proxies: Iterable[str]) -> None:
        super().__init__()
        self._proxies = frozenset(proxies)

    async def resolve(self, host: str, *args: Any, **kwargs: Any) -> list[Any]:
        found: list[Any] = await super().resolve(host, *args, **kwargs)
        if host.lower() in self._proxies:
            return found
        if not all(is_public(each["host"]) for each in found):
            raise OSError(errno.EACCES, f"{host} lies in a private network")
        return found


class AiohttpStream:
    """A response whose body is still being received."""

    def __init__(self, request: Request, answer: aiohttp.ClientResponse) -> None:
        self.status = answer.status
        self.headers: Mapping[str, str] = _lower(answer.headers)
        self._request = request
        self._answer = answer

    async def chunks(self) -> AsyncIterator[bytes]:
        while True:
            try:
                chunk = await self._answer.content.read(CHUNK)
            except _ERRORS as error:
                raise _explain(self._request, error, status=self.status) from error
            if not chunk:
                return
            yield chunk


def _body(
    body: bytes | File | Form | None, files: ExitStack, watch: Watch | None
) -> tuple[Any, dict[str, str]]:
    """Return what aiohttp sends for *body*, with its headers; *files* closes what was opened."""
    if isinstance(body, File):
        return files.enter_context(_open_file(body, watch)), {"Content-Type": body.mime_type}
    if isinstance(body, bytes):  # aiohttp would look for what it is
        return aiohttp.BytesPayload(body), {}
    if not isinstance(body, Form):
        return body, {}
    # Names as curl and browsers write them; quoting would show "%20" to the user.
    form = aiohttp.FormData(quote_fields=False)
    for name, value in body.fields.items():
        form.add_field(name, value)
    form.add_field(
        body.name,
        files.enter_context(_open_file(body.file, watch)),
        content_type=body.file.mime_type,
        filename=re.sub(r'[\x00-\x1f\x7f"\\]', "_", body.file.filename),
    )
    return form, {}


def _open_file(file: File, watch: Watch | None) -> IO[bytes]:
    if not isinstance(file.content, Path):
        return BytesIO(file.content)
    try:
        return _WatchedFile(file, watch(file)) if watch else file.content.open("rb")
    except OSError as error:
        raise MediaError(f"{file.content}: cannot be read: {error.strerror}") from error


def _tls(ca_file: str | None) -> ssl.SSLContext | bool:
    if ca_file is None:
        return True
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise ValueError(
            f"{ca_file} cannot be read as certificates in PEM form: {error}"
        ) from error
    return context


def _explain(request: Request, error: Exception, *, status: int | None = None) -> TransportError:
    """Return *error* as a `TransportError`, without headers and query, which may hold secrets."""
    where = re.sub(r"//[^/?#]*@", "//", re.split(r"[?#]", request.url)[0])
    text = f"{request.method} {where}: {_words(error, request)}"
    reached = _reached(error)
    timed_out = reached and isinstance(error, asyncio.TimeoutError)
    verdict = Verdict.DO_NOT_RETRY if _is_forbidden(error) else Verdict.RETRY
    return TransportError(
        text, status=status, verdict=verdict, reached=reached, timed_out=timed_out
    )


def _is_forbidden(error: Exception) -> bool:
    """Return whether `_PublicResolver` refused the host, as it would again."""
    return isinstance(error, aiohttp.ClientConnectorError) and error.errno == errno.EACCES


@lru_cache(maxsize=64)  # messages go to the same one
def _address(url: str) -> URL:
    try:
        return URL(url)
    except ValueError as error:
        raise aiohttp.InvalidURL(url) from error


@cache
def _timeout(total: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total, sock_connect=CONNECT)


def _reached(error: Exception) -> bool:
    """Return whether the server may have received the request."""
    connecting = (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError, aiohttp.InvalidURL)
    return not isinstance(error, connecting)


def _words(error: Exception, request: Request) -> str:
    if isinstance(error, aiohttp.ServerTimeoutError):
        return f"no connection within {CONNECT:g} seconds"
    if isinstance(error, asyncio.TimeoutError):
        return f"no whole answer within {request.timeout:g} seconds"
    if isinstance(error, aiohttp.InvalidURL):
        return "this is no address"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"no HTTP answer: {error.message}"
    return f"{type(error).__name__}: {error}"


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
