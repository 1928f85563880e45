"""Meshes are closed, face outwards, keep holes, and enclose what the contours enclose."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from rtstruct import Contour, Structure, analyse, read
from rtstruct.meshes import Mesh, NoSurface, mesh_of, reduced
from unit.rtstruct.meshes.solids import SOLIDS, ball, sections, turned
from unit.rtstruct.shapes import circle, rectangle, structure


def as_trimesh(mesh: Mesh) -> trimesh.Trimesh:
    return trimesh.Trimesh(mesh.vertices_mm, mesh.faces, process=False)


@pytest.mark.parametrize("name", SOLIDS)
def test_a_known_solid_has_its_volume_its_surface_and_its_holes(name: str) -> None:
    solid = SOLIDS[name]
    # Straight walls end between two planes.
    shift = 0.3 if name not in ("cylinder", "cube", "thin tube", "wire") else 0.5
    mesh = mesh_of(solid.structure(shift=shift))
    independent = as_trimesh(mesh)
    assert mesh.is_closed and independent.is_watertight and independent.is_winding_consistent
    assert mesh.euler_number == independent.euler_number == solid.euler
    assert mesh.volume_mm3 == pytest.approx(independent.volume, rel=1e-6)
    assert mesh.area_mm2 == pytest.approx(independent.area, rel=1e-6)
    # Positive only when the normals point outwards.
    assert mesh.volume_mm3 == pytest.approx(solid.volume, rel=0.01)
    if name != "ellipsoid":
        # Sharp edges are rounded: a cube has most of them.
        assert mesh.area_mm2 == pytest.approx(solid.area, rel=0.04 if name == "cube" else 0.015)


def test_the_mesh_encloses_the_volume_with_full_slabs() -> None:
    for spacing in (1.0, 3.0):
        made = SOLIDS["torus"].structure(spacing)
        volume_cm3 = analyse(made).volume_cm3
        assert volume_cm3 is not None
        assert mesh_of(made).volume_mm3 / 1000 == pytest.approx(volume_cm3, rel=2e-3)


@pytest.mark.parametrize("normal", [(1, 0, 0), (0, 1, 0), (1, 2, 3), (-3, 1, 2), (0.01, 0, 1)])
def test_planes_of_any_direction_give_the_same_surface_in_its_place(normal: tuple[float, float, float]) -> None:
    made = SOLIDS["torus"].structure()
    axial, other = mesh_of(made), mesh_of(turned(made, normal, (100.0, -250.0, 40.0)))
    assert other.is_closed and other.euler_number == 0
    assert other.volume_mm3 == pytest.approx(axial.volume_mm3, rel=1e-3)
    assert other.area_mm2 == pytest.approx(axial.area_mm2, rel=0.01)
    assert other.vertices_mm.mean(axis=0) == pytest.approx((100.0, -250.0, 40.0), abs=0.3)
    along = (other.vertices_mm - (100.0, -250.0, 40.0)) @ np.array(normal) / np.linalg.norm(normal)
    assert along.min() == pytest.approx(-10, abs=0.7) and along.max() == pytest.approx(10, abs=0.7)


def test_vertices_lie_on_the_sphere_that_was_contoured() -> None:
    radii = np.linalg.norm(mesh_of(SOLIDS["sphere of 80 mm"].structure()).vertices_mm, axis=1)
    assert np.abs(radii - 40).max() < 0.6 and radii.mean() == pytest.approx(40, abs=0.05)


def test_smoothing_takes_the_steps_of_planes_off() -> None:
    solid = SOLIDS["sphere of 80 mm"]
    rough, smooth = (mesh_of(solid.structure(3.0), smooth=each) for each in (False, True))
    assert rough.area_mm2 > 1.03 * solid.area
    assert smooth.area_mm2 == pytest.approx(solid.area, rel=0.005)
    assert rough.is_closed


def test_order_start_and_direction_of_contours_change_nothing() -> None:
    made = SOLIDS["torus"].structure()
    rng = np.random.default_rng(7)
    contours = [made.contours[index] for index in rng.permutation(len(made.contours))]
    drawn = [np.roll(each.points_mm, int(rng.integers(100)), axis=0)[:: int(rng.choice((-1, 1)))] for each in contours]
    one, other = mesh_of(made), mesh_of(structure(*drawn))
    assert len(one.faces) == len(other.faces)
    assert other.vertices_mm == pytest.approx(one.vertices_mm, abs=1e-3)


def test_contours_that_cancel_or_unite_are_asked_for() -> None:
    made = structure(*[rectangle(x, 0, 10, 10, z) for z in range(10) for x in (0, 5)])
    union, odd = (mesh_of(made, combine=each).volume_mm3 for each in ("union", "xor"))
    assert union == pytest.approx(1500, rel=0.01) and odd == pytest.approx(1000, rel=0.01)


@pytest.mark.parametrize("name", ["sphere of 80 mm", "torus", "hollow sphere", "thin tube"])
def test_fewer_triangles_keep_it_closed_and_its_volume(name: str) -> None:
    solid = SOLIDS[name]
    mesh = mesh_of(solid.structure(shift=0.5), triangles=3000)
    assert len(mesh.faces) <= 3000
    assert as_trimesh(mesh).is_watertight and mesh.euler_number == solid.euler
    assert mesh.volume_mm3 == pytest.approx(solid.volume, rel=0.01)


def test_what_cannot_lose_triangles_keeps_them() -> None:
    mesh = mesh_of(SOLIDS["hollow sphere"].structure())
    few = reduced(mesh, 4)
    assert few.is_closed and few.euler_number == 4
    assert reduced(mesh, 10**6) is mesh


def test_a_gap_between_planes_is_not_bridged() -> None:
    heights = [0.0, 2.0, 4.0, 6.0, 20.0, 22.0, 24.0, 26.0]
    mesh = mesh_of(structure(*[circle(8, z) for z in heights]), smooth=False)
    assert mesh.is_closed and mesh.euler_number == 4
    z = mesh.vertices_mm[:, 2]
    assert not ((z > 7.01) & (z < 18.99)).any()
    assert (z.min(), z.max()) == pytest.approx((-1, 27), abs=0.02)
    for widest in (3.2, 3.9, 4.1):
        apart = mesh_of(structure(*[circle(8, z) for z in (0.0, 2.0, 4.0, 4.0 + widest, 6.0 + widest)]), smooth=False)
        assert apart.is_closed and apart.euler_number == 4


def test_one_plane_has_the_thickness_that_the_contour_says() -> None:
    mesh = mesh_of(structure(circle(10), thickness_mm=3.0), smooth=False)
    assert mesh.is_closed and np.ptp(mesh.vertices_mm[:, 2]) == pytest.approx(3.0, abs=0.01)
    with pytest.raises(NoSurface, match="one plane"):
        mesh_of(structure(circle(10)))


def test_edges_through_pixel_centres_leave_no_crack() -> None:
    for pixel in (0.5, 1.0, 2.0):
        made = structure(*[rectangle(0, 0, 20, 20, z) for z in range(10)])
        mesh = mesh_of(made, pixel_mm=pixel)
        assert as_trimesh(mesh).is_watertight and mesh.euler_number == 2


def test_pieces_that_touch_at_a_corner_are_closed_too() -> None:
    corners = [rectangle(x, y, 10, 10, z) for x, y in ((0, 0), (10, 10)) for z in range(8)]
    steps = [rectangle(10 * (z >= 4), 0, 10, 10, z) for z in range(8)]
    for made in (structure(*corners), structure(*steps)):
        assert as_trimesh(mesh_of(made)).is_watertight


def test_what_encloses_nothing_is_refused_with_the_reason() -> None:
    nothing = Structure(7, contours=(Contour("POINT", np.zeros((1, 3))), Contour("OPEN_PLANAR", circle(5))))
    with pytest.raises(NoSurface, match="ROI Number 7"):
        mesh_of(nothing)
    line = structure(np.array([[0.0, 0, 0], [10, 0, 0], [20, 0, 0]]), np.array([[0.0, 0, 1], [10, 0, 1], [20, 0, 1]]))
    with pytest.raises(NoSurface):
        mesh_of(line)


def test_files_made_to_be_costly_are_refused_or_bounded() -> None:
    zigzag = circle(200, points=8_000)
    zigzag[::2] *= (-1, -1, 1)
    zigzag[:, 2] = 0
    planes = [zigzag + np.array((0, 0, z)) for z in range(40)]
    with pytest.raises(NoSurface, match="more than can be meshed"):
        mesh_of(structure(*planes))
    for huge in (1e7, 1e300):
        with pytest.raises(NoSurface, match="kilometre"):
            mesh_of(structure(*[circle(huge, z) for z in range(3)]))
    far = structure(*sections(ball(5), np.arange(-4.5, 5)), circle(5, 0.5, centre=(3000, 0)))
    assert mesh_of(far).is_closed


def test_real_structures_are_closed_and_have_their_volumes(dicompyler: bytes, sarcoma: bytes) -> None:
    for data in (dicompyler, sarcoma):
        for made in read(data).structures:
            if not made.contours:
                continue
            mesh, volume_cm3 = mesh_of(made, triangles=8000), analyse(made).volume_cm3
            assert mesh.is_closed and volume_cm3 is not None
            assert mesh.volume_mm3 / 1000 == pytest.approx(volume_cm3, rel=0.02), made.number
