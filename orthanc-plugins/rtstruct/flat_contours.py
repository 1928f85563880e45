"""Contours as one flat array of float32 behind a JSON header, for browsers and notebooks.

Layout, little endian: ``RTFC``, version, length of the header in bytes, number of points (uint32 each), the header
(JSON in UTF-8, padded with blanks to a multiple of four bytes), then x, y, z of every point as float32, contour after
contour and structure after structure in the order of the header. `docs/rtstruct/contours.md` has decoders.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any

import numpy as np
import numpy.typing as npt

from .packing import PackedStructure

MAGIC = b"RTFC"
VERSION = 1

_START = Struct("<4sIII")
_BYTES_PER_POINT = 12
# So that a browser can lay a Float32Array over what follows the header.
_ALIGNMENT = 4


@dataclass(frozen=True, eq=False)
class FlatContours:
    """What `read_flat` finds.

    Attributes
    ----------
    header
        ``{"structures": [{"number", "name", …, "contours": [{"geometric_type", "position_mm", "hole", "area_mm2",
        "perimeter_mm", "point_count"}]}]}``
    points_mm
        Shape (M, 3), float32, read-only: patient coordinates (LPS).

    """

    header: Mapping[str, Any]
    points_mm: npt.NDArray[np.float32]


def write_flat(structures: Sequence[PackedStructure], about: Sequence[Mapping[str, Any]]) -> bytes:
    """Lay out contours.

    Parameters
    ----------
    structures
        From `packing.unpack_contours`.
    about
        For each structure what else its entry in the header says, such as its color.

    """
    described = [_described(structure, more) for structure, more in zip(structures, about, strict=True)]
    header = json.dumps({"structures": described}, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % _ALIGNMENT)
    # Coordinates beyond float32 (10³⁸ mm) become infinite.
    with np.errstate(over="ignore"):
        points = [structure.points_mm.astype("<f4") for structure in structures]
    start = _START.pack(MAGIC, VERSION, len(header), sum(map(len, points)))
    return b"".join((start, header, *(memoryview(each).cast("B") for each in points if each.size)))


def read_flat(flat: bytes | memoryview) -> FlatContours:
    """Read what `write_flat` wrote.

    Raises
    ------
    ValueError
        It is not that, is damaged, or was written by a later version.

    """
    view = memoryview(flat)
    if len(view) < _START.size or view[:4] != MAGIC:
        raise ValueError(f"flat contours start with {MAGIC!r} and not with {bytes(view[:4])!r}")
    _, version, header_length, count = _START.unpack_from(view)
    if version != VERSION:
        raise ValueError(f"flat contours of version {version} are unknown, this is version {VERSION}")
    start = _START.size + header_length
    if start + count * _BYTES_PER_POINT != len(view):
        raise ValueError(f"flat contours are damaged: {len(view)} bytes for {count} points")
    points = np.frombuffer(view[start:], "<f4").reshape(-1, 3)
    points.flags.writeable = False
    return FlatContours(json.loads(bytes(view[_START.size : start])), points)


def _described(structure: PackedStructure, more: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "number": structure.number,
        "name": structure.name,
        **more,
        "contours": [
            {
                "geometric_type": contour.geometric_type,
                "position_mm": contour.position_mm,
                "hole": contour.hole,
                "area_mm2": contour.area_mm2,
                "perimeter_mm": contour.perimeter_mm,
                "point_count": len(contour.points_mm),
            }
            for contour in structure.contours
        ],
    }
