"""The body that closed contours enclose: planes, areas without holes, volume, centroid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .measure import measure
from .model import Combine, Contour, Finding, Structure
from .nesting import Nesting, nesting_of
from .planes import PLANE_TOLERANCE_MM, Frame, Integers, group
from .polygons import Polygons
from .slabs import Volumes, spacing_findings, spacing_of, thicknesses, volumes

Floats = npt.NDArray[np.float64]

# The second spelling is not in the standard, but in files. PS3.3 C.8.8.6.1.
XOR_TYPES = ("CLOSEDPLANAR_XOR", "CLOSED_PLANAR_XOR")
CLOSED_TYPES = ("CLOSED_PLANAR", *XOR_TYPES)


@dataclass(frozen=True, eq=False)
class Solid:
    """Planes in ascending order along the normal, all arrays of shape (P,), and what they add up to.

    Attributes
    ----------
    moment_u, moment_v
        The integrals of u and v over each plane, in mm³.
    perimeter_mm
        Of all contours that count on a plane, those of holes too.
    plane, hole
        Shape (C,): the plane of each contour of the structure, -1 for those without area; whether it is a hole.

    """

    position_mm: Floats
    area_mm2: Floats
    moment_u: Floats
    moment_v: Floats
    perimeter_mm: Floats
    contour_count: Integers
    spacing_mm: float | None
    volumes: Volumes
    centroid_mm: tuple[float, float, float] | None
    plane: Integers
    hole: npt.NDArray[np.bool_]
    findings: tuple[Finding, ...]


def is_closed(contour: Contour) -> bool:
    """Whether a contour encloses an area."""
    return contour.geometric_type in CLOSED_TYPES and len(contour.points_mm) >= 3


def solid_of(structure: Structure, closed: Integers, polygons: Polygons, frame: Frame, combine: Combine) -> Solid:
    """Measure the solid of a structure.

    Parameters
    ----------
    closed
        The indices of the contours that enclose an area, at least one.
    polygons
        All contours of the structure, projected on `frame`.
    combine
        How contours on one plane are taken together.

    """
    contours, number = structure.contours, structure.number
    tilt = (polygons.w_high - polygons.w_low)[closed]
    plane, position_mm = group(polygons.position[closed], float(np.median(tilt)))
    planes = len(position_mm)
    count = np.bincount(plane)
    search = combine != "xor" and len(closed) > planes
    twice = _twice(contours, closed, plane, polygons, combine) if search else set()
    counted = np.array([index not in twice for index in closed.tolist()])
    members, member_plane = closed[counted], plane[counted]
    nesting = nesting_of(polygons, members, member_plane)
    hole = nesting.hole if combine != "union" else np.zeros(len(contours), dtype=np.bool_)
    sign = np.where(hole[members], -1.0, 1.0)
    if combine == "union":
        # What lies within another contour adds nothing.
        sign[nesting.depth[members] > 0] = 0.0
    sign *= np.sign(polygons.enclosed.area_mm2[members])
    columns = (polygons.enclosed.area_mm2, polygons.enclosed.moment_u, polygons.enclosed.moment_v)
    area_mm2, moment_u, moment_v = (
        np.bincount(member_plane, sign * column[members], planes).astype(np.float64) for column in columns
    )
    for index in {int(member_plane[members == one][0]) for one, _, _ in nesting.overlapping}:
        there = [polygons.vertices(each) for each in members[member_plane == index]]
        found = measure(there, "union" if combine == "union" else "even-odd")
        area_mm2[index], moment_u[index], moment_v[index] = found.area, found.moment_u, found.moment_v
    slab_mm = _slab_thickness(contours, closed, plane, planes)
    spacing_mm = structure.source_spacing_mm or spacing_of(position_mm)
    thickness_mm = thicknesses(slab_mm, spacing_mm)
    plane_of_contour = np.full(len(contours), -1, dtype=np.intp)
    plane_of_contour[closed] = plane
    return Solid(
        position_mm=position_mm,
        area_mm2=area_mm2,
        moment_u=moment_u,
        moment_v=moment_v,
        perimeter_mm=np.bincount(member_plane, polygons.enclosed.perimeter_mm[members], planes).astype(np.float64),
        contour_count=count,
        spacing_mm=spacing_mm,
        volumes=volumes(area_mm2, thickness_mm),
        centroid_mm=_centroid(position_mm, area_mm2, moment_u, moment_v, thickness_mm, frame),
        plane=plane_of_contour,
        hole=hole,
        findings=(
            *_contour_findings(number, polygons, tilt, len(twice), nesting, combine),
            *spacing_findings(number, position_mm, slab_mm, spacing_mm, structure.source_spacing_mm),
        ),
    )


def _centroid(
    position_mm: Floats, area_mm2: Floats, moment_u: Floats, moment_v: Floats, thickness_mm: Floats, frame: Frame
) -> tuple[float, float, float] | None:
    """The mean of all points of the solid."""
    # Without a thickness there is but one plane, and any will do.
    depth = np.nan_to_num(thickness_mm, nan=1.0)
    volume = (depth * area_mm2).sum()
    if not volume > 0:
        return None
    u, v, w = ((depth * each).sum() / volume for each in (moment_u, moment_v, area_mm2 * position_mm))
    return frame.patient(float(u), float(v), float(w))


def _twice(
    contours: Sequence[Contour], closed: Integers, plane: Integers, polygons: Polygons, combine: Combine
) -> set[int]:
    # CLOSEDPLANAR_XOR contours that are there twice cancel out, as the standard says.
    seen: set[tuple[int, int, bytes]] = set()
    found = set()
    for index, on in zip(closed.tolist(), plane.tolist(), strict=True):
        if combine == "auto" and contours[index].geometric_type in XOR_TYPES:
            continue
        u, _ = polygons.vertices(index)
        key = (on, len(u), contours[index].points_mm.tobytes())
        if key in seen:
            found.add(index)
        seen.add(key)
    return found


def _slab_thickness(contours: Sequence[Contour], closed: Integers, plane: Integers, planes: int) -> Floats:
    """The Contour Slab Thickness of each plane in mm, NaN where no contour on it has one."""
    given = np.full(planes, np.nan)
    # Backwards, so that the first contour on a plane has the last word.
    for index, on in zip(reversed(closed.tolist()), reversed(plane.tolist()), strict=True):
        thickness_mm = contours[index].slab_thickness_mm
        if thickness_mm is not None:
            given[on] = thickness_mm
    return given


def _contour_findings(
    number: int, polygons: Polygons, tilt: Floats, twice: int, nesting: Nesting, combine: Combine
) -> Iterator[Finding]:
    tilted = int((tilt > PLANE_TOLERANCE_MM).sum())
    if tilted:
        yield Finding(
            "not_on_a_plane",
            f"ROI Number {number} has {tilted} closed contours that leave their plane, the worst by "
            f"{tilt.max():.2f} mm; their areas are those of their projections.",
        )
    if twice:
        yield Finding(
            "duplicate_contour",
            f"ROI Number {number} has {twice} contours that are there twice; they count once.",
        )
    if nesting.overlapping:
        one, _, shared = max(nesting.overlapping, key=lambda pair: pair[2])
        yield Finding(
            "partial_overlap",
            f"ROI Number {number} has {len(nesting.overlapping)} pairs of contours that overlap in part, the worst by "
            f"{shared:.1f} mm² at position {polygons.position[one]:.2f} mm; what they share "
            f"{'counts once' if combine == 'union' else 'does not count'}.",
        )
    if not nesting.complete:
        yield Finding(
            "holes_not_searched",
            f"ROI Number {number} has so many contours on the same planes that not all of them were "
            "searched for holes; areas may be too large.",
        )
