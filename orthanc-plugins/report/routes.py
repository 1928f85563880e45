"""``/api/extract-rt/{instance}/table.csv``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from host.computations import Computation, Computations
from host.doses import ChosenDose, DoseIdentifier, dose_for
from host.parameters import ImageSeries, InstanceId, WantedStructures, file_answer
from host.problems import Problem
from host.sources import ImageSeries as Series
from host.sources import Sources, StructureSetSource
from host.spreadsheets import Separator
from report.table import TABLE_VERSION, TableQuestion, as_csv
from rtstruct.dvh import NotAsked, doses_asked, volumes_asked

_ABSENT = 404


@dataclass(frozen=True)
class Around:
    """The images and the dose of a structure set, as far as they are there."""

    series: Series | None
    dose: ChosenDose | None

    @property
    def key(self) -> dict[str, Any]:
        """What an answer depends on."""
        return {"series": self.series and self.series.key, "dose": self.dose and asdict(self.dose)}

    def read(self, sources: Sources) -> tuple[list[bytes], bytes | None]:
        """The files of both."""
        slices = sources.read_all(self.series) if self.series else []
        return slices, sources.read(self.dose.orthanc_id) if self.dose else None


def around(sources: Sources, found: StructureSetSource, series: str | None, dose: str | None) -> Around:
    """What is there. What was asked for by name has to be: raises `Problem` 404, 422 or 503."""
    try:
        images = sources.images(found, series)
    except Problem as problem:
        if problem.status != _ABSENT or series is not None:
            raise
        images = None
    try:
        planned = dose_for(sources, found, dose)
    except Problem as problem:
        if problem.status != _ABSENT or dose is not None:
            raise
        planned = None
    return Around(images, planned)


def create_router(computations: Computations, sources: Sources) -> APIRouter:
    """The routes on top of the host's computations and sources."""
    router = APIRouter(tags=["report"])

    @router.get(
        "/extract-rt/{instance_id}/table.csv",
        responses=file_answer("text/csv", "One row a structure."),
        response_class=Response,
    )
    def table(
        request: Request,
        instance_id: InstanceId,
        structures: WantedStructures = None,
        series: ImageSeries = None,
        dose: DoseIdentifier = None,
        d: Annotated[str, Query(description="D at volumes, as for `/dvh`.", max_length=1000)] = "95",
        v: Annotated[str, Query(description="V at doses, as for `/dvh`.", max_length=1000)] = "",
        separator: Separator = "comma",
    ) -> Response:
        """Geometry, TG-263 names, mean intensities and doses of all structures, as far as images and a dose are there.

        `separator=semicolon`, with decimal commas, is for Excel in most of Europe.
        """
        try:
            doses_asked(d), volumes_asked(v)
        except NotAsked as error:
            raise Problem(422, str(error), "Correct ?d= or ?v=; both are lists separated by commas.") from error
        found = sources.structure_set(instance_id)
        numbers = tuple(each.number for each in found.chosen(structures))
        beside = around(sources, found, series, dose)
        question = TableQuestion(numbers, d, v, separator, dose_asked_for=dose is not None)
        computation = Computation(
            name="table.csv",
            parameters={**asdict(question), **beside.key},
            version=TABLE_VERSION,
            load=lambda: (sources.read(found.orthanc_id), *beside.read(sources), question),
            function=as_csv,
            media_type="text/csv; charset=utf-8",
            filename=found.filename(ending=".csv"),
        )
        return computations.respond(request, found.orthanc_id, computation)

    return router
