"""``POST /api/upload``: a multipart form (through the door on port 8000), a raw DICOM file, or a raw ZIP."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from host.problems import Problem, problem_response
from upload.archives import is_zip
from upload.models import UploadAnswer
from upload.multipart import MalformedForm, files_of
from upload.service import ArchiveUnavailable, Uploader

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                }
            },
            "application/dicom": _BINARY,
            "application/zip": _BINARY,
        },
    }
}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    207: {
        "model": UploadAnswer,
        "description": "Some files were stored, others rejected; each has its reason.",
    },
    400: {"description": "The body is empty or not the form it claims to be."},
    413: {"description": "The body is larger than allowed."},
    415: {"description": "The body is neither DICOM nor ZIP nor a form."},
    422: {"description": "Every file was rejected; each has its reason in `files`."},
    503: {"description": "The archive cannot store now."},
}
#: Types under which clients send DICOM or ZIP; what the content says goes before them.
_DICOM_TYPES = ("", "application/dicom", "application/octet-stream")
_ZIP_TYPES = ("application/zip", "application/x-zip-compressed")
_FORM_REMEDY = "Send files as multipart/form-data, for example: curl -F files=@image.dcm http://…:8000/api/upload"
_TYPE_REMEDY = (
    "Send one file as application/dicom or application/zip, or several as multipart/form-data, for example: "
    "curl -F files=@image.dcm http://…:8000/api/upload"
)


def create_router(uploader: Uploader, max_bytes: int, max_files: int) -> APIRouter:
    """The route on top of ``uploader``; bodies over ``max_bytes`` and forms over ``max_files`` are refused."""
    router = APIRouter(tags=["upload"])

    async def upload(request: Request) -> Response:
        """Store DICOM files in Orthanc.

        Each file gets its own result; a file that is rejected does not keep the others from being stored. ZIP archives
        are unpacked, alone or as files of a form. 200: all stored (now or before); 207: some rejected.
        """
        body = await request.body()
        return await run_in_threadpool(store, body, request.headers.get("content-type", ""))

    def store(body: bytes, content_type: str) -> Response:
        if not body:
            raise Problem(400, "The request has no body.", _FORM_REMEDY)
        if len(body) > max_bytes:
            detail = f"The body has {len(body) >> 20} MB; {max_bytes >> 20} MB are allowed."
            raise Problem(413, detail, "Send fewer files at a time, or use C-STORE (./pacs send), which has no limit.")
        try:
            answer = uploader.upload(_files(body, content_type, max_files))
        except MalformedForm as error:
            raise Problem(400, f"The form cannot be read: {error}.", _FORM_REMEDY) from error
        except ArchiveUnavailable as error:
            detail = "The archive could not store any of the files: its disk may be full."
            raise Problem(503, detail, "Look at /api/status, then send the files again.") from error
        return _respond(answer)

    # PUT as well: the door turns a multipart POST into a PUT, because Orthanc takes a multipart POST apart.
    router.add_api_route(
        "/upload",
        upload,
        methods=["POST"],
        response_model=UploadAnswer,
        responses=_RESPONSES,
        openapi_extra=_REQUEST_BODY,
    )
    router.add_api_route("/upload", upload, methods=["PUT"], include_in_schema=False)
    return router


def _files(body: bytes, content_type: str, max_files: int) -> Iterable[tuple[str, bytes]]:
    kind = content_type.split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return files_of(body, content_type, max_files)
    if is_zip(body):
        return [("upload.zip", body)]
    if body[128:132] == b"DICM" or kind in _DICOM_TYPES:
        return [("upload.dcm", body)]
    if kind in _ZIP_TYPES:
        raise Problem(400, f"The body is of type {kind}, but not a ZIP archive.", "Check the file, or make it anew.")
    raise Problem(415, f"A body of type {kind} is neither DICOM, nor a ZIP archive, nor a form.", _TYPE_REMEDY)


def _respond(answer: UploadAnswer) -> Response:
    content = answer.model_dump()
    if not answer.rejected:
        return JSONResponse(content)
    if answer.stored or answer.already_stored:
        return JSONResponse(content, status_code=207)
    reason = answer.files[0].reason
    detail = f"{answer.files[0].name}: {reason}." if len(answer.files) == 1 else "Every file was rejected."
    return problem_response(422, detail, "See the reason of each file in `files`.", **content)
