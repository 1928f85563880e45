"""What a worker process runs: a DICOM file in, everything that is kept of its structures out.

Imports neither ``orthanc`` nor FastAPI. A change of what is kept needs a higher ENGINE_VERSION: at the next start every
structure set that an older engine extracted is queued again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

import rtstruct
from rtstruct.names import Nomenclature, nomenclature, suggest
from store.folding import fold
from store.outcomes import Outcome, StructureRow

ENGINE_VERSION = 2


class UnreadableStructureSet(Exception):
    """The file cannot be read as a structure set, and never will be.

    ``modality`` is set when it is sound DICOM of another kind.
    """

    def __init__(self, message: str, modality: str | None = None) -> None:
        super().__init__(message, modality)
        self.message = message
        self.modality = modality

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Extracted:
    """What is kept of one structure set."""

    summary: bytes  # JSON: the answer of the route but for orthanc_id and contours
    contours: bytes  # rtstruct.pack_contours
    outcome: Outcome
    structures: tuple[StructureRow, ...]


def extract(dicom: bytes, synonyms: Path | None = None) -> Extracted:
    """Read and analyse a structure set.

    ``synonyms`` is a site's file of names (`rtstruct.names`); it has a part in the rows alone.

    Raises
    ------
    UnreadableStructureSet
        If it is not one, or damaged beyond reading.
    """
    try:
        structure_set = rtstruct.read(dicom)
    except rtstruct.NotAStructureSet as error:
        raise UnreadableStructureSet(str(error), error.modality or "unknown") from None
    except rtstruct.DamagedStructureSet as error:
        raise UnreadableStructureSet(str(error)) from None
    analyses = [rtstruct.analyse(structure) for structure in structure_set.structures]
    pairs = list(zip(structure_set.structures, analyses, strict=True))
    names = nomenclature(synonyms)
    summary = {
        "sop_instance_uid": structure_set.sop_instance_uid,
        "series_instance_uid": structure_set.series_instance_uid,
        "study_instance_uid": structure_set.study_instance_uid,
        "frame_of_reference_uid": structure_set.frame_of_reference_uid,
        "referenced_series_uid": structure_set.referenced_series_uid,
        "referenced_series_uids": structure_set.referenced_series_uids,
        "label": structure_set.label,
        "name": structure_set.name,
        "date": structure_set.date,
        "time": structure_set.time,
        "approval_status": structure_set.approval_status,
        "warnings": structure_set.warnings,
        "structures": [_summary(structure, analysis) for structure, analysis in pairs],
    }
    return Extracted(
        summary=orjson.dumps(summary),
        contours=rtstruct.pack_contours(structure_set, analyses),
        outcome=Outcome(
            sop_instance_uid=structure_set.sop_instance_uid,
            series_instance_uid=structure_set.series_instance_uid,
            study_instance_uid=structure_set.study_instance_uid,
            label=structure_set.label,
            structure_count=len(pairs),
            contour_count=sum(analysis.contour_count for analysis in analyses),
            point_count=sum(analysis.point_count for analysis in analyses),
        ),
        structures=tuple(_row(position, *pair, names) for position, pair in enumerate(pairs)),
    )


def _summary(structure: rtstruct.Structure, analysis: rtstruct.StructureAnalysis) -> dict[str, Any]:
    box = analysis.bounding_box_mm
    return {
        "number": structure.number,
        "name": structure.name,
        "color": structure.color,
        "interpreted_type": structure.interpreted_type,
        "generation_algorithm": structure.generation_algorithm,
        "contour_count": analysis.contour_count,
        "point_count": analysis.point_count,
        "plane_count": analysis.plane_count,
        "volume_cm3": analysis.volume_cm3,
        "volume_half_end_slabs_cm3": analysis.volume_half_end_slabs_cm3,
        "centroid_mm": analysis.centroid_mm,
        "bounding_box_mm": box,
        "z_range_mm": None if box is None else (box[0][2], box[1][2]),
        "plane_normal": analysis.plane_normal,
        "plane_spacing_mm": analysis.plane_spacing_mm,
        "areas": analysis.areas,
        "warnings": [*structure.warnings, *analysis.findings],
    }


def _row(
    position: int, structure: rtstruct.Structure, analysis: rtstruct.StructureAnalysis, names: Nomenclature
) -> StructureRow:
    suggestion = suggest(structure.name, structure.interpreted_type, names=names)
    x_mm, y_mm, z_mm = analysis.centroid_mm or (None, None, None)
    return StructureRow(
        position=position,
        number=structure.number,
        name=structure.name,
        interpreted_type=structure.interpreted_type,
        generation_algorithm=structure.generation_algorithm,
        contour_count=analysis.contour_count,
        point_count=analysis.point_count,
        plane_count=analysis.plane_count,
        volume_cm3=analysis.volume_cm3,
        centroid_x_mm=x_mm,
        centroid_y_mm=y_mm,
        centroid_z_mm=z_mm,
        warning_count=len(structure.warnings) + len(analysis.findings),
        folded_name=fold(structure.name),
        tg263=suggestion.name if suggestion else None,
        tg263_confidence=suggestion.confidence if suggestion else None,
    )
