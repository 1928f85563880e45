"""A set that holds every kind of contour and lacks all that may be lacking is read whole, in every encoding."""

from __future__ import annotations

import warnings
from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from rtstruct import StructureSet, analyse, read
from unit.rtstruct.shapes import SQUARE, dataset, encoded, observation, reencoded, roi, roi_contour

TYPES = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "CLOSED_PLANAR_XOR", "OPEN_PLANAR", "OPEN_NONPLANAR", "POINT")
ENCODINGS = {
    "implicit": ImplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "big endian": ExplicitVRBigEndian,
}
#: More than an explicit DS can hold: it is written as UN.
LONG = "\\".join(f"{number / 7:.5f}" for number in range(12_000))


def referenced(class_uid: str, uid: str) -> Dataset:
    made = Dataset()
    made.ReferencedSOPClassUID, made.ReferencedSOPInstanceUID = class_uid, uid
    return made


def frame(uid: str) -> Dataset:
    made = Dataset()
    made.FrameOfReferenceUID = uid
    return made


def every_kind() -> bytes:
    """Structures 1 to 6 of one type each; 7 of all types; 8 has all there is; 9 is long; 10 and 11 have no contours."""
    contours = [
        roi_contour(number, r"1.5\-2\3" if kind == "POINT" else SQUARE, geometric_type=kind)
        for number, kind in enumerate(TYPES, start=1)
    ]
    mixed = roi_contour(7)
    mixed.ContourSequence = [roi_contour(1, SQUARE, geometric_type=kind).ContourSequence[0] for kind in TYPES]
    complete = roi_contour(8, SQUARE)
    complete.ROIDisplayColor = [1, 2, 3]
    complete.ContourSequence[0].ContourImageSequence = [referenced("1.2.840.10008.5.1.4.1.1.2", "2.25.77")]
    made = dataset([*contours, mixed, complete, roi_contour(9, LONG), roi_contour(10)])
    made.StructureSetROISequence.append(roi(11, "never drawn"))
    made.RTROIObservationsSequence = [observation(8)]
    made.ReferencedFrameOfReferenceSequence = [frame("2.25.10"), frame("2.25.11")]
    for entry in made.StructureSetROISequence:
        entry.ReferencedFrameOfReferenceUID = "2.25.11" if entry.ROINumber == 8 else "2.25.10"
    return encoded(made)


@pytest.fixture(scope="module", params=ENCODINGS.values(), ids=ENCODINGS.keys())
def transfer_syntax(request: pytest.FixtureRequest) -> UID:
    found: UID = request.param
    return found


@pytest.fixture(scope="module", params=[False, True], ids=["defined lengths", "undefined lengths"])
def data(request: pytest.FixtureRequest, transfer_syntax: UID) -> bytes:
    """The same set in each encoding in turn."""
    with warnings.catch_warnings(action="ignore"):
        return reencoded(every_kind(), transfer_syntax, request.param)


@pytest.fixture(scope="module")
def found(data: bytes) -> StructureSet:
    return read(data)


def test_every_coordinate_is_pydicoms(data: bytes, found: StructureSet) -> None:
    ours = {each.number: [contour.points_mm.tobytes() for contour in each.contours] for each in found.structures}
    ours.pop(11)
    with warnings.catch_warnings(action="ignore"):
        # Of a UN element pydicom gives the text.
        theirs = {
            int(item.ReferencedROINumber): [
                np.array([float(value) for value in _values(contour.ContourData)]).tobytes()
                for contour in item.get("ContourSequence", [])
            ]
            for item in dcmread(BytesIO(data)).ROIContourSequence
        }
    assert ours == theirs


def _values(data: object) -> list[str]:
    return data.decode().split("\\") if isinstance(data, bytes) else [str(value) for value in data]  # type: ignore[attr-defined]


def test_every_type_is_kept_as_written(found: StructureSet) -> None:
    kinds = [[contour.geometric_type for contour in each.contours] for each in found.structures[:7]]
    assert kinds == [*([kind] for kind in TYPES), list(TYPES)]


def test_closed_contours_alone_have_an_area(found: StructureSet) -> None:
    for structure in found.structures[:6]:
        analysis = analyse(structure)
        closed = structure.contours[0].geometric_type.startswith("CLOSED")
        assert sum(area.area_mm2 for area in analysis.areas) == (100 if closed else 0)
        assert analysis.contour_count == 1
        assert analysis.bounding_box_mm is not None


def test_what_is_lacking_is_told_of_the_structure_that_lacks_it(found: StructureSet) -> None:
    told = {each.number: [finding.code for finding in each.warnings] for each in found.structures}
    assert told == {
        **{number: ["no_observation"] for number in (1, 2, 3, 4, 5, 6, 7, 9)},
        8: [],
        10: ["no_contours", "no_observation"],
        11: ["no_contours", "no_observation"],
    }


def test_what_is_there_is_read(found: StructureSet) -> None:
    complete = found.structures[7]
    assert (complete.color, complete.interpreted_type) == ((1, 2, 3), "ORGAN")
    assert complete.contours[0].image_sop_instance_uids == ("2.25.77",)
    assert found.structures[0].color is None
    assert found.structures[0].contours[0].image_sop_instance_uids == ()
    assert len(found.structures[8].contours[0].points_mm) == 4000


def test_structures_may_lie_in_several_frames_of_reference(found: StructureSet) -> None:
    assert found.referenced_frame_of_reference_uids == ("2.25.10", "2.25.11")
    assert {each.number: each.frame_of_reference_uid for each in found.structures} == {
        **{number: "2.25.10" for number in (1, 2, 3, 4, 5, 6, 7, 9, 10, 11)},
        8: "2.25.11",
    }
