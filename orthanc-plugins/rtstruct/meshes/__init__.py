"""Closed triangle meshes of structures: from contours, in mm (LPS), as STL, OBJ and GLB."""

from .files import Part, obj, stl
from .glb import glb
from .model import Mesh, NoSurface
from .reduction import reduced
from .surface import mesh_of

__all__ = ["Mesh", "NoSurface", "Part", "glb", "mesh_of", "obj", "reduced", "stl"]
