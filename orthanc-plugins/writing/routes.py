"""``POST /api/create-rt``: a form (through the door on port 8000), a raw file with a header, or JSON."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException

from host.answer import Answer
from host.computations import Computations
from host.jobs import Act
from host.problems import Problem
from writing.models import CreateAnswer, CreateRequest, WrittenStructureModel
from writing.service import Created, Writing

#: What the structure set is to be, as JSON, beside a raw body: Orthanc passes no query on with a POST.
HEADER = "x-create-rt"

_REMEDY = (
    "Send a form with the parts `segmentation` (a file) and `request` (JSON); or the file as the body, with the JSON "
    "in the header X-Create-RT; or JSON that names a stored Segmentation as `instance`."
)
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "segmentation": {"type": "string", "format": "binary"},
                        "request": {"type": "string", "description": "CreateRequest as JSON."},
                    },
                }
            },
            "application/json": {"schema": {"type": "object", "description": "CreateRequest"}},
            "application/dicom": _BINARY,
            "application/gzip": _BINARY,
            "application/octet-stream": _BINARY,
        },
    }
}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    201: {"description": "The structure set has been stored.", "model": CreateAnswer},
    202: {"description": "It takes more than 2 s: follow `Location`; its `result` has the answer."},
    400: {"description": "There is no segmentation in the request, or it is not the form that it claims to be."},
    404: {"description": "The image series, or the instance, is not in the archive."},
    413: {"description": "The body is larger than allowed."},
    422: {"description": "The segmentation cannot be used; the detail says why."},
    503: {"description": "Not possible now."},
}


@dataclass(frozen=True, slots=True)
class _Sent:
    asked: bytes
    segmentation: bytes | None


async def _sent(request: Request) -> _Sent:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        try:
            async with request.form(max_files=1, max_fields=10) as form:
                file, text = form.get("segmentation"), form.get("request", "{}")
                if not isinstance(file, UploadFile) or isinstance(text, UploadFile):
                    raise Problem(400, "The form has no file `segmentation`.", _REMEDY)
                return _Sent(text.encode(), await file.read())
        except MultiPartException as error:
            raise Problem(400, f"The form cannot be read: {error.message}", _REMEDY) from error
    body = await request.body()
    if kind == "application/json":
        return _Sent(body, None)
    return _Sent(request.headers.get(HEADER, "{}").encode("latin-1"), body or None)


def create_router(computations: Computations, writing: Writing, max_bytes: int) -> APIRouter:
    """The route on top of the host's computations and ``writing``; segmentations over ``max_bytes`` are refused."""
    router = APIRouter(tags=["structures"])

    def create_rt(request: Request, sent: Annotated[_Sent, Depends(_sent)]) -> Response:
        """Store a structure set made of a NIfTI label map or a DICOM Segmentation.

        Voxels have to be those of the image series. The answer tells for each structure how many voxels differ when its
        contours are read back: none.
        """
        if sent.segmentation is not None and len(sent.segmentation) > max_bytes:
            detail = f"The segmentation has {len(sent.segmentation) >> 20} MB; {max_bytes >> 20} MB are allowed."
            raise Problem(413, detail, "Compress it (.nii.gz), or raise PACS_UPLOAD_MAX_MB.")
        try:
            asked = CreateRequest.model_validate_json(sent.asked or b"{}")
        except ValidationError as error:
            told = error.errors(include_url=False, include_input=False, include_context=False)
            where = ".".join(map(str, told[0]["loc"])) or "the JSON"
            raise Problem(422, f"The request cannot be understood: {where}: {told[0]['msg']}.", _REMEDY) from error
        parameters = {
            "asked": asked.model_dump_json(),
            "segmentation": hashlib.sha256(sent.segmentation or b"").hexdigest(),
        }
        segmentation = sent.segmentation
        act = Act("create-rt", parameters, lambda call: _answer(writing.create(asked, segmentation, call)))
        return computations.perform(request, "", act)

    router.add_api_route(
        "/create-rt",
        create_rt,
        methods=["POST"],
        responses=_RESPONSES,
        response_class=Response,
        openapi_extra=_BODY,
    )
    # The door turns a multipart POST into a PUT, because Orthanc takes a multipart POST apart.
    router.add_api_route("/create-rt", create_rt, methods=["PUT"], response_class=Response, include_in_schema=False)
    return router


def _answer(made: Created) -> Answer:
    written, stored = made.written, made.stored
    model = CreateAnswer(
        result=stored.result,
        orthanc_id=stored.orthanc_id,
        sop_instance_uid=written.sop_instance_uid,
        series_instance_uid=written.series_instance_uid,
        image_series_uid=written.image_series_uid,
        structures=[WrittenStructureModel(**asdict(each)) for each in written.structures],
        empty=list(written.empty),
    )
    return Answer(model.model_dump_json().encode(), {"Location": f"/api/extract-rt/{stored.orthanc_id}"}, 201)
