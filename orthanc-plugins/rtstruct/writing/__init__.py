"""Structure sets written from segmentations: NIfTI label maps and DICOM Segmentations."""

from .borders import outlines
from .model import Naming, Region, UnusableSegmentation
from .structure_sets import WrittenSet, WrittenStructure, structure_set_of

__all__ = [
    "Naming",
    "Region",
    "UnusableSegmentation",
    "WrittenSet",
    "WrittenStructure",
    "outlines",
    "structure_set_of",
]
