"""``/api/crosswalk`` and ``/api/crosswalk.csv``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response

from crosswalk.models import CrosswalkPage
from crosswalk.service import CrosswalkReader
from host.access import user_of
from host.spreadsheets import Separator
from store.crosswalk import Search
from store.database import utc_now

Text = Annotated[str | None, Query(max_length=128)]
Offset = Annotated[int, Query(ge=0)]


def _search(
    pseudonym: Text = None,
    patient_id: Annotated[str | None, Query(max_length=128, description="As it is here; the whole of it.")] = None,
    study_instance_uid: Annotated[
        str | None, Query(pattern=r"^[0-9.]{1,64}$", description="At the destination.")
    ] = None,
    destination: Text = None,
) -> Search:
    return Search(pseudonym, patient_id, study_instance_uid, destination)


def _reader(authorization: Annotated[str | None, Header(include_in_schema=False)] = None) -> str:
    return user_of(authorization) or "somebody without an account"


Asked = Annotated[Search, Depends(_search)]
Reader = Annotated[str, Depends(_reader)]


def create_router(crosswalk: CrosswalkReader) -> APIRouter:
    """The routes on top of ``crosswalk``."""
    router = APIRouter(tags=["crosswalk"])

    @router.get("/crosswalk")
    def entries(
        search: Asked, reader: Reader, limit: Annotated[int, Query(ge=1, le=1000)] = 100, offset: Offset = 0
    ) -> CrosswalkPage:
        """Who is behind the pseudonyms of studies sent de-identified: administrators only, each reading logged."""
        return crosswalk.page(search, limit, offset, reader)

    @router.get("/crosswalk.csv", responses={200: {"content": {"text/csv": {}}}})
    def table(
        search: Asked,
        reader: Reader,
        separator: Annotated[Separator, Query(description="`semicolon` for Excel in most of Europe.")] = "comma",
        limit: Annotated[int, Query(ge=1, le=100_000)] = 100_000,
        offset: Offset = 0,
    ) -> Response:
        """The same as CSV, for a spreadsheet or a script; its reading is logged, too."""
        headers = {"Content-Disposition": f'attachment; filename="crosswalk_{utc_now():%Y%m%d}.csv"'}
        body = crosswalk.table(search, limit, offset, separator, reader)
        return Response(body, media_type="text/csv; charset=utf-8", headers=headers)

    return router
