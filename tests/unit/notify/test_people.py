"""CSV files as people save them, and as they should not."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator

import pytest

from rasa_whatsapp_channel.notify.notification import NotificationError
from rasa_whatsapp_channel.notify.people import ENCODING, Problem, Recipient, read_people

ANNA, BEN = "4915112345678", "4915187654321"


def read(raw: bytes) -> list[Recipient | Problem]:
    return list(read_people(io.TextIOWrapper(io.BytesIO(raw), **ENCODING)))


@pytest.mark.parametrize(
    "raw",
    [
        b"to,name\n+49 151 12345678,Anna\n4915187654321,Ben\n",
        b"\xef\xbb\xbfto;name\r\n+49 151 12345678;Anna\r\n4915187654321;Ben\r\n",  # Excel
        b'name\tPhone\nAnna\t="4915112345678"\n"Ben"\t0049 151 87654321\n\n\t\n',
        b'to,name\n"(+49) 151/12345678",Anna\nwhatsapp:+4915187654321,Ben',
    ],
)
def test_files_as_programs_save_them_are_read(raw):
    people = read(raw)

    assert [each.to for each in people] == [ANNA, BEN]
    assert [each.slots for each in people] == [{"name": "Anna"}, {"name": "Ben"}]


def test_every_row_that_cannot_go_says_why_and_where():
    raw = b"\n".join(
        [
            b"to;name",
            b"+49 151 12345678;Anna",
            b"0151 12345678;without a country",
            b"4.91511E+12;a number for Excel",
            b"+4915112345678;Anna again",
            b"4915187654321;J\xf6rg",
            b"4915187654321;=HYPERLINK(A1)",
            b"4915187654321",
            b"4915187654321;a;b",
            b"4915187654321;@SUM(1)",
            b";nobody",
            b"4915187654321;+49 is no formula",
        ]
    )

    people = read(raw)

    assert [each.to for each in people if isinstance(each, Recipient)] == [ANNA, BEN]
    told = {each.line: each.reason for each in people if isinstance(each, Problem)}
    assert told == {
        3: "a phone number needs its country's code, as in 4915112345678; this begins with 0",
        4: "a program for tables has made a number of the phone number; give it as text",
        5: "this number stands in an earlier line, too",
        6: "name: is no UTF-8; save the file as CSV UTF-8",
        7: "name: is a formula, or the beginning of one",
        8: "1 cells, and the first line has 2",
        9: "3 cells, and the first line has 2",
        10: "name: is a formula, or the beginning of one",
        11: "there is no recipient",
    }


def test_a_row_that_the_reader_refuses_is_one_problem_and_the_rest_goes():
    long = b"x" * 200_000
    people = read(b"to,name\n4915112345678," + long + b"\n4915187654321,Ben\n")

    assert [type(each) for each in people] == [Problem, Recipient]


@pytest.mark.parametrize(
    "rest",
    [
        b'4915187654321,"Ben\n4915100000001,Cara\n',  # never closed
        b'4915187654321,"Ben\n4915100000001,"Cara"\n',  # closed by the next one
        b'4915187654321,"Ben',  # the file ends in the middle
    ],
)
def test_a_quotation_mark_too_many_tells_nobody_about_others(rest):
    anna, problem = read(b"to,name\n4915112345678,Anna\n" + rest)

    assert anna == Recipient(ANNA, {"name": "Anna"})
    assert isinstance(problem, Problem)
    assert problem.reason.startswith("cannot be read from line 3 on: ")


def test_a_cell_of_several_lines_is_one_slot():
    assert read(b'to,name\n4915112345678,"Anna\nand Ben"\n')[0].slots == {"name": "Anna\nand Ben"}


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "the first line must name the columns, one of them to; it says nothing"),
        (b"4915112345678,Anna\n", "it says 4915112345678, Anna"),
        (b"to,first name\n", "each column needs a name of its own"),
        (b"to,name,name\n", "each column needs a name of its own"),
        ("to,name\n".encode("utf-16"), "the first line must name the columns"),
    ],
)
def test_a_file_without_columns_is_refused(raw, problem):
    with pytest.raises(NotificationError, match=problem):
        read(raw)


def test_a_key_names_nobody_and_is_the_same_for_every_spelling():
    [first], [second] = read(b"to\n+49 151 12345678\n"), read(b"to\n4915112345678\n")

    assert first.key("news") == second.key("news") != first.key("other")
    assert ANNA not in first.key("news")


def test_many_rows_need_no_more_than_what_tells_doubles():
    def lines() -> Iterator[str]:
        yield "to,name\n"
        for number in range(50_000):
            yield f"49151{number:08d},Name {number}\n"

    tracemalloc.start()
    try:
        count = sum(1 for _ in read_people(lines()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert count == 50_000
    assert peak < 150 * count
