"""What a worker runs: a segmentation and its images in, a structure set out. Imports neither orthanc nor FastAPI."""

from __future__ import annotations

from collections.abc import Mapping

from host.answer import Refusal
from rtstruct.images import UnusableImage
from rtstruct.writing import Naming, UnusableSegmentation, WrittenSet, structure_set_of


def write(segmentation: bytes, files: list[bytes], naming: Mapping[int, Naming], label: str) -> WrittenSet:
    """Write a structure set. Raises `Refusal`."""
    try:
        return structure_set_of(segmentation, files, naming, label)
    except UnusableSegmentation as error:
        raise Refusal(422, f"The segmentation cannot be used: {error.reason}", error.remedy) from None
    except UnusableImage as error:
        raise Refusal(422, f"The series is no volume: {error}.", "Name another series.") from None
