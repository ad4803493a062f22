"""What one code stands for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """
    *meaning* is for the list of codes. The others are filled in and become the parts of a `Change`:
    *says* its text, *before* what was written, *after* what came of it, "" where nothing did.
    """

    meaning: str
    says: str
    before: str = "{field}"
    after: str = ""
    lost: bool = False


def lost(meaning: str, says: str, before: str = "{field}", after: str = "") -> Rule:
    """Return the rule of a change by which a part of the response does not reach the user."""
    return Rule(meaning, says, before, after, lost=True)
