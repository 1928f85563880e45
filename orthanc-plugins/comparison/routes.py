"""``/api/compare-rt`` and ``/api/consensus-rt``."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from comparison.engine import VERSION, Asked, Member, compared, consensus
from comparison.models import (
    IDENTIFIER,
    CompareRequest,
    ComparisonModel,
    ConsensusModel,
    ConsensusRequest,
    PairAsked,
)
from host.computations import Computations
from host.jobs import Computation
from host.parameters import COMPUTED
from host.problems import Problem
from host.sources import Sources
from host.spreadsheets import Separator
from rtstruct.comparison import TOLERANCE_MM, By
from rtstruct.sections import Combine

_CSV = {"text/csv": {"schema": {"type": "string", "format": "binary"}}}
_NIFTI = {"application/gzip": {"schema": {"type": "string", "format": "binary"}}}
Identifier = Annotated[str, Query(pattern=IDENTIFIER, description="Orthanc identifier or SOP Instance UID.")]
Pairs = Annotated[
    str | None,
    Query(
        max_length=4096,
        description="Explicit pairs of numbers or names, `1:3,GTV_CT:GTV_MR`; names with commas or colons by POST.",
    ),
]


def create_router(computations: Computations, sources: Sources, synonyms: Path | None) -> APIRouter:
    """The routes on top of the host's computations and sources; ``synonyms`` is the site's file for names."""
    router = APIRouter(tags=["comparison"])
    # Part of every question: with other synonyms other structures find each other.
    table = hashlib.sha256(synonyms.read_bytes()).hexdigest()[:16] if synonyms else ""

    def answer(request: Request, wanted: CompareRequest) -> Response:
        a, b = sources.structure_set(wanted.a), sources.structure_set(wanted.b)
        pairs = tuple((str(pair.a), str(pair.b)) for pair in wanted.pairs)
        asked = Asked(wanted.match, pairs, wanted.tolerance_mm, wanted.pixel_mm, wanted.combine)
        ids = a.orthanc_id, b.orthanc_id
        csv = wanted.format == "csv"
        computation = Computation(
            name="comparison.csv" if csv else "comparison",
            parameters={
                "b": [b.orthanc_id, b.sop_instance_uid],
                "separator": wanted.separator,
                "synonyms": table,
                **asdict(asked),
            },
            version=VERSION,
            load=lambda: (*(sources.read(each) for each in ids), ids, asked, synonyms, wanted.format, wanted.separator),
            function=compared,
            media_type="text/csv; charset=utf-8" if csv else "application/json",
            filename=a.filename("compared", b.label, ending=".csv") if csv else None,
        )
        return computations.respond(request, a.orthanc_id, computation)

    documented: dict[int | str, dict[str, Any]] = {**COMPUTED, 200: {"model": ComparisonModel, "content": _CSV}}

    @router.get("/compare-rt", responses=documented, response_class=Response)
    def compare_by_query(
        request: Request,
        a: Identifier,
        b: Identifier,
        match: Annotated[By, Query(description="How structures find each other without `pairs`.")] = "auto",
        pairs: Pairs = None,
        tolerance_mm: Annotated[float, Query(ge=0, le=1000)] = TOLERANCE_MM,
        pixel_mm: Annotated[float | None, Query(ge=0.05, le=20)] = None,
        combine: Combine = "auto",
        format: Literal["json", "csv"] = "json",
        separator: Separator = "comma",
    ) -> Response:
        """Compare structure set `b` with the reference `a`, structure by structure."""
        wanted = CompareRequest(
            a=a,
            b=b,
            match=match,
            pairs=_pairs(pairs),
            tolerance_mm=tolerance_mm,
            pixel_mm=pixel_mm,
            combine=combine,
            format=format,
            separator=separator,
        )
        return answer(request, wanted)

    @router.post("/compare-rt", responses=documented, response_class=Response)
    def compare_by_body(request: Request, wanted: CompareRequest) -> Response:
        """The same with everything in the body; for names that do not fit a query."""
        return answer(request, wanted)

    @router.post(
        "/consensus-rt",
        responses={**COMPUTED, 200: {"model": ConsensusModel, "content": _NIFTI}},
        response_class=Response,
    )
    def consensus_of_structures(request: Request, wanted: ConsensusRequest) -> Response:
        """One structure out of several that draw the same: by STAPLE, vote, intersection or union."""
        found = {each.instance: sources.structure_set(each.instance) for each in wanted.structures}
        members = tuple(
            Member(found[each.instance].orthanc_id, found[each.instance].sop_instance_uid, str(each.structure))
            for each in wanted.structures
        )
        order = list(dict.fromkeys(member.orthanc_id for member in members))
        mask = wanted.format == "nii.gz"

        def load() -> tuple[Any, ...]:
            files = [sources.read(identifier) for identifier in order]
            return files, members, wanted.method, wanted.pixel_mm, wanted.combine, wanted.format

        computation = Computation(
            name=f"consensus.{wanted.format}",
            parameters={
                "members": [asdict(member) for member in members],
                "method": wanted.method,
                "pixel_mm": wanted.pixel_mm,
                "combine": wanted.combine,
            },
            version=VERSION,
            load=load,
            function=consensus,
            media_type="application/gzip" if mask else "application/json",
            filename=found[wanted.structures[0].instance].filename(wanted.method, ending=".nii.gz") if mask else None,
        )
        return computations.respond(request, order[0], computation)

    return router


def _pairs(text: str | None) -> list[PairAsked]:
    found = []
    for part in filter(None, (part.strip() for part in (text or "").split(","))):
        one, colon, other = (each.strip() for each in part.partition(":"))
        if not (one and colon and other) or ":" in other:
            remedy = "Write pairs as 1:3,GTV_CT:GTV_MR; names with commas or colons fit into the body of a POST."
            raise Problem(422, f"{part!r} is no pair of structures.", remedy)
        found.append(PairAsked(a=one, b=other))
    return found
