"""What a structure set says of itself without its contours, read by a worker when no extraction has come to it yet.

Imports neither ``orthanc`` nor FastAPI.
"""

from __future__ import annotations

import orjson

import rtstruct


def describe(dicom: bytes) -> bytes:
    """The members of the extraction's summary that do not need geometry, as JSON."""
    structure_set = rtstruct.read(dicom)
    return orjson.dumps(
        {
            "sop_instance_uid": structure_set.sop_instance_uid,
            "series_instance_uid": structure_set.series_instance_uid,
            "study_instance_uid": structure_set.study_instance_uid,
            "frame_of_reference_uid": structure_set.frame_of_reference_uid,
            "referenced_series_uids": structure_set.referenced_series_uids,
            "label": structure_set.label,
            "structures": [
                {
                    "number": structure.number,
                    "name": structure.name,
                    "color": structure.color,
                    "interpreted_type": structure.interpreted_type,
                }
                for structure in structure_set.structures
            ],
        }
    )
