"""Ids: new ids in the platform's formats."""

from __future__ import annotations

import base64
import uuid

from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360, Api


def new_message_id(api: Api, *, inbound: bool = False) -> str:
    code = base64.b64encode(uuid.uuid4().hex[:24].upper().encode()).decode()
    if api in (CLOUD, DIALOG360):
        return f"wamid.HBgN{code}"
    return f"{'ABGG' if inbound else 'gBEG'}{code}"


def new_media_id(api: Api) -> str:
    """Return digits at Cloud and 360dialog, a UUID below /v1."""
    if api in (CLOUD, DIALOG360):
        return str(10**15 + uuid.uuid4().int % (9 * 10**15))
    return str(uuid.uuid4())


def new_user_id(country: str = "US") -> str:
    """Return a business-scoped user id."""
    return f"{country}.{10**19 + uuid.uuid4().int % (9 * 10**19)}"


def new_group_id() -> str:
    return base64.b64encode(f"capi_group:{uuid.uuid4().int % 10**18:018}".encode()).decode()


def new_phone() -> str:
    """Return a number from the range that is reserved for fiction."""
    return f"1555{uuid.uuid4().int % 10**7:07}"


def new_refusal_id() -> str:
    return f"refused-{uuid.uuid4().hex}"


def new_trace_id() -> str:
    return "A" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
