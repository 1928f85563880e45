"""``/api/structures``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from cohort.models import CohortPage
from cohort.service import Cohort
from host.spreadsheets import Separator
from store.database import utc_now
from store.structures import SortKey, StructureSearch

_MOST_IN_A_PAGE = 1000

Text = Annotated[str | None, Query(max_length=200)]
Volume = Annotated[float | None, Query(ge=0, allow_inf_nan=False)]
Moment = Annotated[datetime | None, Query(description="A date or moment (ISO 8601); without a zone, UTC.")]


def create_router(cohort: Cohort) -> APIRouter:
    """The routes on top of ``cohort``."""
    router = APIRouter(tags=["structures"])

    @router.get("/structures", responses={200: {"model": CohortPage, "content": {"text/csv": {}}}})
    def structures(
        name: Annotated[
            str | None, Query(max_length=200, description="Part of the name in the file; the whole with `*` and `?`.")
        ] = None,
        tg263: Annotated[
            str | None, Query(max_length=64, description="The suggested TG-263 name, exact; `Lung*` matches its sides.")
        ] = None,
        tg263_confidence_min: Annotated[float | None, Query(ge=0, le=1)] = None,
        interpreted_type: Annotated[str | None, Query(max_length=32, description="PTV, ORGAN, …")] = None,
        volume_min: Volume = None,
        volume_max: Volume = None,
        since: Moment = None,
        until: Moment = None,
        modality: Annotated[str | None, Query(max_length=16, description="Of a series in the same study.")] = None,
        study_instance_uid: Annotated[str | None, Query(pattern=r"^[0-9.]{1,64}$")] = None,
        sort: SortKey = "arrived_at",
        order: Annotated[Literal["asc", "desc"], Query()] = "desc",
        format: Annotated[Literal["json", "csv"], Query()] = "json",
        separator: Annotated[Separator, Query(description="Of CSV; `semicolon` comes with decimal commas.")] = "comma",
        limit: Annotated[int, Query(ge=1, le=100_000, description="At most 1000 a page of JSON.")] = 100,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> Response:
        """All structures of all extracted structure sets, searched, sorted and paged; volumes in cm³."""
        search = StructureSearch(
            name=name,
            tg263=tg263,
            tg263_confidence_min=tg263_confidence_min,
            interpreted_type=interpreted_type,
            volume_min_cm3=volume_min,
            volume_max_cm3=volume_max,
            since=_utc(since),
            until=_utc(until),
            modality=modality,
            study_instance_uid=study_instance_uid,
        )
        if format == "csv":
            headers = {"Content-Disposition": f'attachment; filename="structures_{utc_now():%Y%m%d}.csv"'}
            body = cohort.table(search, sort, order == "desc", limit, offset, separator)
            return Response(body, media_type="text/csv; charset=utf-8", headers=headers)
        page = cohort.page(search, sort, order == "desc", min(limit, _MOST_IN_A_PAGE), offset)
        return Response(page.model_dump_json(), media_type="application/json")

    return router


def _utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=utc_now().tzinfo)
