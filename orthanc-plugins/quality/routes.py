"""``/api/extract-rt/{id}/quality`` and ``/repair``."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response

from host.answer import Answer
from host.archive import ArchiveError, UnknownResource
from host.jobs import Act, Computation
from host.parameters import COMPUTED, InstanceId
from host.plugin import Host
from host.problems import Problem
from host.sources import StructureEntry
from host.surroundings import Surroundings
from quality.engine import REPORT_VERSION, examine
from quality.models import ChangeModel, NameModel, QualityModel, RepairModel, RepairRequest
from quality.service import Repaired, Repairs
from rtstruct.names import Nomenclature, is_tg263, nomenclature, suggest

_REPAIR_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The same copy was stored before.", "model": RepairModel},
    201: {"description": "The copy has been stored.", "model": RepairModel},
    202: {"description": "It takes more than 2 s: follow `Location`; its `result` has the answer."},
    404: {"description": "No such instance."},
    409: {"description": "All references hold: there is nothing to repair."},
    422: {"description": "It cannot be repaired; the detail says why."},
}


def create_router(host: Host, repairs: Repairs) -> APIRouter:
    """The routes on top of the host's computations and of ``repairs``."""
    router = APIRouter(tags=["quality"])
    surroundings = Surroundings(host.archive)
    synonyms = host.settings.synonyms
    # A report says what its table of names says: another table, another report.
    table = hashlib.sha256(synonyms.read_bytes()).hexdigest()[:16] if synonyms else ""

    @router.get(
        "/extract-rt/{instance_id}/quality",
        responses={**COMPUTED, 200: {"model": QualityModel}},
        response_class=Response,
    )
    def quality(request: Request, instance_id: InstanceId) -> Response:
        """What a physicist would want to know before trusting the set, and whether OHIF shows it."""
        structure_set = host.sources.structure_set(instance_id)
        identifier = structure_set.orthanc_id
        try:
            neighbours = surroundings.neighbours(identifier, structure_set.referenced_series_uids)
        except UnknownResource as error:
            raise Problem(404, f"Instance {instance_id} has just been deleted.", "Send it again.") from error
        except ArchiveError as error:
            raise Problem(503, f"The archive could not be read now: {error}.", "Try again in some seconds.") from error

        def load() -> tuple[Any, ...]:
            return identifier, host.sources.read(identifier), surroundings.held(neighbours), synonyms

        computation = Computation(
            name="quality",
            parameters={"neighbours": neighbours.key, "synonyms": table},
            version=REPORT_VERSION,
            load=load,
            function=examine,
            media_type="application/json",
        )
        return host.computations.respond(request, identifier, computation)

    @router.get("/extract-rt/{instance_id}/names", responses={404: {}, 422: {}})
    def names(instance_id: InstanceId) -> list[NameModel]:
        """What TG-263 would call each structure. Nothing is renamed."""
        return [_named(entry, nomenclature(synonyms)) for entry in host.sources.structure_set(instance_id).structures]

    @router.post("/extract-rt/{instance_id}/repair", responses=_REPAIR_RESPONSES, response_class=Response)
    def repair(
        request: Request, instance_id: InstanceId, asked: Annotated[RepairRequest | None, Body()] = None
    ) -> Response:
        """Store a copy whose references hold, in a series of its own; the original stays as it is."""
        structure_set = host.sources.structure_set(instance_id)
        wanted = asked.series if asked else None
        act = Act("repair", {"series": wanted}, lambda call: _answer(repairs.repair(structure_set, wanted, call)))
        return host.computations.perform(request, structure_set.orthanc_id, act)

    return router


def _answer(made: Repaired) -> Answer:
    copy, stored = made.copy, made.stored
    model = RepairModel(
        result=stored.result,
        orthanc_id=stored.orthanc_id,
        sop_instance_uid=copy.sop_instance_uid,
        series_instance_uid=copy.series_instance_uid,
        original_sop_instance_uid=copy.original_sop_instance_uid,
        image_series_uid=copy.image_series_uid,
        changes=[ChangeModel(**asdict(change)) for change in copy.changes],
    )
    location = {"Location": f"/api/extract-rt/{stored.orthanc_id}"}
    return Answer(model.model_dump_json().encode(), location, 200 if stored.result == "already_stored" else 201)


def _named(entry: StructureEntry, table: Nomenclature) -> NameModel:
    found = suggest(entry.name, entry.interpreted_type, names=table)
    return NameModel(
        number=entry.number,
        name=entry.name,
        is_tg263=is_tg263(entry.name, table),
        tg263=found.name if found else None,
        confidence=found.confidence if found else None,
        reason=found.reason if found else None,
    )
