"""The body that closed contours enclose: planes, areas without holes, volume, centroid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .model import Contour, Finding
from .nesting import Nesting, nesting_of
from .planes import PLANE_TOLERANCE_MM, Frame, Integers, group
from .polygons import Polygons, even_odd_area
from .slabs import Volumes, spacing_findings, spacing_of, thicknesses, volumes

Floats = npt.NDArray[np.float64]

# The second spelling is not in the standard, but in files. PS3.3 C.8.8.6.1.
XOR_TYPES = ("CLOSEDPLANAR_XOR", "CLOSED_PLANAR_XOR")
CLOSED_TYPES = ("CLOSED_PLANAR", *XOR_TYPES)


@dataclass(frozen=True, eq=False)
class Solid:
    """Planes in ascending order along the normal, all arrays of shape (P,), and what they add up to."""

    position_mm: Floats
    area_mm2: Floats
    contour_count: Integers
    spacing_mm: float | None
    volumes: Volumes
    centroid_mm: tuple[float, float, float] | None
    hole: npt.NDArray[np.bool_]
    findings: tuple[Finding, ...]


def is_closed(contour: Contour) -> bool:
    """Whether a contour encloses an area."""
    return contour.geometric_type in CLOSED_TYPES and len(contour.points_mm) >= 3


def solid_of(number: int, contours: Sequence[Contour], closed: Integers, polygons: Polygons, frame: Frame) -> Solid:
    """Measure the solid of ROI `number`.

    Parameters
    ----------
    contours, polygons
        All contours of the structure, and the same projected on `frame`.
    closed
        The indices of those that enclose an area, at least one.

    """
    plane, position_mm = group(polygons.position[closed])
    count = np.bincount(plane)
    twice = _twice(contours, closed, plane, polygons) if len(closed) > len(position_mm) else set()
    counted = np.array([index not in twice for index in closed.tolist()])
    members, member_plane = closed[counted], plane[counted]
    nesting = nesting_of(polygons, members, member_plane)
    sign = np.where(nesting.hole[members], -1.0, 1.0) * np.sign(polygons.area_mm2[members])
    area_mm2 = np.bincount(member_plane, sign * polygons.area_mm2[members], len(position_mm)).astype(np.float64)
    for index in {int(member_plane[members == one][0]) for one, _, _ in nesting.overlapping}:
        area_mm2[index] = even_odd_area([polygons.vertices(each) for each in members[member_plane == index]])
    slab_mm = _slab_thickness(contours, closed, plane, len(position_mm))
    spacing_mm = spacing_of(position_mm)
    thickness_mm = thicknesses(slab_mm, spacing_mm)
    return Solid(
        position_mm=position_mm,
        area_mm2=area_mm2,
        contour_count=count,
        spacing_mm=spacing_mm,
        volumes=volumes(area_mm2, thickness_mm),
        centroid_mm=_centroid(polygons, members, sign, member_plane, (position_mm, area_mm2, thickness_mm), frame),
        hole=nesting.hole,
        findings=(
            *_contour_findings(number, polygons, closed, len(twice), nesting),
            *spacing_findings(number, position_mm, slab_mm, spacing_mm),
        ),
    )


def _centroid(
    polygons: Polygons,
    members: Integers,
    sign: Floats,
    plane: Integers,
    slabs: tuple[Floats, Floats, Floats],
    frame: Frame,
) -> tuple[float, float, float] | None:
    """The mean of all points of the solid; on planes with partial overlaps, what is shared counts twice in u and v."""
    position_mm, area_mm2, thickness_mm = slabs
    # Without a thickness there is but one plane, and any will do.
    depth = np.nan_to_num(thickness_mm, nan=1.0)
    weight = depth[plane] * sign
    volume, within = (depth * area_mm2).sum(), (weight * polygons.area_mm2[members]).sum()
    if not (volume > 0 and within > 0):
        return None
    u = (weight * polygons.moment_u[members]).sum() / within
    v = (weight * polygons.moment_v[members]).sum() / within
    w = (depth * area_mm2 * position_mm).sum() / volume
    return frame.patient(float(u), float(v), float(w))


def _twice(contours: Sequence[Contour], closed: Integers, plane: Integers, polygons: Polygons) -> set[int]:
    # CLOSEDPLANAR_XOR contours that are there twice cancel out, as the standard says.
    seen: set[tuple[int, int, bytes]] = set()
    found = set()
    for index, on in zip(closed.tolist(), plane.tolist(), strict=True):
        if contours[index].geometric_type in XOR_TYPES:
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
    number: int, polygons: Polygons, closed: Integers, twice: int, nesting: Nesting
) -> Iterator[Finding]:
    tilt = (polygons.w_high - polygons.w_low)[closed]
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
            f"ROI Number {number} has {len(nesting.overlapping)} pairs of contours that overlap in part, "
            "the worst by "
            f"{shared:.1f} mm² at position {polygons.position[one]:.2f} mm; what they share does not count.",
        )
    if not nesting.complete:
        yield Finding(
            "holes_not_searched",
            f"ROI Number {number} has so many contours on the same planes that not all of them were "
            "searched for holes; areas may be too large.",
        )
