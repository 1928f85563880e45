"""``/api/extract-rt/{instance}/…mesh.*`` and ``/surfaces``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from host.computations import Computations
from host.jobs import Computation
from host.parameters import COMPUTED, ImageSeries, InstanceId, StructureNumber, WantedStructures, file_answer
from host.referenced_images import referenced_images
from host.sources import Sources, StructureSetSource
from meshes.engine import VERSION, Asked, Format, scene, single_mesh, surfaces
from meshes.models import SurfacesModel
from rtstruct.sections import Combine

Smooth = Annotated[bool, Query(description="Take off the steps between planes.")]
Triangles = Annotated[
    int | None,
    Query(ge=0, le=10_000_000, description="At most about so many for each structure; 0: as many as there are."),
]
CombineContours = Annotated[Combine, Query(description="How contours on one plane are taken together.")]

MEDIA_TYPES: dict[Format, str] = {"stl": "model/stl", "obj": "model/obj", "glb": "model/gltf-binary"}


def create_router(computations: Computations, sources: Sources) -> APIRouter:
    """The routes on top of the host's computations and sources."""
    router = APIRouter(tags=["meshes"])

    def one(
        request: Request, instance_id: str, n: int, form: Format, smooth: bool, triangles: int, combine: Combine
    ) -> Response:
        found = sources.structure_set(instance_id)
        entry = found.structure(n)
        asked = Asked((entry.number,), smooth, triangles, combine)
        computation = Computation(
            name=f"mesh.{form}",
            parameters=asdict(asked),
            version=VERSION,
            load=lambda: (sources.read(found.orthanc_id), asked, form),
            function=single_mesh,
            media_type=MEDIA_TYPES[form],
            filename=found.filename(entry.name or f"ROI-{entry.number}", ending=f".{form}"),
        )
        return computations.respond(request, found.orthanc_id, computation)

    def add(form: Format, description: str) -> None:
        def mesh(
            request: Request,
            instance_id: InstanceId,
            n: StructureNumber,
            smooth: Smooth = True,
            triangles: Triangles = 0,
            combine: CombineContours = "auto",
        ) -> Response:
            return one(request, instance_id, n, form, smooth, triangles or 0, combine)

        router.add_api_route(
            f"/extract-rt/{{instance_id}}/structures/{{n}}/mesh.{form}",
            mesh,
            name=f"mesh_{form}",
            description=description,
            responses=file_answer(MEDIA_TYPES[form], description),
            response_class=Response,
        )

    add("stl", "The closed surface of one structure as binary STL, in mm and LPS.")
    add("obj", "The same as OBJ, with its colour at the vertices.")
    add("glb", "The same as GLB, with its name and colour.")

    @router.get(
        "/extract-rt/{instance_id}/mesh.glb",
        responses=file_answer("model/gltf-binary", "One node per structure, with its name and colour."),
        response_class=Response,
    )
    def mesh_glb(
        request: Request,
        instance_id: InstanceId,
        structures: WantedStructures = None,
        smooth: Smooth = True,
        triangles: Triangles = None,
        combine: CombineContours = "auto",
    ) -> Response:
        """All surfaces in one scene. Without `triangles` each has at most 10,000, and all together 600,000."""
        found = sources.structure_set(instance_id)
        asked = Asked(_numbers(found, structures), smooth, triangles, combine)
        computation = Computation(
            name="scene.glb",
            parameters=asdict(asked),
            version=VERSION,
            load=lambda: (sources.read(found.orthanc_id), asked),
            function=scene,
            media_type=MEDIA_TYPES["glb"],
            filename=found.filename(ending=".glb"),
        )
        return computations.respond(request, found.orthanc_id, computation)

    @router.get(
        "/extract-rt/{instance_id}/surfaces",
        responses={**COMPUTED, 200: {"model": SurfacesModel}},
        response_class=Response,
    )
    def surface_numbers(
        request: Request,
        instance_id: InstanceId,
        structures: WantedStructures = None,
        series: ImageSeries = None,
    ) -> Response:
        """Volume and surface area: the IBSI's on the images, and those of the smooth mesh, which needs none."""
        found = sources.structure_set(instance_id)
        numbers = _numbers(found, structures)
        images = referenced_images(sources, found, series)
        computation = Computation(
            name="surfaces",
            parameters={"numbers": numbers, "images": images.key},
            version=VERSION,
            load=lambda: (sources.read(found.orthanc_id), images.read(sources), images.reason, numbers),
            function=surfaces,
            media_type="application/json",
        )
        return computations.respond(request, found.orthanc_id, computation)

    return router


def _numbers(found: StructureSetSource, structures: str | None) -> tuple[int, ...]:
    return tuple(entry.number for entry in found.chosen(structures))
