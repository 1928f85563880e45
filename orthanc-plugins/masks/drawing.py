"""What a worker runs: files in, masks in one file out. Imports neither ``orthanc`` nor FastAPI.

A change of what comes out needs a higher VERSION: kept answers of an older one are then computed anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import orjson

import rtstruct
from host.answer import Answer, Refusal
from host.workers import report
from rtstruct import Finding, Structure, StructureSet
from rtstruct.grids import Grid, grid_around
from rtstruct.images import Image, UnusableImage, findings_for, read_image
from rtstruct.labels import Segment, at_least_half, label_map, labels_of
from rtstruct.masks import Combine, Coverage, Mask, coverage_of, mask_of
from rtstruct.sections import closed_contours

VERSION = 1

Format = Literal["nii.gz", "nrrd", "seg.dcm", "npz", "json"]


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes
    ----------
    numbers
        ROI Numbers, in the order of the set.
    coverage
        Count at this many points (4 or 8) in each direction of a pixel instead of at its centre.
    spacing_mm
        In x, y, z: on an axial grid around the structures instead of the images.
    """

    numbers: tuple[int, ...]
    combine: Combine = "auto"
    coverage: int | None = None
    spacing_mm: tuple[float, float, float] | None = None


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Everything that the writers need."""

    structure_set: StructureSet
    segments: list[Segment]
    grid: Grid
    image: Image | None
    findings: list[Finding]

    def headers(self, hidden: int = 0) -> dict[str, str]:
        codes = dict.fromkeys(finding.code for finding in self.findings)
        found = {"X-Findings": ",".join(codes)}
        if self.image is not None:
            found["X-Image-Series"] = self.image.series_instance_uid
        if hidden:
            found["X-Hidden-Voxels"] = str(hidden)
        return found


def single_mask(dicom: bytes, files: list[bytes], request: Request) -> Answer:
    """One structure as NIfTI: nought and one, or the share of each voxel that lies in it."""
    structure_set = rtstruct.read(dicom)
    structures = _chosen(structure_set, request.numbers)
    grid, image, findings = _place(structure_set, structures, files, request)
    (structure,) = structures
    if request.coverage is None:
        mask = mask_of(structure, grid, request.combine, _between(request))
        values: np.ndarray[Any, Any] = mask.values.view(np.uint8)
        findings += mask.findings
    else:
        covered = _coverage(structure, grid, request)
        values = np.zeros(grid.shape, dtype=np.float32)
        values[covered.box] = covered.share
        findings += covered.findings
    from rtstruct.exports.nifti import nifti

    drawn = _Drawn(structure_set, [], grid, image, findings)
    return Answer(nifti(values, grid, f"ROI {structure.number} {structure.name}"), drawn.headers())


def labelled(dicom: bytes, files: list[bytes], request: Request, form: Format, version: str) -> Answer:
    """Several structures in one file."""
    drawn = _draw(dicom, files, request)
    if form == "nii.gz" or form == "json":
        return _label_map(drawn, request, form)
    report(0.8, "writing")
    if form == "npz":
        from rtstruct.exports.npz import npz

        return Answer(npz(drawn.segments), drawn.headers())
    if form == "nrrd":
        from rtstruct.exports.nrrd import TooManyLayers, nrrd

        try:
            return Answer(nrrd(drawn.segments), drawn.headers())
        except TooManyLayers as error:
            raise _too_much(str(error)) from None
    from rtstruct.exports.segmentation import TooManySegments, segmentation

    if drawn.image is None:
        raise Refusal(422, "A DICOM SEG refers to images, so it has their grid.", "Leave spacing_mm out.")
    if not any(segment.mask.voxel_count for segment in drawn.segments):
        raise Refusal(
            422, "None of the structures has a voxel on the images.", "Look at /labelmap.json for the reason."
        )
    try:
        body = segmentation(drawn.segments, drawn.image, files, drawn.structure_set, version)
    except TooManySegments as error:
        raise _too_much(str(error)) from None
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        # highdicom holds what it copies from the images against the standard; the text of it may quote the patient.
        what = (
            f"No DICOM SEG can be made on these images: their headers are not as DICOM says ({type(error).__name__})."
        )
        raise Refusal(422, what, "Ask for labelmap.nii.gz or labelmap.nrrd instead.") from None
    return Answer(body, drawn.headers())


def _label_map(drawn: _Drawn, request: Request, form: Format) -> Answer:
    labels = label_map(drawn.segments)
    hidden = sum(labels.hidden)
    if hidden:
        message = f"{hidden} voxels lie in several structures; the one with fewer voxels shows."
        drawn.findings.append(Finding("structures_overlap", message))
    told = [
        {
            "label": segment.label,
            "number": segment.structure.number,
            "name": segment.structure.name,
            "color": segment.structure.color,
            "interpreted_type": segment.structure.interpreted_type,
            "voxels": segment.mask.voxel_count,
            "hidden_voxels": behind,
            "volume_cm3": round(segment.mask.volume_cm3, 6),
        }
        for segment, behind in zip(drawn.segments, labels.hidden, strict=True)
    ]
    if form == "json":
        body = {
            "series_instance_uid": drawn.image.series_instance_uid if drawn.image else None,
            "shape": drawn.grid.shape,
            "affine_lps": drawn.grid.affine.tolist(),
            "combine": request.combine,
            "coverage": request.coverage,
            "labels": told,
            "findings": drawn.findings,
        }
        return Answer(orjson.dumps(body), drawn.headers(hidden))
    report(0.8, "writing")
    from rtstruct.exports.nifti import nifti

    content = nifti(labels.values, drawn.grid, f"RTSTRUCT {drawn.structure_set.label}", {"labels": told})
    return Answer(content, drawn.headers(hidden))


def _draw(dicom: bytes, files: list[bytes], request: Request) -> _Drawn:
    structure_set = rtstruct.read(dicom)
    structures = _chosen(structure_set, request.numbers)
    grid, image, findings = _place(structure_set, structures, files, request)
    labels = dict(
        zip((each.number for each in structure_set.structures), labels_of(structure_set.structures), strict=True)
    )
    segments = []
    for nth, structure in enumerate(structures):
        report(0.8 * nth / len(structures), f"{nth} of {len(structures)} structures")
        mask = _mask(structure, grid, request)
        findings += mask.findings
        segments.append(Segment(labels[structure.number], structure, mask))
    return _Drawn(structure_set, segments, grid, image, findings)


def _mask(structure: Structure, grid: Grid, request: Request) -> Mask:
    if request.coverage is None:
        return mask_of(structure, grid, request.combine, _between(request))
    return at_least_half(_coverage(structure, grid, request))


def _coverage(structure: Structure, grid: Grid, request: Request) -> Coverage:
    try:
        return coverage_of(structure, grid, request.coverage or 4, request.combine, _between(request))
    except ValueError as error:
        remedy = "Leave coverage out: at this size it changes little."
        raise Refusal(422, f"ROI Number {structure.number}: {error}.", remedy) from None


def _between(request: Request) -> Literal["empty", "nearest"]:
    # The planes of images are those of contours; a grid asked for is between them.
    return "empty" if request.spacing_mm is None else "nearest"


def _chosen(structure_set: StructureSet, numbers: Iterable[int]) -> list[Structure]:
    wanted = set(numbers)
    found = [structure for structure in structure_set.structures if structure.number in wanted]
    if not found:
        raise Refusal(422, "The structure set has no structures.", "There is nothing to draw in it.")
    return found


def _place(
    structure_set: StructureSet, structures: list[Structure], files: list[bytes], request: Request
) -> tuple[Grid, Image | None, list[Finding]]:
    if request.spacing_mm is not None:
        return _grid_around(structures, request.spacing_mm), None, []
    try:
        image = read_image(files, pixels=False)
    except UnusableImage as error:
        remedy = "Name another series with ?series=, or ask for a grid of its own with ?spacing_mm=."
        raise Refusal(422, f"No volume can be made of the images: {error}.", remedy) from None
    findings = findings_for(image, structure_set)
    return image.grid, image, findings


def _grid_around(structures: list[Structure], spacing_mm: tuple[float, float, float]) -> Grid:
    points = [contour.points_mm for structure in structures for contour in closed_contours(structure)]
    if not points:
        raise Refusal(422, "None of the structures has closed contours.", "There is nothing to draw.")
    together = np.concatenate(points)
    # Half a plane of contours lies beyond the outermost ones.
    margin = np.full(3, 5.0)
    try:
        return grid_around(together.min(axis=0) - margin, together.max(axis=0) + margin, spacing_mm)
    except ValueError as error:
        raise Refusal(422, f"{error}.".capitalize(), "Ask for a coarser spacing_mm or fewer structures.") from None


def _too_much(what: str) -> Refusal:
    return Refusal(422, f"{what}.".capitalize(), "Ask for fewer structures with ?structures=.")
