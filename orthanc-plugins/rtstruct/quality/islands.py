"""The separate parts of a structure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..analysis import StructureAnalysis
from ..model import Structure
from ..planes import Floats, Integers

# Contours with less than this between their bounding boxes belong together; one missing plane does not part them.
_TOGETHER_MM = 3.0
_PLANES_APART = 2.5
# Beyond this the search is given up, so that a hostile file cannot keep a worker busy.
_MOST_CONTOURS = 20_000


@dataclass(frozen=True)
class Island:
    """A part of a structure.

    Attributes
    ----------
    contours
        Indices.
    volume_cm3
        The areas of its contours (holes too: a measure of size, no more) times the spacing.
    apart_mm
        Between its bounding box and the nearest one of the largest island.

    """

    contours: tuple[int, ...]
    volume_cm3: float
    apart_mm: float


def islands_of(structure: Structure, analysis: StructureAnalysis) -> list[Island]:
    """The parts of a structure, the largest first; contours belong together when boxes on near planes nearly meet."""
    contours = structure.contours
    if not 2 <= len(contours) <= _MOST_CONTOURS:
        return []
    low = np.array([contour.points_mm.min(axis=0) for contour in contours])
    high = np.array([contour.points_mm.max(axis=0) for contour in contours])
    normal = np.abs(np.array(analysis.plane_normal or (0.0, 0.0, 1.0)))
    spacing = analysis.plane_spacing_mm or 1.0
    # Each box grows by half of what may lie between two that belong together.
    margin = (_TOGETHER_MM + (max(_PLANES_APART * spacing, _TOGETHER_MM) - _TOGETHER_MM) * normal) / 2
    label = _connected(low - margin, high + margin)
    area = np.array([each.area_mm2 for each in analysis.contours])
    found = []
    size = np.bincount(label, area)
    main = label == int(np.argmax(size))
    for part in range(len(size)):
        members = np.flatnonzero(label == part)
        apart = 0.0 if main[members[0]] else _apart(low[members], high[members], low[main], high[main])
        found.append(Island(tuple(members.tolist()), float(size[part]) * spacing / 1000, apart))
    return sorted(found, key=lambda island: -island.volume_cm3)


def _connected(low: Floats, high: Floats) -> Integers:
    """For each box the number of its connected group."""
    label = np.full(len(low), -1, dtype=np.intp)
    groups = 0
    for seed in range(len(low)):
        if label[seed] >= 0:
            continue
        label[seed] = groups
        front = [seed]
        while front:
            one = front.pop()
            free = np.flatnonzero(label < 0)
            meets = ((low[free] <= high[one]) & (high[free] >= low[one])).all(axis=1)
            reached = free[meets]
            label[reached] = groups
            front.extend(reached.tolist())
        groups += 1
    return label


def _apart(low: Floats, high: Floats, main_low: Floats, main_high: Floats) -> float:
    nearest = np.inf
    for one in range(len(low)):
        between = np.maximum(np.maximum(main_low - high[one], low[one] - main_high), 0)
        nearest = min(nearest, float(np.sqrt((between**2).sum(axis=1)).min()))
    return nearest
