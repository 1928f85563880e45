"""``/api/extract-rt`` and ``/api/extractions``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Query, Response

from extraction.engine import UnreadableStructureSet
from extraction.models import ExtractionModel, ExtractionPage, OutlineModel, StructureModel, StructureSetModel
from extraction.reader import Reader, Stored, UnknownStructure
from extraction.service import Extraction
from host.archive import ArchiveError, UnknownResource
from host.parameters import InstanceId
from host.problems import Problem
from host.workers import ServerStopping, WorkerDied
from store.extractions import State

_JSON = "application/json"
_FLAT = "application/octet-stream"

_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": StructureSetModel},
    304: {"description": "Not changed since the answer with this ETag."},
    404: {"description": "No such instance, or no such structure in it."},
    422: {"description": "It is not an RTSTRUCT, or it is damaged; the place is named."},
}

Structures = Annotated[str | None, Query(description="Numbers or names, separated by commas; all by default.")]
IfNoneMatch = Annotated[str | None, Header()]


def create_router(service: Extraction, reader: Reader) -> APIRouter:
    """The routes on top of ``service`` and ``reader``."""
    router = APIRouter(tags=["structures"])

    @router.get("/extract-rt/{instance_id}", responses=_RESPONSES, response_class=Response)
    def extract_rt(
        instance_id: InstanceId,
        contours: Annotated[bool, Query(description="Whether to include the contours' points.")] = True,
        structures: Structures = None,
        if_none_match: IfNoneMatch = None,
    ) -> Response:
        """The structure set with volumes, areas and contours. Computed on the spot when it has only just arrived."""
        wanted = _split(structures)
        question = _Question(instance_id, f"contours={contours}", wanted, if_none_match)
        return _answer(reader, question, _JSON, lambda stored: reader.answer(stored, contours, wanted))

    @router.get(
        "/extract-rt/{instance_id}/structures",
        responses={**_RESPONSES, 200: {"model": list[StructureModel]}},
        response_class=Response,
    )
    def structures_of(
        instance_id: InstanceId, structures: Structures = None, if_none_match: IfNoneMatch = None
    ) -> Response:
        """The structures as a list: volumes, areas and warnings, without contours."""
        wanted = _split(structures)
        question = _Question(instance_id, "structures", wanted, if_none_match)
        return _answer(reader, question, _JSON, lambda stored: reader.structures(stored, wanted))

    @router.get(
        "/extract-rt/{instance_id}/structures/{number}/contours",
        responses={**_RESPONSES, 200: {"model": OutlineModel, "content": {_FLAT: {}}}},
        response_class=Response,
    )
    def contours_of(
        instance_id: InstanceId,
        number: Annotated[int, Path(description="ROI Number.")],
        format: Annotated[Literal["json", "float32"] | None, Query(description="Wins over Accept.")] = None,
        accept: Annotated[str, Header()] = _JSON,
        if_none_match: IfNoneMatch = None,
    ) -> Response:
        """The contours of one structure: JSON, or with `Accept: application/octet-stream` flat float32."""
        if format == "float32" or (format is None and _FLAT in accept and _JSON not in accept):
            question = _Question(instance_id, "flat", [str(number)], if_none_match)
            return _answer(reader, question, _FLAT, lambda stored: reader.flat_contours(stored, number))
        question = _Question(instance_id, "contours", [str(number)], if_none_match)
        return _answer(reader, question, _JSON, lambda stored: reader.contours(stored, number))

    @router.get(
        "/extract-rt/{instance_id}/contours.bin",
        responses={**_RESPONSES, 200: {"content": {_FLAT: {}}}},
        response_class=Response,
    )
    def flat_contours(
        instance_id: InstanceId, structures: Structures = None, if_none_match: IfNoneMatch = None
    ) -> Response:
        """The contours of all structures as flat float32; docs/rtstruct/contours.md describes the layout."""
        wanted = _split(structures)
        question = _Question(instance_id, "flat set", wanted, if_none_match)
        return _answer(reader, question, _FLAT, lambda stored: reader.flat_contours(stored, wanted))

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
        told = row(instance_id, orthanc_id)
        if not queued:
            raise Problem(409, f"The extraction of {instance_id} runs at this moment.", "Wait for it to end.")
        return told

    @router.post("/extractions/{instance_id}/cancel", responses={404: {}, 409: {}})
    def cancel(instance_id: InstanceId) -> ExtractionModel:
        """Give up one that waits. It counts as failed then, and can be tried again."""
        orthanc_id = service.find(instance_id) or instance_id
        cancelled = service.cancel(orthanc_id)
        told = row(instance_id, orthanc_id)
        if not cancelled:
            remedy = "One that runs ends by itself; the others have ended."
            raise Problem(409, f"The extraction of {instance_id} does not wait: it is {told.state}.", remedy)
        return told

    def row(asked: str, orthanc_id: str) -> ExtractionModel:
        found = service.row(orthanc_id)
        if found is None:
            remedy = "GET /api/extractions lists those that there are."
            raise Problem(404, f"There is no extraction of {asked}.", remedy)
        return ExtractionModel.model_validate(found, from_attributes=True)

    return router


@dataclass(frozen=True, slots=True)
class _Question:
    instance_id: str
    answer: str
    wanted: list[str]
    if_none_match: str | None


def _answer(reader: Reader, question: _Question, media_type: str, make: Callable[[Stored], bytes]) -> Response:
    """What ``make`` makes of a stored structure set; 304 when the client has it; problem details otherwise."""
    instance_id, if_none_match = question.instance_id, question.if_none_match
    try:
        stored = reader.find(instance_id, question.answer, question.wanted)
        if stored is None:
            remedy = "Check the identifier, or send the instance first; GET /api/extractions lists what is there."
            raise Problem(404, f"There is no instance {instance_id}.", remedy)
        headers = {"Cache-Control": "private, no-cache", "ETag": stored.etag, "Vary": "Accept"}
        if if_none_match and (if_none_match.strip() == "*" or stored.etag in _tags(if_none_match)):
            return Response(status_code=304, headers=headers)
        body = make(stored)
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
    return Response(body, media_type=media_type, headers=headers)


def _split(structures: str | None) -> list[str]:
    return [part.strip() for part in (structures or "").split(",") if part.strip()]


def _tags(if_none_match: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}


def _unreadable(error: UnreadableStructureSet) -> Problem:
    if error.modality is not None:
        remedy = "Ask for an instance of modality RTSTRUCT; GET /api/extractions lists those held."
        return Problem(422, f"{error}.", remedy, modality=error.modality)
    return Problem(422, f"The structure set is damaged: {error}.", "Export it again from where it was made.")
