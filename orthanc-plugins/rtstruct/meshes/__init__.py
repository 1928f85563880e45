"""Closed triangle meshes of structures: from contours, in mm (LPS), as STL, OBJ and GLB."""

from .files import Part, obj, stl
from .glb import glb
from .model import Mesh, NoSurface
from .reduction import reduced
from .surface import mesh_of
from .surface_numbers import IbsiSurface, SmoothSurface, ibsi_surface, ibsi_surface_on, smooth_surface

__all__ = [
    "IbsiSurface",
    "Mesh",
    "NoSurface",
    "Part",
    "SmoothSurface",
    "glb",
    "ibsi_surface",
    "ibsi_surface_on",
    "mesh_of",
    "obj",
    "reduced",
    "smooth_surface",
    "stl",
]
