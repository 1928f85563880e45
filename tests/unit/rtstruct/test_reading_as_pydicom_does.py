"""Coordinates are pydicom's bit for bit, whatever the file's encoding."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from unittest import mock

import numpy as np
import pydicom
import pytest
from pydicom.filebase import DicomBytesIO
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from benchmarks.synthetic import structure_set
from rtstruct import StructureSet, dataset, read
from rtstruct.walk import Unexpected
from unit.rtstruct.shapes import SQUARE, encoded, made_file, reencoded, roi_contour

TRANSFER_SYNTAXES = {
    "implicit": ImplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "big endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
}


def by_pydicom(data: bytes) -> dict[int, list[bytes]]:
    """The coordinates of every contour as bytes, by ROI Number."""
    read_by_pydicom = pydicom.dcmread(BytesIO(data), force=True)
    return {
        int(roi.ReferencedROINumber): [
            np.array([float(value) for value in contour.ContourData]).tobytes()
            for contour in roi.get("ContourSequence") or []
        ]
        for roi in read_by_pydicom.ROIContourSequence
    }


def by_us(found: StructureSet) -> dict[int, list[bytes]]:
    return {each.number: [contour.points_mm.tobytes() for contour in each.contours] for each in found.structures}


def everything(found: StructureSet) -> tuple[object, ...]:
    """All that a structure set says, as values that compare."""
    structures = [
        (
            each.number,
            each.name,
            each.description,
            each.color,
            each.frame_of_reference_uid,
            each.interpreted_type,
            each.generation_algorithm,
            each.warnings,
            [
                (
                    contour.geometric_type,
                    contour.number,
                    contour.slab_thickness_mm,
                    contour.image_sop_instance_uids,
                    contour.points_mm.tobytes(),
                )
                for contour in each.contours
            ],
        )
        for each in found.structures
    ]
    own = {name: value for name, value in vars(found).items() if name != "structures"}
    return own, structures


@pytest.fixture
def never_pydicom() -> Iterator[None]:
    with mock.patch.object(dataset, "dcmread", side_effect=AssertionError("left to pydicom")):
        yield


def test_every_real_file_is_read_as_pydicom_reads_it(real_file: bytes) -> None:
    assert by_us(read(real_file)) == by_pydicom(real_file)


@pytest.mark.parametrize("undefined_lengths", [False, True], ids=["defined lengths", "undefined lengths"])
@pytest.mark.parametrize("transfer_syntax", TRANSFER_SYNTAXES.values(), ids=TRANSFER_SYNTAXES.keys())
def test_the_encoding_changes_nothing(
    dicompyler: bytes, sarcoma: bytes, transfer_syntax: UID, undefined_lengths: bool
) -> None:
    for original in (dicompyler, sarcoma):
        other = reencoded(original, transfer_syntax, undefined_lengths)
        assert everything(read(other)) == everything(read(original))


@pytest.mark.usefixtures("never_pydicom")
@pytest.mark.parametrize("undefined_lengths", [False, True], ids=["defined lengths", "undefined lengths"])
@pytest.mark.parametrize("name", ["implicit", "explicit", "deflated"])
def test_little_endian_files_take_the_fast_path(sarcoma: bytes, name: str, undefined_lengths: bool) -> None:
    assert read(reencoded(sarcoma, TRANSFER_SYNTAXES[name], undefined_lengths)).structures


def test_both_paths_agree_on_a_synthetic_set() -> None:
    data = structure_set("small")
    with mock.patch.object(dataset, "_walked", side_effect=Unexpected):
        slow = everything(read(data))
    assert everything(read(data)) == slow


def test_both_paths_agree_on_every_real_file(real_file: bytes) -> None:
    with mock.patch.object(dataset, "_walked", side_effect=Unexpected):
        slow = everything(read(real_file))
    assert everything(read(real_file)) == slow


@pytest.mark.usefixtures("never_pydicom")
def test_a_contour_too_long_for_explicit_vr_is_read_from_its_un_element() -> None:
    long_contour = "\\".join(f"{number / 7:.5f}" for number in range(12_000))
    assert len(long_contour) > 0xFFFF
    implicit = made_file([roi_contour(1, long_contour)])
    with pytest.warns(UserWarning, match="64 kByte"):
        explicit = reencoded(implicit, ExplicitVRLittleEndian)
    assert b"\x06\x30\x50\x00UN" in explicit
    assert by_us(read(explicit)) == by_pydicom(implicit)


def test_sequences_written_as_un_are_read_as_implicit() -> None:
    inner = DicomBytesIO()
    inner.is_little_endian, inner.is_implicit_VR = True, True
    made = pydicom.dcmread(BytesIO(made_file([roi_contour(1, SQUARE)])))
    pydicom.filewriter.write_sequence(inner, made["ROIContourSequence"], ["utf-8"])
    made.add(pydicom.DataElement(0x30060039, "OB", inner.getvalue()))
    explicit = encoded(made, ExplicitVRLittleEndian)
    as_un = explicit.replace(b"\x06\x30\x39\x00OB", b"\x06\x30\x39\x00UN")
    assert as_un != explicit
    assert read(as_un).structures[0].contours[0].points_mm.shape == (4, 3)


@pytest.mark.usefixtures("never_pydicom")
def test_sequences_of_undefined_length_written_as_un_are_read_as_implicit() -> None:
    # PS3.5 6.2.2, note 4 (CP-246).
    implicit = reencoded(made_file([roi_contour(1, SQUARE)]), ImplicitVRLittleEndian, undefined_lengths=True)
    sequence = implicit[implicit.index(b"\x06\x30\x39\x00\xff\xff\xff\xff") + 8 : implicit.index(b"\x06\x30\x80\x00")]
    made = pydicom.dcmread(BytesIO(made_file([])))
    del made.ROIContourSequence, made.RTROIObservationsSequence
    as_un = encoded(made, ExplicitVRLittleEndian) + b"\x06\x30\x39\x00UN\0\0\xff\xff\xff\xff" + sequence
    assert by_us(read(as_un)) == by_pydicom(implicit)


def test_a_file_that_is_implicit_but_says_explicit_is_still_read(sarcoma: bytes) -> None:
    implicit, explicit = b"1.2.840.10008.1.2\x00", b"1.2.840.10008.1.2.1\x00"
    lying = sarcoma.replace(b"UI" + b"\x12\x00" + implicit, b"UI" + b"\x14\x00" + explicit, 1)
    lying = lying.replace(b"\x02\x00\x00\x00UL\x04\x00\xc6", b"\x02\x00\x00\x00UL\x04\x00\xc8", 1)
    assert lying != sarcoma
    assert by_us(read(lying)) == by_us(read(sarcoma))


def test_a_file_padded_with_nul_is_read(sarcoma: bytes) -> None:
    assert everything(read(sarcoma + bytes(5))) == everything(read(sarcoma))
    assert everything(read(sarcoma + bytes(64))) == everything(read(sarcoma))
