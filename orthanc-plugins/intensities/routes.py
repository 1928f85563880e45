"""``/api/extract-rt/{instance}/intensities``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from host.parameters import COMPUTED, ImageSeries, InstanceId, WantedStructures
from intensities.models import IntensitiesModel
from intensities.service import IntensityService
from rtstruct.masks import Combine


def create_router(service: IntensityService) -> APIRouter:
    """The routes on top of ``service``."""
    router = APIRouter(tags=["intensities"])

    @router.get(
        "/extract-rt/{instance_id}/intensities",
        responses={**COMPUTED, 200: {"model": IntensitiesModel}},
        response_class=Response,
    )
    def intensities(
        http: Request,
        instance_id: InstanceId,
        structures: WantedStructures = None,
        series: ImageSeries = None,
        combine: Annotated[Combine, Query(description="How contours on one plane count together.")] = "auto",
        bin_width: Annotated[
            float | None,
            Query(gt=0, allow_inf_nan=False, description="Of the histogram, in units of the image; 10 HU for CT."),
        ] = None,
    ) -> Response:
        """Mean, spread, percentiles and histogram of the image's values in each structure, by IBSI names."""
        return service.respond(http, instance_id, structures, series, combine, bin_width)

    return router
