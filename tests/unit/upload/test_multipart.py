"""Multipart forms as real clients write them come apart into the files that went in."""

from __future__ import annotations

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from upload.multipart import MalformedForm, files_of

Files = list[tuple[str, bytes]]
NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters='"\\/'), min_size=1, max_size=40)


def sent(files: Files, **fields: str) -> tuple[bytes, str]:
    """Body and Content-Type as ``requests`` sends these files."""
    request = requests.Request(
        "POST", "http://pacs/api/upload", files=[("files", file) for file in files], data=fields
    ).prepare()
    assert isinstance(request.body, bytes)
    return request.body, request.headers["Content-Type"]


def read(body: bytes, content_type: str, max_files: int = 1000) -> Files:
    return list(files_of(body, content_type, max_files))


@given(st.lists(st.tuples(NAMES, st.binary(max_size=300)), min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_whatever_requests_sends_comes_back(files: Files) -> None:
    assert read(*sent(files)) == files


@given(st.lists(st.sampled_from([b"--", b"x", b"\r\n", b"\r", b"\n", b"--x", b"\r\n--", b"\r\n--y"]), max_size=20))
@settings(max_examples=150, deadline=None)
def test_contents_that_look_like_boundaries_come_back(parts: list[bytes]) -> None:
    content = b"".join(parts)
    body = b'--xx7\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n' + content + b"\r\n--xx7--\r\n"
    assert read(body, "multipart/form-data; boundary=xx7") == [("a", content)]


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_a_form_or_malformed(body: bytes) -> None:
    for candidate in (body, b"--x" + body, b"--x\r\n" + body + b"\r\n--x--\r\n"):
        try:
            read(candidate, "multipart/form-data; boundary=x")
        except MalformedForm:
            continue


def test_fields_without_a_file_name_are_passed_over() -> None:
    assert read(*sent([("a.dcm", b"1")], comment="no file", patient="é")) == [("a.dcm", b"1")]


def test_an_empty_file_is_a_file() -> None:
    assert read(*sent([("empty", b"")])) == [("empty", b"")]


def part(disposition: str, newline: bytes = b"\r\n") -> bytes:
    return newline.join(
        (b"--x", f"Content-Disposition: form-data; {disposition}".encode(), b"", b"data", b"--x--", b"")
    )


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('name="files"; filename="plain.dcm"', "plain.dcm"),
        ("name=files; filename=plain.dcm", "plain.dcm"),
        ('name="files"; filename="Renée.dcm"', "Renée.dcm"),
        ('name="files"; filename="say \\"hi\\".dcm"', 'say "hi".dcm'),
        ('name="files"; filename="a;b.dcm"', "a;b.dcm"),
        ('filename="first.dcm"; name="files"', "first.dcm"),
        ('name="files"; filename=""', ""),
    ],
)
def test_file_names_are_read_as_clients_write_them(disposition: str, name: str) -> None:
    assert read(part(disposition), 'multipart/form-data; boundary="x"') == [(name, b"data")]


def test_header_names_have_no_case() -> None:
    body = part('filename="a"').replace(b"Content-Disposition", b"CONTENT-disposition")
    assert read(body, "Multipart/Form-Data; BOUNDARY=x") == [("a", b"data")]


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (part('filename="a"'), "multipart/form-data", "names no boundary"),
        (part('filename="a"'), "multipart/form-data; boundary=y", "cannot be told apart"),
        (part('filename="a"')[:-8], "multipart/form-data; boundary=x", "ends before its closing boundary"),
        (part('name="a"'), "multipart/form-data; boundary=x", "holds no file"),
        (b"--x\r\nno header\r\n\r\nv\r\n--x--\r\n", "multipart/form-data; boundary=x", "cannot be told apart"),
    ],
)
def test_a_malformed_form_says_what_is_wrong(body: bytes, content_type: str, message: str) -> None:
    with pytest.raises(MalformedForm, match=message):
        read(body, content_type)


def test_too_many_parts_are_refused_before_the_first_file() -> None:
    body, content_type = sent([(f"{number}", b"x") for number in range(4)])
    assert len(read(body, content_type, 4)) == 4
    with pytest.raises(MalformedForm, match="4 parts; 3 are allowed"):
        next(files_of(body, content_type, 3))
