"""Tables for spreadsheets and programs."""

from __future__ import annotations

import csv
import io

import pytest

from host.spreadsheets import csv_of


def test_what_is_written_is_read_again() -> None:
    cells = ['plain', 'with, comma', 'with "quotes"', 'two\nlines', 'Größe é 前立腺']  # fmt: skip
    content = csv_of(["a", "b", "c", "d", "e"], [cells])
    assert content.startswith(b"\xef\xbb\xbfa,b,c,d,e\r\n")
    read = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert read == [["a", "b", "c", "d", "e"], cells]


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1+2", "-PTV", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_text_that_could_be_a_formula_is_made_text(text: str) -> None:
    content = csv_of(["name"], [[text]]).decode("utf-8-sig")
    assert next(iter(list(csv.reader(io.StringIO(content, newline="")))[1])) == f"'{text}"


def test_numbers_stay_numbers_in_either_notation() -> None:
    row = [1, -2.5, None, 1234.5678, 12345678.9]
    assert csv_of(["a"], [row]).endswith(b"1,-2.5,,1234.57,12345678.9\r\n")
    assert csv_of(["a"], [row], "semicolon").endswith(b"1;-2,5;;1234,57;12345678,9\r\n")
