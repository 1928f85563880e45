"""``/api/extract-rt/{instance}/dvh``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from dose.engine import ENGINE_VERSION, Question, as_csv, as_json, names_of
from dose.models import DvhModel
from host.computations import Computations
from host.doses import DoseIdentifier, dose_for
from host.jobs import Computation
from host.parameters import COMPUTED, InstanceId, WantedStructures, file_answer
from host.problems import Problem
from host.sources import Sources
from host.spreadsheets import Separator
from rtstruct.dvh import Combine, EndSlabs, NotAsked, Outside

AskedDoses = Annotated[
    str, Query(description="D at volumes: percent, or cubic centimetres: `95,2,0.1cc`.", max_length=1000)
]
AskedVolumes = Annotated[str, Query(description="V at doses: `20Gy,30Gy,50%`.", max_length=1000)]
OutsideGrid = Annotated[
    Outside, Query(description="What lies outside the dose grid is left out of the curve, or counts as no dose.")
]
ReferenceDose = Annotated[
    float | None, Query(gt=0, le=1e4, description="100 % for V in percent, in the units of the dose.")
]

EndSlabsOfBody = Annotated[EndSlabs, Query(description="Whole slabs at both ends of a structure, or half ones.")]
CombineContours = Annotated[Combine, Query(description="How contours on one plane are taken together.")]
BinWidth = Annotated[float | None, Query(gt=0, le=1e4, description="Of the curves, in the units of the dose.")]


@dataclass(frozen=True)
class Options:
    """What clients may ask for."""

    dose: str | None
    structures: str | None
    d: str
    v: str
    outside: Outside
    end_slabs: EndSlabs
    combine: Combine
    reference_dose: float | None
    bin_width: float | None

    def question(self, numbers: tuple[int, ...]) -> Question:
        """The same, for a worker. Raises `Problem` 422 when `d` or `v` cannot be read."""
        asked = Question(
            numbers,
            self.d,
            self.v,
            self.outside,
            self.end_slabs,
            self.combine,
            self.reference_dose,
            self.bin_width,
        )
        try:
            names_of(asked)
        except NotAsked as error:
            raise Problem(422, str(error), "Correct ?d= or ?v=; both are lists separated by commas.") from error
        return asked


def _options(
    dose: DoseIdentifier = None,
    structures: WantedStructures = None,
    d: AskedDoses = "98,95,50,2",
    v: AskedVolumes = "",
    outside: OutsideGrid = "exclude",
    end_slabs: EndSlabsOfBody = "full",
    combine: CombineContours = "auto",
    reference_dose: ReferenceDose = None,
    bin_width: BinWidth = None,
) -> Options:
    return Options(dose, structures, d, v, outside, end_slabs, combine, reference_dose, bin_width)


Asked = Annotated[Options, Depends(_options)]


def create_router(computations: Computations, sources: Sources) -> APIRouter:
    """The routes on top of the host's computations and sources."""
    router = APIRouter(tags=["dose"])

    def answer(request: Request, instance_id: str, options: Options, separator: Separator | None) -> Response:
        found = sources.structure_set(instance_id)
        question = options.question(tuple(each.number for each in found.chosen(options.structures)))
        dose = dose_for(sources, found, options.dose)
        csv = separator is not None

        def load() -> tuple[Any, ...]:
            files = sources.read(found.orthanc_id), sources.read_pixels(dose.orthanc_id)
            return (*files, question, separator if csv else asdict(dose))

        computation = Computation(
            name="dvh.csv" if csv else "dvh",
            parameters={"dose": asdict(dose), "separator": separator, **asdict(question)},
            version=ENGINE_VERSION,
            load=load,
            function=as_csv if csv else as_json,
            media_type="text/csv; charset=utf-8" if csv else "application/json",
            filename=found.filename("dvh", ending=".csv") if csv else None,
        )
        return computations.respond(request, found.orthanc_id, computation)

    @router.get(
        "/extract-rt/{instance_id}/dvh", responses={**COMPUTED, 200: {"model": DvhModel}}, response_class=Response
    )
    def dvh(
        request: Request,
        instance_id: InstanceId,
        asked: Asked,
        format: Annotated[Literal["json", "csv"], Query(description="`csv` is what `dvh.csv` answers.")] = "json",
        separator: Separator = "comma",
    ) -> Response:
        """Dose-volume histograms of all structures or of some, beside those stored in the dose."""
        return answer(request, instance_id, asked, separator if format == "csv" else None)

    @router.get(
        "/extract-rt/{instance_id}/dvh.csv",
        responses=file_answer("text/csv", "Cumulative and differential curves, one row a bin."),
        response_class=Response,
    )
    def dvh_csv(request: Request, instance_id: InstanceId, asked: Asked, separator: Separator = "comma") -> Response:
        """The curves as a table. `separator=semicolon`, with decimal commas, is for Excel in most of Europe."""
        return answer(request, instance_id, asked, separator)

    return router
