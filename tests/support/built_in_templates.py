"""Messages of templates that every simulator begins with."""

from __future__ import annotations

HELLO = {"name": "hello_world", "language": {"code": "en_US"}}  # utility
SALE = {  # marketing
    "name": "summer_sale",
    "language": {"code": "en_US"},
    "components": [
        {"type": "header", "parameters": [{"type": "text", "text": "Sunday"}]},
        {"type": "body", "parameters": [{"type": "text", "text": "20 %"}]},
        {
            "type": "button",
            "sub_type": "copy_code",
            "index": "0",
            "parameters": [{"type": "coupon_code", "coupon_code": "SUN20"}],
        },
    ],
}
