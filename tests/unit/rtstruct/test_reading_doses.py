"""RT Doses: where the voxels are, what they hold, and what is refused."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)

from rtstruct.doses import UnreadableDose, read_dose
from unit.rtstruct.dose_files import dose_dataset, dose_file

STORED = np.arange(4 * 5 * 6, dtype=np.uint32).reshape(4, 5, 6)


def at(data: bytes, *point_mm: float) -> float | None:
    value, within = read_dose(data).grid.at(np.array(point_mm, dtype=float)[:, None])
    return float(value[0]) if within[0] else None


def test_a_real_dose_reads_as_pydicom_reads_it(data_folder: Path) -> None:
    path = data_folder / "dicompyler" / "rtdose.dcm"
    expected = dcmread(path)
    dose = read_dose(path.read_bytes())
    scaled = (expected.pixel_array * float(expected.DoseGridScaling)).astype(np.float32)
    assert np.array_equal(dose.grid.values, scaled)
    assert dose.grid.offsets_mm.tolist() == [float(offset) for offset in expected.GridFrameOffsetVector]
    assert (dose.units, dose.dose_type, dose.summation_type) == ("GY", "PHYSICAL", "PLAN")
    assert dose.plan_uids == (expected.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID,)
    stored = dose.stored_dvhs[4]
    assert (stored.roi_numbers, stored.dvh_type, stored.volume_units) == ((6,), "CUMULATIVE", "CM3")
    assert stored.volume.tolist() == [float(value) for value in expected.DVHSequence[4].DVHData[1::2]]
    assert stored.mean == float(expected.DVHSequence[4].DVHMeanDose)


@pytest.mark.parametrize(
    "syntax",
    [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
    ids=lambda syntax: syntax.name,
)
def test_every_uncompressed_transfer_syntax_is_read(syntax: UID) -> None:
    stored = STORED.astype(">u4") if syntax == ExplicitVRBigEndian else STORED
    assert np.allclose(read_dose(dose_file(dose_dataset(stored), syntax)).grid.values, STORED * 0.01)


def test_offsets_from_nought_and_offsets_in_patient_z_mean_the_same_planes() -> None:
    relative = dose_file(dose_dataset(STORED))
    absolute = dose_file(dose_dataset(STORED, GridFrameOffsetVector=[30, 33, 36, 39]))
    assert at(relative, 14, 26, 36) == at(absolute, 14, 26, 36) == pytest.approx(0.01 * STORED[2, 3, 2])


def test_planes_towards_the_feet_are_put_in_order() -> None:
    descending = dose_file(dose_dataset(STORED, GridFrameOffsetVector=[0, -3, -6, -9]))
    assert at(descending, 14, 26, 24) == pytest.approx(0.01 * STORED[2, 3, 2])


def test_patient_z_is_patient_z_when_the_normal_points_to_the_feet() -> None:
    prone = dose_file(
        dose_dataset(STORED, ImageOrientationPatient=[1, 0, 0, 0, -1, 0], GridFrameOffsetVector=[30, 33, 36, 39])
    )
    assert at(prone, 14, 14, 36) == pytest.approx(0.01 * STORED[2, 3, 2])


def test_offsets_that_fit_neither_form_are_told() -> None:
    dose = read_dose(dose_file(dose_dataset(STORED, GridFrameOffsetVector=[5, 8, 11, 14])))
    assert [finding.code for finding in dose.findings] == ["odd_grid_frame_offsets"]
    assert dose.grid.offsets_mm.tolist() == [0, 3, 6, 9]


def test_unevenly_spaced_planes_are_interpolated_where_they_are() -> None:
    uneven = dose_file(dose_dataset(STORED, GridFrameOffsetVector=[0, 3, 9, 10]))
    assert at(uneven, 10, 20, 36) == pytest.approx(0.01 * (STORED[1, 0, 0] + STORED[2, 0, 0]) / 2)
    assert at(uneven, 10, 20, 40.4) == pytest.approx(0.01 * STORED[3, 0, 0])
    assert at(uneven, 10, 20, 40.6) is None


def test_an_oblique_dose_has_its_voxels_where_its_orientation_says() -> None:
    turned = [0.6, 0.8, 0, 0, 0, -1]
    dose = dose_file(dose_dataset(STORED, ImageOrientationPatient=turned))
    row, column = np.array(turned[:3]), np.array(turned[3:])
    point = np.array([10, 20, 30]) + 2 * 2 * row + 3 * 2 * column + 1 * 3 * np.cross(row, column)
    assert at(dose, *point) == pytest.approx(0.01 * STORED[1, 3, 2])


def test_between_centres_the_dose_is_trilinear_and_beyond_the_edges_unknown() -> None:
    dose = dose_file(dose_dataset(STORED))
    corners = STORED[1:3, 2:4, 3:5].mean()
    assert at(dose, 10 + 7, 20 + 5, 30 + 4.5) == pytest.approx(0.01 * corners)
    assert at(dose, 9.1, 20, 30) == pytest.approx(0.01 * STORED[0, 0, 0])
    assert at(dose, 8.9, 20, 30) is None
    assert at(dose, 10, 20, 40.6) is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}, "not an RT Dose but CT Image Storage"),
        ({"DoseGridScaling": None}, "Dose Grid Scaling"),
        ({"DoseGridScaling": "0"}, "Dose Grid Scaling"),
        ({"GridFrameOffsetVector": None}, "0 values for 4 planes"),
        ({"GridFrameOffsetVector": [0, 3, 3, 6]}, "lie on each other"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "right angle"),
        ({"ImagePositionPatient": None}, "ImagePositionPatient"),
        ({"PixelSpacing": [0, 2]}, "not positive"),
        ({"NumberOfFrames": 2_000_000_000, "Rows": 65535, "Columns": 65535}, "480 are there"),
        ({"BitsAllocated": 8}, "16 or 32 bits"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_be_trusted_is_refused_in_one_sentence(change: dict[str, object], sentence: str) -> None:
    made = dose_dataset(STORED, **change)
    with pytest.raises(UnreadableDose) as refused:
        read_dose(dose_file(made))
    assert sentence in str(refused.value)
    assert "Secret" not in str(refused.value)


def test_compressed_pixel_data_is_refused_with_a_remedy() -> None:
    data = _with_syntax(dose_dataset(STORED), JPEG2000Lossless)
    with pytest.raises(UnreadableDose, match=r"compressed \(JPEG 2000 .* store it again as Explicit VR Little Endian"):
        read_dose(data)


def _with_syntax(made: Dataset, syntax: UID) -> bytes:
    made["PixelData"].VR = "OB"
    made.PixelData = encapsulate([b"\0" * 8] * 4)
    made["PixelData"].is_undefined_length = True
    return dose_file(made, syntax)


def test_cut_and_altered_files_are_read_or_refused_and_nothing_else() -> None:
    data = dose_file(dose_dataset(STORED))
    generator = np.random.default_rng(7)
    outcomes = set()
    for length in generator.integers(0, len(data), 150):
        outcomes.add(_read_or_refused(data[:length]))
    for _ in range(400):
        altered = bytearray(data)
        for place in generator.integers(0, len(data), 3):
            altered[place] = generator.integers(0, 256)
        outcomes.add(_read_or_refused(bytes(altered)))
    assert outcomes == {"read", "refused"}


def _read_or_refused(data: bytes) -> str:
    try:
        dose = read_dose(data)
    except UnreadableDose as refused:
        assert "Secret" not in str(refused)
        return "refused"
    assert dose.grid.values.size * 2 <= len(data)
    return "read"


def test_a_deflated_file_that_claims_terabytes_is_refused() -> None:
    head = dose_file(dose_dataset(STORED), DeflatedExplicitVRLittleEndian)
    bomb = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    meta = head[: 132 + 12 + int.from_bytes(head[140:144], "little")]
    body = bomb.compress(b"\0" * (1 << 23)) + bomb.flush()
    with pytest.raises(UnreadableDose):
        read_dose(meta + body[: len(body) // 2])
