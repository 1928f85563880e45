"""Errors as clients see them: one JSON shape for all, problem details of RFC 9457 with a remedy."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from host.archive import ArchiveError
from host.log import request_id

logger = logging.getLogger("pacs.http")

PROBLEM_JSON = "application/problem+json"


class Problem(Exception):
    """A request that cannot be answered as asked.

    Parameters
    ----------
    status
        The HTTP status code.
    detail
        What is wrong with this request, in one sentence that names the object and the value.
    remedy
        What the client can do next.
    **members
        Further members of the problem object (RFC 9457, section 3.2).
    """

    def __init__(self, status: int, detail: str, remedy: str, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.remedy = remedy
        self.members = members


def problem_response(status: int, detail: str, remedy: str, **members: Any) -> JSONResponse:
    """The answer for a problem: ``application/problem+json`` with type, title, status, detail, remedy, request_id."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "remedy": remedy,
        "request_id": request_id.get(),
        **members,
    }
    return JSONResponse(body, status_code=status, media_type=PROBLEM_JSON)


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` with problem details."""

    @app.exception_handler(Problem)
    def known(_request: Request, problem: Problem) -> JSONResponse:
        return problem_response(problem.status, problem.detail, problem.remedy, **problem.members)

    @app.exception_handler(ArchiveError)
    def away(_request: Request, error: ArchiveError) -> JSONResponse:
        return problem_response(503, f"The archive could not be read now: {error}.", "Try again in some seconds.")

    @app.exception_handler(RequestValidationError)
    def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        # The rejected value itself stays out of the answer: it may hold a patient's name.
        errors = [{"where": ".".join(str(part) for part in e["loc"]), "what": e["msg"]} for e in error.errors()]
        detail = "; ".join(f"{e['where']}: {e['what']}" for e in errors)
        return problem_response(
            422, detail, "Correct the named parameters; /api/docs lists what is allowed.", errors=errors
        )

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == HTTPStatus.NOT_FOUND:
            return problem_response(404, f"There is no route {request.url.path}.", "See /api/docs for the routes.")
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            detail = f"{request.url.path} does not answer {request.method}."
            response = problem_response(405, detail, "See /api/docs for the methods.")
            response.headers.update(error.headers or {})
            return response
        return problem_response(error.status_code, str(error.detail), "See /api/docs.")


def failure(method: str, path: str, error: Exception) -> JSONResponse:
    """Log what should not have happened, and answer without its details."""
    logger.error("%s %s failed", method, path, exc_info=error)
    remedy = "Try again; if it stays so, give the request_id to the person who runs this server: its log says more."
    return problem_response(500, "The server failed to answer this request.", remedy)
