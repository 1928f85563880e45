"""``/api/extract-rt/{instance}/volumes``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from host.computations import Computations
from host.jobs import Computation
from host.parameters import COMPUTED, ImageSeries, InstanceId, WantedStructures
from host.referenced_images import referenced_images
from host.sources import Sources
from rtstruct.model import Combine
from volumes.engine import VERSION, Asked, measured
from volumes.models import VolumesModel


def create_router(computations: Computations, sources: Sources) -> APIRouter:
    """The route on top of the host's computations and sources."""
    router = APIRouter(tags=["structures"])

    @router.get(
        "/extract-rt/{instance_id}/volumes",
        responses={**COMPUTED, 200: {"model": VolumesModel}},
        response_class=Response,
    )
    def volumes(
        request: Request,
        instance_id: InstanceId,
        structures: WantedStructures = None,
        combine: Annotated[Combine, Query(description="How contours on one plane are taken together.")] = "auto",
        interpolate: Annotated[bool, Query(description="Fill gaps between planes, by their shape.")] = False,
        series: ImageSeries = None,
    ) -> Response:
        """Volumes by every named method, with the areas behind them."""
        found = sources.structure_set(instance_id)
        asked = Asked(tuple(entry.number for entry in found.chosen(structures)), combine, interpolate)
        images = referenced_images(sources, found, series)
        computation = Computation(
            name="volumes",
            parameters={**asdict(asked), "images": images.key},
            version=VERSION,
            load=lambda: (sources.read(found.orthanc_id), images.read(sources), images.reason, asked),
            function=measured,
            media_type="application/json",
        )
        return computations.respond(request, found.orthanc_id, computation)

    return router
