"""Findings about what structures share: organs that overlap, targets outside their margins, the body's outline.

Voxel by voxel on a coarse grid around the structures: enough for what a person should look at, not for a volume.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from ..analysis import StructureAnalysis
from ..grids import Grid, grid_around
from ..masks import Mask, mask_of
from ..model import Structure, StructureSet
from ..names import Nomenclature, suggest
from .findings import Place, QualityFinding, finding
from .of_sets import body_of

# Voxels along the longest side within the planes, and the finest grid in mm.
_VOXELS = 160
_FINEST_MM = 1.0
_MOST_SLICES = 400
_MOST_STRUCTURES = 200
# Nobody lies farther from the origin: coordinates are garbage, and no grid would hold them.
_FARTHEST_MM = 1e5

# Of the smaller of two: less is touching, more is one within the other, as GTV in CTV or a lobe in a lung.
_SHARED = (0.05, 0.9)
# Pairs that are told one by one; a set of variants of the same organs has hundreds.
_MOST_TOLD = 30
# Of a structure outside another one that should hold it.
_OUTSIDE_SHARE = 0.02
_LEAST_CM3 = 0.3

_TARGET = re.compile(r"I?(GTV|CTV)|PTV|ITV")
_HOLDS = {"GTV": "CTV", "CTV": "PTV"}
# What may lie outside the body, and what overlaps by its nature.
_AROUND = ("BOLUS", "SUPPORT", "FIXATION", "REGISTRATION", "MARKER", "EXTERNAL", "DOSE_REGION", "CONTROL", "ISOCENTER")
_AROUND_NAMES = ("External", "Bolus", "Couch", "Markers")
_DERIVED = re.compile(r"PRV|[-^]|^[z~_]|ring|\bopt", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class _Solid:
    structure: Structure
    name: str  # TG-263 where known
    mask: Mask

    @property
    def target(self) -> str | None:
        """GTV, CTV, ITV or PTV."""
        kind = (self.structure.interpreted_type or "").upper()
        if kind in ("GTV", "CTV", "PTV"):
            return kind
        match = _TARGET.match(self.name)
        return (match[1] or match.group()) if match else None

    @property
    def rest(self) -> str:
        """The name without its type: what GTVp1 and CTVp1 have in common."""
        return _TARGET.sub("", self.name, count=1)


def of_overlaps(
    structure_set: StructureSet, analyses: Sequence[StructureAnalysis], names: Nomenclature | None
) -> Iterator[QualityFinding]:
    """Compare the structures of the frame of reference that most of them lie in."""
    pairs = [
        (structure, analysis)
        for structure, analysis in zip(structure_set.structures, analyses, strict=True)
        if analysis.bounding_box_mm and analysis.plane_count > 1
    ]
    if not 2 <= len(pairs) <= _MOST_STRUCTURES:
        return
    frame = Counter(structure.frame_of_reference_uid for structure, _ in pairs).most_common(1)[0][0]
    pairs = [pair for pair in pairs if pair[0].frame_of_reference_uid == frame]
    grid = _grid([analysis for _, analysis in pairs])
    if grid is None:
        return
    solids = []
    for structure, _ in pairs:
        suggestion = suggest(structure.name, structure.interpreted_type, names=names)
        mask = mask_of(structure, grid, between="nearest")
        if mask.voxel_count:
            solids.append(_Solid(structure, suggestion.name if suggestion else structure.name, mask))
    body = body_of([solid.structure for solid in solids], names)
    for solid in solids:
        if solid.structure is body:
            yield from _outside_body(solid, solids)
    organs = [each for each in solids if each.target is None and not _is_around(each) and not _is_derived(each)]
    targets = [each for each in solids if each.target is not None and not _is_derived(each)]
    pairs_of = [*combinations(organs, 2), *(pair for pair in combinations(targets, 2) if _same_kind(*pair))]
    shared = sorted((each for pair in pairs_of if (each := _overlap(*pair))), key=lambda each: -each[0])
    yield from (told for _, told in shared[:_MOST_TOLD])
    if len(shared) > _MOST_TOLD:
        yield finding("structures_overlap", f"{len(shared) - _MOST_TOLD} further pairs of structures share less.")
    yield from _not_inside(targets)


def _grid(analyses: Sequence[StructureAnalysis]) -> Grid | None:
    boxes = np.array([analysis.bounding_box_mm for analysis in analyses])
    if not (np.abs(boxes) < _FARTHEST_MM).all():
        return None
    low, high = boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)
    within = max(_FINEST_MM, float((high - low)[:2].max()) / _VOXELS)
    spacings = [each.plane_spacing_mm for each in analyses if each.plane_spacing_mm]
    along = max(float(np.median(spacings)) if spacings else within, float(high[2] - low[2]) / _MOST_SLICES)
    return grid_around(low, high, (within, within, along))


def _is_around(solid: _Solid) -> bool:
    return (solid.structure.interpreted_type or "").upper() in _AROUND or solid.name in _AROUND_NAMES


def _is_derived(solid: _Solid) -> bool:
    return _DERIVED.search(solid.structure.name) is not None


def _shared_voxels(one: Mask, other: Mask) -> int:
    low = [max(a.start, b.start) for a, b in zip(one.box, other.box, strict=True)]
    high = [min(a.stop, b.stop) for a, b in zip(one.box, other.box, strict=True)]
    if any(stop <= start for start, stop in zip(low, high, strict=True)):
        return 0
    return int(np.count_nonzero(_part(one, low, high) & _part(other, low, high)))


def _part(mask: Mask, low: Sequence[int], high: Sequence[int]) -> npt.NDArray[np.bool_]:
    corners = zip(low, high, mask.box, strict=True)
    return mask.inside[tuple(slice(start - box.start, stop - box.start) for start, stop, box in corners)]


def _same_kind(one: _Solid, other: _Solid) -> bool:
    return one.target == other.target


def _overlap(one: _Solid, other: _Solid) -> tuple[float, QualityFinding] | None:
    """What two structures share in cm³, when it is more than touching and less than one within the other."""
    shared = _shared_voxels(one.mask, other.mask)
    smaller = min(one.mask.voxel_count, other.mask.voxel_count)
    shared_cm3 = shared * one.mask.grid.voxel_volume_mm3 / 1000
    if not _SHARED[0] * smaller < shared < _SHARED[1] * smaller or shared_cm3 <= _LEAST_CM3:
        return None
    told = finding(
        "structures_overlap",
        f"{one.structure.name} and {other.structure.name} share about {shared_cm3:.1f} cm³, "
        f"{100 * shared / smaller:.0f} % of the smaller.",
        Place(one.structure.number, one.structure.name),
    )
    return shared_cm3, told


def _outside_body(body: _Solid, solids: Sequence[_Solid]) -> Iterator[QualityFinding]:
    for solid in solids:
        if solid is body or _is_around(solid):
            continue
        share, outside_cm3 = _outside(solid, body)
        if share > _OUTSIDE_SHARE and outside_cm3 > _LEAST_CM3:
            yield finding(
                "outside_body",
                f"About {outside_cm3:.1f} cm³ of {solid.structure.name}, {100 * share:.0f} %, lie outside "
                f"{body.structure.name}.",
                Place(solid.structure.number, solid.structure.name),
            )


def _not_inside(targets: Sequence[_Solid]) -> Iterator[QualityFinding]:
    counts = Counter(each.target for each in targets)
    for inner in targets:
        for outer in targets:
            if _HOLDS.get(inner.target or "") != outer.target:
                continue
            alone = counts[inner.target] == counts[outer.target] == 1
            if not alone and inner.rest != outer.rest:
                continue
            share, outside_cm3 = _outside(inner, outer)
            if share > _OUTSIDE_SHARE and outside_cm3 > _LEAST_CM3:
                yield finding(
                    "target_not_inside",
                    f"About {outside_cm3:.1f} cm³ of {inner.structure.name}, {100 * share:.0f} %, lie outside "
                    f"{outer.structure.name}.",
                    Place(inner.structure.number, inner.structure.name),
                )


def _outside(inner: _Solid, outer: _Solid) -> tuple[float, float]:
    """The share of a structure outside another, and that volume in cm³."""
    outside = inner.mask.voxel_count - _shared_voxels(inner.mask, outer.mask)
    return outside / inner.mask.voxel_count, outside * inner.mask.grid.voxel_volume_mm3 / 1000
