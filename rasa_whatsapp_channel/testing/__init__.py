"""
Tests of a bot with pytest: a phone for each person, at a simulator in the same process.

    async def test_the_menu(whatsapp):
        ada = whatsapp.user("+49 151 12345678").sends("menu")
        await ada.gets(text="What would you like?", buttons=["Picture", "Guide"])

The fixtures are in `plugin`, which pytest finds by itself once the package is installed; what they
do, and what a test can say, is in `whatsapp` and `user`.

    plugin    fixtures and options: the only module that imports pytest
    whatsapp  WhatsApp: people, the clock, faults
    user      User: what somebody does, and what they get
    function  a Python function as the bot, in place of Rasa
    thread    an event loop beside that of the tests
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rasa_whatsapp_channel.testing.function import Say
    from rasa_whatsapp_channel.testing.user import User
    from rasa_whatsapp_channel.testing.whatsapp import WhatsApp

__all__ = ["Say", "User", "WhatsApp"]

_HOMES = {"Say": "function", "User": "user", "WhatsApp": "whatsapp"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
