"""The IBSI's surface is that of its own phantom; the smooth one is that of the shape."""

from __future__ import annotations

import numpy as np
import pytest

from rtstruct.grids import grid_around
from rtstruct.meshes import ibsi_surface, ibsi_surface_on, smooth_surface
from unit.rtstruct.meshes.solids import SOLIDS


def digital_phantom() -> np.ndarray:
    """The region of the IBSI's digital phantom: 5 × 4 × 4 voxels (x, y, z) of 2 mm, six of them left out."""
    inside = np.ones((4, 4, 5), dtype=bool)
    for z, y, x in ((1, 2, 0), (2, 0, 3), (2, 0, 4), (2, 2, 2), (3, 0, 3), (3, 0, 4)):
        inside[z, y, x] = False
    return inside


def test_the_ibsi_phantom_has_its_published_numbers() -> None:
    # Volume (mesh) 556, volume (voxel counting) 592, surface area 388: IBSI reference manual, digital phantom.
    found = ibsi_surface(digital_phantom(), np.diag([2.0, 2.0, 2.0]))
    assert round(found.volume_mesh_cm3 * 1000) == 556
    assert round(found.volume_voxel_cm3 * 1000) == 592
    assert round(found.surface_area_cm2 * 100) == 388


def test_the_direction_of_slices_changes_nothing() -> None:
    there, back = (ibsi_surface(digital_phantom(), np.diag([2.0, 2.0, step])) for step in (3.0, -3.0))
    assert there == back


def test_steps_of_voxels_count_for_the_ibsi_and_not_for_the_smooth_mesh() -> None:
    solid = SOLIDS["sphere of 80 mm"]
    made = solid.structure()
    grid = grid_around(np.full(3, -45.0), np.full(3, 45.0), (1.0, 1.0, 1.0))
    ibsi, smooth = ibsi_surface_on(made, grid), smooth_surface(made)
    assert ibsi.volume_mesh_cm3 == pytest.approx(solid.volume / 1000, rel=0.01)
    assert 1.05 < ibsi.surface_area_cm2 * 100 / solid.area < 1.15
    assert smooth.surface_area_cm2 * 100 == pytest.approx(solid.area, rel=0.005)
    assert smooth.volume_cm3 == pytest.approx(solid.volume / 1000, rel=0.002)


def test_what_is_not_on_the_image_has_no_surface() -> None:
    grid = grid_around(np.full(3, 100.0), np.full(3, 110.0), (1.0, 1.0, 1.0))
    assert ibsi_surface_on(SOLIDS["cube"].structure(), grid).surface_area_cm2 == 0
