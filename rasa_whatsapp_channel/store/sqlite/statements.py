"""SQL statements of the queue. Values are always bound; times are unix seconds."""

from __future__ import annotations

from typing import Final

# Items

NOTE_SEEN: Final = "INSERT OR IGNORE INTO seen (queue, key, at) VALUES (?, ?, ?)"
# Whether a new item comes behind another one, and whether its conversation is on hold.
PLACE: Final = """
    SELECT EXISTS (SELECT 1 FROM items WHERE queue = ?1 AND conversation = ?2),
        EXISTS (SELECT 1 FROM holds WHERE queue = ?1 AND conversation = ?2)
"""
APPEND: Final = """
    INSERT INTO items (queue, conversation, key, body, put_at, due_at, hidden_for, cause)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
# Before all others: numbers below the lowest are free.
LOWEST: Final = "SELECT min(seq) FROM items"
INSERT: Final = """
    INSERT INTO items (seq, queue, conversation, key, body, put_at, due_at, hidden_for)
    VALUES (?, ?, ?, ?, ?, ?, ?, 0)
"""
MOVE: Final = "UPDATE items SET seq = ? WHERE seq = ?"
FALL_BEHIND: Final = "UPDATE items SET due_at = NULL, hidden_for = 0, cause = NULL WHERE seq = ?"
NEXT_DUE: Final = "SELECT min(due_at) FROM items WHERE queue = ? AND due_at > 0"
END_DUE: Final = """
    UPDATE items SET due_at = 0, cause = NULL WHERE seq IN (
        SELECT seq FROM items WHERE queue = ? AND due_at > 0 AND due_at <= ?
        ORDER BY due_at LIMIT ?
    )
"""
HAS_READY: Final = """
    SELECT
        (SELECT min(due_at) FROM items WHERE queue = ? AND due_at > 0),
        EXISTS (SELECT 1 FROM items WHERE queue = ? AND due_at = 0 AND (crashes >= ?) = ?)
"""
OLDEST_READY: Final = """
    SELECT seq, key, conversation, body, attempts + 1, put_at, uncounted, crashes,
        failing_since, last_error
    FROM items WHERE queue = ? AND due_at = 0 AND (crashes >= ?) = ? ORDER BY seq LIMIT ?
"""
FIRST_READY: Final = """
    SELECT seq, key, conversation, body, attempts + 1, put_at, uncounted, crashes,
        failing_since, last_error
    FROM items WHERE queue = ? AND conversation = ? AND due_at = 0
"""
TAKE: Final = """
    UPDATE items SET attempts = attempts + 1, due_at = NULL, claimed = 1, owner = ? WHERE seq = ?
"""
FIRST: Final = """
    SELECT seq, key, attempts, due_at, claimed, cause FROM items
    WHERE queue = ? AND conversation = ? ORDER BY seq LIMIT 1
"""
HAND_BACK: Final = """
    UPDATE items SET due_at = 0, claimed = 0, owner = NULL, uncounted = uncounted + 1 WHERE seq = ?
"""
# Claims that may have been committed although an error was returned.
TAKE_BACK: Final = """
    UPDATE items SET due_at = 0, claimed = 0, owner = NULL, uncounted = uncounted + 1
    WHERE queue = ? AND key = ? AND attempts = ? AND owner = ?
"""
RETRY: Final = """
    UPDATE items SET due_at = ?, hidden_for = ?, cause = ?, claimed = 0, owner = NULL,
        crashes = CASE WHEN ? THEN 0 ELSE crashes END,
        uncounted = uncounted + ?, body = coalesce(?, body), last_error = coalesce(?, last_error),
        failing_since = CASE WHEN ? THEN coalesce(failing_since, ?) ELSE failing_since END
    WHERE seq = ?
"""
END_WAIT: Final = "UPDATE items SET due_at = 0, hidden_for = 0, cause = NULL WHERE seq = ?"
WAITS_FOR: Final = """
    SELECT EXISTS (SELECT 1 FROM items WHERE queue = ? AND conversation = ? AND cause = ?)
        OR EXISTS (SELECT 1 FROM holds WHERE queue = ? AND conversation = ? AND cause = ?)
"""
END_WAITS: Final = """
    UPDATE items SET due_at = 0, hidden_for = 0, cause = NULL
    WHERE queue = ? AND due_at > 0 AND cause = ?
"""
REMOVE: Final = "DELETE FROM items WHERE seq = ?"
REMOVE_HELD: Final = """
    DELETE FROM items
    WHERE queue = ? AND conversation = ? AND key = ? AND attempts = ? AND claimed > 0
"""
REMOVE_ALL: Final = "DELETE FROM items WHERE queue = ? AND conversation = ?"
GO_ON: Final = """
    UPDATE items SET due_at = ?, hidden_for = ?, cause = ? WHERE seq = (
        SELECT min(seq) FROM items WHERE queue = ? AND conversation = ?
    )
"""
# After the clock was set back, a wait ends after the seconds that were intended.
FOLLOW_CLOCK: Final = """
    UPDATE items SET due_at = :now + hidden_for
    WHERE queue = :queue AND due_at > 0 AND due_at - hidden_for > :now + :slack
"""
WAITING: Final = """
    SELECT key, conversation, body, attempts, put_at, due_at, claimed, cause, crashes, last_error
    FROM items WHERE queue = ? ORDER BY seq LIMIT ?
"""
DEPTH: Final = """
    SELECT
        (SELECT count(*) FROM items WHERE queue = :queue),
        (SELECT count(*) FROM dead_letters WHERE queue = :queue),
        (SELECT min(since) FROM (
            SELECT put_at AS since FROM items WHERE seq = (
                SELECT min(seq) FROM items WHERE queue = :queue AND due_at = 0
            )
            UNION ALL SELECT min(put_at) FROM items INDEXED BY items_owner
                WHERE queue = :queue AND owner IS NOT NULL
            UNION ALL SELECT min(due_at) FROM items
                WHERE queue = :queue AND due_at > 0 AND due_at <= :now
            UNION ALL SELECT min(failing_since) FROM items
                WHERE queue = :queue AND failing_since IS NOT NULL
        )),
        (SELECT count(*) FROM items WHERE queue = :queue AND failing_since IS NOT NULL),
        (SELECT last_error FROM items WHERE queue = :queue AND failing_since IS NOT NULL
            ORDER BY failing_since DESC LIMIT 1)
"""

# Waits of conversations without items

HOLD: Final = """
    INSERT OR REPLACE INTO holds (queue, conversation, until, seconds, cause)
    VALUES (?, ?, ?, ?, ?)
"""
GET_HOLD: Final = "SELECT until, seconds, cause FROM holds WHERE queue = ? AND conversation = ?"
HOLDS: Final = "SELECT conversation FROM holds WHERE queue = ?"
END_HOLD: Final = "DELETE FROM holds WHERE queue = ? AND conversation = ?"

# SQLiteClaimants

KNOW_CLAIMANT: Final = "INSERT OR IGNORE INTO claimants (id, beats) VALUES (?, 0)"
BEAT: Final = """
    INSERT INTO claimants (id, beats) VALUES (?, 1)
    ON CONFLICT (id) DO UPDATE SET beats = beats + 1
"""
BEATS: Final = "SELECT id, beats FROM claimants"
IS_SILENT: Final = "SELECT 1 FROM claimants WHERE id = ? AND beats = ?"
TAKE_OVER: Final = """
    UPDATE items SET due_at = 0, claimed = 2, owner = NULL, crashes = crashes + 1 WHERE owner = ?
"""
RELEASE: Final = "UPDATE items SET due_at = 0, claimed = 2, owner = NULL WHERE owner = ?"
FORGET_CLAIMANT: Final = "DELETE FROM claimants WHERE id = ?"

# Dead letters

DEAD_LETTER: Final = """
    INSERT OR REPLACE INTO dead_letters
        (queue, conversation, key, body, attempts, put_at, died_at, reason)
    SELECT queue, conversation, key, body, attempts, put_at, ?, ? FROM items WHERE seq = ?
"""
PUT_DEAD_LETTER: Final = """
    INSERT OR REPLACE INTO dead_letters
        (queue, conversation, key, body, attempts, put_at, died_at, reason)
    VALUES (?, ?, ?, ?, 0, ?, ?, ?)
"""
DEAD_LETTERS: Final = """
    SELECT key, conversation, body, attempts, put_at, died_at, reason
    FROM dead_letters WHERE queue = ? ORDER BY seq DESC LIMIT ?
"""
FIND_DEAD_LETTER: Final = """
    SELECT seq, conversation, body FROM dead_letters WHERE queue = ? AND key = ?
"""
FORGET_DEAD_LETTER: Final = "DELETE FROM dead_letters WHERE seq = ?"
DISCARD: Final = "DELETE FROM dead_letters WHERE queue = ? AND key = ?"
DISCARD_ALL: Final = "DELETE FROM dead_letters WHERE queue = ? AND conversation = ?"
