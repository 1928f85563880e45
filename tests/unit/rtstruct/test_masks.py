"""Masks: exact at pixel centres, hole-aware, clipped, the same on every plane."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rtstruct
from rtstruct import Structure, scanlines
from rtstruct.grids import Grid
from rtstruct.images import read_image
from rtstruct.masks import coverage_of, mask_of
from unit.rtstruct.shapes import circle, polygon, rectangle, rotation, structure

Floats = npt.NDArray[np.float64]


def grid(
    slices: int = 5, rows: int = 40, columns: int = 50, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> Grid:
    """Its first voxel has its centre in the origin of the patient."""
    return Grid(np.zeros(3), np.eye(3), np.array(spacing), (slices, rows, columns))


def centred(slices: int, side: int, spacing: float = 1.0) -> Grid:
    """A cube of voxels around the origin, no centre on a whole number of mm."""
    count = np.array([side, side, slices])
    return Grid(-(count - 1) / 2 * spacing + 0.137, np.eye(3), np.full(3, spacing), (slices, side, side))


def codes(findings: tuple[rtstruct.Finding, ...]) -> list[str]:
    return [finding.code for finding in findings]


def test_the_volume_of_a_real_series_gives_the_published_mask(data_folder: Path) -> None:
    folder = data_folder / "sts" / "STS_001"
    for modality in ("CT", "MR_T1", "PET"):
        image = read_image(path.read_bytes() for path in (folder / modality / "image").glob("*.dcm"))
        structure_set = rtstruct.read((folder / modality / "mask" / "RS.dcm").read_bytes())
        published = nibabel.load(folder / "reference" / f"{modality}_mask.nii.gz")
        np.testing.assert_allclose(published.affine, image.grid.affine_ras, atol=1e-4)

        mask = mask_of(structure_set.structures[0], image.grid)
        assert np.count_nonzero(mask.values != (np.asarray(published.dataobj).T > 0)) == 0
        assert mask.findings == ()


@pytest.mark.parametrize("modality", ["CT", "MR_T1", "PET"])
@pytest.mark.parametrize("patient", ["STS_001", "STS_002", "STS_003"])
def test_no_voxel_differs_from_the_published_masks(data_folder: Path, patient: str, modality: str) -> None:
    folder = data_folder / "sts" / patient
    structure_set = rtstruct.read((folder / modality / "mask" / "RS.dcm").read_bytes())
    published = nibabel.load(folder / "reference" / f"{modality}_mask.nii.gz")
    expected = np.asarray(published.dataobj).T > 0
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ published.affine
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    where = Grid(affine[:3, 3], (affine[:3, :3] / spacing).T, spacing, expected.shape)

    assert expected.sum() > 500
    assert np.count_nonzero(mask_of(structure_set.structures[0], where).values != expected) == 0


def test_a_pixel_is_inside_when_its_centre_is() -> None:
    mask = mask_of(structure(rectangle(2.5, 3.5, 4, 2, z=1)), grid())
    assert np.argwhere(mask.values).tolist() == [[1, row, column] for row in (4, 5) for column in (3, 4, 5, 6)]


def test_shapes_side_by_side_share_no_pixel_and_leave_none_out() -> None:
    left, right = structure(rectangle(2, 2, 3, 4)), structure(rectangle(5, 2, 3, 4))
    both = structure(rectangle(2, 2, 6, 4))
    one, other, whole = (mask_of(each, grid()).values for each in (left, right, both))
    assert not (one & other).any()
    assert ((one | other) == whole).all()
    assert whole.sum() == 24


def test_nested_contours_are_holes_and_islands() -> None:
    rings = structure(*(circle(radius, 2, centre=(20.2, 20.3)) for radius in (15, 10, 5)))
    discs = [mask_of(structure(circle(radius, 2, centre=(20.2, 20.3))), grid()).values for radius in (15, 10, 5)]
    assert (mask_of(rings, grid()).values == (discs[0] ^ discs[1] ^ discs[2])).all()
    assert (mask_of(rings, grid(), combine="union").values == discs[0]).all()
    assert mask_of(rings, grid()).findings == ()


def test_a_keyhole_is_a_hole() -> None:
    outer, inner = circle(15, 1, centre=(20.2, 20.3)), circle(6, 1, centre=(20.2, 20.3))[::-1]
    keyhole = np.concatenate((outer, outer[:1], inner[-1:], inner))
    expected = mask_of(structure(outer, inner), grid()).values
    assert np.count_nonzero(mask_of(structure(keyhole), grid()).values != expected) == 0


def test_a_contour_that_is_there_twice_counts_once_unless_xor_is_meant() -> None:
    twice = (rectangle(2, 2, 5, 5), rectangle(2, 2, 5, 5))
    assert mask_of(structure(*twice), grid()).voxel_count == 25
    assert mask_of(structure(*twice), grid(), combine="xor").voxel_count == 0
    assert mask_of(structure(*twice, geometric_type="CLOSEDPLANAR_XOR"), grid()).voxel_count == 0


def test_partial_overlap_is_told_with_what_was_made_of_it() -> None:
    crossing = structure(rectangle(2, 2, 6, 6), rectangle(5, 5, 6, 6))
    mask = mask_of(crossing, grid())
    assert mask.voxel_count == 36 + 36 - 2 * 9
    assert codes(mask.findings) == ["partial_overlap"]
    assert "9.0 mm²" in mask.findings[0].message
    united = mask_of(crossing, grid(), combine="union")
    assert united.voxel_count == 36 + 36 - 9
    assert "counts" in united.findings[0].message


def test_a_union_of_many_is_that_of_each_alone() -> None:
    rng = np.random.default_rng(8)
    many = [circle(rng.uniform(2, 6), 2, points=23, centre=tuple(rng.uniform(-2, 45, 2))) for _ in range(40)]
    many.append(np.concatenate([circle(9, 2, points=50, centre=(20, 20)), circle(5, 2, points=50, centre=(20, 20))]))
    alone = [mask_of(structure(each), grid()).values for each in many]
    united = mask_of(structure(*many), grid(), combine="union")
    assert (united.values == np.any(alone, axis=0)).all()
    assert (mask_of(structure(*many), grid(), combine="xor").values == np.logical_xor.reduce(alone)).all()


@pytest.mark.parametrize("combine", ["auto", "union"])
def test_portions_change_nothing(combine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = structure(*(circle(r, z, centre=(20.2, 20.3)) for z in range(4) for r in (15, 10, 5)))
    expected = mask_of(drawn, grid(), combine=combine).values
    monkeypatch.setattr(scanlines, "_MOST_CROSSINGS", 50)
    assert (mask_of(drawn, grid(), combine=combine).values == expected).all()


def test_what_is_outside_the_image_is_cut_off_and_told() -> None:
    mask = mask_of(structure(rectangle(-10, -10, 15, 15), rectangle(2, 2, 2, 2, z=40)), grid())
    assert mask.voxel_count == 25
    assert codes(mask.findings) == ["contours_outside_image"]
    assert "2 of 2" in mask.findings[0].message


@pytest.mark.parametrize("far", [1e6, 1e12])
def test_coordinates_far_off_cost_no_memory(far: float) -> None:
    huge = structure(polygon([(-far, -far), (far, -far), (far, far), (-far, far)]))
    assert mask_of(huge, grid()).voxel_count == 40 * 50
    assert mask_of(structure(rectangle(far, far, 5, 5)), grid()).voxel_count == 0


def test_contours_meet_the_nearest_slice_within_half_a_slice() -> None:
    drawn = structure(rectangle(2, 2, 5, 5, z=1.4), rectangle(2, 2, 9, 9, z=2.6))
    values = mask_of(drawn, grid()).values
    assert values.sum(axis=(1, 2)).tolist() == [0, 25, 0, 81, 0]
    assert codes(mask_of(drawn, grid()).findings) == ["slices_without_contours"]


def test_planes_midway_between_slices_fill_as_many_slices() -> None:
    jitter = [0.500001, 1.499999, 2.5, 3.4999999]
    drawn = structure(*(rectangle(2, 2, 5, 5, z=z) for z in jitter))
    assert mask_of(drawn, grid()).values.any(axis=(1, 2)).sum() == 4


def test_slices_between_planes_stay_empty_unless_asked_for() -> None:
    drawn = structure(*(rectangle(2, 2, 5, 5, z=z) for z in (2, 6, 10)))
    fine = grid(slices=12)
    assert np.flatnonzero(mask_of(drawn, fine).values.any(axis=(1, 2))).tolist() == [2, 6, 10]
    filled = mask_of(drawn, fine, between="nearest")
    assert filled.volume_cm3 == pytest.approx(25 * 12 / 1000)
    assert rtstruct.analyse(drawn).volume_cm3 == pytest.approx(filled.volume_cm3)


def test_a_single_plane_is_as_thick_as_it_says() -> None:
    drawn = structure(rectangle(2, 2, 5, 5, z=6), thickness_mm=4.0)
    assert mask_of(drawn, grid(slices=12)).voxel_count == 25
    assert mask_of(drawn, grid(slices=12), between="nearest").voxel_count == 4 * 25


def test_planes_closer_than_slices_are_told() -> None:
    drawn = structure(*(rectangle(2, 2, 5, 5, z=z / 4) for z in range(9)))
    mask = mask_of(drawn, grid())
    assert mask.values.sum(axis=(1, 2)).tolist() == [25, 25, 25, 0, 0]
    assert codes(mask.findings) == ["planes_between_slices"]


def test_points_and_open_contours_have_an_empty_mask_that_says_so() -> None:
    for drawn in (structure(), structure(rectangle(0, 0, 5, 5), geometric_type="OPEN_PLANAR")):
        mask = mask_of(drawn, grid())
        assert mask.voxel_count == 0
        assert codes(mask.findings) == ["empty_mask"]


def sphere(radius: float, spacing: float, turn: Floats | None = None) -> Structure:
    heights = np.arange(-np.floor(radius / spacing), np.floor(radius / spacing) + 1) * spacing
    heights = heights[np.abs(heights) < radius]
    contours = [circle(float(np.sqrt(radius**2 - z**2)), float(z), points=180) for z in heights]
    return structure(*((each if turn is None else each @ turn) for each in contours))


@pytest.mark.parametrize("normal", [(0, 0, 1), (1, 0, 0), (0, 1, 0), (0.2, 0.3, 1), (1, 1, 1)])
def test_a_sphere_has_its_volume_on_whatever_planes_it_was_drawn(normal: tuple[float, float, float]) -> None:
    ball = sphere(20, 1.0, None if normal == (0, 0, 1) else rotation(normal))
    mask = mask_of(ball, centred(60, 60))
    assert mask.volume_cm3 == pytest.approx(4 / 3 * np.pi * 20**3 / 1000, rel=0.005)
    assert ("oblique_to_slices" in codes(mask.findings)) == (normal != (0, 0, 1))


def test_oblique_planes_keep_their_holes() -> None:
    turn = rotation((0.5, -0.2, 0.7))
    tube = structure(*(circle(r, float(z), points=180) @ turn for z in np.arange(-10, 11) for r in (15, 9)))
    mask = mask_of(tube, centred(60, 60))
    assert mask.volume_cm3 == pytest.approx(np.pi * (15**2 - 9**2) * 21 / 1000, rel=0.01)


def test_oblique_planes_unite_what_overlaps() -> None:
    turn = rotation((0.5, -0.2, 0.7))
    bars = structure(*(rectangle(x, -5, 20, 10, z) @ turn for z in np.arange(-6, 7) for x in (-15, -5)))
    united = mask_of(bars, centred(60, 60), combine="union")
    assert united.volume_cm3 == pytest.approx(30 * 10 * 13 / 1000, rel=0.01)
    assert mask_of(bars, centred(60, 60)).volume_cm3 == pytest.approx(20 * 10 * 13 / 1000, rel=0.01)
    crowd = structure(*(circle(3 + n / 9, 0.0, points=12) @ turn for n in range(65)))
    assert codes(mask_of(crowd, centred(60, 60), combine="union").findings) == ["empty_mask"]


def test_a_grid_at_an_angle_is_sampled_like_a_structure_at_an_angle() -> None:
    turn = rotation((0.1, 0.4, 1))
    tilted = Grid(np.full(3, -29.5) @ turn, turn, np.ones(3), (60, 60, 60))
    aligned = mask_of(sphere(20, 1.0, turn), tilted)
    assert aligned.volume_cm3 == pytest.approx(4 / 3 * np.pi * 20**3 / 1000, rel=0.005)
    assert aligned.findings == ()
    oblique = mask_of(sphere(20, 1.0), tilted)
    assert oblique.volume_cm3 == pytest.approx(aligned.volume_cm3, rel=0.005)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(start=st.integers(0, 30), backwards=st.booleans(), shift=st.integers(-3, 3))
def test_start_point_direction_and_place_change_nothing(start: int, backwards: bool, shift: int) -> None:
    rng = np.random.default_rng(5)
    angle = np.linspace(0, 2 * np.pi, 31, endpoint=False)
    radius = rng.uniform(6, 15, 31)
    star = polygon(np.column_stack((np.cos(angle), np.sin(angle))) * radius[:, None] + 20.5, 2.0)
    changed = np.roll(star, start, axis=0)[:: -1 if backwards else 1] + np.array([shift, 0, 0])
    expected = np.roll(mask_of(structure(star), grid()).values, shift, axis=2)
    assert (mask_of(structure(changed), grid()).values == expected).all()


def test_coverage_measures_what_is_smaller_than_its_pixels() -> None:
    small = structure(*(circle(1.7, float(z), centre=(20.31, 20.77)) for z in range(4)))
    exact = np.pi * 1.7**2 * 4 / 1000
    coarse = grid(rows=20, columns=25, spacing=(2.0, 2.0, 1.0))
    assert coverage_of(small, coarse, 8).volume_cm3 == pytest.approx(exact, rel=0.02)
    assert coverage_of(small, coarse, 4).volume_cm3 == pytest.approx(exact, rel=0.05)
    share = coverage_of(small, coarse, 8).share
    assert share.max() > 0.9 and 0 < share[share > 0].min() < 0.2


def test_coverage_and_mask_agree_on_where() -> None:
    drawn = structure(rectangle(3.5, 4.5, 4, 6, z=1))
    covered = coverage_of(drawn, grid(), 4)
    whole = np.zeros(grid().shape)
    whole[covered.box] = covered.share
    assert (whole == mask_of(drawn, grid()).values).all()


def test_coverage_of_oblique_planes_reaches_as_far_as_they_are_thick() -> None:
    turn = rotation((1, 0.1, 0.2))
    slab = structure(*(circle(12, float(z), points=90) @ turn for z in (-5, 0, 5)))
    covered = coverage_of(slab, centred(40, 40), 4)
    assert covered.volume_cm3 == pytest.approx(np.pi * 12**2 * 15 / 1000, rel=0.01)


def test_coverage_of_a_whole_body_is_refused_before_it_is_allocated() -> None:
    with pytest.raises(ValueError, match="too many"):
        coverage_of(structure(rectangle(0, 0, 500, 500)), grid(slices=100, rows=512, columns=512), 8)
