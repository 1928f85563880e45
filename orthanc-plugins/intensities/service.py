"""What the route has computed, and from which instances."""

from __future__ import annotations

from fastapi import Request as HttpRequest
from fastapi import Response

from host.jobs import Computation
from host.plugin import Host
from intensities import measuring
from rtstruct.masks import Combine


class IntensityService:
    """Has statistics computed."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def respond(
        self,
        http: HttpRequest,
        identifier: str,
        structures: str | None,
        series: str | None,
        combine: Combine,
        bin_width: float | None,
    ) -> Response:
        """Statistics of the structures asked for."""
        sources = self._host.sources
        source = sources.structure_set(identifier)
        numbers = tuple(structure.number for structure in source.chosen(structures))
        images = sources.images(source, series)
        request = measuring.Request(numbers, combine, bin_width)
        computation = Computation(
            name="intensities",
            parameters={"numbers": numbers, "combine": combine, "bin_width": bin_width, "images": images.key},
            version=measuring.VERSION,
            load=lambda: (sources.read(source.orthanc_id), sources.read_all(images), request),
            function=measuring.measure,
            media_type="application/json",
        )
        return self._host.computations.respond(http, source.orthanc_id, computation)
