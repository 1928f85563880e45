"""Metrics are those of closed forms, and of brute force on small masks."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import numpy.typing as npt
import pytest
from scipy.ndimage import binary_erosion, distance_transform_edt
from scipy.spatial.distance import directed_hausdorff

from rtstruct.comparison import Metrics, compare_masks
from rtstruct.comparison.surfels import surfels_of

Booleans = npt.NDArray[np.bool_]
SPACING = (3.0, 1.0, 1.0)


def box(
    first: tuple[int, int, int], last: tuple[int, int, int], shape: tuple[int, int, int] = (20, 40, 40)
) -> Booleans:
    inside = np.zeros(shape, dtype=bool)
    inside[tuple(slice(low, high) for low, high in zip(first, last, strict=True))] = True
    return inside


def sphere(radius: float, centre: tuple[float, float, float], spacing: tuple[float, float, float]) -> Booleans:
    shape = tuple(int(90 / step) for step in spacing)
    axes = np.meshgrid(*[np.arange(size) * step for size, step in zip(shape, spacing, strict=True)], indexing="ij")
    return sum((axis - c) ** 2 for axis, c in zip(axes, centre, strict=True)) < radius**2


def test_identical_masks_are_wholly_alike() -> None:
    a = sphere(20, (45, 45, 45), (3, 1, 1))
    found = compare_masks(a, a, (3, 1, 1))
    assert (found.dice, found.jaccard, found.volume_ratio, found.surface_dice) == (1, 1, 1, 1)
    assert found.hausdorff_mm == found.hausdorff_95_mm == found.mean_surface_distance_mm == 0
    assert found.added_path_length_mm == found.centre_distance_mm == 0
    assert found.volume_a_cm3 == found.volume_b_cm3 == found.intersection_cm3


@pytest.mark.parametrize(("axis", "step_mm"), [(0, 3.0), (1, 1.0), (2, 1.0)])
def test_a_shifted_cube_is_as_far_as_it_was_shifted(axis: int, step_mm: float) -> None:
    # 12 voxels each way, shifted by 3: three quarters are shared.
    a = box((4, 10, 10), (16, 22, 22))
    b = np.roll(a, 3, axis=axis)
    found = compare_masks(a, b, SPACING, tolerance_mm=0.5)
    assert found.dice == pytest.approx(0.75) and found.jaccard == pytest.approx(0.6)
    assert found.hausdorff_mm == pytest.approx(3 * step_mm)
    assert found.centre_distance_mm == pytest.approx(3 * step_mm)
    assert found.volume_ratio == 1
    assert found.volume_a_cm3 == pytest.approx(12**3 * 3 / 1000)


def test_concentric_spheres_are_apart_by_the_difference_of_their_radii() -> None:
    for spacing in ((1.0, 1.0, 1.0), (3.0, 1.0, 1.0), (2.0, 0.7, 1.3)):
        small, large = (sphere(radius, (45, 45, 45), spacing) for radius in (20, 25))
        found = compare_masks(small, large, spacing, tolerance_mm=2.0)
        assert found.mean_surface_distance_mm == pytest.approx(5, abs=0.3)
        assert found.hausdorff_mm == pytest.approx(5, abs=1.6)
        assert found.hausdorff_95_mm == pytest.approx(5, abs=1.0)
        assert found.surface_dice == 0
        assert found.volume_ratio == pytest.approx((25 / 20) ** 3, rel=0.02)
        assert found.dice == pytest.approx(2 * 20**3 / (20**3 + 25**3), rel=0.02)
        assert compare_masks(small, large, spacing, tolerance_mm=8.0).surface_dice == 1


def test_disjoint_masks_share_nothing() -> None:
    found = compare_masks(box((2, 2, 2), (4, 6, 6)), box((2, 20, 2), (4, 24, 6)), SPACING)
    assert (found.dice, found.jaccard, found.intersection_cm3, found.surface_dice) == (0, 0, 0, 0)
    assert found.hausdorff_mm == pytest.approx(18) and found.centre_distance_mm == pytest.approx(18)
    # All of the outline has to be drawn: 12 pixels of a square of 4 on each of two slices.
    assert found.added_path_length_mm == found.path_length_mm == 24


def test_what_has_no_meaning_is_none() -> None:
    full, empty = box((2, 2, 2), (4, 6, 6)), box((0, 0, 0), (0, 0, 0))
    missing, added, nothing = (compare_masks(*each, SPACING) for each in ((full, empty), (empty, full), (empty, empty)))
    for found in (missing, added, nothing):
        assert found.hausdorff_mm is found.mean_surface_distance_mm is found.centre_distance_mm is None
    assert (missing.dice, missing.volume_ratio, missing.surface_dice) == (0, 0, 0)
    assert missing.added_path_length_mm == missing.path_length_mm == 24
    assert (added.dice, added.volume_ratio, added.added_path_length_mm) == (0, None, None)
    assert nothing.dice is nothing.jaccard is nothing.surface_dice is None


def test_which_is_the_reference_matters_for_the_path_and_the_ratio_alone() -> None:
    a, b = sphere(20, (45, 45, 45), SPACING), sphere(15, (45, 48, 45), SPACING)
    there, back = compare_masks(a, b, SPACING), compare_masks(b, a, SPACING)
    for name in ("dice", "jaccard", "hausdorff_mm", "hausdorff_95_mm", "mean_surface_distance_mm", "surface_dice"):
        assert getattr(there, name) == pytest.approx(getattr(back, name)), name
    assert there.mean_distance_a_to_b_mm == pytest.approx(back.mean_distance_b_to_a_mm)
    assert there.volume_ratio == pytest.approx(1 / (back.volume_ratio or 0))


def test_the_added_path_is_the_outline_that_is_not_there_yet() -> None:
    # The reference has a square of 10; what was drawn lacks its last three columns.
    a, b = box((5, 10, 10), (6, 20, 20)), box((5, 10, 10), (6, 20, 17))
    found = compare_masks(a, b, SPACING, tolerance_mm=2.0)
    assert found.path_length_mm == 36
    # The last column of ten pixels, and three of the top and of the bottom, of which one corner each is the same.
    assert found.added_path_length_mm == 10 + 2 * 2
    # Two pixels of the drawn outline are within 2 mm of the second last.
    assert found.added_path_length_at_tolerance_mm == 10
    # Nothing has to be added to what is larger, but for the side that moved.
    assert compare_masks(b, a, SPACING).added_path_length_mm == 8


def test_brute_force_finds_the_same_distances() -> None:
    rng = np.random.default_rng(20)
    for spacing in ((1.0, 1.0, 1.0), (2.5, 0.8, 1.1)):
        a, b = (rng.random((6, 9, 8)) < 0.4 for _ in range(2))
        found = compare_masks(a, b, spacing, tolerance_mm=0.97)
        one, other = surfels_of(a, spacing), surfels_of(b, spacing)
        every = np.linalg.norm(one.place_mm[:, None] - other.place_mm[None], axis=2)
        there, back = every.min(axis=1), every.min(axis=0)
        total = one.area_mm2.sum() + other.area_mm2.sum()
        mean = ((there * one.area_mm2).sum() + (back * other.area_mm2).sum()) / total
        near = one.area_mm2[there <= 0.97].sum() + other.area_mm2[back <= 0.97].sum()
        directed = [
            directed_hausdorff(one.place_mm, other.place_mm)[0],
            directed_hausdorff(other.place_mm, one.place_mm)[0],
        ]
        assert found.hausdorff_mm == pytest.approx(max(directed))
        assert found.mean_surface_distance_mm == pytest.approx(mean)
        assert found.surface_dice == pytest.approx(near / total)


def test_a_distance_transform_of_the_boundary_voxels_agrees_within_a_voxel() -> None:
    spacing = (2.0, 1.0, 1.0)
    a, b = sphere(20, (45, 45, 45), spacing), sphere(18, (45, 49, 43), spacing)
    found = compare_masks(a, b, spacing)
    rim_a, rim_b = (each & ~binary_erosion(each) for each in (a, b))
    there = distance_transform_edt(~rim_b, sampling=spacing)[rim_a]
    back = distance_transform_edt(~rim_a, sampling=spacing)[rim_b]
    assert found.hausdorff_mm == pytest.approx(max(there.max(), back.max()), abs=1.0)
    assert found.mean_surface_distance_mm == pytest.approx(np.concatenate((there, back)).mean(), abs=0.25)
    assert found.hausdorff_95_mm == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)), abs=1.0)


def test_the_same_masks_give_the_same_digits() -> None:
    a, b = sphere(20, (45, 45, 45), SPACING), sphere(15, (45, 48, 45), SPACING)
    first, second = compare_masks(a, b, SPACING), compare_masks(a, b, SPACING)
    assert isinstance(first, Metrics) and astuple(first) == astuple(second)
