"""What the contours of one structure amount to: areas, volume, centroid, extent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .measure import untangled
from .model import Combine, Finding, Structure
from .planes import AXIAL, Floats, Frame, Integers, frame_of
from .polygons import Polygons, extremes, polygons_of
from .solid import Solid, is_closed, solid_of

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class PlaneArea:
    """The area of a structure on one plane.

    Attributes
    ----------
    position_mm
        Of the plane along the structure's normal, from the origin of the patient coordinate system.
    area_mm2
        Holes taken off.
    contour_count
        The closed contours that lie on the plane, holes included.
    perimeter_mm
        The length of all borders, those of holes too; what is there twice counts once.
    centroid_mm
        The mean of all points of the area, None when it has none.

    """

    position_mm: float
    area_mm2: float
    contour_count: int
    perimeter_mm: float
    centroid_mm: Vector | None


@dataclass(frozen=True)
class ContourAnalysis:
    """One contour, in the order of the structure's contours.

    Attributes
    ----------
    position_mm
        Midway between its extremes along the structure's normal.
    area_mm2
        What the contour encloses, never negative; nought for points and open contours. Even-odd where it meets or
        crosses itself: what a keyhole cuts out does not count.
    hole
        It lies within an odd number of other contours of its plane.
    perimeter_mm
        Its length; of open contours without the way back from the last point to the first.
    centroid_mm
        Of its area; of its points when it has none.
    bounding_box_mm
        (least x, y, z) and (greatest x, y, z) of its points.

    """

    position_mm: float
    area_mm2: float
    hole: bool
    perimeter_mm: float
    centroid_mm: Vector
    bounding_box_mm: tuple[Vector, Vector]


@dataclass(frozen=True)
class StructureAnalysis:
    """The geometry of one structure, in its frame of reference (LPS, mm).

    Attributes
    ----------
    number, name
        The structure's.
    contour_count, point_count
        Of all contours, whatever their type.
    plane_count
        Of planes with closed contours, the length of `areas`.
    plane_normal
        Unit vector with a positive largest component; None without closed contours. Positions are then along
        z.
    plane_spacing_mm
        Of the planes that it was drawn on, where the file says it; else the distance of neighbouring planes that have
        contours (`slabs.spacing_of`), None for fewer than two.
    position_range_mm
        The least and the greatest position of any point, None without contours.
    volume_cm3, volume_half_end_slabs_cm3
        See `slabs.Volumes`; None for points and open contours, and for a single plane of unknown thickness.
    centroid_mm
        Of the solid, slab by slab, for closed contours; the mean of all points otherwise.
    bounding_box_mm
        (least x, y, z) and (greatest x, y, z) of all points.
    findings
        What a reader of these numbers should know.

    """

    number: int
    name: str
    contour_count: int = 0
    point_count: int = 0
    plane_count: int = 0
    plane_normal: Vector | None = None
    plane_spacing_mm: float | None = None
    position_range_mm: tuple[float, float] | None = None
    areas: tuple[PlaneArea, ...] = ()
    volume_cm3: float | None = None
    volume_half_end_slabs_cm3: float | None = None
    centroid_mm: Vector | None = None
    bounding_box_mm: tuple[Vector, Vector] | None = None
    contours: tuple[ContourAnalysis, ...] = ()
    findings: tuple[Finding, ...] = ()


# Coordinates beyond 10¹⁰⁰ mm are in damaged files; their areas are infinite or no numbers.
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def analyse(structure: Structure, combine: Combine = "auto") -> StructureAnalysis:
    """Measure a structure.

    Closed contours are projected on planes with a common normal, and grouped into planes when they lie within
    `planes.PLANE_TOLERANCE_MM` of each other. With ``combine="auto"`` the even-odd rule decides what is inside on a
    plane: nested contours are holes, whether they are CLOSEDPLANAR_XOR or CLOSED_PLANAR; a CLOSED_PLANAR contour that
    is there twice counts once. ``"xor"`` lets also such cancel out, ``"union"`` takes what lies within any contour.
    Each contour by itself is even-odd, so that keyholes come out right whichever way around their parts run. Contours
    that overlap in part are a finding. POINT and OPEN_* contours have no area.

    The volume is the sum of area times thickness with full slabs at both ends: Contour Slab Thickness where
    given, else the spacing. Gaps between planes are a finding, never filled.
    """
    contours = structure.contours
    if not contours:
        return StructureAnalysis(number=structure.number, name=structure.name)
    counts = np.array([len(contour.points_mm) for contour in contours], dtype=np.intp)
    xyz = np.empty((3, counts.sum()))
    np.concatenate([contour.points_mm for contour in contours], out=xyz.T)
    closed = np.flatnonzero([is_closed(contour) for contour in contours])
    low, high = extremes(xyz, np.cumsum(counts) - counts)
    frame = frame_of([contours[index].points_mm for index in closed], (high - low).max(axis=0)[closed])
    polygons, complete = untangled(polygons_of(xyz, counts, frame or AXIAL), closed)
    solid = solid_of(structure, closed, polygons, frame, combine) if frame else None
    return StructureAnalysis(
        number=structure.number,
        name=structure.name,
        contour_count=len(contours),
        point_count=int(counts.sum()),
        plane_count=len(solid.position_mm) if solid else 0,
        plane_normal=frame.normal if frame else None,
        plane_spacing_mm=solid.spacing_mm if solid else None,
        position_range_mm=(float(polygons.w_low.min()), float(polygons.w_high.max())),
        areas=_areas(solid, frame) if solid and frame else (),
        volume_cm3=solid.volumes.full if solid else None,
        volume_half_end_slabs_cm3=solid.volumes.half_end_slabs if solid else None,
        centroid_mm=solid.centroid_mm if solid and solid.centroid_mm else _vector(xyz.mean(axis=1)),
        bounding_box_mm=(_vector(low.min(axis=1)), _vector(high.max(axis=1))),
        contours=_each(polygons, xyz, (low, high), closed, solid, frame or AXIAL),
        findings=(
            *_findings(structure, has_frame=frame is not None, complete=complete),
            *(solid.findings if solid else ()),
        ),
    )


def _findings(structure: Structure, has_frame: bool, complete: bool) -> list[Finding]:
    closed_type = [contour for contour in structure.contours if contour.geometric_type.startswith("CLOSED")]
    short = sum(len(contour.points_mm) < 3 for contour in closed_type)
    found = []
    if short:
        found.append(
            Finding(
                "too_few_points",
                f"ROI Number {structure.number} has {short} closed contours of fewer than three points; "
                "they have no area.",
            )
        )
    if len(closed_type) > short and not has_frame:
        found.append(
            Finding(
                "no_area",
                f"ROI Number {structure.number} has closed contours, but all are lines or single points.",
            )
        )
    if not complete:
        found.append(
            Finding(
                "self_crossings_not_resolved",
                f"ROI Number {structure.number} has so many contours that meet or cross themselves that the areas of "
                "some count what is wound around twice as twice.",
            )
        )
    return found


def _areas(solid: Solid, frame: Frame) -> tuple[PlaneArea, ...]:
    some = solid.area_mm2 > 0
    divisor = np.where(some, solid.area_mm2, 1.0)
    centroids = np.stack((solid.moment_u / divisor, solid.moment_v / divisor, solid.position_mm), axis=1) @ frame.axes
    places = zip(*centroids.T.tolist(), strict=True)
    columns = (
        solid.position_mm.tolist(),
        solid.area_mm2.tolist(),
        solid.contour_count.tolist(),
        solid.perimeter_mm.tolist(),
        [place if has else None for place, has in zip(places, some.tolist(), strict=True)],
    )
    return tuple(PlaneArea(*each) for each in zip(*columns, strict=True))


def _each(
    polygons: Polygons,
    xyz: Floats,
    boxes: tuple[Floats, Floats],
    closed: Integers,
    solid: Solid | None,
    frame: Frame,
) -> tuple[ContourAnalysis, ...]:
    counts, enclosed = polygons.ends - polygons.starts, polygons.enclosed
    centroid = (np.add.reduceat(xyz, polygons.starts, axis=1) / counts).T
    perimeter = enclosed.perimeter_mm.copy()
    if len(closed) < len(counts):
        perimeter = _lengths(xyz, polygons)
    area = np.zeros(len(counts))
    hole = np.zeros(len(counts), dtype=bool)
    if solid:
        area[closed] = np.abs(enclosed.area_mm2[closed])
        hole = solid.hole
        perimeter[closed] = enclosed.perimeter_mm[closed]
        some = closed[area[closed] > 0]
        centres = np.stack((enclosed.moment_u, enclosed.moment_v), axis=1)[some] / enclosed.area_mm2[some, None]
        centroid[some] = np.column_stack((centres, polygons.position[some])) @ frame.axes
    low, high = boxes
    columns = (
        polygons.position.tolist(),
        area.tolist(),
        hole.tolist(),
        perimeter.tolist(),
        zip(*centroid.T.tolist(), strict=True),
        zip(zip(*low.tolist(), strict=True), zip(*high.tolist(), strict=True), strict=True),
    )
    return tuple(ContourAnalysis(*each) for each in zip(*columns, strict=True))


def _lengths(xyz: Floats, polygons: Polygons) -> Floats:
    """From the first point of each contour to its last, in mm."""
    steps = np.zeros(xyz.shape[1])
    steps[:-1] = np.sqrt((np.diff(xyz, axis=1) ** 2).sum(axis=0))
    steps[polygons.ends - 1] = 0
    return np.add.reduceat(steps, polygons.starts)


def _vector(values: Floats) -> Vector:
    x, y, z = values.tolist()
    return x, y, z
