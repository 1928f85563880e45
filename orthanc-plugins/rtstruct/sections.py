"""The closed contours of one structure, gathered into planes, ready to be filled or sampled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .model import Combine, Contour, Finding, Structure
from .nesting import nesting_of
from .planes import Frame, Integers, group
from .polygons import Polygons, polygons_of
from .solid import XOR_TYPES, is_closed

__all__ = ["Combine", "Sections", "closed_contours", "nearest_plane", "overlap_findings", "sections_of"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sections:
    """Closed contours on parallel planes.

    Attributes
    ----------
    polygons
        All closed contours, in the coordinates u, v, w that they were projected to.
    plane, position
        Shape (C,): the plane of each contour; shape (P,): where along w each plane lies, ascending.
    members
        The indices of the contours that count.
    union
        Whether a point belongs to the structure within any contour, or within an odd number of them.
    overlaps
        Pairs of contours that overlap in part, and the area that they share.

    """

    polygons: Polygons
    plane: Integers
    position: Floats
    members: Integers
    union: bool
    overlaps: tuple[tuple[int, int, float], ...]

    @cached_property
    def layers(self) -> list[Integers]:
        """Indices of contours, such that a point of any layer belongs to the structure, and even-odd holds in each."""
        return list(_each_plane_once(self.plane)) if self.union else [self.members]


def closed_contours(structure: Structure) -> list[Contour]:
    """The contours that enclose an area."""
    return [contour for contour in structure.contours if is_closed(contour)]


def sections_of(
    contours: Sequence[Contour],
    coordinates: Floats,
    frame: Frame,
    combine: Combine,
    unit_mm: float,
    find_overlaps: bool = True,
) -> Sections:
    """Gather contours.

    Parameters
    ----------
    contours
        Closed ones, at least one.
    coordinates
        Shape (3, M): their points end to end.
    frame
        Where to project these.
    unit_mm
        What one unit of `coordinates` along the normal is in mm.
    find_overlaps
        Whether to look for partial overlaps, which can take longer than all else.

    """
    counts = np.array([len(contour.points_mm) for contour in contours], dtype=np.intp)
    polygons = polygons_of(coordinates, counts, frame)
    plane, position = group(polygons.position * unit_mm)
    crowded = np.flatnonzero(np.bincount(plane)[plane] > 1)
    members = np.arange(len(contours))
    overlaps: tuple[tuple[int, int, float], ...] = ()
    if len(crowded):
        again = _again(contours, crowded, plane)
        if combine == "auto":
            members = np.setdiff1d(members, again)
        compared = np.setdiff1d(crowded, again)
        overlaps = nesting_of(polygons, compared, plane[compared]).overlapping
    return Sections(polygons, plane, position / unit_mm, members, combine == "union" and len(crowded) > 0, overlaps)


def _again(contours: Sequence[Contour], crowded: Integers, plane: Integers) -> list[int]:
    seen: set[tuple[int, bytes]] = set()
    found = []
    for index in crowded.tolist():
        if contours[index].geometric_type in XOR_TYPES:
            continue
        key = (int(plane[index]), contours[index].points_mm.tobytes())
        if key in seen:
            found.append(index)
        seen.add(key)
    return found


def _each_plane_once(plane: Integers) -> Iterator[Integers]:
    order = np.argsort(plane, kind="stable")
    ordered = plane[order]
    starts = np.flatnonzero(np.concatenate(([True], np.diff(ordered) > 0)))
    counts = np.diff(np.append(starts, len(order)))
    nth = np.arange(len(order)) - np.repeat(starts, counts)
    for layer in range(int(counts.max())):
        yield order[nth == layer]


def overlap_findings(number: int, sections: Sections, combine: Combine, unit_mm2: float) -> Iterator[Finding]:
    """What a reader of a mask should know about contours of ROI `number` that overlap in part."""
    if sections.overlaps:
        worst = max(shared for _, _, shared in sections.overlaps) * unit_mm2
        rule = "counts" if combine == "union" else "does not count"
        yield Finding(
            "partial_overlap",
            f"ROI Number {number} has {len(sections.overlaps)} pairs of contours that overlap in part, the worst by "
            f"{worst:.1f} mm²; what they share {rule} (combine={combine}).",
        )


def nearest_plane(position: Floats, at: Floats, reach: float) -> Integers:
    """For each place along w the nearest plane, -1 when it is further than `reach`; of two as near, the upper.

    Exactly `reach` above a plane is too far, exactly `reach` below is not: so places midway between planes all go the
    same way.
    """
    if len(position) > 1:
        plane = np.searchsorted((position[:-1] + position[1:]) / 2, at, side="right")
    else:
        plane = np.zeros(len(at), dtype=np.intp)
    distance = at - position[plane]
    return np.where((distance >= -reach) & (distance < reach), plane, -1)
