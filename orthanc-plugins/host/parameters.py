"""Parameters that routes of several plugins share, and what their answers may be."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query

InstanceId = Annotated[
    str,
    Path(description="Orthanc identifier or SOP Instance UID.", pattern=r"^[0-9a-f-]{44}$|^[0-9.]{1,64}$"),
]
StructureNumber = Annotated[
    int, Path(description="ROI Number (3006,0022); negative where the file gives none of its own.")
]
WantedStructures = Annotated[
    str | None, Query(description="Numbers or names, separated by commas; all when left out.", max_length=4096)
]
ImageSeries = Annotated[
    str | None,
    Query(
        description="Series Instance UID or Orthanc identifier of the image series; the referenced one when left out.",
        pattern=r"^[0-9a-f-]{44}$|^[0-9.]{1,64}$",
    ),
]

#: What routes that answer through ``host.computations`` document; ``{**COMPUTED, 200: {...}}`` adds the content.
COMPUTED: dict[int | str, dict[str, Any]] = {
    202: {"description": "It takes more than 2 s: follow `Location`, then ask again."},
    304: {"description": "Not changed since the answer with this ETag."},
    404: {"description": "No such instance, structure or image series."},
    422: {"description": "It is not an RTSTRUCT, or damaged, or not to be computed; the detail says why."},
    503: {"description": "Too many computations wait, or a worker failed; try again after `Retry-After`."},
}


def file_answer(media_type: str, description: str) -> dict[int | str, dict[str, Any]]:
    """The documentation of a computed route that answers with a file."""
    return {
        **COMPUTED,
        200: {"description": description, "content": {media_type: {"schema": {"type": "string", "format": "binary"}}}},
    }
