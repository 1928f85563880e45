"""The table of a structure set, one row a structure: what a worker computes for ``/table.csv``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import rtstruct
from host.spreadsheets import Cell, Separator, csv_of
from report.facts import StructureFacts, chosen, dose_of, facts_of, image_of
from rtstruct.dvh import DoseAsked, VolumeAsked, doses_asked, volumes_asked

TABLE_VERSION = 1


@dataclass(frozen=True)
class TableQuestion:
    """Which structures, and what of their dose. `dose_asked_for`: a client named it."""

    numbers: tuple[int, ...]
    d: str
    v: str
    separator: Separator
    dose_asked_for: bool


def as_csv(
    structure_set: bytes, slices: Sequence[bytes], dose: bytes | None, question: TableQuestion, synonyms: Path | None
) -> bytes:
    """The table as CSV. Images or a dose that cannot be used leave their columns empty."""
    read = rtstruct.read(structure_set)
    image, _ = image_of(slices)
    planned, _ = dose_of(dose, question.dose_asked_for)
    d, v = doses_asked(question.d), volumes_asked(question.v)
    unit = "relative" if planned and planned.units == "RELATIVE" else "Gy"
    header = (
        "number",
        "name",
        "type",
        "tg263",
        "tg263_confidence",
        "volume_cm3",
        "volume_half_end_slabs_cm3",
        "centroid_x_mm",
        "centroid_y_mm",
        "centroid_z_mm",
        "extent_x_mm",
        "extent_y_mm",
        "extent_z_mm",
        "contours",
        "planes",
        "mean_intensity",
        "intensity_unit",
        f"Dmean_{unit}",
        f"Dmin_{unit}",
        f"Dmax_{unit}",
        *(f"{asked.name}_{unit}" for asked in d),
        *(f"{asked.name}_{'cm3' if asked.unit == 'Gy' else 'percent'}" for asked in v),
        "outside_dose_grid_percent",
        "warnings",
    )
    units = image.units if image else None
    reference = planned.normalization_dose or planned.grid.maximum if planned else None
    facts = facts_of(chosen(read, question.numbers), image, planned, synonyms)
    return csv_of(header, (_row(each, units, d, v, reference) for each in facts), question.separator)


def _row(
    facts: StructureFacts,
    units: str | None,
    d: Sequence[DoseAsked],
    v: Sequence[VolumeAsked],
    reference: float | None,
) -> tuple[Cell, ...]:
    structure, analysis, suggestion, dvh = facts.structure, facts.analysis, facts.suggestion, facts.dvh
    none3 = (None, None, None)
    return (
        structure.number,
        structure.name,
        structure.interpreted_type,
        suggestion.name if suggestion else None,
        suggestion.confidence if suggestion else None,
        analysis.volume_cm3,
        analysis.volume_half_end_slabs_cm3,
        *(analysis.centroid_mm or none3),
        *(facts.extent_mm or none3),
        analysis.contour_count,
        analysis.plane_count,
        facts.mean_intensity,
        units if facts.mean_intensity is not None else None,
        *((dvh.mean, dvh.minimum, dvh.maximum) if dvh else none3),
        *(dvh.dose_to(asked) if dvh else None for asked in d),
        *_volumes(facts, v, reference),
        100 * dvh.outside_share if dvh and dvh.mean is not None else None,
        " ".join(dict.fromkeys(finding.code for finding in facts.findings)),
    )


def _volumes(facts: StructureFacts, v: Sequence[VolumeAsked], reference: float | None) -> Iterator[float | None]:
    for asked in v:
        found = facts.dvh.volume_at(asked, reference) if facts.dvh else None
        yield None if found is None else found[0] if asked.unit == "Gy" else found[1]
