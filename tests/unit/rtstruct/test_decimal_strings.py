"""Decimal strings become the floats that Python makes of them, one way or the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rtstruct.decimal_strings
from rtstruct.decimal_strings import float_of, floats_of


@pytest.fixture(autouse=True, params=["compiled", "float"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test with the compiled reader, and as where it is missing."""
    if request.param == "float":
        monkeypatch.setattr(rtstruct.decimal_strings, "_compiled", lambda text: None)
    return str(request.param)


# The way of reading is set once for all examples, as it should be.
FIXTURE = [HealthCheck.function_scoped_fixture]

GOOD = [
    r"1\2\3",
    r"-0\0\-0.0",
    r"1\-0 \2",
    r"-0",
    r"+1\.5\-.5",
    r"5.\1.E2\1e5\1E+5\-1e-5",
    r" 1 \ 2\3 ",
    "1\\2\\3\0",
    r"007\-08.5",
    r"0.1\0.2\0.30000000000000004",
    r"123456789012345678\9007199254740993\18446744073709551616",
    r"1e-400\4.9406564584124654e-324\1.7976931348623157e308",
    r"123456789012345678901234567890.5",
    r"123456789012345678901234567890\1\2",
    r"1\-9223372036854775809\18446744073709551615",
]
BAD = [
    "",
    " ",
    r"1\\2",
    r"\1",
    "1\\2\\",
    r"one\two",
    r"1,2\3",
    r"1\[2]\3",
    "[]",
    r"true\1",
    "null",
    r"nan\1",
    r"inf",
    "1e400",
    "1_000",
    "0x10",
    "1 2",
    "{}",
    '"1"',
    "1]",
]


def expected(text: str) -> bytes:
    return np.array([float(part) for part in text.rstrip(" \0").split("\\")]).tobytes()


@pytest.mark.parametrize("text", GOOD)
def test_what_float_reads_is_read_to_the_same_bit(text: str) -> None:
    (found,) = floats_of([text.encode()])
    assert found is not None
    assert found.tobytes() == expected(text)


@pytest.mark.parametrize("text", BAD)
def test_what_is_not_finite_numbers_is_refused(text: str) -> None:
    assert floats_of([text.encode()]) == [None]


@pytest.mark.parametrize("bad", BAD)
def test_one_bad_text_does_not_spoil_its_neighbours(bad: str) -> None:
    first, refused, last = floats_of([b"1\\2\\3", bad.encode(), b"4\\5"])
    assert refused is None
    assert first is not None and first.tolist() == [1, 2, 3]
    assert last is not None and last.tolist() == [4, 5]


def test_the_compiled_reader_is_there_and_reads_what_files_hold() -> None:
    from rtstruct_decimals import floats_of as compiled

    for text in (b"-24.090\\62.730\\-137.5", b" 1 \\+.5\\-0", b"1.5e-05\\0.30000000000000004", b"9007199254740993"):
        assert compiled(text) == expected(text.decode())


def test_the_compiled_reader_leaves_to_python_what_are_no_finite_numbers() -> None:
    from rtstruct_decimals import floats_of as compiled

    assert [compiled(text.encode()) for text in BAD] == [None] * len(BAD)
    assert compiled(b"1\0\\2") is None
    assert compiled(b"1" * 64) is None


def test_nothing_is_read_beyond_the_end_of_a_value() -> None:
    whole = memoryview(b"1\\-2.5\\3.75\\4e1")
    for end in range(len(whole) + 1):
        (found,) = floats_of([whole[:end]])
        try:
            wanted = expected(bytes(whole[:end]).decode())
        except ValueError:
            assert found is None
        else:
            assert found is not None and found.tobytes() == wanted


def test_values_are_read_only() -> None:
    for text in (b"1\\2", b"1\\2\t"):
        (found,) = floats_of([text])
        assert found is not None and not found.flags.writeable


def test_many_texts_come_back_in_order() -> None:
    texts = [f"{number}\\{number / 8}".encode() for number in range(60_000)]
    found = np.array(floats_of(texts))
    assert np.array_equal(found[:, 0], np.arange(60_000))
    assert np.array_equal(found[:, 1], np.arange(60_000) / 8)


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=FIXTURE)
@given(st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), min_size=1))
def test_any_floats_written_by_repr_come_back(numbers: list[list[float]]) -> None:
    texts = ["\\".join(map(repr, each)).encode() for each in numbers]
    found = floats_of(texts)
    assert [each.tobytes() for each in found if each is not None] == [np.array(n).tobytes() for n in numbers]


@settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=FIXTURE)
@given(st.lists(st.from_regex(r"[+-]?[0-9]{1,17}(\.[0-9]{0,17})?", fullmatch=True), min_size=1))
def test_any_decimals_are_rounded_as_float_rounds_them(numbers: list[str]) -> None:
    text = "\\".join(numbers)
    (found,) = floats_of([text.encode()])
    assert found is not None and found.tobytes() == expected(text)


@settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=FIXTURE)
@given(st.lists(st.text(alphabet="0123456789+-.eE \\\0,[]nN", max_size=12)))
def test_any_text_gives_what_float_gives(texts: list[str]) -> None:
    for text, found in zip(texts, floats_of([text.encode() for text in texts]), strict=True):
        try:
            wanted = expected(text)
        except ValueError:
            wanted = b""
        finite = bool(wanted) and np.isfinite(np.frombuffer(wanted)).all()
        assert (found is not None and found.tobytes() == wanted) if finite else found is None


def test_a_single_value_must_be_one_finite_number() -> None:
    assert float_of(b"3.0 ") == 3.0
    assert [float_of(text) for text in (b"", b"x", b"1\\2", b"nan")] == [None] * 4
