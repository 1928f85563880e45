"""``/api/extract-rt`` and ``/api/extractions``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response

from extraction.engine import UnreadableStructureSet
from extraction.models import ExtractionModel, ExtractionPage, StructureSetModel
from extraction.reader import Reader, UnknownStructure
from extraction.service import Extraction
from host.archive import ArchiveError, UnknownResource
from host.problems import Problem
from host.workers import ServerStopping, WorkerDied
from store.extractions import State

_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": StructureSetModel},
    304: {"description": "Not changed since the answer with this ETag."},
    404: {"description": "No such instance, or no such structure in it."},
    422: {"description": "It is not an RTSTRUCT, or it is damaged; the place is named."},
}

InstanceId = Annotated[
    str,
    Path(description="Orthanc identifier or SOP Instance UID.", pattern=r"^[0-9a-f-]{44}$|^[0-9.]{1,64}$"),
]


def create_router(service: Extraction, reader: Reader) -> APIRouter:
    """The routes on top of ``service`` and ``reader``."""
    router = APIRouter(tags=["structures"])

    @router.get("/extract-rt/{instance_id}", responses=_RESPONSES, response_class=Response)
    def extract_rt(
        instance_id: InstanceId,
        contours: Annotated[bool, Query(description="Whether to include the contours' points.")] = True,
        structures: Annotated[str | None, Query(description="Numbers or names, separated by commas.")] = None,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        """The structure set with volumes, areas and contours. Computed on the spot when it has only just arrived."""
        wanted = [part.strip() for part in (structures or "").split(",") if part.strip()]
        try:
            stored = reader.find(instance_id, contours, wanted)
            if stored is None:
                remedy = "Check the identifier, or send the instance first; GET /api/extractions lists what is there."
                raise Problem(404, f"There is no instance {instance_id}.", remedy)
            headers = {"Cache-Control": "private, no-cache", "ETag": stored.etag}
            if if_none_match and (if_none_match.strip() == "*" or stored.etag in _tags(if_none_match)):
                return Response(status_code=304, headers=headers)
            body = reader.answer(stored, contours, wanted)
        except UnknownStructure as error:
            remedy = f"It has: {', '.join(error.names)}."
            raise Problem(404, f"The structure set has no structure {error.asked!r}.", remedy) from error
        except UnreadableStructureSet as error:
            raise _unreadable(error) from error
        except UnknownResource as error:
            raise Problem(404, f"Instance {instance_id} has just been deleted.", "Send it again.") from error
        except (WorkerDied, ServerStopping, ArchiveError) as error:
            remedy = "Try again in some seconds; GET /api/extractions tells how its extraction goes."
            raise Problem(503, f"The structure set could not be read now: {error}.", remedy) from error
        return Response(body, media_type="application/json", headers=headers)

    @router.get("/extractions")
    def extractions(
        state: Annotated[State | None, Query(description="Only those in this state.")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> ExtractionPage:
        """The queue and its history, newest first."""
        rows, total = service.page(state, limit, offset)
        items = [ExtractionModel.model_validate(row, from_attributes=True) for row in rows]
        return ExtractionPage(items=items, total=total, limit=limit, offset=offset)

    @router.post("/extractions/{instance_id}/retry", status_code=202, responses={404: {}, 409: {}})
    def retry(instance_id: InstanceId) -> ExtractionModel:
        """Extract again: what failed, or what is done."""
        orthanc_id = service.find(instance_id) or instance_id
        queued = service.retry(orthanc_id)
        row = service.row(orthanc_id)
        if row is None:
            remedy = "GET /api/extractions lists those that can be tried again."
            raise Problem(404, f"There is no extraction of {instance_id}.", remedy)
        if not queued:
            raise Problem(409, f"The extraction of {instance_id} runs at this moment.", "Wait for it to end.")
        return ExtractionModel.model_validate(row, from_attributes=True)

    return router


def _tags(if_none_match: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}


def _unreadable(error: UnreadableStructureSet) -> Problem:
    if error.modality is not None:
        remedy = "Ask for an instance of modality RTSTRUCT; GET /api/extractions lists those held."
        return Problem(422, f"{error}.", remedy, modality=error.modality)
    return Problem(422, f"The structure set is damaged: {error}.", "Export it again from where it was made.")
