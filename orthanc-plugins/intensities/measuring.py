"""What a worker runs: files in, statistics as JSON out. Imports neither ``orthanc`` nor FastAPI.

A change of what comes out needs a higher VERSION: kept answers of an older one are then computed anew.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import orjson

import rtstruct
from host.answer import Answer, Refusal
from host.workers import report
from rtstruct import Structure
from rtstruct.images import Image, UnusableImage, findings_for, read_image
from rtstruct.intensities import TooManyBins, intensities_of
from rtstruct.masks import Combine, mask_of

VERSION = 1


@dataclass(frozen=True)
class Request:
    """What is asked for: which ROI Numbers, how contours count together, the width of the histogram's bins."""

    numbers: tuple[int, ...]
    combine: Combine = "auto"
    bin_width: float | None = None


def measure(dicom: bytes, files: list[bytes], request: Request) -> Answer:
    """The statistics of structures on a series, as JSON."""
    structure_set = rtstruct.read(dicom)
    try:
        image = read_image(files)
    except UnusableImage as error:
        remedy = "Name another series with ?series=, or send the images again."
        raise Refusal(422, f"No volume can be made of the images: {error}.", remedy) from None
    findings = findings_for(image, structure_set)
    wanted = [structure for structure in structure_set.structures if structure.number in request.numbers]
    measured = []
    for nth, structure in enumerate(wanted):
        report(nth / len(wanted), f"{nth} of {len(wanted)} structures")
        measured.append(_measured(structure, image, request))
    body = {
        "series_instance_uid": image.series_instance_uid,
        "modality": image.modality,
        "units": image.units or None,
        "note": _note(image),
        "combine": request.combine,
        "structures": measured,
        "findings": findings,
    }
    codes = dict.fromkeys(code for each in measured for code in (one.code for one in each["findings"]))
    headers = {"X-Image-Series": image.series_instance_uid}
    headers["X-Findings"] = ",".join(dict.fromkeys([*(finding.code for finding in findings), *codes]))
    return Answer(orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY), headers)


def _measured(structure: Structure, image: Image, request: Request) -> dict[str, Any]:
    mask = mask_of(structure, image.grid, request.combine)
    try:
        found = intensities_of(image, mask, request.bin_width)
    except TooManyBins as error:
        raise Refusal(422, f"ROI Number {structure.number}: {error}.", "Ask for a larger bin_width.") from None
    histogram = found.histogram
    return {
        "number": structure.number,
        "name": structure.name,
        "voxels": found.voxels,
        "volume_cm3": round(found.voxels * image.grid.voxel_volume_mm3 / 1000, 6),
        "statistics": asdict(found.statistics) if found.statistics else None,
        "histogram": None
        if histogram is None
        else {"start": histogram.start, "bin_width": histogram.bin_width, "counts": histogram.counts},
        "findings": list(mask.findings),
    }


def _note(image: Image) -> str:
    if image.modality == "CT":
        return "Rescaled to Hounsfield units."
    if image.modality == "PT":
        return f"As stored ({image.units or 'no Units given'}): no SUV is computed, and none is undone."
    return "As stored, with Rescale Slope and Intercept where given; in most MR images the scale is arbitrary."
