"""Files to send know their size, wherever they are."""

from rasa_whatsapp_channel.whatsapp.transport import File, Request


def test_a_file_in_memory_has_the_size_of_its_bytes():
    assert File(b"12345", "text/plain", "a.txt").size == 5


def test_a_file_on_disk_has_the_size_it_has_there(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"1234567")

    assert File(path, "text/plain", "a.txt").size == 7


def test_headers_and_body_of_a_request_do_not_print():
    request = Request("POST", "https://h/x", {"Authorization": "Bearer s3cr3t"}, b"s3cr3t")

    assert "s3cr3t" not in repr(request)
