"""A store is stocked by multiplying what one message left in it."""

from __future__ import annotations

import sqlite3

from bench.rows.growth import multiply


def test_every_row_that_names_the_phone_is_there_once_for_each_of_many_phones():
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE items (seq INTEGER PRIMARY KEY, phone TEXT, body TEXT, at REAL)")
    db.execute("CREATE TABLE seen (key TEXT PRIMARY KEY) WITHOUT ROWID")
    db.execute("INSERT INTO items (phone, body, at) VALUES ('491', '{\"from\": \"491\"}', 7.5)")
    db.execute("INSERT INTO items (phone, body, at) VALUES ('77', 'somebody else', 1.0)")
    db.execute("INSERT INTO seen VALUES ('wamid.491.0')")

    multiply(db, "491", 3)

    assert db.execute("SELECT phone, body, at FROM items ORDER BY seq").fetchall() == [
        ("491", '{"from": "491"}', 7.5),
        ("77", "somebody else", 1.0),
        ("492", '{"from": "492"}', 7.5),
        ("493", '{"from": "493"}', 7.5),
    ]
    assert db.execute("SELECT key FROM seen ORDER BY key").fetchall() == [
        ("wamid.491.0",),
        ("wamid.492.0",),
        ("wamid.493.0",),
    ]


def test_a_phone_that_nobody_named_multiplies_nothing():
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE seen (key TEXT PRIMARY KEY)")
    db.execute("INSERT INTO seen VALUES ('wamid.491.0')")

    multiply(db, "55", 3)

    assert db.execute("SELECT count(*) FROM seen").fetchone() == (1,)
