"""Open or closed."""

from __future__ import annotations

from rasa_whatsapp_channel.whatsapp.errors import StoreError


class Door:
    """What every operation passes, so that a closed store says so."""

    def __init__(self) -> None:
        self.is_open = False

    def check(self) -> None:
        if not self.is_open:
            raise StoreError("store memory: it is not open")
