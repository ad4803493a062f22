"""A client that keeps the receipts it is asked for, and does nothing else."""

from __future__ import annotations

from typing import Any

from rasa_whatsapp_channel.whatsapp.apis import CLOUD
from rasa_whatsapp_channel.whatsapp.clients import Accepted, Client


class QuietClient(Client):
    api = CLOUD

    def __init__(self) -> None:
        self.receipts: list[tuple[str, bool]] = []

    def body(self, to: Any, message: Any, **options: Any) -> Any:
        raise NotImplementedError

    async def send(self, to: Any, message: Any, **options: Any) -> Accepted:
        raise NotImplementedError

    async def upload(self, file: Any) -> str:
        raise NotImplementedError

    async def media_info(self, media_id: str) -> Any:
        raise NotImplementedError

    def download(self, media_id: str, *, url: str | None = None) -> Any:
        raise NotImplementedError

    async def delete_media(self, media_id: str) -> None:
        raise NotImplementedError

    async def mark_read(self, message_id: str, *, typing: bool = False) -> None:
        self.receipts.append((message_id, typing))

    async def ping(self) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        pass
