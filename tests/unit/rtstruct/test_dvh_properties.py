"""What changes nothing about a dose-volume histogram; and that its volume is the one that `analyse` measures."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtstruct import Structure, analyse, read
from rtstruct.dose_grid import DoseGrid
from rtstruct.doses import Dose
from rtstruct.dvh import DoseAsked, dvh_of
from unit.rtstruct.dose_files import gradient
from unit.rtstruct.shapes import polygon, rotation, structure

WIDE = (120.0, 120.0, 120.0)
# A gradient is the same on any grid, and a coarse one is made sooner.
COARSE = (8.0, 8.0, 8.0)
QUANTILES = [DoseAsked(amount, "%") for amount in (98, 95, 50, 5, 2)]
repeatable = settings(max_examples=8, deadline=None, derandomize=True)


@st.composite
def stars(draw: st.DrawFn) -> Structure:
    """A body with jagged outlines that change from plane to plane."""
    corners = draw(st.integers(5, 40))
    planes = draw(st.integers(2, 12))
    seed = draw(st.integers(0, 2**32 - 1))
    radii = np.random.default_rng(seed).uniform(8, 30, (planes, corners))
    angle = np.arange(corners) * (2 * math.pi / corners)
    outline = np.stack((np.cos(angle), np.sin(angle)), axis=1)
    return structure(*(polygon(outline * radii[n][:, None], 2.5 * n) for n in range(planes)))


def moved(shape: Structure, by_mm: tuple[float, ...] = (0, 0, 0), turned: np.ndarray | None = None) -> Structure:
    matrix = np.eye(3) if turned is None else turned
    contours = tuple(replace(each, points_mm=each.points_mm @ matrix + np.array(by_mm)) for each in shape.contours)
    return replace(shape, contours=contours)


def dose_of(dose: Dose, **changes: object) -> Dose:
    grid = dose.grid
    values = {"origin_mm": grid.origin_mm, "axes": grid.axes, **changes}
    moved_grid = DoseGrid(
        column_spacing_mm=grid.column_spacing_mm,
        row_spacing_mm=grid.row_spacing_mm,
        offsets_mm=grid.offsets_mm,
        values=grid.values,
        **values,  # type: ignore[arg-type]
    )
    return replace(dose, grid=moved_grid)


@repeatable
@given(stars(), st.tuples(*[st.floats(-500, 500)] * 3))
def test_moving_structure_and_dose_together_changes_nothing(shape: Structure, by_mm: tuple[float, ...]) -> None:
    dose = gradient((1, 2, 3), half_mm=WIDE, spacing_mm=COARSE)
    there = dose_of(dose, origin_mm=dose.grid.origin_mm + np.array(by_mm))
    one, other = dvh_of(shape, dose), dvh_of(moved(shape, by_mm), there)
    assert other.volume_cm3 == pytest.approx(one.volume_cm3, rel=1e-4)
    assert other.mean == pytest.approx(one.mean, rel=1e-4)
    for asked in QUANTILES:
        assert other.dose_to(asked) == pytest.approx(one.dose_to(asked), abs=0.05)


@repeatable
@given(stars(), st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda normal: np.linalg.norm(normal) > 0.2))
def test_turning_structure_and_dose_together_changes_nothing(shape: Structure, normal: tuple[float, ...]) -> None:
    dose, turned = gradient((1, 2, 3), half_mm=WIDE, spacing_mm=COARSE), rotation(normal)
    there = dose_of(dose, origin_mm=dose.grid.origin_mm @ turned, axes=dose.grid.axes @ turned)
    one, other = dvh_of(shape, dose), dvh_of(moved(shape, turned=turned), there)
    assert other.volume_cm3 == pytest.approx(one.volume_cm3, rel=2e-3)
    assert other.mean == pytest.approx(one.mean, rel=5e-4)
    for asked in QUANTILES:
        assert other.dose_to(asked) == pytest.approx(one.dose_to(asked), abs=0.2)


@repeatable
@given(stars())
def test_quantiles_are_ordered_and_within_the_extremes(shape: Structure) -> None:
    dvh = dvh_of(shape, gradient((1, 2, 3), half_mm=WIDE, spacing_mm=COARSE))
    values = [dvh.minimum, *(dvh.dose_to(asked) for asked in QUANTILES), dvh.maximum]
    assert None not in values
    assert values == sorted(values, key=float)  # type: ignore[arg-type]


@repeatable
@given(stars())
def test_the_volume_is_the_one_that_analyse_measures(shape: Structure) -> None:
    assert dvh_of(shape, gradient()).volume_cm3 == pytest.approx(analyse(shape).volume_cm3, rel=2e-3)


def test_volumes_of_real_structures_are_those_that_analyse_measures(real_file: bytes) -> None:
    dose = gradient()
    for each in read(real_file).structures:
        measured = analyse(each)
        if measured.volume_cm3:
            assert dvh_of(each, dose).volume_cm3 == pytest.approx(measured.volume_cm3, rel=1e-3)
            half = measured.volume_half_end_slabs_cm3
            assert dvh_of(each, dose, end_slabs="half").volume_cm3 == pytest.approx(half, rel=1e-3)
