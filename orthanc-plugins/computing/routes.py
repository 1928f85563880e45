"""``/api/computations``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from computing.models import ComputationModel
from host.computations import Computations
from host.jobs import Job, progress_of
from host.problems import Problem

ComputationId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="As the 202 named it.")]


def create_router(computations: Computations) -> APIRouter:
    """The routes on top of the host's computations."""
    router = APIRouter(tags=["computations"])

    def find(computation_id: str) -> Job:
        job = computations.job(computation_id)
        if job is None:
            remedy = "Ask the original question again: what was computed is kept, and answered at once."
            raise Problem(404, f"There is no computation {computation_id} (any more).", remedy)
        return job

    @router.get("/computations")
    def all_computations() -> list[ComputationModel]:
        """What is being computed, and what has ended lately; the newest first."""
        return [ComputationModel.model_validate(progress_of(job)) for job in computations.jobs()]

    @router.get("/computations/{computation_id}", responses={404: {}})
    def computation(computation_id: ComputationId) -> ComputationModel:
        """How far a computation is. When it is done, `result` answers at once."""
        return ComputationModel.model_validate(progress_of(find(computation_id)))

    @router.get("/computations/{computation_id}/result", responses={404: {}}, response_class=Response)
    def result(computation_id: ComputationId) -> Response:
        """The answer of a computation that is done."""
        return computations.result(find(computation_id))

    @router.delete("/computations/{computation_id}", status_code=204, responses={404: {}}, response_class=Response)
    def cancel(computation_id: ComputationId) -> Response:
        """Give a computation up; what it has kept stays. One that has ended is forgotten."""
        computations.cancel(find(computation_id))
        return Response(status_code=204)

    return router
