"""``/api/extract-rt/{instance}/table.csv`` and ``/report.html``."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from host.archive import ArchiveError, UnknownResource
from host.doses import ChosenDose, DoseIdentifier, dose_for
from host.jobs import Computation
from host.parameters import COMPUTED, ImageSeries, InstanceId, WantedStructures, file_answer
from host.plugin import Host
from host.problems import Problem
from host.sources import ImageSeries as Series
from host.sources import Sources, StructureSetSource
from host.spreadsheets import Separator
from host.surroundings import Surroundings
from report.document import DOCUMENT_VERSION, DocumentQuestion, as_html
from report.table import TABLE_VERSION, TableQuestion, as_csv
from report.texts import Language, language_of
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
        return slices, sources.read_pixels(self.dose.orthanc_id) if self.dose else None


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


def create_router(host: Host) -> APIRouter:
    """The routes on top of the host's computations and sources."""
    router = APIRouter(tags=["report"])
    computations, sources, surroundings = host.computations, host.sources, Surroundings(host.archive)
    synonyms = host.settings.synonyms
    # Another table of names, another answer.
    names = hashlib.sha256(synonyms.read_bytes()).hexdigest()[:16] if synonyms else ""

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
            parameters={**asdict(question), **beside.key, "names": names},
            version=TABLE_VERSION,
            load=lambda: (sources.read(found.orthanc_id), *beside.read(sources), question, synonyms),
            function=as_csv,
            media_type="text/csv; charset=utf-8",
            filename=found.filename(ending=".csv"),
        )
        return computations.respond(request, found.orthanc_id, computation)

    @router.get(
        "/extract-rt/{instance_id}/report.html",
        responses={**COMPUTED, 200: {"description": "One page.", "content": {"text/html": {}}}},
        response_class=Response,
    )
    def report(
        request: Request,
        instance_id: InstanceId,
        structures: WantedStructures = None,
        series: ImageSeries = None,
        dose: DoseIdentifier = None,
        lang: Annotated[Language | None, Query(description="Else Accept-Language, else English.")] = None,
    ) -> Response:
        """The structure set at a glance, to look at or to print: table, findings, contours on slices, histograms.

        One page without scripts or anything outside of it. It carries no patient's name.
        """
        found = sources.structure_set(instance_id)
        numbers = tuple(each.number for each in found.chosen(structures))
        beside = around(sources, found, series, dose)
        try:
            neighbours = surroundings.neighbours(found.orthanc_id, found.referenced_series_uids)
        except UnknownResource as error:
            raise Problem(404, f"Instance {instance_id} has just been deleted.", "Send it again.") from error
        except ArchiveError as error:
            raise Problem(503, f"The archive could not be read now: {error}.", "Try again in some seconds.") from error
        question = DocumentQuestion(
            numbers=numbers,
            language=language_of(lang, request.headers.get("accept-language", "")),
            filename=found.filename("report", ending=".html"),
            dose_because=beside.dose.chosen_because if beside.dose else "",
            dose_asked_for=dose is not None,
        )
        computation = Computation(
            name="report.html",
            parameters={**asdict(question), **beside.key, "neighbours": neighbours.key, "names": names},
            version=DOCUMENT_VERSION,
            load=lambda: (
                sources.read(found.orthanc_id),
                *beside.read(sources),
                question,
                surroundings.held(neighbours),
                synonyms,
            ),
            function=as_html,
            media_type="text/html; charset=utf-8",
        )
        answer = computations.respond(request, found.orthanc_id, computation)
        if answer.status_code == HTTPStatus.ACCEPTED and "text/html" in request.headers.get("accept", ""):
            # A browser does not follow a progress resource; it asks again.
            answer.headers["Refresh"] = "2"
        return answer

    return router
