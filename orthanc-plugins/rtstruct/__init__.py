"""RT Structure Sets: bytes in, structures and their geometry out.

Pure numpy and pydicom, usable from a notebook; must never import orthanc, fastapi or sqlalchemy.

>>> structure_set = read(Path("RS.dcm").read_bytes())
>>> analyses = [analyse(structure) for structure in structure_set.structures]
>>> blob = pack_contours(structure_set, analyses)
"""

from .analysis import ContourAnalysis, PlaneArea, StructureAnalysis, analyse
from .errors import DamagedStructureSet, NotAStructureSet, StructureSetError
from .flat_contours import FlatContours, read_flat, write_flat
from .model import Contour, Finding, Structure, StructureSet
from .packing import PackedContour, PackedContours, PackedStructure, pack_contours, unpack_contours
from .reader import read

__all__ = [
    "Contour",
    "ContourAnalysis",
    "DamagedStructureSet",
    "Finding",
    "FlatContours",
    "NotAStructureSet",
    "PackedContour",
    "PackedContours",
    "PackedStructure",
    "PlaneArea",
    "Structure",
    "StructureAnalysis",
    "StructureSet",
    "StructureSetError",
    "analyse",
    "pack_contours",
    "read",
    "read_flat",
    "unpack_contours",
    "write_flat",
]
