"""Packed contours come back bit for bit, one structure at a time if wanted, and damage is noticed."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rtstruct import StructureSet, analyse, pack_contours, read, unpack_contours
from rtstruct.point_blocks import decode, encode
from unit.rtstruct.shapes import SQUARE, made_file, roi_contour


def packed(found: StructureSet) -> bytes:
    return pack_contours(found, [analyse(each) for each in found.structures])


@pytest.fixture
def small() -> bytes:
    return packed(read(made_file([roi_contour(1, SQUARE, r"0.1\0.2\0.3"), roi_contour(2, SQUARE)])))


def test_every_real_file_comes_back_bit_for_bit(real_file: bytes) -> None:
    found = read(real_file)
    analyses = [analyse(each) for each in found.structures]
    unpacked = unpack_contours(pack_contours(found, analyses))
    for structure, analysis, again in zip(found.structures, analyses, unpacked.structures, strict=True):
        assert (again.number, again.name) == (structure.number, structure.name)
        for contour, measured, back in zip(structure.contours, analysis.contours, again.contours, strict=True):
            assert back.points_mm.tobytes() == contour.points_mm.tobytes()
            assert back.points_mm.shape == contour.points_mm.shape
            assert back.geometric_type == contour.geometric_type
            assert (back.position_mm, back.hole) == (measured.position_mm, measured.hole)


def test_a_blob_is_much_smaller_than_the_file(dicompyler: bytes) -> None:
    assert len(packed(read(dicompyler))) < len(dicompyler) / 8


def test_single_structures_can_be_had_alone(dicompyler: bytes) -> None:
    found = read(dicompyler)
    (lung,) = unpack_contours(packed(found), numbers={6}).structures
    assert (lung.name, len(lung.contours)) == ("Lt Lung", 165)
    assert lung.contours[-1].points_mm.tobytes() == found.structures[5].contours[-1].points_mm.tobytes()


def test_a_broken_block_does_not_matter_to_other_structures(small: bytes) -> None:
    broken = small[:-1] + bytes([small[-1] ^ 1])
    assert len(unpack_contours(broken, numbers={1}).structures) == 1
    with pytest.raises(ValueError, match="damaged"):
        unpack_contours(broken, numbers={2})


def test_an_empty_set_can_be_packed() -> None:
    assert unpack_contours(packed(read(made_file([])))).structures == ()


def test_analyses_of_other_structures_are_refused(dicompyler: bytes) -> None:
    found = read(dicompyler)
    analyses = [analyse(each) for each in found.structures]
    with pytest.raises(ValueError, match="is not that of"):
        pack_contours(found, analyses[::-1])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(arrays(np.float64, st.tuples(st.integers(0, 50), st.just(3))))
def test_any_floats_come_back_bit_for_bit(points: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> None:
    block, decimals = encode(points)
    assert decode(block, decimals, len(points)).tobytes() == points.tobytes()


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    arrays(np.int64, st.tuples(st.integers(1, 50), st.just(3)), elements=st.integers(-(2**31), 2**31 - 1)),
    st.integers(0, 6),
)
def test_decimals_come_back_bit_for_bit_and_small(
    whole: np.ndarray[tuple[int, int], np.dtype[np.int64]], decimals: int
) -> None:
    points = np.array([[float(f"{value}e-{decimals}") for value in row] for row in whole.tolist()])
    block, kept = encode(points)
    assert 0 <= kept <= decimals
    assert decode(block, kept, len(points)).tobytes() == points.tobytes()


def test_minus_nought_and_many_decimals_stay_floats() -> None:
    for value in (-0.0, 1 / 3, 1e300, 5e-324):
        points = np.full((5, 3), value)
        block, decimals = encode(points)
        assert decimals == -1
        assert decode(block, decimals, 5).tobytes() == points.tobytes()


@pytest.mark.parametrize(
    ("blob", "message"),
    [(b"", "too few"), (b"RTPC", "too few"), (b"X" * 100, "start with"), (b"RTPC\x09" + bytes(40), "version 9")],
)
def test_what_is_no_blob_is_refused(blob: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        unpack_contours(blob)


def test_damage_is_noticed_wherever_it_is(small: bytes) -> None:
    for end in range(len(small)):
        with pytest.raises(ValueError, match="packed contours are damaged"):
            unpack_contours(small[:end])
    rng = random.Random(3)
    for _ in range(2000):
        blob = bytearray(small)
        blob[rng.randrange(len(blob))] ^= 1 << rng.randrange(8)
        try:
            unpack_contours(bytes(blob))
        except ValueError as error:
            assert "packed contours are damaged" in str(error)
