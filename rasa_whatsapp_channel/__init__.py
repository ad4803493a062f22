"""
WhatsApp for Rasa bots.

`WhatsAppInput` goes into credentials.yml; `WhatsAppOutput` is what actions speak through; `send` is
for tools of Rasa Pro's engine Mantle, `remind` for actions. All are loaded on first use, because
importing Rasa takes seconds and the command line, the linter and the simulator do without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rasa_whatsapp_channel.channel import WhatsAppInput, WhatsAppOutput
    from rasa_whatsapp_channel.mantle import send
    from rasa_whatsapp_channel.reminders import remind

__all__ = ["WhatsAppInput", "WhatsAppOutput", "__version__", "remind", "send"]


def __getattr__(name: str) -> Any:
    if name in ("WhatsAppInput", "WhatsAppOutput"):
        return getattr(import_module("rasa_whatsapp_channel.channel"), name)
    if name == "send":
        return import_module("rasa_whatsapp_channel.mantle").send
    if name == "remind":
        return import_module("rasa_whatsapp_channel.reminders").remind
    if name == "__version__":
        from rasa_whatsapp_channel.distribution import installed_version

        return installed_version() or "0"  # a checkout that was never installed
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
