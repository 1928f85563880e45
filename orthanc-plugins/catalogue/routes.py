"""``/api/studies``, ``/api/stats`` and the order to rebuild the catalogue."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from catalogue.follower import Follower
from catalogue.models import RebuildAnswer, Statistics, StudyDetail, StudyPage
from catalogue.service import Catalogue
from host.problems import Problem
from store.studies import SortKey, StudySearch

Text = Annotated[str | None, Query(max_length=200)]
Date = Annotated[str | None, Query(pattern=r"^\d{4}-?\d{2}-?\d{2}$", description="YYYYMMDD or YYYY-MM-DD.")]


def create_router(catalogue: Catalogue, follower: Follower) -> APIRouter:
    """The routes on top of ``catalogue``."""
    router = APIRouter(tags=["studies"])

    @router.get("/studies")
    def studies(
        q: Annotated[
            str | None, Query(max_length=200, description="Words that must each stand somewhere: name, ID, …")
        ] = None,
        patient_name: Text = None,
        patient_id: Text = None,
        accession_number: Text = None,
        description: Text = None,
        modality: Annotated[str | None, Query(max_length=16)] = None,
        date_from: Date = None,
        date_to: Date = None,
        sort: Annotated[SortKey, Query(description="What to sort by.")] = "arrived_at",
        order: Annotated[str, Query(pattern="^(asc|desc)$")] = "desc",
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> StudyPage:
        """Studies, searched, sorted and paged.

        Text matches without accents or case: any part of the value, or the whole of it when it holds the wildcards
        `*` (any characters) or `?` (one character).
        """
        search = StudySearch(
            text=q,
            patient_name=patient_name,
            patient_id=patient_id,
            accession_number=accession_number,
            description=description,
            modality=modality,
            date_from=date_from.replace("-", "") if date_from else None,
            date_to=date_to.replace("-", "") if date_to else None,
        )
        return catalogue.page(search, sort, order == "desc", limit, offset)

    @router.get("/studies/{identifier}", responses={404: {"description": "No such study."}})
    def study(
        identifier: Annotated[str, Path(max_length=64, description="Orthanc identifier or Study Instance UID.")],
    ) -> StudyDetail:
        """One study with its series."""
        found = catalogue.study(identifier)
        if found is None:
            remedy = "Check the identifier: a Study Instance UID, or Orthanc's own of a study."
            raise Problem(404, f"There is no study {identifier}.", remedy)
        return found

    @router.get("/stats")
    def stats(
        days: Annotated[int, Query(ge=1, le=3660, description="How far back growth goes.")] = 90,
    ) -> Statistics:
        """What the archive holds, by modality and by day, and what was extracted."""
        return catalogue.statistics(days)

    @router.post("/catalogue/rebuild", status_code=202)
    def rebuild() -> RebuildAnswer:
        """Read every study from Orthanc again, in the background. Lists go on answering meanwhile."""
        follower.rebuild()
        return RebuildAnswer(message="The catalogue is being rebuilt; the server's log tells when it is done.")

    return router
