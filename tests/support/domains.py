"""Domain files of any size."""

from __future__ import annotations

_RESPONSE = """
  utter_{0}:
  - text: "Answer {0}: Hello {{name}}, this is what you asked for"
    image: "https://shop.example/{0}.jpg"
    buttons:
    - {{title: "Thank you", payload: "/thank"}}
    - {{title: "Something else", payload: '/ask{{{{"number": "{0}"}}}}'}}"""


def thousand_responses() -> str:
    responses = "".join(_RESPONSE.format(number) for number in range(1000))
    return f"slots:\n  name: {{type: text}}\nresponses:{responses}\n"
