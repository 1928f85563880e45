"""Contours and what was found out about each, as one compact block of bytes to keep beside the instance.

Layout, little endian: ``RTPC``, version (uint16), two reserved bytes, the sizes of the header compressed and
inflated (uint32 each), the header (JSON, zlib), then one block of points per structure (see `point_blocks`).
The header says where each block lies, so that single structures can be had without touching the others.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any

import numpy as np

from .analysis import StructureAnalysis
from .model import Points, Structure, StructureSet
from .point_blocks import decode, encode, inflate

MAGIC = b"RTPC"
VERSION = 2

_START = Struct("<4sHHII")
_NO_POINTS: Points = np.empty((0, 3))


@dataclass(frozen=True, eq=False)
class PackedContour:
    """One contour.

    Attributes
    ----------
    geometric_type
        As in the file.
    position_mm
        Along the normal of the structure's planes.
    hole
        It lies within an odd number of other contours of its plane.
    area_mm2, perimeter_mm
        See `analysis.ContourAnalysis`.
    points_mm
        Shape (N, 3), read-only, patient coordinates (LPS): bit for bit what was packed.

    """

    geometric_type: str
    position_mm: float
    hole: bool
    area_mm2: float
    perimeter_mm: float
    points_mm: Points


@dataclass(frozen=True, eq=False)
class PackedStructure:
    """One structure and its contours, in the order of the file.

    Attributes
    ----------
    points_mm
        Shape (M, 3), read-only: the points of all contours end to end; those of each contour are views on it.

    """

    number: int
    name: str
    contours: tuple[PackedContour, ...]
    points_mm: Points


@dataclass(frozen=True, eq=False)
class PackedContours:
    """What `unpack_contours` takes out of a blob."""

    structures: tuple[PackedStructure, ...]


def pack_contours(structure_set: StructureSet, analyses: Sequence[StructureAnalysis]) -> bytes:
    """Pack all contours of a structure set.

    Parameters
    ----------
    structure_set
        From `reader.read`.
    analyses
        From `analysis.analyse`, one for each structure in the same order.

    Raises
    ------
    ValueError
        The analyses are not those of the structures.

    """
    blocks: list[bytes] = []
    described: list[dict[str, Any]] = []
    for structure, analysis in zip(structure_set.structures, analyses, strict=True):
        if (structure.number, len(structure.contours)) != (analysis.number, len(analysis.contours)):
            raise ValueError(f"the analysis of ROI {analysis.number} is not that of ROI {structure.number}")
        points = [contour.points_mm for contour in structure.contours]
        block, decimals = encode(np.concatenate(points) if points else _NO_POINTS)
        blocks.append(block)
        described.append(_described(structure, analysis, len(block), decimals))
    header = json.dumps({"structures": described}, separators=(",", ":")).encode()
    compressed = zlib.compress(header, 1)
    start = _START.pack(MAGIC, VERSION, 0, len(compressed), len(header))
    return b"".join((start, compressed, *blocks))


def _described(structure: Structure, analysis: StructureAnalysis, size: int, decimals: int) -> dict[str, Any]:
    return {
        "number": structure.number,
        "name": structure.name,
        "bytes": size,
        "decimals": decimals,
        "geometric_type": [contour.geometric_type for contour in structure.contours],
        "points": [len(contour.points_mm) for contour in structure.contours],
        "position_mm": [contour.position_mm for contour in analysis.contours],
        "hole": [int(contour.hole) for contour in analysis.contours],
        "area_mm2": [contour.area_mm2 for contour in analysis.contours],
        "perimeter_mm": [contour.perimeter_mm for contour in analysis.contours],
    }


def unpack_contours(blob: bytes | memoryview, numbers: Collection[int] | None = None) -> PackedContours:
    """Unpack contours.

    Parameters
    ----------
    blob
        From `pack_contours`.
    numbers
        The ROI Numbers wanted, all by default; the points of others are not decompressed. Numbers that are
        not there are passed over.

    Raises
    ------
    ValueError
        The blob is not one, is damaged, or was written by a later version.

    """
    view = memoryview(blob)
    try:
        header, position = _header(view)
        structures = []
        for described in header["structures"]:
            end = position + described["bytes"]
            if numbers is None or described["number"] in numbers:
                structures.append(_unpacked(described, view[position:end]))
            position = end
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"packed contours are damaged: the header lacks or mistypes {error}") from None
    except ValueError as error:
        raise ValueError(f"packed contours are damaged: {error}") from None
    if position != len(view):
        raise ValueError(f"packed contours are damaged: {len(view)} bytes, the header speaks of {position}")
    return PackedContours(tuple(structures))


def _header(view: memoryview) -> tuple[dict[str, Any], int]:
    if len(view) < _START.size:
        raise ValueError(f"{len(view)} bytes are too few")
    magic, version, _, compressed, inflated = _START.unpack_from(view)
    if magic != MAGIC:
        raise ValueError(f"they start with {magic!r} and not with {MAGIC!r}")
    if version != VERSION:
        raise ValueError(f"version {version} is unknown, this is version {VERSION}")
    end = _START.size + compressed
    header: dict[str, Any] = json.loads(inflate(view[_START.size : end], inflated))
    return header, end


def _unpacked(described: dict[str, Any], block: memoryview) -> PackedStructure:
    counts = described["points"]
    points = decode(block, described["decimals"], sum(counts))
    names = ("geometric_type", "position_mm", "hole", "area_mm2", "perimeter_mm")
    columns = [described[name] for name in names]
    contours = []
    start = 0
    for geometric_type, position_mm, hole, area_mm2, perimeter_mm, count in zip(*columns, counts, strict=True):
        there = points[start : start + count]
        contours.append(PackedContour(geometric_type, position_mm, bool(hole), area_mm2, perimeter_mm, there))
        start += count
    return PackedStructure(described["number"], described["name"], tuple(contours), points)
