"""NIfTI-1 files (.nii.gz) of volumes on a grid; nibabel writes the header."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from ..grids import Grid
from .compression import gzipped

#: NIfTI-1 header extension: a comment in plain text.
_COMMENT = 6


def nifti(values: npt.NDArray[Any], grid: Grid, description: str, labels: object | None = None) -> bytes:
    """A gzipped NIfTI-1 file.

    Parameters
    ----------
    values
        Shape (slices, rows, columns).
    grid
        Where they lie. The file has both sform and qform in RAS millimetres; a sheared grid (tilted gantry) the sform
        alone, since a qform cannot say it.
    description
        Up to 79 ASCII characters.
    labels
        What the values stand for: written as JSON into a header extension, which most programs ignore.

    """
    from nibabel.nifti1 import Nifti1Extension, Nifti1Image

    # The transpose is a view in Fortran order, which is how NIfTI stores it: nothing is copied.
    image = Nifti1Image(values.T, grid.affine_ras, dtype=values.dtype)
    image.set_sform(grid.affine_ras, code="scanner")
    upright = np.allclose(grid.directions @ grid.directions.T, np.eye(3), atol=1e-4)
    image.set_qform(grid.affine_ras if upright else None, code="scanner" if upright else "unknown")
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = description.encode("ascii", "replace")[:79]
    if labels is not None:
        image.header.extensions.append(Nifti1Extension(_COMMENT, orjson.dumps(labels)))
    return gzipped(image.to_bytes())
