from __future__ import annotations

import pytest

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.whatsapp.apis import APIS


@pytest.fixture
def bodies():
    """Return what a response becomes, as WhatsApp's bodies without their envelope."""

    def bodies(response, api="cloud", **options):
        composed = compose(response, api=APIS[api], **options)
        return [outgoing.body() for outgoing in composed.messages]

    return bodies


@pytest.fixture
def said():
    """Return what composing a response says it changed, by code."""

    def said(response, api="cloud", **options):
        composed = compose(response, api=APIS[api], **options)
        return {change.code: change for change in composed.changes}

    return said
