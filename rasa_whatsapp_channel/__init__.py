"""
WhatsApp for Rasa bots.

`WhatsAppInput` goes into credentials.yml; `WhatsAppOutput` is what actions and reminders speak
through. Both are loaded on first use, because importing Rasa takes seconds and the command line,
the linter and the simulator do without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rasa_whatsapp_channel.channel import WhatsAppInput, WhatsAppOutput

__all__ = ["WhatsAppInput", "WhatsAppOutput", "__version__"]


def __getattr__(name: str) -> Any:
    if name in ("WhatsAppInput", "WhatsAppOutput"):
        return getattr(import_module("rasa_whatsapp_channel.channel"), name)
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("rasa-whatsapp-channel")
        except PackageNotFoundError:  # a checkout that was never installed
            return "0"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
