"""What a queue says to SQLite. Values are always bound; times are unix seconds."""

from __future__ import annotations

from typing import Final

# Entries

NOTE_SEEN: Final = "INSERT OR IGNORE INTO seen (queue, key, at) VALUES (?, ?, ?)"
IS_BEHIND: Final = "SELECT 1 FROM items WHERE queue = ? AND conversation = ? LIMIT 1"
APPEND: Final = """
    INSERT INTO items
        (queue, conversation, key, body, put_at, due_at, hidden_for, attempts, forgiven, out)
    VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0)
"""
NEXT_DUE: Final = "SELECT min(due_at) FROM items WHERE queue = ? AND due_at > 0"
FREE_DUE: Final = """
    UPDATE items SET due_at = 0 WHERE seq IN (
        SELECT seq FROM items WHERE queue = ? AND due_at > 0 AND due_at <= ?
        ORDER BY due_at LIMIT ?
    )
"""
OLDEST_FREE: Final = """
    SELECT seq, key, conversation, body, attempts + 1, put_at, forgiven, out
    FROM items WHERE queue = ? AND due_at = 0 ORDER BY seq LIMIT ?
"""
TAKE: Final = """
    UPDATE items SET attempts = attempts + 1, due_at = ?, hidden_for = ?, out = 1 WHERE seq = ?
"""
FIRST: Final = """
    SELECT seq, key, attempts, due_at, out FROM items WHERE queue = ? AND conversation = ?
    ORDER BY seq LIMIT 1
"""
HIDE: Final = "UPDATE items SET due_at = ?, hidden_for = ?, out = ? WHERE seq = ?"
FORGIVE: Final = "UPDATE items SET forgiven = forgiven + 1 WHERE seq = ?"
REPLACE_BODY: Final = "UPDATE items SET body = ? WHERE seq = ?"
REMOVE: Final = "DELETE FROM items WHERE seq = ?"
REMOVE_HELD: Final = """
    DELETE FROM items WHERE queue = ? AND conversation = ? AND key = ? AND attempts = ? AND out = 1
"""
REMOVE_ALL: Final = "DELETE FROM items WHERE queue = ? AND conversation = ?"
SHOW_NEXT: Final = """
    UPDATE items SET due_at = ?, hidden_for = ? WHERE seq = (
        SELECT min(seq) FROM items WHERE queue = ? AND conversation = ?
    )
"""
# What was hidden in a future that is no more comes back after the seconds that were meant.
FOLLOW_CLOCK: Final = """
    UPDATE items SET due_at = :now + hidden_for
    WHERE queue = :queue AND due_at > 0 AND due_at - hidden_for > :now + :slack
"""
WAITING: Final = """
    SELECT key, conversation, body, attempts, put_at, due_at, out
    FROM items WHERE queue = ? ORDER BY seq LIMIT ?
"""
DEPTH: Final = """
    SELECT
        (SELECT count(*) FROM items WHERE queue = :queue),
        (SELECT count(*) FROM given_up WHERE queue = :queue),
        (SELECT put_at FROM items WHERE seq = (
            SELECT min(seq) FROM items WHERE queue = :queue AND due_at IS NOT NULL
        ))
"""

# Holds of conversations without entries

HOLD: Final = """
    INSERT OR REPLACE INTO holds (queue, conversation, until, seconds) VALUES (?, ?, ?, ?)
"""
GET_HOLD: Final = "SELECT until, seconds FROM holds WHERE queue = ? AND conversation = ?"
END_HOLD: Final = "DELETE FROM holds WHERE queue = ? AND conversation = ?"

# What was set aside

GIVE_UP: Final = """
    INSERT OR REPLACE INTO given_up
        (queue, conversation, key, body, attempts, put_at, given_up_at, reason)
    SELECT queue, conversation, key, body, attempts, put_at, ?, ? FROM items WHERE seq = ?
"""
PUT_GIVEN_UP: Final = """
    INSERT OR REPLACE INTO given_up
        (queue, conversation, key, body, attempts, put_at, given_up_at, reason)
    VALUES (?, ?, ?, ?, 0, ?, ?, ?)
"""
GIVEN_UP: Final = """
    SELECT key, conversation, body, attempts, put_at, given_up_at, reason
    FROM given_up WHERE queue = ? ORDER BY seq DESC LIMIT ?
"""
SET_ASIDE: Final = "SELECT seq, conversation, body FROM given_up WHERE queue = ? AND key = ?"
FORGET_GIVEN_UP: Final = "DELETE FROM given_up WHERE seq = ?"
DISCARD: Final = "DELETE FROM given_up WHERE queue = ? AND key = ?"
DISCARD_ALL: Final = "DELETE FROM given_up WHERE queue = ? AND conversation = ?"
