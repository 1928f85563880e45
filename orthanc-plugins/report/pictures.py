"""Contours drawn on the slices that they were drawn on, and cuts across the slices."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from report.facts import StructureFacts
from report.png import png_of
from rtstruct.grids import Grid
from rtstruct.images import Image
from rtstruct.planes import Frame

Floats = npt.NDArray[np.float64]
Colour = tuple[int, int, int]

#: Pictures of slices at most, and points of a contour in them.
MOST_PICTURES = 12
_MOST_POINTS = 160
#: Around a structure, at least, in mm.
_MARGIN_MM = 20.0
_LEAST_SIDE_MM = 80.0
#: No embedded picture has more pixels a side.
_MOST_PIXELS = 360
_MOST_CUT_PIXELS = 512
#: Window centre and width for soft tissue, in HU.
_CENTRE_HU, _WIDTH_HU = 40.0, 400.0
_TARGETS = ("GTV", "CTV", "PTV")
_NO_COLOUR: Colour = (136, 136, 136)


@dataclass(frozen=True)
class Outline:
    """One structure on a slice: an SVG path in mm, and its colour."""

    number: int
    colour: Colour
    path: str


@dataclass(frozen=True)
class SlicePicture:
    """The middle slice of one structure.

    Attributes
    ----------
    window
        x, y, width, height in mm: what is shown.
    image
        Data URI of a PNG and where it lies, in mm; None without images.
    position_mm
        Of the slice along z, or along the normal of planes that are not axial.

    """

    number: int
    name: str
    position_mm: float
    window: tuple[float, float, float, float]
    image: tuple[str, tuple[float, float, float, float]] | None
    outlines: tuple[Outline, ...]


@dataclass(frozen=True)
class Cut:
    """A plane across the slices, with the structures' borders: `kind` is "rows" or "columns" of the images."""

    kind: str
    uri: str
    width_mm: float
    height_mm: float


def colour_of(facts: StructureFacts) -> Colour:
    """The structure's colour, grey when it has none."""
    return facts.structure.color or _NO_COLOUR


def focus_of(all_facts: Sequence[StructureFacts]) -> StructureFacts | None:
    """The structure that cuts go through: the first target, else the largest that is not the outline of the body."""
    drawn = [each for each in all_facts if each.analysis.volume_cm3 and each.analysis.centroid_mm]
    targets = [each for each in drawn if each.structure.interpreted_type in _TARGETS]
    inner = [each for each in drawn if each.structure.interpreted_type != "EXTERNAL"]
    return targets[0] if targets else max(inner or drawn, key=lambda each: each.analysis.volume_cm3 or 0, default=None)


def slice_pictures(all_facts: Sequence[StructureFacts], image: Image | None) -> list[SlicePicture]:
    """The middle slices of up to `MOST_PICTURES` structures: targets first, the outline of the body last."""
    drawn = [each for each in all_facts if each.analysis.plane_count]
    order = {"GTV": 0, "CTV": 0, "PTV": 0, "EXTERNAL": 2}
    drawn.sort(key=lambda each: order.get(each.structure.interpreted_type or "", 1))
    made = (_middle_slice(each, all_facts, image) for each in drawn[:MOST_PICTURES])
    return [picture for picture in made if picture is not None]


def cuts_of(all_facts: Sequence[StructureFacts], image: Image, focus: StructureFacts) -> list[Cut]:
    """Two planes across the slices through the centroid of `focus`; none when it lies outside the images."""
    slices, rows, columns = image.grid.shape
    if slices < 3 or focus.analysis.centroid_mm is None:
        return []
    column, row, _ = np.rint(image.grid.to_index(np.array([focus.analysis.centroid_mm]))[0]).astype(int)
    if not (0 <= column < columns and 0 <= row < rows):
        return []
    step = image.grid.spacing_mm
    across = (slice(None), slice(row, row + 1), slice(None)), (slice(None), slice(None), slice(column, column + 1))
    return [
        _cut("rows", all_facts, image, across[0], 1, float(step[0])),
        _cut("columns", all_facts, image, across[1], 2, float(step[1])),
    ]


def _middle_slice(
    facts: StructureFacts, all_facts: Sequence[StructureFacts], image: Image | None
) -> SlicePicture | None:
    grid = image.grid if image else _grid_of_planes(facts)
    own = _heights(facts, grid)
    flat = own[~np.isnan(own)]
    if not len(flat):
        return None
    level = float(flat[np.argsort(flat)[len(flat) // 2]])
    if image:
        level = round(level)
    outlines = [_outline(each, grid, level) for each in all_facts]
    mine = [points for points in _on_level(facts, grid, level)]
    if not mine:
        return None
    window = _window(np.concatenate(mine))
    at = grid.to_patient(np.array([[0.0, 0.0, level]]))[0]
    return SlicePicture(
        number=facts.structure.number,
        name=facts.structure.name,
        position_mm=float(at @ grid.normal) if abs(grid.normal[2]) < 0.99 else float(at[2]),
        window=window,
        image=_pixels(image, int(level), window) if image else None,
        outlines=tuple(each for each in outlines if each is not None),
    )


def _grid_of_planes(facts: StructureFacts) -> Grid:
    """A grid in the structure's own planes, where there is no image."""
    normal = np.array(facts.analysis.plane_normal or (0.0, 0.0, 1.0))
    axis = int(np.argmax(np.abs(normal)))
    u = np.eye(3)[(axis + 1) % 3]
    u = u - (u @ normal) * normal
    u /= np.linalg.norm(u)
    frame = Frame(np.stack((u, np.cross(normal, u), normal)))
    spacing = facts.analysis.plane_spacing_mm or 1.0
    return Grid(np.zeros(3), frame.axes, np.array([1.0, 1.0, spacing]), (1, 1, 1))


def _heights(facts: StructureFacts, grid: Grid) -> Floats:
    """The slice that each contour lies on, as a fraction; NaN for contours that lean out of it."""
    contours = facts.structure.contours
    if not contours:
        return np.zeros(0)
    # Three points tell whether a contour leans; transforming all of them would take as long as everything else.
    thirds = [
        contour.points_mm[[0, len(contour.points_mm) // 3, 2 * len(contour.points_mm) // 3]] for contour in contours
    ]
    heights = grid.to_index(np.concatenate(thirds))[:, 2].reshape(-1, 3)
    return np.where(np.ptp(heights, axis=1) < 0.5, heights.mean(axis=1), np.nan)


def _on_level(facts: StructureFacts, grid: Grid, level: float) -> Iterable[Floats]:
    """Contours on a slice, shape (N, 2) in mm from the centre of its first pixel."""
    heights = _heights(facts, grid)
    for index in np.flatnonzero(np.abs(heights - level) <= 0.5):
        yield _in_plane(facts.structure.contours[index].points_mm, grid)


def _in_plane(points_mm: Floats, grid: Grid) -> Floats:
    step = -(-len(points_mm) // _MOST_POINTS)
    in_plane: Floats = grid.to_index(points_mm[::step])[:, :2] * grid.spacing_mm[:2]
    return in_plane


def _outline(facts: StructureFacts, grid: Grid, level: float) -> Outline | None:
    parts = []
    for points in _on_level(facts, grid, level):
        rounded = np.round(points, 1)
        parts.append("M" + "L".join(f"{x:g} {y:g}" for x, y in rounded.tolist()) + "Z")
    if not parts:
        return None
    return Outline(facts.structure.number, colour_of(facts), "".join(parts))


def _window(points: Floats) -> tuple[float, float, float, float]:
    low, high = points.min(axis=0), points.max(axis=0)
    side = max(_LEAST_SIDE_MM, float((high - low).max()) + 2 * _MARGIN_MM)
    x, y = ((low + high - side) / 2).tolist()
    return round(x, 1), round(y, 1), round(side, 1), round(side, 1)


def _pixels(
    image: Image, level: int, window: tuple[float, float, float, float]
) -> tuple[str, tuple[float, float, float, float]] | None:
    slices, rows, columns = image.grid.shape
    if not (0 <= level < slices) or not image.present[level]:
        return None
    across, down = (float(each) for each in image.grid.spacing_mm[:2])
    x, y, side, _ = window
    left, right = max(0, int(x / across)), min(columns, int(np.ceil((x + side) / across)) + 1)
    top, bottom = max(0, int(y / down)), min(rows, int(np.ceil((y + side) / down)) + 1)
    if left >= right or top >= bottom:
        return None
    box = (slice(level, level + 1), slice(top, bottom), slice(left, right))
    step = max(1, -(-max(right - left, bottom - top) // _MOST_PIXELS))
    grey = _windowed(image, image.values(box)[0])[::step, ::step]
    place = ((left - 0.5) * across, (top - 0.5) * down, grey.shape[1] * step * across, grey.shape[0] * step * down)
    return _uri(grey), place


def _windowed(image: Image, values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    if image.modality == "CT":
        low, high = _CENTRE_HU - _WIDTH_HU / 2, _CENTRE_HU + _WIDTH_HU / 2
    else:
        low, high = (float(each) for each in np.percentile(values, (1, 99)))
    scaled = (values - low) * (255 / max(high - low, 1e-6))
    grey: npt.NDArray[np.uint8] = np.clip(scaled, 0, 255).astype(np.uint8)
    return grey


def _cut(
    kind: str,
    all_facts: Sequence[StructureFacts],
    image: Image,
    box: tuple[slice, slice, slice],
    axis: int,
    across_mm: float,
) -> Cut:
    distance = image.grid.slice_distance_mm
    grey = _windowed(image, image.values(box).squeeze(axis))
    # Slices are thicker than pixels: repeated, so that borders are drawn one pixel wide.
    repeat = max(1, min(8, round(distance / across_mm)))
    up = image.grid.normal[2] >= 0
    shown = np.repeat(grey, repeat, axis=0)
    colours = np.repeat(shown[:, :, None], 3, axis=2)
    for facts in all_facts:
        inside = _mask_in(facts, image, box, axis)
        if inside is not None:
            colours[_border(np.repeat(inside, repeat, axis=0))] = colour_of(facts)
    step = max(1, -(-max(colours.shape[:2]) // _MOST_CUT_PIXELS))
    colours = colours[::-1] if up else colours
    slices, columns = grey.shape
    return Cut(kind, _uri(colours[::step, ::step]), columns * across_mm, slices * distance)


def _mask_in(
    facts: StructureFacts, image: Image, box: tuple[slice, slice, slice], axis: int
) -> npt.NDArray[np.bool_] | None:
    mask = facts.mask
    if mask is None or not mask.inside.size:
        return None
    at = box[axis].start - mask.box[axis].start
    if not 0 <= at < mask.inside.shape[axis]:
        return None
    slices, rows, columns = image.grid.shape
    whole = np.zeros((slices, columns if axis == 1 else rows), dtype=np.bool_)
    whole[mask.box[0], mask.box[3 - axis]] = mask.inside.take(at, axis=axis)
    return whole


def _border(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    padded = np.pad(inside, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    border: npt.NDArray[np.bool_] = inside & ~inner
    return border


def _uri(pixels: npt.NDArray[np.uint8]) -> str:
    return "data:image/png;base64," + base64.b64encode(png_of(pixels)).decode()
