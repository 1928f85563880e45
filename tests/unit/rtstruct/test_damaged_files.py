"""Broken and hostile files end in one of two errors, quickly, and never quote the patient."""

from __future__ import annotations

import pickle
import random
import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from rtstruct import DamagedStructureSet, NotAStructureSet, StructureSet, StructureSetError, analyse, dataset, read
from unit.rtstruct.shapes import SQUARE, encoded, made_file, reencoded, roi_contour
from unit.rtstruct.shapes import dataset as made_dataset

UNDEFINED = 0xFFFFFFFF


def read_or_refuse(data: bytes) -> StructureSet | None:
    """Read and analyse; None for the two errors, any other error passes."""
    try:
        found = read(data)
    except StructureSetError as error:
        assert "Secret" not in str(error)
        assert "SECRET" not in str(error)
        return None
    for each in found.structures:
        analyse(each)
    return found


def small_file() -> bytes:
    return made_file([roi_contour(1, SQUARE, SQUARE), roi_contour(2, "1\\2\\3", geometric_type="POINT")])


def implicit_element(group: int, element: int, content: bytes, length: int | None = None) -> bytes:
    return struct.pack("<HHI", group, element, len(content) if length is None else length) + content


def with_tail(tail: bytes) -> bytes:
    """A structure set whose dataset goes on with arbitrary bytes."""
    made = made_dataset([])
    del made.ROIContourSequence, made.RTROIObservationsSequence
    return encoded(made) + tail


def test_a_ct_slice_is_not_a_structure_set(data_folder: Path) -> None:
    with pytest.raises(NotAStructureSet) as caught:
        read((data_folder / "dicompyler" / "ct.0.dcm").read_bytes())
    assert caught.value.modality == "CT"
    assert caught.value.sop_class_uid == "1.2.840.10008.5.1.4.1.1.2"


def test_a_ct_slice_cut_short_is_still_not_a_structure_set(data_folder: Path) -> None:
    with pytest.raises(NotAStructureSet):
        read((data_folder / "dicompyler" / "ct.0.dcm").read_bytes()[:20_000])


def test_a_plan_is_not_a_structure_set(data_folder: Path) -> None:
    with pytest.raises(NotAStructureSet, match="RTPLAN"):
        read((data_folder / "dicompyler" / "rtplan.dcm").read_bytes())


@pytest.mark.parametrize(
    "data", [b"", b"hello", bytes(5000), b"\x89PNG" * 100, b"{}" * 500, bytes(128) + b"DICM"], ids=repr
)
def test_what_is_not_dicom_is_damaged(data: bytes) -> None:
    with pytest.raises(StructureSetError):
        read(data)


def test_damage_says_where_it_is(dicompyler: bytes) -> None:
    # In the middle of Contour Data of the eighth contour of the first ROI.
    cut = dicompyler[:200_000]
    with pytest.raises(DamagedStructureSet) as caught:
        read(cut)
    assert caught.value.place.startswith("byte ")
    assert "ROIContourSequence says it is" in caught.value.message


def with_length(data: bytes, start: int, length: int) -> bytes:
    """The same with another length of the implicit element or item that begins at `start`."""
    return data[: start + 4] + struct.pack("<I", length) + data[start + 8 :]


def test_a_contour_that_contradicts_itself_costs_itself_alone() -> None:
    data = small_file()
    # The second Contour Data claims more than its item holds.
    first = data.index(b"\x06\x30\x50\x00")
    second = data.index(b"\x06\x30\x50\x00", first + 1)
    square, point = read(with_length(data, second, 5000)).structures
    assert len(square.contours) == len(point.contours) == 1
    (warning,) = square.warnings
    assert warning.code == "contour_damaged"
    assert "ROIContourSequence item 1, ContourSequence item 2" in warning.message


def test_a_structure_that_contradicts_itself_costs_itself_alone() -> None:
    data = small_file()
    # The first Contour Sequence claims more than its structure holds, whose number comes after it.
    start = data.index(b"\x06\x30\x40\x00")
    found = read(with_length(data, start, 5000)).structures
    assert [(each.number, len(each.contours)) for each in found] == [(1, 0), (2, 1), (-1, 0)]
    damaged = next(finding for finding in found[2].warnings if finding.code == "damaged")
    assert "ContourSequence says it is 5000 bytes long" in damaged.message
    assert f"ROIContourSequence item 1, byte {start}" in damaged.message


def test_a_damaged_roi_entry_leaves_its_contours_without_a_name() -> None:
    data = small_file()
    start = data.index(b"\x06\x30\x26\x00")
    found = {each.number: each for each in read(with_length(data, start, 5000)).structures}
    assert [(number, each.name, len(each.contours)) for number, each in sorted(found.items())] == [
        (-1, "", 0),
        (1, "", 2),
        (2, "ROI 2", 1),
    ]
    assert "damaged" in [finding.code for finding in found[-1].warnings]


def test_damage_that_leaves_no_way_on_names_the_items() -> None:
    undefined = reencoded(small_file(), ImplicitVRLittleEndian, undefined_lengths=True)
    first = undefined.index(b"\x06\x30\x50\x00")
    second = undefined.index(b"\x06\x30\x50\x00", first + 1)
    with pytest.raises(DamagedStructureSet) as caught:
        read(with_length(undefined, second, 5000))
    assert caught.value.place == f"ROIContourSequence item 1, ContourSequence item 2, byte {second}"
    assert "ContourData says it is 5000 bytes long" in caught.value.message


def test_errors_survive_the_way_home_from_a_worker_process() -> None:
    for error in (DamagedStructureSet("m", "p"), NotAStructureSet("CT", "1.2")):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


@pytest.mark.parametrize(
    "transfer_syntax",
    [ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian],
    ids=["implicit", "explicit", "deflated", "big endian"],
)
def test_a_file_cut_anywhere_is_read_or_refused(transfer_syntax: UID) -> None:
    data = reencoded(made_file([roi_contour(1, SQUARE, SQUARE)]), transfer_syntax)
    for end in range(len(data)):
        found = read_or_refuse(data[:end])
        # Whatever is left of the contours is whole.
        assert found is None or all(
            len(contour.points_mm) == 4 for each in found.structures for contour in each.contours
        )


def test_flipped_bytes_of_a_real_file_are_read_or_refused(sarcoma: bytes) -> None:
    rng = random.Random(11)
    for _ in range(60):
        data = bytearray(sarcoma[:60_000] if rng.random() < 0.2 else sarcoma)
        for _ in range(3):
            data[rng.randrange(132, 20_000)] = rng.randrange(256)
        read_or_refuse(bytes(data))


def test_bottomless_nesting_is_refused() -> None:
    item = struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED)
    level = struct.pack("<HHI", 0x3006, 0x00B0, UNDEFINED) + item
    with pytest.raises(DamagedStructureSet, match="deep"):
        read(with_tail(level * 100_000))


def test_bottomless_nesting_is_refused_by_pydicom_too() -> None:
    item = struct.pack(">HHI", 0xFFFE, 0xE000, UNDEFINED)
    level = struct.pack(">HH2sHI", 0x3006, 0x00B0, b"SQ", 0, UNDEFINED) + item
    big_endian = encoded(made_dataset([]), ExplicitVRBigEndian)
    with pytest.raises(DamagedStructureSet):
        read(big_endian + level * 100_000)


def test_a_hundred_thousand_empty_contours_are_one_finding() -> None:
    empty_item = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    contours = implicit_element(0x3006, 0x0040, empty_item * 100_000)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(contours)) + contours
    found = read(with_tail(implicit_element(0x3006, 0x0039, item)))
    assert "contour_without_data" in [finding.code for finding in found.structures[-1].warnings]
    assert "100000" in next(f.message for f in found.structures[-1].warnings if f.code == "contour_without_data")


def test_a_deflate_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "MAX_INFLATED_BYTES", 1 << 20)
    deflated = encoded(made_dataset([]), DeflatedExplicitVRLittleEndian)
    # File Meta Information Group Length counts from its own end (PS3.10 7.1).
    start = 144 + int.from_bytes(deflated[140:144], "little")
    inflated = zlib.decompress(deflated[start:], -15)
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = compressor.compress(inflated + bytes(8 << 20)) + compressor.flush()
    with pytest.raises(DamagedStructureSet, match="over 1 MB"):
        read(deflated[:start] + bomb)


def test_a_sequence_that_says_it_is_endless_is_refused() -> None:
    with pytest.raises(DamagedStructureSet, match="no end"):
        read(with_tail(implicit_element(0x3006, 0x0039, b"", length=UNDEFINED)))


def test_a_file_without_preamble_is_read(sarcoma: bytes) -> None:
    assert read(sarcoma[132:]).structures[0].name == "GTV_Mass_CT"


def test_reading_leaves_pydicom_settings_alone(sarcoma: bytes) -> None:
    from pydicom import config

    before = (config.use_DS_numpy, config.use_DS_decimal)
    read(sarcoma[132:])
    assert (config.use_DS_numpy, config.use_DS_decimal) == before
    assert BytesIO(sarcoma).read(4) is not None
