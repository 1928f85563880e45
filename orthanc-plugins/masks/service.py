"""What each route has computed: from which instances, under which name."""

from __future__ import annotations

from typing import Any

from fastapi import Request as HttpRequest
from fastapi import Response

from host.application import VERSION as SOFTWARE_VERSION
from host.jobs import Computation
from host.plugin import Host
from host.sources import ImageSeries, StructureSetSource
from masks import drawing
from masks.drawing import Format, Request
from rtstruct.slices import without_pixels

MEDIA_TYPES: dict[Format, str] = {
    "nii.gz": "application/gzip",
    "nrrd": "application/x-nrrd",
    "seg.dcm": "application/dicom",
    "npz": "application/zip",
    "json": "application/json",
}


class Masks:
    """Has masks computed."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def source(self, identifier: str) -> StructureSetSource:
        """The structure set of an identifier. Raises `Problem`."""
        return self._host.sources.structure_set(identifier)

    def single(self, http: HttpRequest, source: StructureSetSource, series: str | None, request: Request) -> Response:
        """The mask of one structure as NIfTI."""
        (number,) = request.numbers
        images = self._images(source, series, request)
        name = source.structure(number).name or f"ROI-{number}"
        computation = Computation(
            name="mask.nii.gz",
            parameters=_parameters(request, images),
            version=drawing.VERSION,
            load=lambda: (*self._files(source, images), request),
            function=drawing.single_mask,
            media_type=MEDIA_TYPES["nii.gz"],
            filename=source.filename(name, ending=".nii.gz"),
        )
        return self._host.computations.respond(http, source.orthanc_id, computation)

    def labelled(
        self, http: HttpRequest, source: StructureSetSource, series: str | None, request: Request, form: Format
    ) -> Response:
        """Several structures in one file."""
        images = self._images(source, series, request)
        computation = Computation(
            name=f"labelmap.{form}",
            parameters=_parameters(request, images),
            version=drawing.VERSION,
            load=lambda: (*self._files(source, images), request, form, SOFTWARE_VERSION),
            function=drawing.labelled,
            media_type=MEDIA_TYPES[form],
            filename=None if form == "json" else source.filename("labelmap", ending=_ENDINGS.get(form, f".{form}")),
        )
        return self._host.computations.respond(http, source.orthanc_id, computation)

    def _images(self, source: StructureSetSource, series: str | None, request: Request) -> ImageSeries | None:
        return None if request.spacing_mm is not None else self._host.sources.images(source, series)

    def _files(self, source: StructureSetSource, images: ImageSeries | None) -> tuple[bytes, list[bytes]]:
        sources = self._host.sources
        # Without pixels, so that a worker is not sent a hundred megabytes of which it needs one.
        headers = [without_pixels(sources.read(instance)) for instance in images.instances] if images else []
        return sources.read(source.orthanc_id), headers


#: What 3D Slicer knows a segmentation by.
_ENDINGS: dict[Format, str] = {"nrrd": ".seg.nrrd"}


def _parameters(request: Request, images: ImageSeries | None) -> dict[str, Any]:
    return {
        "numbers": request.numbers,
        "combine": request.combine,
        "coverage": request.coverage,
        "spacing_mm": request.spacing_mm,
        "images": images.key if images else None,
    }
