"""What a worker computes: structure sets in, their comparison or consensus out.

Imports neither ``orthanc`` nor FastAPI. A change of what comes out needs a higher VERSION.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson

import rtstruct
from host.answer import Answer, Refusal
from host.spreadsheets import Cell, Separator, csv_of
from host.workers import report
from rtstruct import Finding, Structure, StructureSet
from rtstruct.comparison import (
    Agreed,
    By,
    Comparison,
    Method,
    Metrics,
    NothingToCompare,
    Pair,
    UnknownStructure,
    agree,
    compare,
    explicit,
    matched,
    structure_named,
)
from rtstruct.names import nomenclature
from rtstruct.sections import Combine

VERSION = 1

Form = Literal["json", "csv"]
_METRICS = tuple(field.name for field in fields(Metrics))


@dataclass(frozen=True)
class Asked:
    """What is asked of two structure sets.

    Attributes
    ----------
    pairs
        Numbers or names on both sides; without any the structures are matched.

    """

    match: By
    pairs: tuple[tuple[str, str], ...]
    tolerance_mm: float
    pixel_mm: float | None
    combine: Combine


@dataclass(frozen=True)
class Member:
    """A structure of a set: the set's identifiers, and a number or a name."""

    orthanc_id: str
    sop_instance_uid: str
    structure: str


def compared(
    a: bytes, b: bytes, ids: tuple[str, str], asked: Asked, synonyms: Path | None, form: Form, separator: Separator
) -> bytes:
    """Two structure sets, pair by pair. Raises `Refusal` 404 when a pair names what is not there.

    ``synonyms`` is the site's file for names.
    """
    sets = rtstruct.read(a), rtstruct.read(b)
    pairs = _pairs(sets[0].structures, sets[1].structures, asked, synonyms)
    found = []
    for nth, pair in enumerate(pairs):
        report(nth / len(pairs), f"{nth} of {len(pairs)} pairs")
        found.append((pair, _compare(pair, asked)))
    if form == "csv":
        return _csv(found, separator)
    taken = {id(each) for pair in pairs for each in (pair.a, pair.b)}
    answer = {
        "a": _set(sets[0], ids[0]),
        "b": _set(sets[1], ids[1]),
        "match": "explicit" if asked.pairs else asked.match,
        "tolerance_mm": asked.tolerance_mm,
        "combine": asked.combine,
        "pairs": [_pair(pair, comparison) for pair, comparison in found],
        "unmatched": {
            side: [_name(each) for each in one.structures if id(each) not in taken]
            for side, one in zip(("a", "b"), sets, strict=True)
        },
    }
    return orjson.dumps(answer)


def consensus(
    dicoms: Sequence[bytes],
    members: tuple[Member, ...],
    method: Method,
    pixel_mm: float | None,
    combine: Combine,
    form: Literal["json", "nii.gz"],
) -> Answer:
    """What several structures agree on, as numbers or as a mask. ``dicoms`` holds each set once, by first mention."""
    order = list(dict.fromkeys(member.orthanc_id for member in members))
    sets = {identifier: rtstruct.read(dicom) for identifier, dicom in zip(order, dicoms, strict=True)}
    structures = [_member(sets[each.orthanc_id], each) for each in members]
    report(0.2, "drawing")
    try:
        agreed = agree(structures, method, pixel_mm, combine)
    except NothingToCompare as error:
        raise Refusal(422, f"There is no consensus: {error}.", "Name structures with closed contours.") from None
    if form == "nii.gz":
        from rtstruct.exports.nifti import nifti

        codes = dict.fromkeys(finding.code for finding in agreed.masks.findings)
        body = nifti(
            agreed.consensus.inside.view(np.uint8),
            agreed.masks.grid,
            f"{method} of {len(members)} structures",
        )
        return Answer(body, {"X-Findings": ",".join(codes)})
    return Answer(orjson.dumps(_consensus(agreed, members, structures), option=orjson.OPT_SERIALIZE_NUMPY))


def _pairs(a: Sequence[Structure], b: Sequence[Structure], asked: Asked, synonyms: Path | None) -> list[Pair]:
    if not asked.pairs:
        return matched(a, b, asked.match, nomenclature(synonyms) if synonyms else None)
    try:
        return explicit(a, b, asked.pairs)
    except UnknownStructure as error:
        raise Refusal(404, f"Structure {error}.", f"It has: {', '.join(error.names) or 'none'}.") from None


def _compare(pair: Pair, asked: Asked) -> Comparison | str:
    try:
        return compare(pair.a, pair.b, asked.tolerance_mm, asked.pixel_mm, asked.combine)
    except NothingToCompare as error:
        return str(error)


def _set(found: StructureSet, orthanc_id: str) -> dict[str, Any]:
    return {"orthanc_id": orthanc_id, "sop_instance_uid": found.sop_instance_uid, "label": found.label}


def _name(structure: Structure) -> dict[str, Any]:
    return {"number": structure.number, "name": structure.name}


def _pair(pair: Pair, found: Comparison | str) -> dict[str, Any]:
    told = {"a": _name(pair.a), "b": _name(pair.b), "matched_by": pair.by}
    if isinstance(found, str):
        finding = Finding("nothing_to_compare", f"{found[:1].upper()}{found[1:]}.")
        return {**told, "metrics": None, "spacing_mm": None, "warnings": [finding]}
    return {**told, "metrics": asdict(found.metrics), "spacing_mm": found.spacing_mm, "warnings": found.findings}


def _csv(found: Sequence[tuple[Pair, Comparison | str]], separator: Separator) -> bytes:
    header = ("number_a", "name_a", "number_b", "name_b", "matched_by", *_METRICS, "warnings")
    rows: list[tuple[Cell, ...]] = []
    for pair, comparison in found:
        if isinstance(comparison, str):
            values: tuple[Cell, ...] = (None,) * len(_METRICS)
            codes = "nothing_to_compare"
        else:
            values = tuple(getattr(comparison.metrics, name) for name in _METRICS)
            codes = " ".join(dict.fromkeys(finding.code for finding in comparison.findings))
        rows.append((pair.a.number, pair.a.name, pair.b.number, pair.b.name, pair.by, *values, codes))
    return csv_of(header, rows, separator)


def _member(found: StructureSet, member: Member) -> Structure:
    try:
        return structure_named(found.structures, member.structure, member.sop_instance_uid)
    except UnknownStructure as error:
        known = ", ".join(error.names) or "none"
        detail = f"Structure set {member.sop_instance_uid} has no structure {member.structure!r}."
        raise Refusal(404, detail, f"It has: {known}.") from None


def _consensus(agreed: Agreed, members: Sequence[Member], structures: Sequence[Structure]) -> dict[str, Any]:
    grid, found = agreed.masks.grid, agreed.consensus
    voxel_cm3 = grid.voxel_volume_mm3 / 1000
    return {
        "method": found.method,
        "volume_cm3": agreed.volume_cm3,
        "iterations": found.iterations,
        "converged": found.converged,
        "raters": [
            {
                "instance": member.orthanc_id,
                "sop_instance_uid": member.sop_instance_uid,
                **_name(structure),
                "volume_cm3": int(np.count_nonzero(mask)) * voxel_cm3,
                **asdict(rater),
            }
            for member, structure, mask, rater in zip(
                members, structures, agreed.masks.inside, found.raters, strict=True
            )
        ],
        "grid": {
            "shape": grid.shape,
            "spacing_mm": grid.spacing_mm,
            "origin_mm": grid.origin_mm,
            "directions": grid.directions,
        },
        "warnings": agreed.masks.findings,
    }
