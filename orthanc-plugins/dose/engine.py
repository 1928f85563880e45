"""What a worker process computes: a structure set and a dose in, dose-volume histograms as JSON or CSV out.

Imports neither ``orthanc`` nor FastAPI. A change of what is answered needs a higher ENGINE_VERSION.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

import rtstruct
from host.answer import Refusal
from host.spreadsheets import Cell, Separator, csv_of
from rtstruct import Finding, Structure
from rtstruct.doses import Dose, UnreadableDose, read_dose
from rtstruct.dvh import (
    Combine,
    Curve,
    DoseAsked,
    Dvh,
    EndSlabs,
    Outside,
    VolumeAsked,
    beside,
    doses_asked,
    dvh_of,
    stored_for,
    volumes_asked,
)

ENGINE_VERSION = 1

#: About so many bins a curve when none are asked for, of a round width.
_BINS = 400
#: No curve has more.
_MOST_BINS = 20_000


@dataclass(frozen=True)
class Question:
    """What is asked of a structure set and a dose.

    Attributes
    ----------
    numbers
        ROI Numbers, in the order of the answer.
    d, v
        As `doses_asked` and `volumes_asked` read them.
    reference_dose
        What 100 % is for V in percent; None takes what the dose says.
    bin_width
        Of the curves; None chooses one.

    """

    numbers: tuple[int, ...]
    d: str
    v: str
    outside: Outside
    end_slabs: EndSlabs
    combine: Combine
    reference_dose: float | None = None
    bin_width: float | None = None


@dataclass(frozen=True)
class Reference:
    """The dose that is 100 %, and where it comes from."""

    value: float
    source: str


def as_json(structure_set: bytes, dose: bytes, question: Question, chosen: dict[str, Any]) -> bytes:
    """The answer of ``/dvh``; ``chosen`` is what the route says of the choice of the dose."""
    read, structures = _read(structure_set, dose, question)
    reference = reference_of(read, question.reference_dose)
    width = _width(read, question.bin_width)
    answer = {
        "structure_set": {"sop_instance_uid": structures.sop_instance_uid, "label": structures.label},
        "dose": {**chosen, **_about(read)},
        "reference_dose": {"value": reference.value, "source": reference.source},
        "outside": question.outside,
        "end_slabs": question.end_slabs,
        "combine": question.combine,
        "structures": [
            _structure(structure, _dvh(structure, read, question), read, question, reference, width)
            for structure in _wanted(structures, question)
        ],
    }
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def as_csv(structure_set: bytes, dose: bytes, question: Question, separator: Separator) -> bytes:
    """The curves, one row a bin."""
    read, structures = _read(structure_set, dose, question)
    width = _width(read, question.bin_width)
    unit = "gy" if read.units == "GY" else "relative"
    header = ("number", "name", f"dose_{unit}", "volume_cm3", "volume_percent", "differential_cm3")

    def rows() -> Iterator[tuple[Cell, ...]]:
        for structure in _wanted(structures, question):
            dvh = _dvh(structure, read, question)
            if dvh.curve is None:
                continue
            curve = dvh.curve.resampled(width)
            known = dvh.volume_cm3 is not None
            volume = curve.volume.tolist()
            for at, (dose_at, here) in enumerate(zip(curve.dose.tolist(), volume, strict=True)):
                following = volume[at + 1] if at + 1 < len(volume) else 0.0
                yield (
                    structure.number,
                    structure.name,
                    round(dose_at, 9),
                    here if known else None,
                    100 * here / curve.total,
                    here - following if known else None,
                )

    return csv_of(header, rows(), separator)


def reference_of(dose: Dose, asked: float | None) -> Reference:
    """What 100 % is: as asked, else the dose's own DVH Normalization Dose Value, else the maximum of its grid."""
    if asked is not None:
        return Reference(asked, "asked for")
    if dose.normalization_dose:
        return Reference(dose.normalization_dose, "DVH Normalization Dose Value of the dose")
    return Reference(dose.grid.maximum, "maximum of the dose grid")


def read_or_refuse(dose: bytes) -> Dose:
    """Read a dose. Raises `Refusal` 422 when it cannot be read."""
    try:
        return read_dose(dose)
    except UnreadableDose as error:
        raise Refusal(422, str(error), "Name another dose with ?dose=, or export this one again.") from None


def _read(structure_set: bytes, dose: bytes, question: Question) -> tuple[Dose, rtstruct.StructureSet]:
    return read_or_refuse(dose), rtstruct.read(structure_set)


def _wanted(structures: rtstruct.StructureSet, question: Question) -> list[Structure]:
    return [structure for structure in structures.structures if structure.number in question.numbers]


def _dvh(structure: Structure, dose: Dose, question: Question) -> Dvh:
    return dvh_of(structure, dose, question.outside, question.end_slabs, question.combine)


def _width(dose: Dose, asked: float | None) -> float:
    """A width of bins: as asked but for absurd ones, else 1, 2 or 5 of a power of ten."""
    most = max(dose.grid.maximum, 1e-6)
    if asked is not None:
        return max(asked, most / _MOST_BINS)
    magnitude = 10.0 ** math.floor(math.log10(most / _BINS))
    return next(step * magnitude for step in (1, 2, 5, 10) if step * magnitude >= most / _BINS)


def _about(dose: Dose) -> dict[str, Any]:
    planes, rows, columns = dose.grid.values.shape
    return {
        "sop_instance_uid": dose.sop_instance_uid,
        "units": dose.units,
        "dose_type": dose.dose_type,
        "summation_type": dose.summation_type,
        "frame_of_reference_uid": dose.frame_of_reference_uid,
        "plan_uids": dose.plan_uids,
        "structure_set_uids": dose.structure_set_uids,
        "maximum": dose.grid.maximum,
        "voxel_mm": dose.grid.voxel_mm,
        "shape": {"planes": planes, "rows": rows, "columns": columns},
        "warnings": [_finding(each) for each in dose.findings],
    }


def _structure(
    structure: Structure, dvh: Dvh, dose: Dose, question: Question, reference: Reference, width: float
) -> dict[str, Any]:
    return {
        "number": structure.number,
        "name": structure.name,
        "color": structure.color,
        "interpreted_type": structure.interpreted_type,
        "volume_cm3": dvh.volume_cm3,
        "outside_cm3": dvh.outside_cm3,
        "outside_percent": 100 * dvh.outside_share,
        "minimum": dvh.minimum,
        "maximum": dvh.maximum,
        "mean": dvh.mean,
        "median": dvh.median,
        "d": {each.name: dvh.dose_to(each) for each in doses_asked(question.d)},
        "v": {each.name: _volume(dvh, each, reference) for each in volumes_asked(question.v)},
        "curve": _curve(dvh, width),
        "points": [{"position_mm": each.position_mm, "dose": each.dose} for each in dvh.points],
        "stored": _stored(dvh, dose),
        "warnings": [_finding(each) for each in dvh.findings],
    }


def _volume(dvh: Dvh, asked: VolumeAsked, reference: Reference) -> dict[str, float | None] | None:
    if asked.unit == "Gy" and dvh.units != "GY":
        return None
    found = dvh.volume_at(asked, reference.value)
    return None if found is None else {"cm3": found[0], "percent": found[1]}


def _curve(dvh: Dvh, width: float) -> dict[str, Any] | None:
    if dvh.curve is None:
        return None
    curve = dvh.curve.resampled(width)
    known = dvh.volume_cm3 is not None
    return {
        "bin_width": width,
        "volume_unit": "cm3" if known else "share",
        "cumulative": _volumes(curve if known else Curve(curve.dose, curve.volume / curve.total)),
    }


def _volumes(curve: Curve) -> list[float]:
    return [float(f"{volume:.6g}") for volume in curve.volume.tolist()]


def _stored(dvh: Dvh, dose: Dose) -> dict[str, Any] | None:
    stored = stored_for(dose.stored_dvhs, dvh.number)
    if stored is None:
        return None
    return {
        "type": stored.dvh_type,
        "dose_units": stored.dose_units,
        "volume_units": stored.volume_units,
        "compared": [
            {
                "name": each.name,
                "stored": each.stored,
                "ours": each.ours,
                "difference": each.difference,
                "difference_percent": each.difference_percent,
                "within_bin": each.within_bin,
            }
            for each in beside(stored, dvh)
        ],
    }


def _finding(finding: Finding) -> dict[str, str]:
    return {"code": finding.code, "message": finding.message}


def names_of(question: Question) -> tuple[tuple[DoseAsked, ...], tuple[VolumeAsked, ...]]:
    """What is asked for, read; raises `NotAsked`."""
    return doses_asked(question.d), volumes_asked(question.v)
