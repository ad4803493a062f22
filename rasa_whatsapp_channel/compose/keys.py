"""The keys of a response: those of Rasa, those of ours, and what a custom action passed beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rasa_whatsapp_channel.compose.characters import cut, one_line
from rasa_whatsapp_channel.compose.draft import Draft
from rasa_whatsapp_channel.compose.links import is_link
from rasa_whatsapp_channel.compose.media import MEDIA_KEYS
from rasa_whatsapp_channel.compose.style import nearest
from rasa_whatsapp_channel.whatsapp import mime

_SHOWN: Final = 60

READ: Final = (
    *("text", "image", "attachment", "buttons", "button_type", "quick_replies", "elements"),
    *("custom", "metadata", *MEDIA_KEYS),
)
# What Rasa 3.6, Rasa Pro and the SDK of actions put there. It is for them, not for users.
_RASAS: Final = frozenset(
    {
        "active_flow",
        "allow_interruptions",
        "assistant_id",
        "channel",
        "condition",
        "domain_ground_truth",
        "flow_id",
        "id",
        "json_message",
        "llm_response_metadata",
        "model_id",
        "parse_mode",
        "prompts",
        "response",
        "sender_id",
        "step_id",
        "template",
        "timestamp",
        "translation",
        "use_rephraser",
        "utter_action",
        "utter_source",
        "utter_type",
    }
)


def read_keys(draft: Draft, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """
    Return what of *content* is read, and say what is not.

    What an action passes beside the name of a response fills the response's braces, so there
    nothing is said of it, and `document="passport"` is a word and no file.
    """
    named = draft.name is not None
    # Rasa Pro says whose words these are: an action's, or those of a policy's or agent's class.
    source = content.get("utter_source")
    foreign = named or (isinstance(source, str) and source[:1].isupper())
    read = dict(content)
    for key, value in content.items():
        if value in (None, "", [], {}) or key in _RASAS:
            continue
        if key in MEDIA_KEYS and named and not _is_file(value):
            del read[key]
        elif key not in READ and not foreign:
            shown = cut(one_line(key), _SHOWN)
            draft.change("WA113", key=shown, hint=nearest(shown, READ))
    return read


def _is_file(value: Any) -> bool:
    if not isinstance(value, str):
        return not isinstance(value, (bool, int, float))
    return is_link(value) or mime.from_ending(value) is not None
