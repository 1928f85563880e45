"""The dose-volume histogram of one structure in one dose."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..dose_grid import Booleans, DoseGrid
from ..doses import Dose
from ..model import Finding, Structure
from ..planes import Floats
from ..sections import Combine
from .curve import Curve, Dvh, PointDose
from .sampling import POINTS, Body, EndSlabs, Samples, body_of, contains, samples_of

#: What to do with the part of a structure that the dose grid does not reach: leave it out of curve and percentages, or
#: count it as nought. Either way it is reported.
Outside = Literal["exclude", "zero"]

# Bins from nought to the maximum; what is read off the curve is interpolated between them.
_BINS = 10_000
# So many of the hottest and of the coldest samples lead to the voxels where an extreme may be.
_EXTREME_SAMPLES = 1000
# Less than this share outside the grid is rounding at its edge.
_WORTH_TELLING = 1e-4


def dvh_of(
    structure: Structure,
    dose: Dose,
    outside: Outside = "exclude",
    end_slabs: EndSlabs = "full",
    combine: Combine = "auto",
    points: int = POINTS,
) -> Dvh:
    """Compute a dose-volume histogram.

    Points are spread evenly through the body (see `sampling`), each with the volume it stands for and the dose
    by trilinear interpolation. The volume is that of `analyse`: gaps are not filled.

    Parameters
    ----------
    outside
        ``exclude`` leaves what is outside the dose grid out of the curve, ``zero`` counts it as no dose.
    end_slabs
        ``full`` or ``half`` slabs at both ends.
    combine
        How contours on one plane are taken together, see `sections.Combine`.
    points
        How many points to spread.

    """
    body = body_of(structure, end_slabs, combine)
    if body is None:
        return _without_body(structure, dose)
    samples = samples_of(body, points)
    volume = samples.volume_mm3 / 1000
    # Also when contours cancel out, and where coordinates are so absurd that sums are not numbers.
    if not volume.sum() > 0:
        return _without_body(structure, dose)
    value, within = dose.grid.at(samples.points_mm)
    total = float(volume.sum())
    inside = total if within.all() else float(volume[within].sum())
    outside_share = max(0.0, 1 - inside / total)
    known = body.thickness_known
    minimum, maximum, mean, curve = _summed(value, volume, within, outside, _extremes(body, dose.grid, samples, value))
    return Dvh(
        number=structure.number,
        name=structure.name,
        units=dose.units,
        volume_cm3=total if known else None,
        outside_cm3=total - inside if known else None,
        outside_share=outside_share,
        minimum=minimum,
        maximum=maximum,
        mean=mean,
        curve=curve,
        findings=tuple(_findings(structure, dose, outside_share, known, outside)),
    )


def _summed(
    value: Floats, volume: Floats, within: Booleans, outside: Outside, extremes: Floats
) -> tuple[float | None, float | None, float | None, Curve | None]:
    """Minimum, maximum, mean and curve."""
    if not within.all() and outside == "exclude":
        value, volume = value[within], volume[within]
    total = float(volume.sum())
    if total <= 0 or not within.any():
        return None, None, None, None
    least = min(float(value.min()), float(extremes.min(initial=np.inf)))
    most = max(float(value.max()), float(extremes.max(initial=-np.inf)))
    mean = float(value @ volume) / total
    if most <= 0:
        return least, most, mean, Curve(np.array([0.0, 1e-6]), np.array([total, 0.0]))
    scale = _BINS / most
    # Doses of an ERROR grid may be negative; the curve starts at nought.
    index = np.clip((value * scale).astype(np.intp), 0, _BINS - 1)
    each = np.bincount(index, weights=volume, minlength=_BINS)
    at_least = np.concatenate((np.cumsum(each[::-1])[::-1], [0.0]))
    return least, most, mean, Curve(np.arange(_BINS + 1) / scale, at_least)


def _extremes(body: Body, grid: DoseGrid, samples: Samples, value: Floats) -> Floats:
    """Doses where the extremes of an interpolated dose can be: at vertices, and at voxels near extreme samples."""
    polygons = body.polygons
    w = np.repeat(polygons.position, polygons.ends - polygons.starts)
    vertices, vertices_within = grid.at(body.frame.axes.T @ np.stack((polygons.u, polygons.v, w)))
    found = [vertices[vertices_within]]
    few = min(_EXTREME_SAMPLES, len(value) - 1)
    for sign in (1.0, -1.0):
        # Between voxels an interpolated dose has no extreme: only centres beyond the samples' extreme can matter.
        signed = sign * value
        extreme = np.argpartition(signed, few)[: few + 1]
        centres = grid.centres_around(samples.points_mm[:, extreme])
        at_centres, within = grid.at(centres)
        beyond = within & (sign * at_centres < signed[extreme].min())
        found.append(at_centres[beyond][contains(body, centres[:, beyond])])
    return np.concatenate(found)


def _without_body(structure: Structure, dose: Dose) -> Dvh:
    points = [contour.points_mm for contour in structure.contours if contour.geometric_type == "POINT"]
    findings = list(_frame_findings(structure, dose))
    if not points:
        findings.append(
            Finding("no_volume", f"ROI Number {structure.number} encloses no volume, so it has no DVH."),
        )
        return Dvh(structure.number, structure.name, dose.units, findings=tuple(findings))
    xyz = np.concatenate(points).T
    value, within = dose.grid.at(xyz)
    if not within.all():
        findings.append(
            Finding(
                "outside_dose_grid",
                f"ROI Number {structure.number} has {int((~within).sum())} of {len(within)} points outside the dose "
                "grid; their dose is not known.",
            )
        )
    there = value[within]
    return Dvh(
        number=structure.number,
        name=structure.name,
        units=dose.units,
        outside_share=float(1 - within.mean()),
        minimum=float(there.min()) if len(there) else None,
        maximum=float(there.max()) if len(there) else None,
        mean=float(there.mean()) if len(there) else None,
        points=tuple(
            PointDose((x, y, z), amount if inside else None)
            for (x, y, z), amount, inside in zip(xyz.T.tolist(), value.tolist(), within.tolist(), strict=True)
        ),
        findings=tuple(findings),
    )


def _frame_findings(structure: Structure, dose: Dose) -> list[Finding]:
    theirs, ours = dose.frame_of_reference_uid, structure.frame_of_reference_uid
    if not theirs or not ours or theirs == ours:
        return []
    return [
        Finding(
            "another_frame_of_reference",
            f"ROI Number {structure.number} and the dose have different Frames of Reference; "
            "their coordinates may not mean the same place.",
        )
    ]


def _findings(structure: Structure, dose: Dose, outside_share: float, known: bool, outside: Outside) -> list[Finding]:
    found = _frame_findings(structure, dose)
    if outside_share > _WORTH_TELLING:
        done = "it is left out" if outside == "exclude" else "it counts as no dose"
        found.append(
            Finding(
                "outside_dose_grid",
                f"{100 * outside_share:.2f} % of ROI Number {structure.number} lies outside the dose grid; {done}.",
            )
        )
    if not known:
        found.append(
            Finding(
                "unknown_thickness",
                f"ROI Number {structure.number} lies on a single plane without Contour Slab Thickness: "
                "doses to shares of its area only, no volumes.",
            )
        )
    return found
