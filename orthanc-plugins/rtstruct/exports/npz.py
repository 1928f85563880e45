"""Masks for numpy (.npz): of each structure the box around it and what is inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import numpy.typing as npt

from ..labels import Segment
from .compression import LEVEL

#: The earliest that a ZIP can say: equal masks make equal files.
_ALWAYS = (1980, 1, 1, 0, 0, 0)


def npz(segments: Sequence[Segment]) -> bytes:
    """A file for `numpy.load`.

    It holds ``numbers``, ``names`` and ``labels`` (one a structure), ``shape`` (slices, rows, columns), ``affine``
    (4 × 4, index (column, row, slice) to LPS mm), and for ROI Number n ``box_n`` (3 × 2: first and end of slices, rows,
    columns) and ``mask_n`` (booleans, shape of the box).
    """
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for name, array in _arrays(segments):
            content = BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
            entry = ZipInfo(f"{name}.npy", _ALWAYS)
            entry.compress_type = ZIP_DEFLATED
            archive.writestr(entry, content.getvalue())
    return buffer.getvalue()


def _arrays(segments: Sequence[Segment]) -> Iterator[tuple[str, npt.NDArray[np.generic]]]:
    grid = segments[0].mask.grid
    yield "numbers", np.array([segment.structure.number for segment in segments])
    yield "names", np.array([segment.structure.name for segment in segments])
    yield "labels", np.array([segment.label for segment in segments])
    yield "shape", np.array(grid.shape)
    yield "affine", grid.affine
    for segment in segments:
        number = segment.structure.number
        yield f"box_{number}", np.array([(each.start, each.stop) for each in segment.mask.box])
        yield f"mask_{number}", segment.mask.inside
