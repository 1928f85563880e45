"""``/api/extract-rt/{instance}/labelmap.…`` and ``…/structures/{n}/mask.nii.gz``."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from host.parameters import COMPUTED, ImageSeries, InstanceId, StructureNumber, WantedStructures, file_answer
from host.problems import Problem
from masks import drawing
from masks.drawing import Format
from masks.models import LabelMapModel
from masks.service import MEDIA_TYPES, Masks
from rtstruct.masks import Combine

_LARGEST_SPACING_MM = 100.0
_SMALLEST_SPACING_MM = 0.1


class Options:
    """What every mask may be asked to be."""

    def __init__(
        self,
        combine: Annotated[
            Combine,
            Query(
                description="How contours on one plane count: even-odd with doubles once, even-odd strictly, or all."
            ),
        ] = "auto",
        coverage: Annotated[
            Literal["4", "8"] | None,
            Query(description="Count at 4 × 4 or 8 × 8 points a pixel instead of at its centre."),
        ] = None,
        spacing_mm: Annotated[
            str | None,
            Query(
                description="An own axial grid instead of the images': one number, or x,y,z.", examples=["1", "1,1,3"]
            ),
        ] = None,
        series: ImageSeries = None,
    ) -> None:
        self.combine: Combine = combine
        self.coverage = None if coverage is None else int(coverage)
        self.spacing_mm = _spacing(spacing_mm)
        self.series = series

    def request(self, numbers: tuple[int, ...]) -> drawing.Request:
        return drawing.Request(numbers, self.combine, self.coverage, self.spacing_mm)


def create_router(service: Masks) -> APIRouter:
    """The routes on top of ``service``."""
    router = APIRouter(tags=["masks"])

    @router.get(
        "/extract-rt/{instance_id}/structures/{number}/mask.nii.gz",
        responses=file_answer(MEDIA_TYPES["nii.gz"], "NIfTI-1: 0 and 1, or shares from 0 to 1 with `coverage`."),
        response_class=Response,
    )
    def mask(
        http: Request,
        instance_id: InstanceId,
        number: StructureNumber,
        options: Annotated[Options, Depends()],
    ) -> Response:
        """One structure as a mask on its images."""
        source = service.source(instance_id)
        source.structure(number)
        return service.single(http, source, options.series, options.request((number,)))

    @router.get(
        "/extract-rt/{instance_id}/labelmap.json",
        responses={**COMPUTED, 200: {"model": LabelMapModel}},
        response_class=Response,
    )
    def label_names(
        http: Request,
        instance_id: InstanceId,
        options: Annotated[Options, Depends()],
        structures: WantedStructures = None,
    ) -> Response:
        """What the values of a label map stand for, how many voxels each has, and what to know about it."""
        return _labelled(http, instance_id, options, structures, "json")

    @router.get(
        "/extract-rt/{instance_id}/labelmap.{form}",
        responses=file_answer("application/octet-stream", "The file, named after the structure set."),
        response_class=Response,
    )
    def labelmap(
        http: Request,
        instance_id: InstanceId,
        form: Format,
        options: Annotated[Options, Depends()],
        structures: WantedStructures = None,
    ) -> Response:
        """Several structures in one file: NIfTI label map, Slicer segmentation (NRRD), DICOM SEG, NPZ."""
        return _labelled(http, instance_id, options, structures, form)

    def _labelled(http: Request, instance_id: str, options: Options, structures: str | None, form: Format) -> Response:
        source = service.source(instance_id)
        numbers = tuple(structure.number for structure in source.chosen(structures))
        return service.labelled(http, source, options.series, options.request(numbers), form)

    return router


def _spacing(text: str | None) -> tuple[float, float, float] | None:
    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    fitting = all(math.isfinite(each) and _SMALLEST_SPACING_MM <= each <= _LARGEST_SPACING_MM for each in numbers)
    if len(numbers) not in (1, 3) or not fitting:
        limits = f"{_SMALLEST_SPACING_MM:g} to {_LARGEST_SPACING_MM:g} mm"
        raise Problem(
            422, "spacing_mm is no spacing.", f"Write one number or three (x,y,z) of {limits}, such as 1,1,3."
        )
    x, y, z = numbers * 3 if len(numbers) == 1 else numbers
    return x, y, z
