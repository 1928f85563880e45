"""What the table and the report say of each structure, computed once for both.

Imports neither ``orthanc`` nor FastAPI.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from host.answer import Refusal
from rtstruct import Finding, Structure, StructureAnalysis, StructureSet, analyse
from rtstruct.doses import Dose, UnreadableDose, read_dose
from rtstruct.dvh import Dvh, dvh_of
from rtstruct.images import Image, UnusableImage, read_image
from rtstruct.masks import Mask, mask_of
from rtstruct.names import Suggestion, nomenclature, suggest


@dataclass(frozen=True)
class StructureFacts:
    """One structure: as it is in the set, measured, and with image and dose where these are there."""

    structure: Structure
    analysis: StructureAnalysis
    suggestion: Suggestion | None
    mean_intensity: float | None
    dvh: Dvh | None
    mask: Mask | None = None

    @property
    def extent_mm(self) -> tuple[float, float, float] | None:
        """Of all points, in x, y and z."""
        if self.analysis.bounding_box_mm is None:
            return None
        low, high = self.analysis.bounding_box_mm
        return high[0] - low[0], high[1] - low[1], high[2] - low[2]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that a reader of the numbers should know."""
        of_dose = self.dvh.findings if self.dvh else ()
        return (*self.structure.warnings, *self.analysis.findings, *(self.mask.findings if self.mask else ()), *of_dose)


def facts_of(
    structures: Sequence[Structure], image: Image | None, dose: Dose | None, synonyms: Path | None
) -> Iterator[StructureFacts]:
    """Measure structures, each with what is there; `synonyms` is a site's file of names."""
    names = nomenclature(synonyms) if synonyms else None
    for structure in structures:
        mask = mask_of(structure, image.grid) if image and structure.contours else None
        values = image.value_at(mask.inside, mask.box) if image and mask else ()
        yield StructureFacts(
            structure=structure,
            analysis=analyse(structure),
            suggestion=suggest(structure.name, structure.interpreted_type, names=names) if structure.name else None,
            mean_intensity=float(np.mean(values)) if len(values) else None,
            dvh=dvh_of(structure, dose) if dose else None,
            mask=mask,
        )


def chosen(structure_set: StructureSet, numbers: Sequence[int]) -> list[Structure]:
    """The structures of these ROI Numbers, in the order of the set."""
    return [structure for structure in structure_set.structures if structure.number in numbers]


def image_of(slices: Sequence[bytes]) -> tuple[Image | None, Finding | None]:
    """The images as a volume, or why they are none; nothing of both when there are no images."""
    if not slices:
        return None, None
    try:
        return read_image(slices), None
    except UnusableImage as error:
        return None, Finding("unusable_images", f"The images are not used: {error}.")


def dose_of(data: bytes | None, asked_for: bool) -> tuple[Dose | None, Finding | None]:
    """The dose, or why it is not used. Raises `Refusal` 422 when it was asked for and cannot be read."""
    if data is None:
        return None, None
    try:
        return read_dose(data), None
    except UnreadableDose as error:
        if asked_for:
            raise Refusal(422, str(error), "Name another dose with ?dose=, or export this one again.") from None
        return None, Finding("unreadable_dose", str(error))
