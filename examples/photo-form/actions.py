"""
The form's photo: found in the metadata of the message, opened, and sent back as a quotation.

Run it with `rasa run actions` in this folder, where the paths of the files begin.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError  # comes with Rasa
from rasa_sdk import Action, FormValidationAction, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher


class ValidateDamageForm(FormValidationAction):
    def name(self) -> str:
        return "validate_damage_form"

    def extract_photo(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """Return where the photo of this message lies; None lets the form ask again."""
        if tracker.latest_message["intent"].get("name") == "stop":
            return {}  # nothing for the form, so the rule for it runs
        image = whatsapp_of(tracker).get("image")
        return {"photo": image.get("path") if image else None}

    def validate_photo(
        self,
        path: str | None,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],
    ) -> dict[str, Any]:
        if "image" not in whatsapp_of(tracker):
            return {"photo": None}
        # There is no path when WhatsApp did not hand over the file, or when it is too large.
        if path is None or not is_picture(Path(path)):
            dispatcher.utter_message(response="utter_not_a_photo")
            return {"photo": None}
        return {"photo": path}


class ActionNoteDamage(Action):
    def name(self) -> str:
        return "action_note_damage"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        with Image.open(tracker.get_slot("photo")) as picture:
            width, height = picture.size
        # The domain says how: the photo itself, as an answer to the message it came with.
        dispatcher.utter_message(response="utter_damage_noted", width=width, height=height)
        return [SlotSet("photo", None)]


def whatsapp_of(tracker: Tracker) -> dict[str, Any]:
    """Return what the channel knows of the message; nothing where it came another way."""
    metadata = tracker.latest_message.get("metadata") or {}
    return metadata.get("whatsapp") or {}


def is_picture(path: Path) -> bool:
    """A message may call anything an image; only who opens it knows."""
    try:
        with Image.open(path) as picture:
            picture.verify()
    except (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return False
    return True
