"""``GET /api/metrics``: Prometheus' text format."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from metrics.service import Metrics


def create_router(service: Metrics) -> APIRouter:
    """The route on top of ``service``."""
    router = APIRouter(tags=["metrics"])

    @router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    def metrics() -> Response:
        """Every metric, in the text format of Prometheus."""
        return Response(service.exposition(), media_type=CONTENT_TYPE_LATEST)

    return router
