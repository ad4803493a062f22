"""Functions of the bot's author that settings name as ``my.module.function``."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from rasa_whatsapp_channel.settings.errors import SettingsError

Function = Callable[..., Any]


def load_function(key: str, name: str) -> Function:
    """Return the function that the setting *key* names; raises `SettingsError`."""
    module, _, attribute = name.rpartition(".")
    try:
        function = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # the author's module may raise anything while it is imported
        raise SettingsError(f"'{key}': {name} cannot be imported: {error!r}") from error
    if not callable(function):
        raise SettingsError(f"'{key}': {name} is not a function")
    return function  # type: ignore[no-any-return]
