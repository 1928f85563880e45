"""What a worker computes: a structure set in, surfaces as files or as numbers out.

Imports neither ``orthanc`` nor FastAPI. A change of what comes out needs a higher VERSION.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import orjson

import rtstruct
from host.answer import Answer, Refusal
from host.workers import report
from rtstruct import Structure
from rtstruct.images import UnusableImage, read_image
from rtstruct.meshes import NoSurface, Part, glb, ibsi_surface, mesh_of, obj, smooth_surface, stl
from rtstruct.meshes.files import DEFAULT_COLOR
from rtstruct.sections import Combine

VERSION = 1

Format = Literal["stl", "obj", "glb"]

#: What a browser turns without effort: for each structure, and for all of a scene.
_TRIANGLES, _ALL_TRIANGLES = 10_000, 600_000


@dataclass(frozen=True)
class Asked:
    """What is asked for.

    Attributes
    ----------
    numbers
        ROI Numbers, in the order of the set.
    triangles
        For each structure; 0 takes as many as there are, None as many as a browser turns without effort.

    """

    numbers: tuple[int, ...]
    smooth: bool = True
    triangles: int | None = None
    combine: Combine = "auto"

    @property
    def limit(self) -> int | None:
        """Triangles of one structure at most, None for no limit."""
        if self.triangles is None:
            return min(_TRIANGLES, _ALL_TRIANGLES // max(len(self.numbers), 1))
        return self.triangles or None


def single_mesh(dicom: bytes, asked: Asked, form: Format) -> Answer:
    """The surface of one structure. Raises `Refusal` 422 where there is none."""
    (structure,) = _wanted(dicom, asked.numbers)
    try:
        part = _part(structure, asked)
    except NoSurface as error:
        raise _nothing(str(error)) from None
    report(0.8, "writing")
    body = {"stl": lambda: stl(part.mesh), "obj": lambda: obj(part), "glb": lambda: glb([part])}[form]()
    return Answer(body, {"X-Triangles": str(len(part.mesh.faces))})


def scene(dicom: bytes, asked: Asked) -> Answer:
    """All surfaces in one GLB; what has none is named in the root node's extras and in a header."""
    structures = _wanted(dicom, asked.numbers)
    parts, left_out = [], []
    for nth, structure in enumerate(structures):
        report(0.9 * nth / len(structures), f"{nth} of {len(structures)} structures")
        try:
            parts.append(_part(structure, asked))
        except NoSurface as error:
            left_out.append({"roi_number": structure.number, "roi_name": structure.name, "reason": str(error)})
    if not parts:
        raise _nothing("None of the structures has a surface")
    headers = {"X-Triangles": str(sum(len(part.mesh.faces) for part in parts))}
    if left_out:
        headers["X-Left-Out"] = ",".join(str(each["roi_number"]) for each in left_out)
    return Answer(glb(parts, left_out), headers)


def surfaces(dicom: bytes, images: list[bytes] | None, without_images: str | None, numbers: tuple[int, ...]) -> bytes:
    """Volumes and surface areas as JSON: the IBSI's on the images, where there are any, and the smooth mesh's."""
    grid, series = None, None
    if images is not None:
        try:
            image = read_image(images)
        except UnusableImage as error:
            raise Refusal(422, f"The image series cannot be read: {error}.", "Name another with ?series=.") from None
        grid, series = image.grid, image.series_instance_uid
    from rtstruct.masks import mask_of

    structures = _wanted(dicom, numbers)
    told = []
    for nth, structure in enumerate(structures):
        report(nth / len(structures), f"{nth} of {len(structures)} structures")
        findings = []
        smooth, ibsi = None, None
        try:
            smooth = smooth_surface(structure)
        except NoSurface as error:
            findings.append({"code": "no_surface", "message": f"{error}."})
        if grid is not None:
            mask = mask_of(structure, grid)
            findings += [{"code": each.code, "message": each.message} for each in mask.findings]
            ibsi = ibsi_surface(mask.inside, grid.steps_mm) if mask.voxel_count else None
        told.append(
            {
                "number": structure.number,
                "name": structure.name,
                "ibsi_mesh": ibsi,
                "smooth_mesh": smooth,
                "warnings": findings,
            }
        )
    return orjson.dumps({"series_instance_uid": series, "no_images": without_images, "structures": told})


def _wanted(dicom: bytes, numbers: tuple[int, ...]) -> list[Structure]:
    return [structure for structure in rtstruct.read(dicom).structures if structure.number in numbers]


def _part(structure: Structure, asked: Asked) -> Part:
    mesh = mesh_of(structure, asked.smooth, asked.limit, combine=asked.combine)
    return Part(mesh, structure.name, structure.number, structure.color or DEFAULT_COLOR, structure.interpreted_type)


def _nothing(reason: str) -> Refusal:
    remedy = "Ask for structures with closed contours on several planes; /structures lists what there is."
    return Refusal(422, f"{reason}.", remedy)
