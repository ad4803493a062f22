from __future__ import annotations

import pytest

from rasa_whatsapp_channel.compose.changes import RULES


def test_every_code_has_a_meaning_and_says_something():
    assert list(RULES) == sorted(RULES)
    assert all(rule.meaning and rule.says and rule.before for rule in RULES.values())


FOUR = [{"title": title, "payload": f"/{title}"} for title in "abcd"]
LINK = {"type": "web_url", "title": "Open", "url": "https://a.example"}
CTA = {
    "type": "interactive",
    "interactive": {
        "type": "cta_url",
        "body": {"text": "See"},
        "action": {
            "name": "cta_url",
            "parameters": {"display_text": "Open", "url": "https://a.example"},
        },
    },
}
TEMPLATE = {"name": "hello", "language": "en"}


def style(**keys):
    return {"whatsapp": keys}


CAUSES = {
    "WA101": {"text": "word " * 1000},
    "WA102": {"text": "\u200b"},
    "WA103": {},
    "WA104": {"text": ["a"]},
    "WA105": {"text": "a", "custom": object()},
    "WA106": {"text": "a", "custom": style(footer="b")},
    "WA107": {"custom": style(footer="b")},
    "WA108": {"text": "a", "custom": style(fotter="b")},
    "WA109": {"text": "a", "custom": style(reply_to=True)},
    "WA110": {"custom": style(template={**TEMPLATE, "body": "a\nb"})},
    "WA111": {"custom": style(template={"name": "Hello!", "language": "en"})},
    "WA112": {"text": "**a** " * 1000},
    "WA115": {"text": "![a](media/l.jpg) b"},
    "WA116": {"text": "![a](secret.jpg)"},
    "WA201": {"attachment": {"id": "1", "link": "https://a.example"}},
    "WA202": {"attachment": {"type": "image"}},
    "WA203": {"attachment": {"type": "image", "id": ["1"]}},
    "WA113": {"text": "a", "documnet": "a.pdf"},
    "WA114": {
        "text": "a",
        "metadata": {"whatsapp": {"template": {**TEMPLATE, "components": [{"type": "bodi"}]}}},
    },
    "WA212": {"image": "https://a.example/São Paulo.png"},
    "WA314": {"text": "a", "buttons": [{**LINK, "url": "https://a.example/a b"}]},
    "WA506": {"custom": {"text": {"body": "a", "previw_url": True}}},
    "WA507": {"custom": {"text": {"body": "a"}, "to": "491234"}},
    "WA508": {"custom": {"text": {"body": "a"}, "to": "491234"}},
    "WA204": {"image": "ftp://a.example/b.png"},
    "WA205": {"attachment": "https://a.example/b"},
    "WA206": {"attachment": {"type": "audio", "id": "1", "caption": "a"}},
    "WA207": {"attachment": {"type": "image", "id": "1", "captoin": "a"}},
    "WA208": {"attachment": {"type": "image", "id": "1", "provider": "p"}},
    "WA209": {"attachment": 5},
    "WA210": {"attachment": {"type": "document", "id": "1", "filename": "a" * 241}},
    "WA211": {"attachment": {"type": "image", "id": "1", "filename": "a.png"}},
    "WA301": {"text": "a", "buttons": FOUR},
    "WA302": {"text": "a", "buttons": FOUR * 3, "quick_replies": [f"{n}" for n in range(9)]},
    "WA303": {"text": "a", "buttons": ["a" * 25]},
    "WA304": {"text": "a", "buttons": ["a" * 73]},
    "WA305": {"text": "a", "buttons": ["b", {"title": "b", "payload": "/b"}]},
    "WA306": {"text": "a", "buttons": ["b", "b"]},
    "WA307": {"text": "a", "buttons": [5]},
    "WA308": {"buttons": ["b"]},
    "WA309": {"text": "a", "buttons": [{"title": "b", "payload": " /b"}]},
    "WA310": {"text": "a", "buttons": [LINK, "b"]},
    "WA311": {"text": "a", "buttons": [{"payload": "/b"}]},
    "WA312": {"text": "a", "buttons": [f"{number}" for number in range(101)]},
    "WA313": {"text": "a", "buttons": ["b"], "button_type": "lists"},
    "WA401": {"elements": [5]},
    "WA402": {"elements": [{"title": "a"}, {"title": "b"}]},
    "WA403": {"elements": [{"titel": "a"}]},
    "WA501": {"custom": "a"},
    "WA502": {"custom": {"type": "txet"}},
    "WA503": {"custom": {"text": {"body": "a"}, "context": {"message_id": "wamid.1"}}},
    "WA504": {"custom": {"messages": [{"text": {"body": "a"}}], "text": "b"}},
    "WA505": {"custom": CTA},
}


# What happens on the way is in tests/unit/outbound/test_drop_media.py, what becomes of a whole turn
# in test_combine.py.
COMPOSING = [code for code in RULES if not code.startswith(("WA8", "WA9"))]


@pytest.mark.parametrize("code", COMPOSING)
def test_every_change_can_happen(said, code):
    api = "on_premises" if code in ("WA503", "WA505") else "cloud"
    changes = said(CAUSES[code], api=api, recipient_id="499" if code == "WA507" else None)

    assert changes[code].lost == RULES[code].lost
    assert changes[code].text
    assert changes[code].before


@pytest.mark.parametrize(
    ("response", "before", "after"),
    [
        ({"text": "word " * 1000}, "4999 characters", "2 messages"),
        ({"text": "\u200b", "image": "a.png"}, "text", ""),
        ({"text": ["a"]}, "text: a list", ""),
        (
            {"text": "So?", "buttons": [{"title": "Yes", "payload": "/y" * 150}]},
            "/y" * 39 + "/…",
            "p:de59aafe81f6294a19",
        ),
        ({"text": "So?", "buttons": FOUR}, "4 buttons", "a list"),
        (
            {"text": "So?", "buttons": ["Yes", {"title": "Yes", "payload": "/y"}]},
            "Yes",
            "Yes (2)",
        ),
        (
            {"text": "So", "metadata": {"whatsapp": {"footer": "Bye"}}},
            "footer: Bye",
            "Bye",
        ),
        ({"text": "So", "metadata": {"whatsapp": {"fotter": "Bye"}}}, "whatsapp.fotter", ""),
        (
            {"attachment": {"type": "image", "id": "1", "link": "https://a.example"}},
            "attachment: id and link",
            "",
        ),
        (
            {"image": {"id": "1", "caption": "c" * 1025}},
            "caption: " + "c" * 70 + "…",
            "c" * 79 + "…",
        ),
    ],
)
def test_a_change_tells_what_was_before_and_what_came_of_it(said, response, before, after):
    (change,) = said(response).values()

    assert (change.before, change.after) == (before, after)
