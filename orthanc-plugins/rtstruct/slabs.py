"""From areas on planes to a volume: how thick each slab is, and what is odd about the spacing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .model import Finding

Floats = npt.NDArray[np.float64]

# Planes further apart than this many spacings have a gap between them; closer ones are just uneven.
GAP = 1.5
# Spacings within this share of the median are even: headers round positions and spacings differently.
_EVEN = 0.05


@dataclass(frozen=True)
class Volumes:
    """Volumes in cm³, None when no thickness is known.

    Attributes
    ----------
    full
        the sum of area times thickness, with full slabs at both ends: the one that has no bias.
    half_end_slabs
        The same less half a slab at each end, as some planning systems report it.

    """

    full: float | None
    half_end_slabs: float | None


def spacing_of(positions_mm: Floats) -> float | None:
    """The distance of neighbouring planes, None for fewer than two. Positions in ascending order.

    The median; where all distances are whole multiples of it (gaps are several), the mean of the parts, which rounding
    of coordinates moves less.
    """
    if len(positions_mm) < 2:
        return None
    distances = np.diff(positions_mm)
    median = float(np.median(distances))
    multiples = np.rint(distances / median)
    if (np.abs(distances - multiples * median) <= _EVEN * median).all() and multiples.min() >= 1:
        return float((positions_mm[-1] - positions_mm[0]) / multiples.sum())
    return median


def thicknesses(slab_thickness_mm: Floats, spacing_mm: float | None) -> Floats:
    """The thickness of each slab in mm: Contour Slab Thickness where given (not NaN), else the spacing."""
    return np.where(np.isnan(slab_thickness_mm), np.nan if spacing_mm is None else spacing_mm, slab_thickness_mm)


def volumes(area_mm2: Floats, thickness_mm: Floats) -> Volumes:
    """Volumes of planes in ascending order."""
    if not len(area_mm2) or np.isnan(thickness_mm).any():
        return Volumes(None, None)
    slabs_cm3 = area_mm2 * thickness_mm / 1000
    full = float(slabs_cm3.sum())
    return Volumes(full, full - float(slabs_cm3[0] + slabs_cm3[-1]) / 2)


def spacing_findings(
    number: int,
    positions_mm: Floats,
    slab_thickness_mm: Floats,
    spacing_mm: float | None,
    source_spacing_mm: float | None = None,
) -> Iterator[Finding]:
    """What a reader of the volume should know about the planes of ROI `number`."""
    if spacing_mm is None:
        if np.isnan(slab_thickness_mm).any():
            yield Finding(
                "single_plane",
                f"ROI Number {number} lies on one plane and has no Contour Slab Thickness, so no volume.",
            )
        return
    distances = np.diff(positions_mm)
    gaps = np.flatnonzero(distances > GAP * spacing_mm)
    if len(gaps):
        widest = int(gaps[np.argmax(distances[gaps])])
        real = source_spacing_mm is not None
        rest = "the Source Pixel Planes say that it is empty there" if real else "nothing is filled in"
        yield Finding(
            "empty_planes" if real else "gaps_between_planes",
            f"ROI Number {number} has {len(gaps)} {'gap' if len(gaps) == 1 else 'gaps'} between planes "
            f"{spacing_mm:.2f} mm apart, the widest {distances[widest]:.2f} mm from position "
            f"{positions_mm[widest]:.2f} to {positions_mm[widest + 1]:.2f} mm; {rest}.",
        )
    uneven = (np.abs(distances - spacing_mm) > _EVEN * spacing_mm) & (distances <= GAP * spacing_mm)
    if uneven.any():
        yield Finding(
            "uneven_spacing",
            f"ROI Number {number} has planes {distances[uneven].min():.2f} to "
            f"{distances[uneven].max():.2f} mm apart "
            f"where {spacing_mm:.2f} mm is the rule; its volume is approximate.",
        )
    with np.errstate(invalid="ignore"):
        differs = np.abs(slab_thickness_mm - spacing_mm) > _EVEN * spacing_mm
    if differs.any():
        yield Finding(
            "thickness_differs_from_spacing",
            f"ROI Number {number} has a Contour Slab Thickness of "
            f"{slab_thickness_mm[differs][0]:.2f} mm on planes "
            f"{spacing_mm:.2f} mm apart; its volume uses the thickness.",
        )
