"""``GET /api/status`` and ``GET /api/health``: from memory, whatever the peers do."""

from __future__ import annotations

from fastapi import APIRouter, Response

from status.models import Status
from status.service import Monitor


def create_router(monitor: Monitor) -> APIRouter:
    """The routes on top of ``monitor``."""
    router = APIRouter(tags=["status"])

    # async: nothing here waits, and no thread is needed for it.
    @router.get("/status")
    async def status() -> Status:
        """The state of every service. Always 200; see `/api/health` for the variant of load balancers."""
        return monitor.status()

    @router.get("/health", responses={503: {"model": Status, "description": "Orthanc or its database is down."}})
    async def health(response: Response) -> Status:
        """200 while images can be stored and read, 503 when Orthanc or its database is down."""
        answer = monitor.status()
        if answer.status == "down":
            response.status_code = 503
        return answer

    return router
