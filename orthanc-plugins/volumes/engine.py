"""What a worker computes: a structure set and images in, volumes by every method out.

Imports neither ``orthanc`` nor FastAPI. A change of what comes out needs a higher VERSION.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

import rtstruct
from host.answer import Refusal
from host.workers import report
from rtstruct import Structure
from rtstruct.grids import Grid
from rtstruct.model import Combine

VERSION = 1


@dataclass(frozen=True)
class Asked:
    """What is asked for: ROI Numbers, how contours combine, whether gaps are filled."""

    numbers: tuple[int, ...]
    combine: Combine = "auto"
    interpolate: bool = False


def measured(dicom: bytes, images: list[bytes] | None, without_images: str | None, asked: Asked) -> bytes:
    """Volumes as JSON. Raises `Refusal` 422 for images that cannot be read."""
    grid, series = _grid(images) if images is not None else (None, None)
    chosen = [structure for structure in rtstruct.read(dicom).structures if structure.number in asked.numbers]
    told = []
    for nth, structure in enumerate(chosen):
        report(nth / len(chosen), f"{nth} of {len(chosen)} structures")
        told.append(_measured(structure, grid, asked))
    answer = {
        "combine": asked.combine,
        "interpolate": asked.interpolate,
        "series_instance_uid": series,
        "no_images": without_images,
        "structures": told,
    }
    return orjson.dumps(answer)


def _grid(images: list[bytes]) -> tuple[Grid, str]:
    from rtstruct.images import UnusableImage, read_image

    try:
        image = read_image(images)
    except UnusableImage as error:
        raise Refusal(422, f"The image series cannot be read: {error}.", "Name another with ?series=.") from None
    return image.grid, image.series_instance_uid


def _measured(structure: Structure, grid: Grid | None, asked: Asked) -> dict[str, Any]:
    from rtstruct.interpolation import interpolated
    from rtstruct.masks import mask_of

    warnings = [*structure.warnings]
    if asked.interpolate:
        structure, added = interpolated(structure, asked.combine)
        warnings += added
    analysis = rtstruct.analyse(structure, asked.combine)
    warnings += analysis.findings
    voxels = None
    if grid is not None and analysis.areas:
        mask = mask_of(structure, grid, asked.combine)
        voxels = mask.volume_cm3
        known = {finding.code for finding in warnings}
        warnings += [finding for finding in mask.findings if finding.code not in known]
    return {
        "number": structure.number,
        "name": structure.name,
        "volumes_cm3": {
            "full_slabs": analysis.volume_cm3,
            "half_end_slabs": analysis.volume_half_end_slabs_cm3,
            "voxels": voxels,
        },
        "centroid_mm": analysis.centroid_mm,
        "plane_count": analysis.plane_count,
        "plane_spacing_mm": analysis.plane_spacing_mm,
        "areas": analysis.areas,
        "warnings": warnings,
    }
