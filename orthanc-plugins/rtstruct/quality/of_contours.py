"""Findings about single structures: what cannot be read, gaps, strays, islands, repeats, crossings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from ..analysis import StructureAnalysis
from ..model import Finding, Structure
from ..planes import AXIAL, Floats
from ..solid import is_closed
from .crossings import first_crossings
from .findings import Place, QualityFinding, Severity, finding
from .islands import Island, islands_of

# Findings of the reader and of `analyse` that the checks here tell better, with their places.
_TOLD_ELSEWHERE = frozenset(
    {"no_contours", "contour_without_data", "contour_not_numbers", "contour_not_triples", "gaps_between_planes"}
    | {"duplicate_contour", "partial_overlap", "no_name", "other_frame_of_reference"}
)
_UNREADABLE = ("contour_not_numbers", "contour_not_triples")
# These tell of an odd file, not of a wrong structure.
_ONLY_INFO = frozenset({"no_observation", "point_count_differs", "thickness_differs_from_spacing", "bad_color"})

# Planes further apart than this many spacings have missing ones between them (as in `slabs`).
_GAP = 1.5
# Farther than this from the rest, and smaller than this share of the largest part: stray.
_STRAY_MM = 20.0
_STRAY_SHARE = 0.05
# Islands below this volume, and this share of the whole.
_TINY_CM3 = 0.03
_TINY_SHARE = 0.01


def of_contours(structure: Structure, analysis: StructureAnalysis) -> Iterator[QualityFinding]:
    """All findings about one structure by itself."""
    place = Place(structure.number, structure.name)
    title = structure.name or f"ROI {structure.number}"
    if not structure.name:
        yield finding("no_name", f"ROI Number {structure.number} has no name.", place)
    if not structure.contours:
        yield finding("empty_structure", f"{title} has no contours.", place)
    for warning in structure.warnings:
        if warning.code in _UNREADABLE:
            yield finding("unreadable_contours", f"{title}: {warning.message}", place)
        elif warning.code not in _TOLD_ELSEWHERE:
            yield finding("reading", f"{title}: {warning.message} ({warning.code})", place, _severity(warning))
    for warning in analysis.findings:
        if warning.code == "partial_overlap":
            yield finding("overlapping_contours", f"{title}: {warning.message}", place)
        elif warning.code not in _TOLD_ELSEWHERE:
            yield finding("geometry", f"{title}: {warning.message} ({warning.code})", place, _severity(warning))
    if structure.contours:
        yield from _missing_slices(structure, analysis, title)
        yield from _repeats(structure, title)
        yield from _crossings(structure, analysis, title)
        yield from _islands(structure, analysis, title)


def _severity(warning: Finding) -> Severity:
    return "info" if warning.code in _ONLY_INFO else "warning"


def _missing_slices(structure: Structure, analysis: StructureAnalysis, title: str) -> Iterator[QualityFinding]:
    spacing = analysis.plane_spacing_mm
    positions = [area.position_mm for area in analysis.areas]
    if not spacing:
        return
    for before, after in pairwise(positions):
        missing = round((after - before) / spacing) - 1
        if after - before > _GAP * spacing and missing:
            yield finding(
                "missing_slices",
                f"{title} has no contour on {missing} {'plane' if missing == 1 else 'planes'} between positions "
                f"{before:.2f} and {after:.2f} mm.",
                Place(structure.number, structure.name, position_mm=before + spacing),
            )


def _repeats(structure: Structure, title: str) -> Iterator[QualityFinding]:
    seen: set[bytes] = set()
    twice: list[int] = []
    pointwise = 0
    first: tuple[int, int] | None = None
    for index, contour in enumerate(structure.contours):
        points = contour.points_mm
        content = points.tobytes()
        if content in seen and len(points) > 1:
            twice.append(index)
        seen.add(content)
        same = np.flatnonzero((points[1:] == points[:-1]).all(axis=1))
        pointwise += len(same)
        if len(same) and first is None:
            first = (index, int(same[0]))
    if twice:
        yield finding(
            "duplicate_contours",
            f"{title}: {len(twice)} contours are there twice.",
            _contour_place(structure, twice[0]),
        )
    if first:
        index, nth = first
        yield finding(
            "duplicate_points",
            f"{title}: {pointwise} points repeat the point before them.",
            _contour_place(structure, index, structure.contours[index].points_mm[nth]),
        )


def _crossings(structure: Structure, analysis: StructureAnalysis, title: str) -> Iterator[QualityFinding]:
    closed = [index for index, contour in enumerate(structure.contours) if is_closed(contour)]
    crossed = first_crossings([structure.contours[index].points_mm for index in closed], _axes(analysis))
    if crossed:
        which, point = next(iter(crossed.items()))
        yield finding(
            "self_intersection",
            f"{title}: {len(crossed)} contours cross themselves.",
            _contour_place(structure, closed[which], point),
        )


def _islands(structure: Structure, analysis: StructureAnalysis, title: str) -> Iterator[QualityFinding]:
    islands = islands_of(structure, analysis)
    if len(islands) < 2:
        return
    main, *others = islands
    whole = sum(island.volume_cm3 for island in islands)
    strays = [each for each in others if each.volume_cm3 < _STRAY_SHARE * main.volume_cm3 and each.apart_mm > _STRAY_MM]
    tiny = [
        each
        for each in others
        if each not in strays and each.volume_cm3 < _TINY_CM3 and each.volume_cm3 < _TINY_SHARE * whole
    ]
    if strays:
        yield finding(
            "stray_contours",
            f"{title}: {sum(len(each.contours) for each in strays)} contours lie apart from the rest, the farthest by "
            f"{max(each.apart_mm for each in strays):.0f} mm.",
            _island_place(structure, analysis, strays),
        )
    if tiny:
        yield finding(
            "tiny_islands",
            f"{title}: {len(tiny)} islands of less than {_TINY_CM3 * 1000:.0f} mm³ each.",
            _island_place(structure, analysis, tiny),
        )


def _island_place(structure: Structure, analysis: StructureAnalysis, islands: Sequence[Island]) -> Place:
    farthest = max(islands, key=lambda island: island.apart_mm)
    index = farthest.contours[0]
    place = _contour_place(structure, index, structure.contours[index].points_mm.mean(axis=0))
    return Place(
        place.structure_number, place.structure_name, analysis.contours[index].position_mm, index, place.point_mm
    )


def _contour_place(structure: Structure, index: int, point: Floats | None = None) -> Place:
    where = None if point is None else (float(point[0]), float(point[1]), float(point[2]))
    return Place(structure.number, structure.name, contour=index, point_mm=where)


def _axes(analysis: StructureAnalysis) -> Floats:
    """Two directions within the planes, rows of a (2, 3) array."""
    if analysis.plane_normal is None:
        return AXIAL.axes[:2]
    normal = np.array(analysis.plane_normal)
    helper = np.eye(3)[int(np.argmin(np.abs(normal)))]
    u = np.cross(normal, helper)
    u /= np.linalg.norm(u)
    return np.stack((u, np.cross(normal, u)))
