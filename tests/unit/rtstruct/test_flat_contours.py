"""Flat contours say what the packed ones say, to float32, and anyone can read them."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from rtstruct import StructureSet, analyse, pack_contours, read, read_flat, unpack_contours, write_flat
from unit.rtstruct.shapes import SQUARE, made_file, roi_contour


def flat(found: StructureSet) -> bytes:
    packed = unpack_contours(pack_contours(found, [analyse(each) for each in found.structures])).structures
    return write_flat(packed, [{"color": each.color} for each in found.structures])


def test_every_real_file_comes_back_as_float32(real_file: bytes) -> None:
    found = read(real_file)
    again = read_flat(flat(found))
    position = 0
    for structure, described in zip(found.structures, again.header["structures"], strict=True):
        assert (described["number"], described["name"]) == (structure.number, structure.name)
        assert described["color"] == (list(structure.color) if structure.color else None)
        for contour, entry in zip(structure.contours, described["contours"], strict=True):
            points = again.points_mm[position : position + entry["point_count"]]
            assert np.array_equal(points, contour.points_mm.astype(np.float32))
            assert entry["geometric_type"] == contour.geometric_type
            position += entry["point_count"]
    assert position == len(again.points_mm)


def test_the_layout_is_the_one_that_is_documented() -> None:
    content = flat(read(made_file([roi_contour(7, SQUARE, "1\\2\\3")])))
    magic, version, header_length, points = struct.unpack_from("<4sIII", content)
    assert (magic, version, points) == (b"RTFC", 1, 5)
    assert header_length % 4 == 0
    header = json.loads(content[16 : 16 + header_length])
    (structure,) = header["structures"]
    assert structure["number"] == 7
    assert [contour["point_count"] for contour in structure["contours"]] == [4, 1]
    values = struct.unpack_from("<15f", content, 16 + header_length)
    assert values == (0, 0, 0, 10, 0, 0, 10, 10, 0, 0, 10, 0, 1, 2, 3)
    assert len(content) == 16 + header_length + 15 * 4


def test_a_set_without_contours_has_a_header_alone() -> None:
    assert read_flat(write_flat((), ())).points_mm.shape == (0, 3)
    empty = read_flat(flat(read(made_file([roi_contour(1)]))))
    assert empty.header["structures"][0]["contours"] == []
    assert len(empty.points_mm) == 0


@pytest.mark.parametrize(("start", "stop"), [(0, 3), (0, -1), (1, None), (0, 17)])
def test_what_is_cut_is_refused(start: int, stop: int | None) -> None:
    content = flat(read(made_file([roi_contour(1, SQUARE)])))
    with pytest.raises(ValueError, match="flat contours"):
        read_flat(content[start:stop])


def test_a_later_version_is_refused() -> None:
    content = bytearray(write_flat((), ()))
    content[4] = 9
    with pytest.raises(ValueError, match="version 9"):
        read_flat(bytes(content))
