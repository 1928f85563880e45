"""Findings about where contours lie in the images."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..image_series import ImageSeries, match
from ..model import Structure
from .findings import Place, QualityFinding, finding

# Farther from the plane of its image than this share of the spacing is off it: rounding does less.
_OFF_PLANE = 0.1
# A point this far outside the pixels' edges is still on the edge.
_EDGE_MM = 0.5


def of_images(structure: Structure, series: ImageSeries) -> Iterator[QualityFinding]:
    """Whether contours lie on the planes of the images, and within them."""
    title = structure.name or f"ROI {structure.number}"
    contours = structure.contours
    if not contours or not series.stacks:
        return
    found = match(contours, series)
    spacing = {int(index): stack.spacing_mm for stack in series.stacks for index in stack.members}
    off = [
        index
        for index in np.flatnonzero(found.within).tolist()
        if found.offset_mm[index] > _OFF_PLANE * spacing[int(found.plane[index])]
    ]
    if off:
        worst = max(off, key=lambda index: float(found.offset_mm[index]))
        yield finding(
            "contours_off_image_planes",
            f"{title}: {len(off)} of {len(contours)} contours lie between the images of series "
            f"{series.series_instance_uid}, up to {found.offset_mm[worst]:.2f} mm from the nearest.",
            _place(structure, worst),
        )
    beyond = [index for index in range(len(contours)) if not found.within[index] or _leaves(structure, index, series)]
    if beyond:
        yield finding(
            "contours_beyond_image",
            f"{title}: {len(beyond)} of {len(contours)} contours lie, or reach, outside the images of series "
            f"{series.series_instance_uid}.",
            _place(structure, beyond[0]),
        )


def _leaves(structure: Structure, index: int, series: ImageSeries) -> bool:
    if series.pixel_spacing_mm is None or not series.rows or not series.columns:
        return False
    plane = series.planes[0]
    between_rows, between_columns = series.pixel_spacing_mm
    relative = structure.contours[index].points_mm - np.array(plane.position_mm)
    along_row, along_column = relative @ np.array(plane.row), relative @ np.array(plane.column)
    return bool(
        along_row.min() < -between_columns / 2 - _EDGE_MM
        or along_column.min() < -between_rows / 2 - _EDGE_MM
        or along_row.max() > (series.columns - 0.5) * between_columns + _EDGE_MM
        or along_column.max() > (series.rows - 0.5) * between_rows + _EDGE_MM
    )


def _place(structure: Structure, index: int) -> Place:
    x, y, z = structure.contours[index].points_mm[0].tolist()
    return Place(structure.number, structure.name, contour=index, point_mm=(x, y, z))
