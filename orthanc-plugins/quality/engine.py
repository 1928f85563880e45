"""What a worker runs: a structure set and what lies around it in, a report or a repaired copy out.

Imports neither ``orthanc`` nor FastAPI.
"""

from __future__ import annotations

from pathlib import Path

import orjson

import rtstruct
from rtstruct.names import nomenclature
from rtstruct.quality import Held, report_on
from rtstruct.references import read_references
from rtstruct.repair import RepairedCopy, repair

#: Raised when reports come out differently.
REPORT_VERSION = 1


def examine(orthanc_id: str, dicom: bytes, held: Held, synonyms: Path | None) -> bytes:
    """The quality report as JSON. Raises `rtstruct.StructureSetError`."""
    report = report_on(
        rtstruct.read(dicom), read_references(dicom), held, names=nomenclature(synonyms) if synonyms else None
    )
    return orjson.dumps(
        {
            "orthanc_id": orthanc_id,
            "compared_series_uid": report.series_instance_uid,
            "totals": {severity: report.count(severity) for severity in ("error", "warning", "info")},
            "viewable_in_ohif": report.viewable_in_ohif,
            "ohif_reasons": [
                {"code": each.code, "effect": each.in_ohif, "message": each.message} for each in report.ohif_reasons
            ],
            "findings": report.findings,
        }
    )


def repaired(dicom: bytes, held: Held, wanted: str | None, automatic: bool) -> RepairedCopy | None:
    """A repaired copy; None for a copy that was repaired before, when nobody has asked for it.

    Raises
    ------
    rtstruct.repair.NothingToRepair, rtstruct.repair.NotRepairable, rtstruct.StructureSetError
    """
    if automatic and read_references(dicom).is_repaired_copy:
        return None
    return repair(dicom, held, wanted)
