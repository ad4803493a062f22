"""
A shop's server, as far as it writes to customers on WhatsApp: no more than Python's own library.

    export WHATSAPP_NOTIFY_TOKEN=…           # the bot's setting `notify_token`
    python shop.py serve                     # takes what `notify_webhook` tells, on port 8300
    python shop.py shipped 4711 "+49 151 12345678"
    python shop.py status 4711

`notify_webhook: http://localhost:8300/` lets the bot tell how far each message came.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BOT = os.environ.get("WHATSAPP_NOTIFY_URL", "http://localhost:5005/webhooks/whatsapp/notify")
TOKEN = os.environ.get("WHATSAPP_NOTIFY_TOKEN", "")
TRIES = 5


def call(method: str, path: str = "", key: str = "", wish: Any = None) -> Mapping[str, Any]:
    """Call the bot, again if it asks for that: the key makes that harmless."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    if key:
        headers["Idempotency-Key"] = key
    body = None if wish is None else json.dumps(wish).encode()
    for attempt in range(1, TRIES + 1):
        request = urllib.request.Request(BOT + path, body, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code not in (429, 503) or attempt == TRIES:
                raise SystemExit(f"{error.code}: {error.read().decode()}") from error
            time.sleep(float(error.headers.get("Retry-After", "5")))
        except OSError:  # no answer: it may have been taken all the same
            if attempt == TRIES:
                raise
            time.sleep(2.0**attempt)
    raise AssertionError


def shipped(order: str, phone: str) -> Mapping[str, Any]:
    wish = {
        "to": phone,
        "response": {
            "text": "Your order {number} is on its way.",
            "metadata": {
                "whatsapp": {
                    "template": {"name": "order_shipped", "language": "en", "body": ["{number}"]}
                }
            },
        },
        "slots": {"number": order},
        "category": "utility",
    }
    return call("POST", key=f"order-{order}-shipped", wish=wish)


class Changes(BaseHTTPRequestHandler):
    """Takes what the bot tells, if it is signed with the token."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        at = self.headers.get("webhook-timestamp", "0")
        signed = f"{self.headers['webhook-id']}.{at}.".encode() + body
        digest = base64.b64encode(hmac.digest(TOKEN.encode(), signed, "sha256")).decode()
        shown = self.headers.get("webhook-signature", "")
        is_now = abs(float(at) - time.time()) < 300
        is_ours = is_now and hmac.compare_digest(f"v1,{digest}", shown)
        if is_ours:
            change = json.loads(body)
            print(change["key"], change["state"], change.get("reason", ""), flush=True)
        self.send_response(204 if is_ours else 401)
        self.end_headers()


def main(command: str = "", *args: str) -> None:
    if command == "serve":
        port = int(args[0]) if args else 8300
        ThreadingHTTPServer(("127.0.0.1", port), Changes).serve_forever()
    elif command == "shipped" and len(args) == 2:
        print(json.dumps(shipped(*args)))
    elif command == "status" and args:
        print(json.dumps(call("GET", f"/order-{args[0]}-shipped")))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
