"""Two structures compared, and several brought to a consensus, each on a grid of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..masks import Combine
from ..model import Finding, Structure
from .common_grid import Masks, masks_of
from .consensus import Consensus, Method, consensus_of
from .metrics import Metrics, box_of, compare_masks

TOLERANCE_MM = 2.0


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two structures held against each other.

    Attributes
    ----------
    spacing_mm
        Of the slices, rows and columns they were compared on.
    findings
        What a reader of the metrics should know.

    """

    metrics: Metrics
    spacing_mm: tuple[float, float, float]
    findings: tuple[Finding, ...]


def compare(
    a: Structure,
    b: Structure,
    tolerance_mm: float = TOLERANCE_MM,
    pixel_mm: float | None = None,
    combine: Combine = "auto",
) -> Comparison:
    """Compare structure `b` with the reference `a`.

    Raises
    ------
    NothingToCompare
        If neither encloses an area.

    """
    masks = masks_of((a, b), pixel_mm, combine)
    one, other = masks.inside
    findings = list(masks.findings)
    either = one | other
    if either.any():
        box = box_of(either)
        one, other = one[box], other[box]
    empty = [structure for structure, mask in zip((a, b), (one, other), strict=True) if not mask.any()]
    codes = {finding.code for finding in findings}
    if empty and "empty_mask" not in codes:
        numbers = " and ".join(f"ROI Number {structure.number}" for structure in empty)
        message = f"{numbers} has no voxel on the common grid, so that there are no distances."
        findings.append(Finding("empty_mask", message))
    return Comparison(compare_masks(one, other, masks.spacing_mm, tolerance_mm), masks.spacing_mm, tuple(findings))


@dataclass(frozen=True, eq=False)
class Agreed:
    """The consensus of structures, on the grid that they share."""

    masks: Masks
    consensus: Consensus

    @property
    def volume_cm3(self) -> float:
        """Of the consensus."""
        return float(np.count_nonzero(self.consensus.inside)) * self.masks.grid.voxel_volume_mm3 / 1000


def agree(
    structures: Sequence[Structure],
    method: Method = "staple",
    pixel_mm: float | None = None,
    combine: Combine = "auto",
) -> Agreed:
    """The consensus of at least two structures.

    Raises
    ------
    NothingToCompare
        If none encloses an area.

    """
    masks = masks_of(structures, pixel_mm, combine)
    return Agreed(masks, consensus_of(masks.inside, method))
