"""What is written into a structure set: regions of an image, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import Impossible

Booleans = npt.NDArray[np.bool_]
Color = tuple[int, int, int]


@dataclass(frozen=True)
class Naming:
    """What a caller says of a label or segment; None keeps what the file says."""

    name: str | None = None
    color: Color | None = None
    interpreted_type: str | None = None


@dataclass(frozen=True, eq=False)
class Region:
    """One structure to be.

    Attributes
    ----------
    number
        ROI Number, positive.
    box
        Slices, rows and columns of the images that `inside` covers.
    inside
        Shape of the box.

    """

    number: int
    name: str
    color: Color
    interpreted_type: str
    box: tuple[slice, slice, slice]
    inside: Booleans


class UnusableSegmentation(Impossible):
    """No structure set can be made of it."""
