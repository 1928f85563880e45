"""``/api/extract-rt/{id}/quality`` and ``/repair``."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response

from host.archive import ArchiveError, UnknownResource
from host.computations import Computation
from host.parameters import COMPUTED, InstanceId
from host.plugin import Host
from host.problems import Problem
from host.sources import StructureEntry
from host.surroundings import Surroundings
from quality.engine import REPORT_VERSION, examine
from quality.models import ChangeModel, NameModel, QualityModel, RepairModel, RepairRequest
from quality.service import Repairs
from rtstruct.names import Nomenclature, is_tg263, nomenclature, suggest

_REPAIR_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The same copy was stored before.", "model": RepairModel},
    201: {"description": "The copy has been stored."},
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

    @router.post("/extract-rt/{instance_id}/repair", status_code=201, responses=_REPAIR_RESPONSES)
    def repair(
        response: Response, instance_id: InstanceId, asked: Annotated[RepairRequest | None, Body()] = None
    ) -> RepairModel:
        """Store a copy whose references hold, in a series of its own; the original stays as it is."""
        made = repairs.repair(host.sources.structure_set(instance_id), asked.series if asked else None)
        copy, stored = made.copy, made.stored
        if stored.result == "already_stored":
            response.status_code = 200
        response.headers["Location"] = f"/api/extract-rt/{stored.orthanc_id}"
        return RepairModel(
            result=stored.result,
            orthanc_id=stored.orthanc_id,
            sop_instance_uid=copy.sop_instance_uid,
            series_instance_uid=copy.series_instance_uid,
            original_sop_instance_uid=copy.original_sop_instance_uid,
            image_series_uid=copy.image_series_uid,
            changes=[ChangeModel(**asdict(change)) for change in copy.changes],
        )

    return router


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
